"""Recipes of a user's own whose functions give something else than they should: and how that is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.errors import ExitCode
from slipway.train import Checkpoint

Say = Callable[..., tuple[int, str, str]]

OWN = """
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from slipway.recipes._recipe import Split, Training
from slipway.recipes.linear import RECIPE as LINE
from slipway.recipes.logistic import RECIPE as HOURS


@dataclass(frozen=True)
class Files:
    folder: Path = Path("here")


def data(request, config):
    known = LINE.data(request, config)
    return replace(known, {data})


RECIPE = replace({base}, name="own", pictures=None, training=Training(2, 2, 0.01, validation=0.0), {change})
"""


def write(folder: Path, change: str, data: str = "", base: str = "LINE") -> str:
    (folder / "own.py").write_text(OWN.format(change=change, data=data, base=base))
    return f"{folder}/own.py"


def test_a_score_may_be_counted_in_tensors(slipway: Say, tmp_path: Path) -> None:
    score = "score=lambda outputs, targets: (((outputs > 0.5) == (targets > 0.5)).sum(), torch.tensor(len(targets)))"
    arguments = ("train", write(tmp_path, score, base="HOURS"), "--out", tmp_path, "--json", "-", "--quiet")
    assert slipway(*arguments)[0] == ExitCode.OK
    assert type(Checkpoint.load(tmp_path / "own.checkpoint.pt").score) is float
    assert slipway(*arguments, "--resume")[0] == ExitCode.OK


@pytest.mark.parametrize(
    ("change", "data", "message"),
    [
        ("score=lambda o, t: 0.5", "", r"score gave float, expected two numbers, \(correct, total\)"),
        ("loss=lambda o, t: (o - t) ** 2", "", r"loss gave torch.float32 \[2, 1\], expected a tensor of one number"),
        ("loss=lambda o, t: None", "", "loss gave NoneType, expected"),
        ("loss=lambda o, t: (o - t).detach().sum()", "", "loss gave .*, with their gradients"),
        ("build=lambda c, d: None", "", "build gave NoneType, expected a torch.nn.Module with parameters"),
        ("build=lambda c, d: nn.ReLU()", "", "build gave ReLU, expected a torch.nn.Module with parameters"),
        ("data=lambda r, c: None", "", "data gave NoneType, expected a Dataset"),
        ("data=data", "train=replace(known.train, targets=[2, 4, 6])", "data, train.targets gave list"),
        ("data=data", "train=replace(known.train, targets=torch.ones(2, 1))", "train: got 3 items and 2 targets"),
        ("data=data", "test=Split([], torch.ones(0, 1))", "test: got 0 items and 0 targets, .* at least 1"),
        ("config=Files()", "", "config, folder gave PosixPath, expected a number, a text"),
    ],
)
def test_what_a_function_gives_is_told_beside_what_was_expected(
    slipway: Say, tmp_path: Path, change: str, data: str, message: str
) -> None:
    code, out, err = slipway("train", write(tmp_path, change, data), "--out", tmp_path / "out", "--quiet")
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith("error: recipe own: ")
    assert err.count("\n") == 1
    assert re.search(message, err)
    assert not (tmp_path / "out").exists()


def test_what_torch_says_of_an_own_recipe_is_told_as_the_recipes(slipway: Say, tmp_path: Path) -> None:
    own = write(tmp_path, "data=data", "train=replace(known.train, targets=torch.ones(3, 7, dtype=torch.complex64))")
    code, _, err = slipway("train", own, "--out", tmp_path, "--quiet")
    assert (code, err.count("\n")) == (ExitCode.USAGE, 1)
    assert err.startswith(f"error: recipe {own} fails: ")
