"""Ctrl-C, SIGTERM, and readers that go: exit code 130 and one line, nothing left over, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import CHANGES, Action, Commands, Program
from scenarios import Infer, Scenario, count_of, leftovers, points, skip_without_random_times

Figure = Callable[[str, float | str], None]
Rounds = Callable[..., int]

INTERRUPTED = 130


def test_ctrl_c_at_a_change_of_the_disk_leaves_nothing_half(
    scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    """One that comes when the work is done may come too late; then everything is there."""
    stopped = 0
    for at in points(count_of(scenario, tmp_path), effort(short=scenario.short, long=100)):
        folder = tmp_path / str(at)
        scenario.prepare(folder)
        done = scenario.run(folder, fault=scenario.fault(folder, CHANGES, at, Action.INTERRUPT))
        if done.code == 0:
            scenario.finished(folder)
            continue
        done.check_told(INTERRUPTED)
        stopped += 1
        scenario.check(folder)
        assert leftovers(folder) == []
    assert stopped > 0
    figure("interrupts at a change of the disk", stopped)


@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)],
    ids=["once", "twice", "terminated"],
)
def test_an_interrupt_at_a_random_time_is_harmless(
    scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure, numbers: tuple[signal.Signals, ...]
) -> None:
    skip_without_random_times(scenario, effort)
    rng = random.Random(11)
    scenario.prepare(tmp_path / "whole")
    length = scenario.run(tmp_path / "whole").seconds
    stopped = 0
    for number in range(effort(short=1, long=34)):
        folder = tmp_path / str(number)
        scenario.prepare(folder)
        at = rng.uniform(0.02, length)
        signals = [(at + 0.02 * place, which) for place, which in enumerate(numbers)]
        done = scenario.run(folder, signals=signals)
        if done.code == 0:
            scenario.finished(folder)
            continue
        done.check_told(INTERRUPTED)
        stopped += 1
        assert leftovers(folder) == []
        scenario.check(folder)
        scenario.again(folder)
    figure("interrupts at a random time", stopped)


@pytest.mark.parametrize(
    "command",
    [
        "verify {} --runtimes native-cpu,onnxruntime-cpu",
        "bench {} --runtimes native-cpu --batch 1 --threads 1 --duration 0.05",
        "selftest {}",
        "run {} --random --shapes x:1x3x4",
        "doctor {}",
    ],
    ids=lambda command: command.split()[0],
)
def test_a_command_that_only_reads_ends_at_once(
    command: str, commands: Commands, bundle: Path, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    arguments = command.format(bundle).split()
    temporary = {"TMPDIR": str(tmp_path)}
    length = commands("slipway", *arguments).seconds
    rng = random.Random(5)
    stopped = 0
    for _ in range(effort(short=1, long=30)):
        at = rng.uniform(0.02, length)
        done = commands("slipway", *arguments, environment=temporary, signals=[(at, signal.SIGINT)])
        done.check_told(0, INTERRUPTED)
        stopped += done.code == INTERRUPTED
        assert list(tmp_path.iterdir()) == []
    figure("interrupts", stopped)


SLIPWAY = [sys.executable, "-m", "slipway"]


def program(name: str, infer: Program, bundle: Path) -> list[str]:
    if name == "slipway":
        return [*SLIPWAY, "ops", "--json", "-"]
    return [str(infer.path), str(bundle), "--random", "--json"]


@pytest.mark.parametrize("name", ["slipway", "slipway-infer"])
def test_a_full_or_closed_stdout_is_an_error(name: str, infer: Program, bundle: Path) -> None:
    command = program(name, infer, bundle)
    for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        done = subprocess.run(["sh", "-c", f'"$@" {redirection}', "sh", *command], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert f"cannot write standard output: {reason}" in done.stderr


def test_a_closed_stderr_is_no_reason_to_fail(infer: Program, bundle: Path) -> None:
    for name in ("slipway", "slipway-infer"):
        done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *program(name, infer, bundle)], stdout=subprocess.PIPE)
        assert done.returncode == 0
        assert done.stdout


def test_with_closed_streams_no_file_becomes_stdout(infer: Program, tmp_path: Path, commands: Commands) -> None:
    """The first file that is opened would get number 1, and what is printed would go into it."""
    scenario = Infer(commands, infer, tmp_path)
    model, out = scenario.shared / "infer.onnx", tmp_path / "out"
    command = [str(infer.path), str(model), "--random", "--json", "--output-dir", str(out)]
    done = subprocess.run(["sh", "-c", '"$@" >&- <&-', "sh", *command], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert not out.exists()


def test_a_reader_that_goes_is_no_fault(infer: Program, bundle: Path) -> None:
    for name in ("slipway", "slipway-infer"):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(program(name, infer, bundle), stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        assert done.returncode in (1, -signal.SIGPIPE)
        assert done.stderr == ""
