"""kill -9 at any moment of any command: the old state or the new one, whole, and the next run ends as if unbroken."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from commands import CHANGES, Action, Program
from scenarios import Infer, Scenario, count_of, points, skip_without_random_times

Figure = Callable[[str, float | str], None]
Rounds = Callable[..., int]


def test_a_kill_at_any_change_of_the_disk_loses_nothing(
    scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    """Dies right before a write, fsync, rename, mkdir, creation or removal; first all are counted."""
    count = count_of(scenario, tmp_path)
    rounds = points(count, effort(short=scenario.short, long=100))
    for at in rounds:
        folder = tmp_path / str(at)
        scenario.prepare(folder)
        done = scenario.run(folder, fault=scenario.fault(folder, CHANGES, at, Action.KILL))
        assert done.code == -signal.SIGKILL, (at, done)
        scenario.check(folder)
        scenario.again(folder)
    figure("kills at a change of the disk", len(rounds))


def test_a_kill_at_a_random_time_loses_nothing(
    scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    skip_without_random_times(scenario, effort)
    rng = random.Random(7)
    whole = tmp_path / "whole"
    scenario.prepare(whole)
    length = scenario.run(whole).seconds
    killed = 0
    wanted = effort(short=1, long=100)
    for number in range(10 * wanted):
        folder = tmp_path / str(number)
        scenario.prepare(folder)
        done = scenario.run(folder, signals=[(rng.uniform(0.005, length), signal.SIGKILL)])
        if done.code == -signal.SIGKILL:
            killed += 1
        else:
            length = min(length, done.seconds)  # the first run was slower
        scenario.check(folder)
        scenario.again(folder)
        if killed == wanted:
            break
    assert killed == wanted, f"of {10 * wanted} runs {killed} were met before their end"
    figure("kills at a random time", killed)


def test_a_kill_while_outputs_are_written_by_the_program_leaves_them_whole(infer: Program, tmp_path: Path) -> None:
    """A kill from outside, without faults.c: the lock of the leftover is gone with its writer."""
    scenario = Infer.__new__(Infer)
    scenario.shared, scenario.infer = tmp_path, infer
    scenario.old = {}
    assert scenario.run(tmp_path / "a").code == 0
    left = tmp_path / "a" / "out" / ".y.npy.0.part"
    left.write_bytes(b"half")
    with subprocess.Popen(["flock", str(left), "sleep", "60"]) as holder:
        while subprocess.run(["flock", "--nonblock", str(left), "true"]).returncode == 0:
            pass
        assert scenario.run(tmp_path / "a").code == 0
        assert left.read_bytes() == b"half", "the file of a living writer was taken"
        holder.kill()
