"""benchmarks/operators.py times what it says it times."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from slipway.bench import beside
from slipway.bench.protocol import Settings, Timing


@pytest.fixture(scope="module")
def operators(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("operators")


def test_every_case_has_one_answer_in_both_engines(operators: ModuleType) -> None:
    once = Settings(rounds=1, turn_seconds=0, sample_seconds=0, rest_seconds=0)
    for case in operators.cases():
        row = operators.run_case(case, settings=once)
        assert row["native"] > 0
        assert row["ratio"] == pytest.approx(row["onnxruntime"] / row["native"])


def test_another_answer_is_not_timed(operators: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    case = operators.Case("Relu", [np.ones(4, np.float32)])
    monkeypatch.setattr(beside.Session, "run", lambda self, inputs: {"y0": np.zeros(4, np.float32)})
    with pytest.raises(AssertionError, match=r"Relu \[4\]"):
        operators.run_case(case)


def test_the_slowest_come_first(operators: ModuleType) -> None:
    rows = [{"case": name, "native": 2.0, "onnxruntime": 2.0 * r, "ratio": r} for name, r in (("a", 2.0), ("b", 0.5))]
    lines = list(beside.lines_of(rows, "operator"))
    assert [line.split()[-1] for line in lines[1:3]] == ["b", "a"]
    assert lines[-1] == "1 of 2 slower than onnxruntime; geometric mean 1.00x as fast"


def test_unknown_operators_are_named(operators: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert operators.main(["--only", "Covn"]) == 2
    assert "'Covn', expected some of Abs, Add" in capsys.readouterr().err
    assert operators.main(["--only", "Not", "--json", str(tmp_path / "o.json")]) == 0
    assert [row["op"] for row in json.loads((tmp_path / "o.json").read_text())["rows"]] == ["Not"]


def test_the_page_has_the_figures_of_the_last_run(operators: ModuleType) -> None:
    root = Path(__file__).parents[3]
    page = " ".join((root / "docs/benchmarks.md").read_text(encoding="utf-8").split())
    rows = json.loads((root / "benchmarks/results/operators.json").read_text(encoding="utf-8"))["rows"]
    lines = list(beside.lines_of(rows, "operator"))
    assert lines[-1] in page
    for row in sorted(rows, key=lambda row: float(row["ratio"]))[:5]:
        assert f"{row['case']} ({row['ratio']:.2f}x)" in page


def test_a_machine_that_changes_its_speed_changes_no_ratio(
    monkeypatch: pytest.MonkeyPatch, operators: ModuleType
) -> None:
    seconds = {"native": [1.0, 10.0, 10.0], "onnxruntime": [2.0, 20.0, 5.0]}

    def measured(calls: dict[str, Any], settings: Settings) -> dict[str, Timing]:
        return {name: Timing(rounds=[[second] for second in seconds[name]]) for name in calls}

    monkeypatch.setattr(beside, "measure", measured)
    row = operators.run_case(operators.Case("Relu", [np.ones(4, np.float32)]))
    assert (row["native"], row["onnxruntime"], row["ratio"]) == (1e7, 5e6, 2.0)
