"""The two commands as functions, and a bundle that is trained for a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.cli import run_command, slipway_app, train_and_export_app
from slipway.errors import ExitCode

#: Exit code, stdout and stderr of a command line, run in this process.
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def slipway(capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*arguments: object) -> tuple[int, str, str]:
        code = run_command(slipway_app, "slipway", [str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return say


@pytest.fixture
def train_and_export(capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*arguments: object) -> tuple[int, str, str]:
        code = run_command(train_and_export_app, "train-and-export", [str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return say


@pytest.fixture(scope="session")
def hello_rnn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of hello-rnn with ONNX alone; tests must not change it."""
    out = tmp_path_factory.mktemp("bundles")
    options = f"hello-rnn --preset smoke --out {out} --formats onnx --quiet --data embedded"
    assert run_command(train_and_export_app, "train-and-export", options.split()) == ExitCode.OK
    return out / "hello-rnn"
