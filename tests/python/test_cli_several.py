"""Verbs that take several bundles or recipes: what lies beside bundles, and one that fails among others that do not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.cli import _train as of_training
from slipway.errors import ExitCode, ExportError

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


def test_one_bundle_that_fails_leaves_the_results_of_the_others(slipway: Say, hello_rnn: Path, tmp_path: Path) -> None:
    code, out, err = slipway("selftest", tmp_path / "nowhere", hello_rnn, "--json", "-")
    assert code == ExitCode.ERROR
    result = json.loads(out)
    assert [(one["bundle"], one["ok"]) for one in result["bundles"]] == [
        (str(tmp_path / "nowhere"), False),
        (str(hello_rnn), True),
    ]
    assert not result["ok"]
    assert "there is no bundle" in result["bundles"][0]["error"]
    assert err.startswith(f"error: {tmp_path / 'nowhere'}: there is no bundle")
    assert err.count("\n") == 1


def test_the_exit_code_is_that_of_the_worst_bundle(slipway: Say, hello_rnn: Path, tmp_path: Path) -> None:
    shutil.copytree(hello_rnn, tmp_path / "damaged")
    (tmp_path / "damaged" / "model.onnx").write_bytes(b"x")
    code, out, _ = slipway("selftest", tmp_path / "nowhere", tmp_path / "damaged", hello_rnn)
    assert (code, out.count("failed")) == (ExitCode.DAMAGED, 2)


OWN = """
from dataclasses import replace
from slipway.recipes.hello_rnn import RECIPE as KNOWN


def data(request, config):
    raise RuntimeError("no data today")


BOOM = replace(KNOWN, name="boom", data=data)
"""


def test_an_error_of_one_recipes_own_code_leaves_the_results_of_the_others(
    train_and_export: Say, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    recipes = (f"{tmp_path}/own.py:BOOM", "hello-rnn")
    options = ("--out", tmp_path / "out", "--json", "-", "--formats", "onnx", "--preset", "smoke", "--quiet")
    code, out, err = train_and_export(*recipes, *options)
    failed, done = json.loads(out)
    assert code == ExitCode.ERROR
    assert (failed["recipe"], failed["exit_code"], done["recipe"]) == ("boom", ExitCode.ERROR, "hello-rnn")
    assert "own.py, line 7, in data: RuntimeError: no data today" in failed["error"]
    assert err.count("\n") == 1
    code, _, err = train_and_export(*recipes, *options, "--force", "--debug")
    assert (code, "Traceback" in err) == (ExitCode.ERROR, True)


@pytest.fixture
def checkpoints(slipway: Say, tmp_path: Path) -> tuple[Path, Path]:
    options = ("--preset", "smoke", "--quiet", "--data", "embedded", "--out", tmp_path)
    assert slipway("train", "hello-rnn", "linear", *options)[0] == ExitCode.OK
    return tmp_path / "hello-rnn.checkpoint.pt", tmp_path / "linear.checkpoint.pt"


def test_what_cannot_be_exported_is_told_before_the_first_export(
    slipway: Say, checkpoints: tuple[Path, Path], tmp_path: Path
) -> None:
    options = ("--out", tmp_path, "--formats", "onnx")
    assert "none.pt" in slipway("export", checkpoints[0], tmp_path / "none.pt", *options)[2]
    assert "named more than once: linear" in slipway("export", checkpoints[1], checkpoints[1], *options)[2]
    (tmp_path / "linear").write_text("taken")
    assert slipway("export", *checkpoints, *options)[0] == ExitCode.USAGE
    assert not (tmp_path / "hello-rnn").exists()


def test_one_export_that_fails_leaves_the_results_of_the_others(
    slipway: Say, checkpoints: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = of_training.export_trained

    def export(trained: Any, *rest: Any) -> Any:
        if trained.recipe.name == "hello-rnn":
            raise ExportError("not today")
        return known(trained, *rest)

    monkeypatch.setattr(of_training, "export_trained", export)
    code, out, err = slipway("export", *checkpoints, "--out", tmp_path, "--formats", "onnx", "--json", "-")
    assert (code, err) == (ExitCode.ERROR, "error: hello-rnn: not today\n")
    assert [one.get("error") or one["bundle"] for one in json.loads(out)] == ["not today", str(tmp_path / "linear")]
