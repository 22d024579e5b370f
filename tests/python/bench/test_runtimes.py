"""benchmarks/runtimes.py: what a short run writes, and what an interrupted one does not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slipway.bench import suite
from slipway.bench.page import BEGIN, END, generated, picture, renew
from slipway.bench.suite import MODELS
from slipway.errors import ExitCode
from slipway.recipes import recipe_names


@pytest.fixture(scope="module")
def runtimes(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("runtimes")


def options(zoo: Path, folder: Path) -> list[str]:
    return ["--quick", "--models", "breast-cancer", "--turn", "1e-4", "--zoo", str(zoo), "--cache", str(folder)]


def test_a_quick_run_writes_every_key_and_a_page(
    runtimes: ModuleType, zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.json"
    assert runtimes.main([*options(zoo, tmp_path), "--threads", "1,2", "--json", str(target)]) == ExitCode.OK
    result = json.loads(target.read_text())
    assert set(result) == {
        "machine", "models", "peaks", "settings", "rows", "cells", "absent", "summary", "first_calls", "cold_starts",
    }  # fmt: skip
    assert [model["bundle"] for model in result["models"]] == ["breast-cancer"]
    assert {(row["batch"], row["threads"]) for row in result["rows"]} == {(1, 1), (1, 2), (16, 1), (16, 2)}
    assert {row["runtime"] for row in result["rows"]} >= {"native-cpu", "native-cpu-bound", "eager", "onnxruntime-cpu"}
    cell = result["cells"][0]
    assert {"bundle", "batch", "threads", "floor", "work", "verdict", "left_out", "error_allowed"} <= set(cell)
    assert cell["verdict"]["best_peer"] in {"eager", "onnxruntime-cpu", "onnxruntime-cpu-bound"}
    assert cell["floor"]["us"] > 0
    assert [row["runtime"] for row in result["first_calls"]] == ["native-cpu", "onnxruntime-cpu"]
    assert {row["process"] for row in result["cold_starts"]} >= {"Python + slipway", "Python + onnxruntime"}
    assert "4 cells meet the target" in capsys.readouterr().out
    page = renew(f"# Title\n\n{BEGIN}\n{END}\n", result)
    assert page.count("| `breast-cancer` | 16 | 2 |") == 2
    assert generated(result) == generated(json.loads(target.read_text()))
    assert picture(result).count("<circle") == 4 + 2


def test_an_interrupted_run_writes_nothing(
    runtimes: ModuleType, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runtimes, "run_suite", interrupted)
    target = tmp_path / "out.json"
    assert runtimes.main([*options(zoo, tmp_path), "--json", str(target)]) == ExitCode.INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_keeps_the_cells_that_it_has_measured(
    runtimes: ModuleType, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = suite.measure_cell
    calls = itertools.count()

    def interrupted(*args: Any, **options: Any) -> dict[str, Any]:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return measured(*args, **options)

    monkeypatch.setattr(suite, "measure_cell", interrupted)
    wanted = [*options(zoo, tmp_path), "--batches", "1", "--threads", "1,2"]
    assert runtimes.main(wanted) == ExitCode.INTERRUPTED
    result = json.loads((tmp_path / "interrupted.json").read_text())
    assert [(cell["batch"], cell["threads"]) for cell in result["cells"]] == [(1, 1)]
    assert result["interrupted"]


def test_a_missing_bundle_is_trained_once(runtimes: ModuleType, tmp_path: Path) -> None:
    made = runtimes.open_bundle("breast-cancer", tmp_path / "none", tmp_path / "kept")
    assert made.path == tmp_path / "kept" / "breast-cancer"
    # At its full size, so not by the preset for trying things out.
    assert (made.report["training"]["epochs"], made.report["training"]["limit"]) == (1, 256)
    before = made.path.stat().st_mtime_ns
    again = runtimes.open_bundle("breast-cancer", tmp_path / "none", tmp_path / "kept")
    assert again.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("wrong", [["--models", "nothing"], ["--batches", "x"], ["--threads", "0"]])
def test_a_wrong_option_is_told(runtimes: ModuleType, zoo: Path, tmp_path: Path, wrong: list[str]) -> None:
    assert runtimes.main([*options(zoo, tmp_path), *wrong]) == ExitCode.USAGE


def test_every_model_of_the_table_is_a_recipe() -> None:
    assert set(MODELS) <= set(recipe_names())
    assert all(len(batches) == 3 for batches in MODELS.values())
