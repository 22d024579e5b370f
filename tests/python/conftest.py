"""The two commands as functions: exit code, stdout and stderr of a command line, run in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def slipway(capsys: pytest.CaptureFixture[str]) -> Say:
    from slipway.cli import run_command, slipway_app

    def say(*arguments: object) -> tuple[int, str, str]:
        code = run_command(slipway_app, "slipway", [str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return say


@pytest.fixture
def train_and_export(capsys: pytest.CaptureFixture[str]) -> Say:
    from slipway.cli import run_command, train_and_export_app

    def say(*arguments: object) -> tuple[int, str, str]:
        code = run_command(train_and_export_app, "train-and-export", [str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return say
