"""Verbs that take several bundles or recipes: what lies beside bundles, and one that fails among others that do not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.errors import ExitCode

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")

BENCH = ("--runtimes", "native-cpu", "--batch", "1", "--duration", "0.02")


@pytest.fixture
def artifacts(hello_rnn: Path, tmp_path: Path) -> Path:
    """A folder with a bundle and all that training may leave beside it."""
    shutil.copytree(hello_rnn, tmp_path / "hello-rnn")
    for name in ("hello-rnn.checkpoint.pt", "hello-rnn.profile.json", "hello-rnn.profile.txt"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize("verb", ["bench", "doctor", "selftest"])
def test_what_training_leaves_beside_bundles_is_left_out_and_told(slipway: Say, artifacts: Path, verb: str) -> None:
    beside = sorted(path for path in artifacts.iterdir() if path.is_file())
    code, out, err = slipway(verb, *sorted(artifacts.iterdir()), *(BENCH if verb == "bench" else ()), "--json", "-")
    assert (code, len(beside)) == (ExitCode.OK, 3)
    told = [f"{path} is left out: it is no bundle, but what training leaves beside one" for path in beside]
    assert err.splitlines()[:3] == told
    assert not any(path.name in out for path in beside)


@pytest.mark.parametrize("verb", ["bench", "doctor", "selftest"])
def test_nothing_but_what_training_leaves_is_a_usage_error(slipway: Say, artifacts: Path, verb: str) -> None:
    code, out, err = slipway(verb, artifacts / "hello-rnn.checkpoint.pt")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "expected bundle folders, got" in err
