"""Which lines of the engine do the tests reach?

    make coverage                  # builds, runs the native tests and Python's tests of the engine, shows the table
    python tools/coverage.py build/coverage --lines parse    # the lines of a room that nothing reaches

Counts lines by gcov, over all objects of a file: a kernel is compiled once per instruction set, and reached where one
of them is. Exit code 3 where a room is below what docs/security.md promises.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BELOW = 3
#: Objects that one call of gcov is given.
BATCH = 40
#: Room, the share of its lines that tests reach, and what belongs to it.
ROOMS: dict[str, tuple[float, str]] = {
    "parse": (0.98, "the reader"),
    "rules": (0.95, "validation and shape rules, with the scalar kernels"),
    "kernels": (0.90, "vector kernels"),
    "exec": (0.90, "plans and runs"),
    "passes": (0.90, "passes"),
    "infer": (0.90, "slipway-infer"),
    "cuda": (0.90, "CUDA kernels and what plans them, emulated on the processor"),
}

Lines = dict[int, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Add up what the programs of a build left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="a build of the preset coverage, whose tests have run")
    parser.add_argument("--lines", choices=list(ROOMS), help="show the lines of this room that nothing reaches")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the shares there")
    wanted = parser.parse_args(arguments)
    files = count(wanted.build)
    if wanted.lines:
        for path, lines in sorted(files.items()):
            missed = [str(number) for number, times in sorted(lines.items()) if times == 0]
            if room_of(path) == wanted.lines and missed:
                say(f"{path}: {', '.join(missed)}")
        return 0
    shares = shares_of(files)
    for room, (least, what) in ROOMS.items():
        reached, total = shares[room]
        mark = "" if reached >= least * total else "   below what is promised"
        say(f"{room:8} {reached:6} of {total:6} lines, {reached / total:6.1%}, promised {least:.0%}: {what}{mark}")
    if wanted.json:
        rows = [
            {"room": what, "reached": shares[room][0], "lines": shares[room][1]} for room, (_, what) in ROOMS.items()
        ]
        wanted.json.write_text("[\n " + ",\n ".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    return 0 if all(shares[room][0] >= least * shares[room][1] for room, (least, _) in ROOMS.items()) else BELOW


def count(build: Path) -> dict[Path, Lines]:
    """Return, for every file of cpp/, how often each line that has code was run."""
    objects = sorted(str(path) for path in build.resolve().rglob("*.gcda"))
    if not objects:
        sys.exit(f"{build} holds no counts: run its tests first (make coverage)")
    files: dict[Path, Lines] = defaultdict(dict)
    for begin in range(0, len(objects), BATCH):
        command = ["gcov", "--json-format", "--stdout", *objects[begin : begin + BATCH]]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=build)
        for report in map(json.loads, done.stdout.splitlines()):
            for path, number, times in lines_of(report, Path(report["current_working_directory"])):
                files[path][number] = max(files[path].get(number, 0), times)
    return files


def lines_of(report: dict[str, Any], folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Walk over the lines of cpp/ in one report of gcov."""
    for file in report["files"]:
        path = (folder / file["file"]).resolve()
        if not path.is_relative_to(ROOT / "cpp"):
            continue
        for line in file["lines"]:
            yield path.relative_to(ROOT / "cpp"), line["line_number"], line["count"]


def room_of(path: Path) -> str | None:
    """Return the row of the table that a file of cpp/ belongs to."""
    room = path.parts[0]
    if room == "simd" or (room == "ops" and "_simd" in path.name):
        return "kernels"
    if path.suffix in {".cu", ".cuh"} or "cuda" in path.name:
        return "cuda"
    if room == "ops":
        return "rules"
    if room in ("exec", "plan"):
        return "exec"
    return room if room in ROOMS else None


def shares_of(files: dict[Path, Lines]) -> dict[str, tuple[int, int]]:
    """Return how many lines of each room are reached, and how many there are."""
    shares = dict.fromkeys(ROOMS, (0, 0))
    for path, lines in files.items():
        room = room_of(path)
        if room is not None:
            reached, total = shares[room]
            shares[room] = (reached + sum(times > 0 for times in lines.values()), total + len(lines))
    return shares


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
