"""docs/notes.md against the recipes and the figures of the last full training."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slipway.data import camvid, mnist, names, snli
from slipway.data._dataset import Dataset
from slipway.recipes import recipe_names


@pytest.fixture(scope="module")
def zoo(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("zoo", root / "benchmarks/zoo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures(zoo: ModuleType) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(zoo.FIGURES.read_text(encoding="utf-8"))
    return rows


def test_the_page_is_what_the_figures_and_the_headers_give(zoo: ModuleType, figures: list[dict[str, Any]]) -> None:
    page = zoo.PAGE.read_text(encoding="utf-8")
    assert zoo.renew(page, figures) == page, "run `make docs`"


@pytest.mark.parametrize(
    ("data", "load"), [("names", names.load), ("MNIST", mnist.load), ("CamVid", camvid.load), ("SNLI", snli.load)]
)
def test_the_rows_without_a_folder_are_those_of_the_page(
    zoo: ModuleType, data: str, load: Callable[[str], Dataset]
) -> None:
    table = zoo.PAGE.read_text(encoding="utf-8").partition("\n## Data\n")[2]
    line = next(line for line in table.splitlines() if line.startswith(f"| {data} |"))
    rows = load("embedded").source.rows
    assert re.findall(r"[\d,]+ \+ [\d,]*\d", line) == [f"{rows['train']:,} + {rows['test']:,}"]


def test_every_recipe_was_verified_and_reached_its_score(zoo: ModuleType, figures: list[dict[str, Any]]) -> None:
    assert [row["recipe"] for row in figures] == recipe_names()
    assert [row["recipe"] for row in figures if not row["ok"]] == []
    assert zoo.below(figures) == []


def test_a_low_score_and_a_missing_bundle_are_told(
    zoo: ModuleType, figures: list[dict[str, Any]], tmp_path: Path
) -> None:
    low = {**figures[0], "score": {**figures[0]["score"], "value": -1.0}}
    assert zoo.below([low])[0].startswith(f"{figures[0]['recipe']}: ")
    rows, faults = zoo.collect(tmp_path)
    assert rows == []
    assert len(faults) == len(recipe_names())
