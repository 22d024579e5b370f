"""benchmarks/cost_model.py reads from plans what it says it reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import slipway


@pytest.fixture(scope="module")
def cost_model(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("cost_model")


def session_of(nodes: list[onnx.NodeProto]) -> slipway.Session:
    weights = numpy_helper.from_array(np.ones((8, 3, 3, 3), np.float32), "w")
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None, None, None]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return slipway.Session(model.SerializeToString())


def test_blocks_count_as_often_as_the_batch_has_them(cost_model: ModuleType) -> None:
    pool = helper.make_node("MaxPool", ["c"], ["y"], kernel_shape=[2, 2])
    session = session_of([helper.make_node("Conv", ["x", "w"], ["c"]), pool])
    plan = session.stage_text("plan", {"x": [100, 3, 12, 12]})
    block, of_block = (int(n) for n in re.findall(r"blocks of (\d+), .*, (\d+) vector multiply-adds", plan)[0])
    lanes, counted = cost_model.counted_in(plan, 100)
    assert lanes in {"samples", "channels"}
    assert counted == -(-100 // block) * of_block


def test_plans_whose_work_is_elsewhere_are_left_out(cost_model: ModuleType) -> None:
    session = session_of([helper.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 3, 1])])
    assert cost_model.counted_in(session.stage_text("plan", {"x": [2, 3, 12, 12]}), 2) is None


def test_an_empty_zoo_is_an_error_that_says_how_to_fill_it(
    cost_model: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cost_model.main(["--zoo", str(tmp_path)]) == 1
    assert "make zoo" in capsys.readouterr().err


def test_the_table_ends_with_the_spread(cost_model: ModuleType) -> None:
    rows = [
        {"model": name, "batch": 1, "lanes": "samples", "counted": 10, "us": 1.0, "ps_each": each}
        for name, each in (("a", 100.0), ("b", 250.0), ("c", 200.0))
    ]
    assert list(cost_model.lines_of(rows))[-1] == "median 200 ps, from 100 to 250: 2.5x apart"
