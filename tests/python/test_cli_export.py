"""``slipway export`` of modules of the user's own, and what the commands say of files that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slipway.bundle import Bundle
from slipway.errors import ExitCode

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")

MODEL = """
from torch import nn


def make():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


number = 3
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLIPWAY_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_model.py").write_text(MODEL)
    (tmp_path / "labels.txt").write_text("cat\ndog\n")


def test_a_module_becomes_a_bundle_that_every_verb_takes(slipway: Say, tmp_path: Path) -> None:
    options = ("--inputs", "x:float32[N,3,H,W]", "--labels", "labels.txt", "--name", "pets", "--json", "-")
    code, out, _ = slipway("export", "own_model.py:make", *options)
    result = json.loads(out)
    assert (code, result["recipe"], result["score"]["value"]) == (ExitCode.OK, "pets", None)
    assert (result["data"]["source"], result["verify"]["ok"]) == ("random", True)
    ran = {row["runtime"] for row in result["verify"]["rows"] if not row["skipped"]}
    assert {"eager", "torchscript", "onnxruntime-cpu", "native-cpu", "pt2"} <= ran
    assert Bundle.open(tmp_path / "artifacts" / "pets").signature.labels == ("cat", "dog")
    np.save("x.npy", np.ones((1, 3, 50, 41), np.float32))
    answers = []
    for runtime in (["native"], ["onnxruntime"], ["eager", "--recipe", "own_model.py:make"]):
        code, out, _ = slipway("run", "artifacts/pets", "--input", "x=x.npy", "--json", "--runtime", *runtime)
        assert code == ExitCode.OK
        answers.append(json.loads(out)["label"])
    assert len(set(answers)) == 1
    assert slipway("selftest", "artifacts/pets")[0] == ExitCode.OK
    code, out, _ = slipway("inspect", "artifacts/pets")
    assert (code, "recipe                  pets" in out) == (ExitCode.OK, True)
    code, _, err = slipway("verify", "artifacts/pets")
    assert (code, "--recipe FILE.py:NAME" in err) == (ExitCode.UNAVAILABLE, True)
    verified = ("verify", "artifacts/pets", "--recipe", "own_model.py:make", "--runtimes", "native-cpu")
    assert slipway(*verified)[0] == ExitCode.OK
    assert slipway("export", "own_model:make", *options)[0] == ExitCode.USAGE
    assert slipway("export", "own_model:make", *options, "--force", "--formats", "onnx")[0] == ExitCode.OK


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["own_model.py:make"], ExitCode.USAGE, "make is not a Recipe; recipes in it: none; it is of type function"),
        (["own_model.py:make", "--weights", "w.pt"], ExitCode.USAGE, "--weights needs --inputs"),
        (["own_model.py:make", "x", "--inputs", "x:float32[N]"], ExitCode.USAGE, "describes one module, got 2"),
        (["own_model.py", "--inputs", "x:float32[N]"], ExitCode.USAGE, "is not of the form FILE.py:NAME"),
        (["own_model.py:make", "--inputs", "x"], ExitCode.USAGE, "is not of the form NAME:TYPE[SIZE,...]"),
        (["own_model.py:number", "--inputs", "x:float32[N]"], ExitCode.USAGE, "is of type int, expected a torch.nn"),
        (["own_model.py:make", "--inputs", "x:float32[N,3]"], ExitCode.ERROR, "fails on inputs x float32 [4, 3]"),
        (["none.py:make", "--inputs", "x:float32[N]"], ExitCode.USAGE, "there is no file none.py"),
        (["none_such:make", "--inputs", "x:float32[N]"], ExitCode.USAGE, "there is no module none_such"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--name", "A/b"], ExitCode.USAGE, "a bundle's name is"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--opset", "9"], ExitCode.USAGE, "--opset"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--formats", "h5"], ExitCode.USAGE, "no format 'h5'"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--labels", "no.txt"], ExitCode.ERROR, "read labels no.txt"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--example", "x"], ExitCode.USAGE, "NAME=FILE.npy"),
        (["own_model.py:make", "--inputs", "x:float32[N]", "--weights", "w.pt"], ExitCode.USAGE, "w.pt: No such file"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    slipway: Say, tmp_path: Path, arguments: list[str], code: ExitCode, message: str
) -> None:
    got, out, err = slipway("export", *arguments)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert message in err
    assert not (tmp_path / "artifacts").exists()


def test_the_report_of_a_bundle_names_no_folder_where_it_was_made(hello_rnn: Path) -> None:
    report = (hello_rnn / "report.json").read_text()
    rows = json.loads(report)["verify"]["rows"]
    assert {row["skipped"] for row in rows if row["runtime"] == "torchscript"} == {"no model.ts.pt: not asked for"}
    assert ".part" not in report


def test_labels_are_one_per_line(slipway: Say, tmp_path: Path) -> None:
    (tmp_path / "gap.txt").write_text("cat\n\ndog\n")
    code, _, err = slipway("export", "own_model.py:make", "--inputs", "x:float32[N]", "--labels", "gap.txt")
    assert (code, "got an empty line 2" in err) == (ExitCode.ERROR, True)


RECIPE = """
from dataclasses import replace
from slipway.recipes.hello_rnn import RECIPE as KNOWN


def build(config, dataset):
    return 1 / 0


RECIPE = replace(KNOWN, name="my-hello")
BROKEN = replace(KNOWN, name="my-broken", build=build)
number = 3
"""


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("own_recipe.py:number", ExitCode.USAGE, "number is not a Recipe; recipes in it: BROKEN, KNOWN, RECIPE"),
        ("own_recipe.py:NONE", ExitCode.USAGE, "own_recipe.py has no name 'NONE'; it has BROKEN"),
        ("own_recipe.py:", ExitCode.USAGE, "own_recipe.py has no name 'x'"),
        ("none.py", ExitCode.USAGE, "there is no file none.py"),
        ("stops.py", ExitCode.USAGE, "stops.py cannot be loaded: line 2, SystemExit: 7"),
        ("typo.py", ExitCode.USAGE, "typo.py cannot be loaded: line 1, SyntaxError"),
        ("own_recipe.py:BROKEN", ExitCode.ERROR, "own_recipe.py, line 7, in build: ZeroDivisionError"),
    ],
)
def test_a_recipe_file_that_fails_is_told_by_its_line(
    train_and_export: Say, tmp_path: Path, name: str, code: ExitCode, message: str
) -> None:
    (tmp_path / "own_recipe.py").write_text(RECIPE)
    (tmp_path / "stops.py").write_text("import sys\nsys.exit(7)\n")
    (tmp_path / "typo.py").write_text("a = (\n")
    name = f"{name}x" if name.endswith(":") else name
    got, out, err = train_and_export(name, "--preset", "smoke", "--quiet")
    assert (got, out) == (code, "")
    assert err.count("\n") == 1
    assert message in err
    assert not [path for path in tmp_path.rglob("*") if path.name == "model.onnx"]


@pytest.mark.parametrize("name", ["own_recipe.py", "own_recipe:RECIPE"])
def test_an_own_recipe_is_trained_and_exported_apart_too(slipway: Say, tmp_path: Path, name: str) -> None:
    (tmp_path / "own_recipe.py").write_text(RECIPE)
    assert slipway("train", name, "--preset", "smoke", "--quiet")[0] == ExitCode.OK
    code, out, _ = slipway("export", name, "--formats", "onnx", "--json", "-")
    assert (code, json.loads(out)["bundle"]) == (ExitCode.OK, "artifacts/my-hello")
    report = json.loads((tmp_path / "artifacts" / "my-hello" / "report.json").read_text())
    assert report["recipe_path"] == name
