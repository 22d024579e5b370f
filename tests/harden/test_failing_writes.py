"""Every call to the disk failing in turn: one clear line, an exit code, the old state whole, and nothing left over."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Action, Call, Commands, Done, Fault, Program
from scenarios import Infer, Scenario, count_of, leftovers, points, skip_slow_ones

Figure = Callable[[str, float | str], None]
Rounds = Callable[..., int]

#: What a full, broken, read-only disk and a used-up quota say.
NUMBERS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT)
#: Calls that a disk can refuse; removing what is left over is not one that a message is owed for.
REFUSED = Call.WRITE | Call.SYNC | Call.RENAME | Call.CREATE | Call.MKDIR


@pytest.mark.parametrize("action", [Action.FAIL, Action.FAIL_ON], ids=["once", "from then on"])
def test_a_disk_that_refuses_a_call_is_told_and_loses_nothing(
    scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure, action: Action
) -> None:
    """A call that nothing hangs on (a look at a leftover that is not there) may fail unseen: then all is well."""
    if action == Action.FAIL_ON:
        skip_slow_ones(scenario, effort)
    count = count_of(scenario, tmp_path, REFUSED)
    refused = 0
    rounds = points(count, effort(short=scenario.short, long=100))
    for place, at in enumerate(rounds):
        # A slow command meets every call, and each number in its turn.
        numbers = NUMBERS if effort(short=0, long=1) and not scenario.is_slow else NUMBERS[place % 4 :][:1]
        for number in numbers:
            folder = tmp_path / f"{at}-{number}"
            scenario.prepare(folder)
            done = scenario.run(folder, fault=scenario.fault(folder, REFUSED, at, action, number))
            done.check_told(0, 1)
            if done.code == 0:
                scenario.finished(folder)
                continue
            refused += 1
            assert str(folder) in done.err, "the message does not say which file"
            assert leftovers(folder) == []
            scenario.check(folder)
    assert refused > 0
    figure(f"refused calls, {action.name}", refused)


def test_short_writes_are_continued(scenario: Scenario, tmp_path: Path, effort: Rounds, figure: Figure) -> None:
    skip_slow_ones(scenario, effort)
    count = count_of(scenario, tmp_path, Call.WRITE)
    rounds = points(count, effort(short=2, long=100))
    for at in rounds:
        folder = tmp_path / str(at)
        scenario.prepare(folder)
        done = scenario.run(folder, fault=scenario.fault(folder, Call.WRITE, at, Action.SHORT))
        assert done.code == 0, done
        scenario.finished(folder)
    figure("short writes", len(rounds))


@pytest.mark.parametrize("program", ["slipway", "slipway-infer"])
def test_a_bundle_that_cannot_be_read_is_not_trusted(
    program: str, commands: Commands, infer: Program, bundle: Path, effort: Rounds, figure: Figure
) -> None:
    """Each read and each opening fails in turn; a read that comes short is continued."""

    def selftest(action: Action, at: int) -> Done:
        fault = Fault(bundle, Call.READ | Call.OPEN, at, action)
        if program == "slipway":
            return commands("slipway", "selftest", bundle, fault=fault)
        return infer(bundle, "--selftest", fault=fault)

    assert selftest(Action.NOTHING, 0).code == 0
    failed = 0
    for at in points(effort(short=12, long=100), effort(short=12, long=100)):
        done = selftest(Action.FAIL, at)
        if done.code == 0:
            break  # there are no more
        done.check_told(1, 6)
        failed += 1
        assert selftest(Action.SHORT, at).code == 0
    assert failed > 3
    figure("failing reads", failed)


def test_output_of_a_model_to_a_full_device_is_an_error(infer: Program, tmp_path: Path, commands: Commands) -> None:
    scenario = Infer(commands, infer, tmp_path)
    done = infer(scenario.shared / "infer.onnx", "--random", "--output-dir", "/dev/full")
    done.check_told(1)
    for name in ("--json", "--csv"):
        done = commands("slipway", *(("ops",) if name == "--json" else ("bench", "x")), name, "/dev/full")
        assert done.code in (1, 2), done
