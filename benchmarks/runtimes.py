"""20 models of the notes in every runtime at hand, in one run: the table of docs/benchmarks.md.

    make bench                              # everything, then the page; under half an hour on two cores
    python benchmarks/runtimes.py --quick   # three models, three runtimes, a minute; writes nothing
    python benchmarks/runtimes.py --models mnist-cnn,names-gru --batches 1 --threads 1 --json part.json
    python benchmarks/runtimes.py --page    # benchmarks/results/runtimes.json -> docs/benchmarks.md

A run of everything writes benchmarks/results/runtimes.json and renews the page; a run of less writes only what --json
names. Bundles come from --zoo; a missing one is trained for a moment at its full size, because sizes matter for time
and weights do not, and kept beside the compiled models. Ctrl-C keeps the cells that were measured, in --json or beside
the compiled models. Exit code 3 where the engine answers wrongly.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from slipway._files import write_atomically
from slipway.bench.competitors import find_competitors
from slipway.bench.page import PAGE, PICTURE, picture, renew, rounded, summary_lines
from slipway.bench.protocol import Settings
from slipway.bench.suite import MODELS, QUICK_BATCHES, QUICK_MODELS, STARTUP_MODELS, Suite, run_suite
from slipway.bundle import Bundle
from slipway.errors import BundleError, ExitCode, InputError, SlipwayError, UsageError

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "runtimes.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and turn errors into exit codes."""
    wanted = parser().parse_args(arguments)
    try:
        if wanted.page:
            renew_page(json.loads(RESULT.read_text(encoding="utf-8")))
            return ExitCode.OK
        result = run(wanted)
    except SlipwayError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was written\n")
        return ExitCode.INTERRUPTED
    if result.get("interrupted"):
        target = wanted.json or wanted.cache / "interrupted.json"
        write_atomically(target, as_text(rounded(result)).encode())
        sys.stderr.write(f"interrupted; {len(result['cells'])} cells are in {target}\n")
        return ExitCode.INTERRUPTED
    write(result, wanted)
    return ExitCode.OK


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="a few models, batch 1 and 16, the nearest rivals")
    made.add_argument("--models", default="all", metavar="LIST", help="names with commas")
    made.add_argument("--batches", metavar="LIST", help="instead of each model's own")
    made.add_argument("--threads", default="1,2", metavar="LIST")
    made.add_argument("--runtimes", metavar="LIST", help="names with commas; all, peers (the default) or quick")
    made.add_argument("--turn", type=float, default=Settings.turn_seconds, metavar="S", help="seconds of one turn")
    made.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    made.add_argument("--zoo", type=Path, default=ROOT / "zoo", metavar="DIR", help="folder of the bundles")
    made.add_argument("--cache", type=Path, default=ROOT / "build" / "bench", metavar="DIR", help="compiled models")
    made.add_argument("--page", action="store_true", help="measure nothing; renew docs/benchmarks.md")
    return made


def run(wanted: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for."""
    names = QUICK_MODELS if wanted.quick and wanted.models == "all" else model_names(wanted.models)
    own_batches = {name: QUICK_BATCHES if wanted.quick else MODELS[name] for name in names}
    batches = {name: tuple(numbers("--batches", wanted.batches)) for name in names} if wanted.batches else own_batches
    suite = Suite(
        bundles=[open_bundle(name, wanted.zoo, wanted.cache.resolve() / "zoo") for name in names],
        batches=batches,
        threads=numbers("--threads", wanted.threads),
        competitors=find_competitors(wanted.runtimes or ("quick" if wanted.quick else "peers")),
        settings=Settings(turn_seconds=wanted.turn),
        folder=wanted.cache.resolve(),
        startup=STARTUP_MODELS,
        infer=slipway_infer(),
    )
    with progress(suite.count()) as tell:
        return run_suite(suite, tell)


def write(result: dict[str, Any], wanted: argparse.Namespace) -> None:
    """Say what came out; keep it where asked to, or everywhere if it is everything."""
    result = rounded(result)
    sys.stdout.writelines(f"{line}\n" for line in summary_lines(result))
    everything = not wanted.quick and wanted.models == "all" and not wanted.batches and not wanted.runtimes
    target = wanted.json or (RESULT if everything else None)
    if target is not None:
        write_atomically(target, as_text(result).encode())
    if target == RESULT:
        renew_page(result)


def as_text(result: dict[str, Any]) -> str:
    """Return a result as JSON with a line per row, so that two of them can be compared by eye."""
    lines = []
    for key, value in result.items():
        if isinstance(value, list) and value:
            rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in value)
            lines.append(f" {json.dumps(key)}: [\n{rows}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def renew_page(result: dict[str, Any]) -> None:
    """Rewrite the generated part of docs/benchmarks.md, and its picture."""
    page = ROOT / PAGE
    write_atomically(page, renew(page.read_text(encoding="utf-8"), result).encode())
    write_atomically(ROOT / PICTURE, picture(result).encode())


def open_bundle(name: str, zoo: Path, folder: Path) -> Bundle:
    """Open a bundle of the zoo, or train one for a moment where there is none."""
    try:
        return Bundle.open(zoo / name)
    except (InputError, BundleError) as error:
        reason = error
    with suppress(InputError, BundleError):
        return Bundle.open(folder / name)
    sys.stderr.write(f"{name}: {reason}; a bundle is trained for a moment\n")
    code = "from slipway.cli import train_and_export_main; train_and_export_main()"
    # Not the preset for trying things out: its models are smaller.
    options = [name, "--epochs", "1", "--set", "limit=256", "--out", str(folder), "--force", "--quiet"]
    done = subprocess.run([sys.executable, "-c", code, *options], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise UsageError(f"{name} cannot be trained (exit code {done.returncode}); name a folder of bundles by --zoo")
    return Bundle.open(folder / name)


def model_names(text: str) -> list[str]:
    """Parse --models.

    Raises:
        UsageError: A name is none of the table's.
    """
    names = list(MODELS) if text == "all" else [part.strip() for part in text.split(",")]
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise UsageError(f"--models: there is no {', '.join(unknown)}; there are {', '.join(MODELS)}")
    return names


def numbers(option: str, text: str) -> list[int]:
    """Parse a list of numbers with commas.

    Raises:
        UsageError: It is none.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text!r} is not a list of numbers with commas, such as 1,16,256")
    return sorted(int(part) for part in parts)


def slipway_infer() -> Path | None:
    """Return the program that stands beside this Python, if it does."""
    program = Path(sys.executable).parent / "slipway-infer"
    return program if os.access(program, os.X_OK) else None


@contextmanager
def progress(cells: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal; in a pipe, a line per cell on stderr."""
    if not sys.stderr.isatty():
        yield lambda what: sys.stderr.write(f"{what}\n") and None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=cells)
        started = False

        def tell(what: str) -> None:
            nonlocal started
            bar.update(task, description=what.removeprefix("cell "), advance=1 if started else 0)
            started = what.startswith("cell ")

        yield tell


if __name__ == "__main__":
    sys.exit(main())
