"""What all tests share: one profile of Hypothesis, and the five longest files at the end of every run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A shell starts background work with Ctrl-C ignored, and children inherit that: the tests of Ctrl-C need it heard.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the five longest source files: one giant file begins as the convenient place."""
    rooms = ("python", "export", "cpp", "tests", "benchmarks")
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".cc", ".h", ".cu"}]
    counts = sorted(((len(path.read_bytes().splitlines()), path) for path in files), reverse=True)
    terminalreporter.section("the five longest source files")
    for lines, path in counts[:5]:
        terminalreporter.write_line(f"{lines:5} {path.relative_to(ROOT)}")
