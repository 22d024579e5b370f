"""What all tests share: one profile of Hypothesis, slipway-infer, and the five longest files after every run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A shell starts background work with Ctrl-C ignored, and children inherit that: the tests of Ctrl-C need it heard.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def infer_program() -> Path:
    """Find slipway-infer: SLIPWAY_INFER, else beside the interpreter, else on PATH."""
    named = os.environ.get("SLIPWAY_INFER")
    beside = Path(sys.executable).with_name("slipway-infer")
    found = named or (str(beside) if beside.exists() else shutil.which("slipway-infer"))
    if found is None:
        pytest.fail("slipway-infer is not installed; install the package or name the program by SLIPWAY_INFER")
    return Path(found)


#: A browser that shows nothing, asks no server, and keeps nothing.
BROWSER_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--dump-dom",
)  # fmt: skip


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[Path], tuple[str, list[str]]]:
    """Open a page in Chromium; gives the document after its scripts ran, and what they wrote to the console."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium on PATH")

    def show(page: Path) -> tuple[str, list[str]]:
        command = [program, *BROWSER_OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return show


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the five longest source files: one giant file begins as the convenient place."""
    rooms = ("python", "export", "cpp", "tests", "benchmarks")
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".cc", ".h", ".cu"}]
    counts = sorted(((len(path.read_bytes().splitlines()), path) for path in files), reverse=True)
    terminalreporter.section("the five longest source files")
    for lines, path in counts[:5]:
        terminalreporter.write_line(f"{lines:5} {path.relative_to(ROOT)}")
