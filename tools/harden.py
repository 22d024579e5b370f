"""One command that tries to break every promise of docs/security.md.

    make harden                            # the short form, 12 minutes after make test
    python tools/harden.py --long          # the long form, hours: the figures of docs/security.md
    python tools/harden.py promises fuzz   # some parts

Parts:

    native     the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, failing allocations among them
    threads    the native tests of threads under ThreadSanitizer
    promises   tests/harden and tests/malformed: hostile files and users, faults, kills, threads, the same bits, soak
    extension  the Python extension under both sanitizers
    fuzz       every fuzz target for some seconds

Needs what `make test` needs. Results: --out (benchmarks/results/harden.json); --page renews docs/security.md from it,
from what `make coverage` and from what `python tools/fuzz.py --summary` wrote beside it.
Exit code 3 where a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BROKEN = 3
PAGE = ROOT / "docs" / "security.md"
MARKS = ("<!-- figures of tools/harden.py -->", "<!-- end of the figures -->")
PROMISES = ["tests/harden", "tests/malformed"]

ON_THREADS = ["threads_test", "thread_pool_test", "steady_test"]

#: What each part runs; {seconds} is how long a fuzz target may take. Two builds serve all of them.
PARTS: dict[str, list[list[str]]] = {
    "native": [["cmake", "--workflow", "--preset", "asan"]],
    "threads": [
        ["cmake", "--preset", "tsan"],
        ["cmake", "--build", "build/tsan", "--target", *ON_THREADS],
        ["ctest", "--test-dir", "build/tsan", "--output-on-failure", "-R", "|".join(ON_THREADS)],
    ],
    "promises": [[sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not network", *PROMISES]],
    "extension": [["make", "harden-asan"]],
    "fuzz": [
        ["cmake", "--preset", "asan"],
        ["cmake", "--build", "build/asan"],
        [sys.executable, "tests/fuzz/seeds.py", "build/seeds"],
        [sys.executable, "tools/fuzz.py", "build/asan", "--seconds", "{seconds}", "--seeds", "build/seeds"],
    ],
}
FUZZ_SECONDS = {"short": 10, "long": 1800}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which [all]")
    parser.add_argument("--long", action="store_true", help="the numbers that docs/security.md promises; hours")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "harden.json", metavar="FILE")
    parser.add_argument("--page", action="store_true", help="renew docs/security.md from --out, run nothing")
    wanted = parser.parse_args(arguments)
    if wanted.page:
        renew(wanted.out)
        return 0
    form = "long" if wanted.long else "short"
    known = json.loads(wanted.out.read_text(encoding="utf-8")) if wanted.out.exists() else {}
    results = dict(known.get("parts", {}))
    for name in wanted.parts or list(PARTS):
        results[name] = run_part(name, form)
        say(f"{name}: {'ok' if results[name]['ok'] else 'BROKEN'}, {results[name]['seconds']} s")
        write(wanted.out, {"machine": machine(), "parts": results})
    return 0 if all(results[name]["ok"] for name in wanted.parts or list(PARTS)) else BROKEN


def run_part(name: str, form: str) -> dict[str, Any]:
    """Run a part's commands; their output goes where ours does."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="slipway-harden-") as folder:
        figures = Path(folder) / "figures.jsonl"
        environment = {**os.environ, "SLIPWAY_HARDEN": form, "SLIPWAY_FIGURES": str(figures), "OMP_NUM_THREADS": "1"}
        commands = [[word.format(seconds=FUZZ_SECONDS[form]) for word in command] for command in PARTS[name]]
        codes = [subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode for command in commands]
        lines = figures.read_text(encoding="utf-8").splitlines() if figures.exists() else []
    rows = {(row["test"], row["figure"]): row["value"] for row in map(json.loads, lines)}
    return {
        "ok": not any(codes),
        "form": form,
        "seconds": round(time.perf_counter() - start),
        "figures": [{"test": test, "figure": figure, "value": value} for (test, figure), value in sorted(rows.items())],
    }


def write(path: Path, result: Mapping[str, Any]) -> None:
    """Write the results, a line per figure."""
    parts = [
        f"  {json.dumps(name)}: "
        + json.dumps({key: value for key, value in part.items() if key != "figures"})[:-1]
        + ', "figures": ['
        + ",".join("\n   " + json.dumps(row) for row in part["figures"])
        + "]}"
        for name, part in result["parts"].items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f'{{\n "machine": {json.dumps(result["machine"])},\n "parts": {{\n' + ",\n".join(parts) + "\n }\n}\n"
    path.write_text(text, encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return where the promises were tried."""
    return {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}


def renew(results: Path) -> None:
    """Put the figures into the page."""
    from slipway._pages import with_part

    made: dict[Callable[[Any], str], Path] = {
        figures_of: results,
        fuzz_of: results.with_name("fuzz.json"),
        coverage_of: results.with_name("coverage.json"),
    }
    tables = [words(json.loads(path.read_text(encoding="utf-8"))) for words, path in made.items() if path.exists()]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_part(page, *MARKS, "\n\n".join(tables)), encoding="utf-8")


def figures_of(result: Mapping[str, Any]) -> str:
    """Return what each test counted, as a table."""
    done = ", ".join(f"{name} in {part['seconds']} s" for name, part in result["parts"].items())
    where = result["machine"]
    rows = [
        (f"{name} ({part['form']})", f"`{test}`", what, f"{number:,}")
        for name, part in result["parts"].items()
        for (test, what), number in added_up(part["figures"]).items()
    ]
    return table(f"Run on {where['system']}, {where['cores']} cores: {done}.", ("part", "test", "what", "number"), rows)


def fuzz_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the fuzz targets have run, as a table."""
    return table(
        "Inputs that fuzz targets have run under both sanitizers since the last finding of each was mended:",
        ("target", "inputs", "read", "findings"),
        [(f"`{row['target']}`", *(f"{row[key]:,}" for key in ("executions", "read", "findings"))) for row in rows],
    )


def coverage_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines that tests reach, as a table."""
    return table(
        "Lines of the engine that tests reach, by `make coverage`:",
        ("what", "lines", "reached"),
        [(row["room"], f"{row['lines']:,}", f"{row['reached'] / row['lines']:.1%}") for row in rows],
    )


def table(words: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a sentence and a table below it."""
    lines = [f"| {' | '.join(map(str, line))} |" for line in [columns, *rows]]
    return "\n".join([words, "", lines[0], "|" + "---|" * len(columns), *lines[1:]])


def added_up(figures: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """Return the figures by test and by what they count, "rows" of "rows of linknet, avx512": a page is no list."""
    sums: dict[tuple[str, str], int] = {}
    for row in figures:
        if isinstance(row["value"], int):
            key = (row["test"].split("::")[-1].split("[")[0], row["figure"].split(" of ")[0].split(",")[0])
            sums[key] = sums.get(key, 0) + row["value"]
    return sums


def say(text: str) -> None:
    """Print at once: a run that is cut off has shown what it knows."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
