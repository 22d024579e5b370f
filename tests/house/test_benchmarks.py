"""docs/benchmarks.md and its picture against the figures of the last full run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.bench import cuda_page
from slipway.bench.page import PAGE, PICTURE, picture, renew, rounded
from slipway.bench.suite import MODELS
from slipway.recipes import recipe_names


@pytest.fixture(scope="module")
def result(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "benchmarks/results/runtimes.json").read_text(encoding="utf-8"))
    return found


def test_the_page_and_its_picture_are_what_the_figures_give(root: Path, result: dict[str, Any]) -> None:
    page = (root / PAGE).read_text(encoding="utf-8")
    assert renew(page, result) == page, "run `make docs`"
    assert (root / PICTURE).read_text(encoding="utf-8") == picture(result), "run `make docs`"


def test_the_figures_are_those_of_every_model_and_batch(result: dict[str, Any]) -> None:
    wanted = {(name, batch, threads) for name, batches in MODELS.items() for batch in batches for threads in (1, 2)}
    assert {(cell["bundle"], cell["batch"], cell["threads"]) for cell in result["cells"]} == wanted
    assert rounded(result) == result


def test_the_pages_say_how_many_models_are_measured(root: Path) -> None:
    page, readme, chinese = ((root / name).read_text(encoding="utf-8") for name in (PAGE, "README.md", "README.zh.md"))
    assert f"{len(MODELS)} of the {len(recipe_names())} models of the notes" in page
    assert f"`make bench` times {len(MODELS)} of them" in readme
    assert f"`make bench` 把其中 {len(MODELS)} 个模型" in chinese
    others = page.partition("Not measured are")[2].partition(".")[0]
    assert [name for name in recipe_names() if name not in MODELS and name not in others and "hello" not in name] == []


def test_the_gpu_part_is_what_its_figures_give(root: Path) -> None:
    results = root / "benchmarks/results"
    bench, floors = (
        json.loads((results / f"cuda-{part}.json").read_text(encoding="utf-8")) for part in ("bench", "floors")
    )
    page = (root / PAGE).read_text(encoding="utf-8")
    assert cuda_page.renew(page, bench, floors) == page, "run `python tools/gpu_check.py --page`"
    assert (root / cuda_page.PICTURE).read_text(encoding="utf-8") == cuda_page.picture(bench)
