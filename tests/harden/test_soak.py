"""Thousands of loads and runs leave nothing behind: no memory, no descriptor, no thread. What is called: soaks.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from c_library import find_library

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

#: What the allocator's arenas move, whatever the number of calls: 2 MiB.
NOISE = 2 << 20
#: Each soak, its rounds in the short form and in the long one, and of what how many a round has.
SOAKS = [
    ("loads", 300, 10_000, 2, "loads"),
    ("refused_loads", 300, 10_000, 7, "refused loads"),
    ("bundles", 150, 10_000, 1, "bundles"),
    ("runs", 7000, 340_000, 3, "runs"),
    ("refused_runs", 2000, 100_000, 6, "refused runs"),
    ("operators", 2000, 250_000, 4, "calls of operators"),
    ("library", 300, 10_000, 2, "sessions of the C library"),
]


def gained(name: str, rounds: int) -> dict[str, int]:
    """What a process has gained in the second half of so many rounds."""
    command = [sys.executable, str(Path(__file__).parent / "soaks.py"), name, str(rounds)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    kept: dict[str, int] = json.loads(told.stdout)
    return kept


def test_a_leak_would_be_seen() -> None:
    """Of 64 KiB or one descriptor a call, in twice as many calls as the shortest soak has."""
    assert gained("leaked_memory", 300)["memory"] >= NOISE
    assert gained("leaked_descriptors", 300)["descriptors"] == 150


@pytest.mark.parametrize(("name", "short", "long", "each", "what"), SOAKS, ids=[row[0] for row in SOAKS])
def test_nothing_is_left(
    name: str, short: int, long: int, each: int, what: str, effort: Effort, figure: Figure
) -> None:
    if name == "library" and find_library() is None:
        pytest.skip("the C library was not built in this tree (SLIPWAY_BUILD_DIR names another build)")
    rounds = effort(short=short, long=long)
    kept = gained(name, rounds)
    assert (kept["descriptors"], kept["threads"]) == (0, 0)
    assert kept["memory"] < NOISE, f"{kept['memory']} bytes in {rounds // 2} rounds"
    figure(f"bytes after {each * rounds} {what}", kept["memory"])


def test_python_keeps_no_object(effort: Effort, figure: Figure) -> None:
    """No object is smaller than 16 bytes: one that each round leaves would be twice the limit."""
    rounds = effort(short=2000, long=50_000)
    grown = gained("python_objects", rounds)["memory"]
    assert abs(grown) < 16 << 10, f"{grown} bytes in {4 * rounds} calls"
    figure(f"bytes of Python after {4 * rounds} calls", grown)
