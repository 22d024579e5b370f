"""Taking a run apart: cuts of models, and what is shown together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import slipway
from slipway.bench.competitor import Job
from slipway.bench.inputs import bench_inputs
from slipway.bench.protocol import Settings
from slipway.bench.waterfall import MOST_PARTS, Stretch, beginnings, measure_waterfall, plan_bytes, stretches, together
from slipway.bundle import ONNX, Bundle


@pytest.mark.parametrize("most", [MOST_PARTS, 2])
def test_a_beginning_computes_what_the_model_computes_on_the_way(breast_cancer: Bundle, most: int) -> None:
    model = onnx.load_from_string(breast_cancer.read(ONNX))
    inputs = bench_inputs(breast_cancer, 3)
    everything = onnx.ModelProto.FromString(model.SerializeToString())
    known = {value.name for value in model.graph.output}
    inner = [value for value in model.graph.value_info if value.name not in known]
    everything.graph.output.extend(value for value in inner if any(value.name in n.output for n in model.graph.node))
    wanted = slipway.Session(everything.SerializeToString()).run(inputs)
    ends = []
    for end, beginning in beginnings(model, most):
        ends.append(end)
        for name, array in slipway.Session(beginning.SerializeToString()).run(inputs).items():
            np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-6)
    assert ends == list(range(ends[0], len(model.graph.node), ends[0]))
    assert len(ends) < most


def test_what_costs_less_than_nothing_is_joined_with_what_stands_before_it() -> None:
    apart = stretches([(0, 1.0), (1, 9.0), (2, 5.0), (3, 5.5), (5, 5.0), (6, 0.5), (7, 2.0)])
    assert [s.us for s in apart] == [8.0, -4.0, 0.5, -0.5, -4.5, 1.5]
    assert together(apart) == [Stretch(0, 6, -0.5), Stretch(6, 7, 1.5)]
    assert together(apart[:3]) == [Stretch(0, 2, 4.0), Stretch(2, 3, 0.5)]


def test_the_parts_make_the_run_and_the_plans_memory_is_told(names_gru: Bundle, tmp_path: Path) -> None:
    job = Job(names_gru, bench_inputs(names_gru, 2), 1, tmp_path)
    found = measure_waterfall(job, Settings(rounds=3, turn_seconds=1e-3, rest_seconds=0))
    assert sum(part["us"] for part in found["parts"]) == pytest.approx(found["run_us"])
    named = " ".join(part["name"] for part in found["parts"] if part["kind"] == "node")
    assert named.count("GRU") == 2
    assert found["plan_bytes"] > 0
    assert plan_bytes("segment 0: 4 steps, arena 10 bytes, scratch 5 bytes\n  segment 1: 1 steps, arena 1 bytes, "
                      "scratch 0 bytes") == 16  # fmt: skip
