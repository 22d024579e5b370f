"""Runs the fuzz targets of a build one after the other, and sums their logs up.

    make fuzz                                            # build, then a minute for each target
    python tools/fuzz.py build/fuzz --seconds 60         # the same with what is built
    python tools/fuzz.py build/asan --runs 10000000 --targets load run --logs DIR
    python tools/fuzz.py --summary FILE --logs DIR       # what all logs there have done; other rows stay
    python tools/fuzz.py --summary FILE --logs DIR --add # the same beside what their rows have already, once

Works with both drivers, libFuzzer's and the tree's own. Exit code 1 where a target found something: the input lies in
--logs, and the last lines of the log say how to repeat it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# The drivers' own words, of a run that has ended and of one under way.
_OURS = re.compile(r"^(\w+): (\d+) inputs in ([\d.]+) s \(\d+ a second\), (\d+) read, (\d+) run, seed", re.M)
_PULSE = re.compile(r"^#(\d+)\b(?:\tread: (\d+) run: (\d+))?", re.M)
_DONE = re.compile(r"^Done (\d+) runs in (\d+) second", re.M)
_EDGES = re.compile(r"\bcov: (\d+)")
_TALLY = re.compile(r"^\w+: (\d+) inputs read, (\d+) run$", re.M)
# An input allocates thousands of times: the whole stack of each block and a large quarantine would cost half the
# executions. The input that is kept tells the rest when it is run again.
_SANITIZER = "malloc_context_size=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:max_malloc_fill_size=64"

_FOUND = re.compile(r"repeat with: fuzz_|^artifact_prefix=|^SUMMARY: \w+Sanitizer", re.M)


def row_of(target: str, text: str) -> dict[str, Any]:
    """What one log says its run has done."""
    row: dict[str, Any] = {"target": target, "runs": 1, "executions": 0, "seconds": 0.0, "read": 0, "ran": 0}
    row["findings"] = 1 if _FOUND.search(text) else 0
    if pulses := _PULSE.findall(text):
        row |= {"executions": int(pulses[-1][0]), "read": int(pulses[-1][1] or 0), "ran": int(pulses[-1][2] or 0)}
    if ours := _OURS.search(text):
        row |= {"executions": int(ours[2]), "seconds": float(ours[3]), "read": int(ours[4]), "ran": int(ours[5])}
    if done := _DONE.search(text):
        row |= {"executions": int(done[1]), "seconds": float(done[2])}
    if tally := _TALLY.search(text):
        row |= {"read": int(tally[1]), "ran": int(tally[2])}
    if edges := _EDGES.findall(text):
        row["edges"] = int(edges[-1])
    return row


def rows_of(logs: Path) -> list[dict[str, Any]]:
    """One row for each log: TARGET.log, TARGET-2.log, ..."""
    return [
        row_of(re.sub(r"-\d+$", "", path.stem), path.read_text(encoding="utf-8", errors="replace"))
        for path in sorted(logs.glob("*.log"))
    ]


def added_up(parts: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One row for each target: its parts added up, of edges the most."""
    rows: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part["target"] not in rows:
            rows[part["target"]] = dict(part)
            continue
        row = rows[part["target"]]
        for key in ("runs", "executions", "seconds", "read", "ran", "findings"):
            row[key] = round(row[key] + part[key], 1)
        if "edges" in part:
            row["edges"] = max(part["edges"], row.get("edges", 0))
    return rows


def new_log(logs: Path, target: str) -> tuple[int, Path]:
    """Makes the next log of a target, which is nobody else's though two runs begin at once."""
    for number in count(1):
        log = logs / (f"{target}.log" if number == 1 else f"{target}-{number}.log")
        with suppress(FileExistsError):
            log.touch(exist_ok=False)
            return number, log
    raise AssertionError  # numbers do not end


def run_target(program: Path, options: argparse.Namespace, logs: Path, seeds: Path | None) -> bool:
    """Runs one target to its end; false where it found something."""
    target = program.name.removeprefix("fuzz_")
    number, log = new_log(logs, target)
    # Numbers that differ from run to run, so that a second one tries other inputs.
    command = [str(program), f"-seed={options.seed + number}", f"-artifact_prefix={logs}/", "-rss_limit_mb=4096"]
    command += [f"-runs={options.runs}"] if options.runs else [f"-max_total_time={options.seconds}"]
    if (dictionary := program.parent / "onnx.dict").exists() and target in {"load", "run", "wire"}:
        command.append(f"-dict={dictionary}")
    if b"libFuzzer" in program.read_bytes():
        corpus = logs / "corpus" / target
        corpus.mkdir(parents=True, exist_ok=True)
        command += ["-print_final_stats=1", "-timeout=60", "-reload=0", "-verbosity=1", str(corpus)]
    if seeds and target in {"load", "run"}:
        command.append(str(seeds))
    environment = {"ASAN_OPTIONS": _SANITIZER, **os.environ}
    with log.open("w", encoding="utf-8") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    row = row_of(target, log.read_text(encoding="utf-8", errors="replace"))
    state = "ok" if code == 0 else f"exit code {code}, see {log}"
    sys.stdout.write(f"{target}: {row['executions']} inputs, {row['read']} read, {row['ran']} run: {state}\n")
    sys.stdout.flush()
    return code == 0


def main() -> int:
    """Reads the arguments and does what they ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, nargs="?", help="a folder that CMake has built the targets in")
    parser.add_argument("--seconds", type=int, default=60, help="time for each target [60]")
    parser.add_argument("--runs", type=int, default=0, help="inputs for each target, instead of a time")
    parser.add_argument("--targets", nargs="*", default=[], help="some of them [all]")
    parser.add_argument("--seeds", type=Path, help="a folder of tests/fuzz/seeds.py, for load and run")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other inputs [0]")
    parser.add_argument("--logs", type=Path, default=ROOT / "build" / "fuzzing", help="logs, findings and corpora")
    parser.add_argument("--summary", type=Path, help="write what all logs say to this JSON file, and run nothing")
    parser.add_argument("--add", action="store_true", help="with --summary: the logs are of runs that it has not yet")
    options = parser.parse_args()
    if options.summary:
        kept = json.loads(options.summary.read_text(encoding="utf-8")) if options.summary.exists() else []
        logs = rows_of(options.logs)
        found = {row["target"]: row for row in kept} | added_up([*kept, *logs] if options.add else logs)
        rows = ",\n ".join(json.dumps(found[target]) for target in sorted(found))
        options.summary.write_text(f"[\n {rows}\n]\n", encoding="utf-8")
        return 0
    if options.build is None:
        parser.error("name the build folder, for example build/fuzz")
    programs = sorted(path for path in (options.build / "tests" / "fuzz").glob("fuzz_*") if path.is_file())
    if options.targets:
        programs = [path for path in programs if path.name.removeprefix("fuzz_") in options.targets]
    if not programs:
        parser.error(f"{options.build} holds no such fuzz targets; build them with cmake --build {options.build}")
    options.logs.mkdir(parents=True, exist_ok=True)
    is_clean = [run_target(program, options, options.logs.resolve(), options.seeds) for program in programs]
    return 0 if all(is_clean) else 1


if __name__ == "__main__":
    sys.exit(main())
