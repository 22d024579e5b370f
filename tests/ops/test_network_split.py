"""Network: channels that are split, as gates and partial bottlenecks have them, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import by_onnxruntime
from onnx import helper
from test_network import Constants, session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (1, 3, 17)
PARTS = {"thirds": [16, 32, 16], "uneven": [16, 48], "between vectors": [24, 40]}


class Model(Constants):
    """Parts that are gates, that a window reaches over, that are split again, joined, and that leave."""

    def __init__(self, sizes: list[int], nested: bool) -> None:
        super().__init__(len(sizes))
        self.gate = sizes[1]
        node = helper.make_node
        parts = [f"p{i}" for i in range(len(sizes))]
        split = self.constant(np.array(sizes, np.int64))
        self.nodes = [
            node("Conv", ["x", self.normal(64, 3, 3, 3)], ["a"], pads=[1] * 4),
            node("Relu", ["a"], ["b"]),
            node("Split", ["b", split], parts, axis=1 if nested else -3),
            node("Conv", ["p0", self.normal(sizes[1], sizes[0], 3, 3)], ["c"], pads=[1] * 4),
            node("Sigmoid", ["p1"], ["d"]),
            node("Mul", ["c", "d"], ["e"]),
            node("Concat", ["e", "p0", parts[-1]], ["f"], axis=1),
        ]
        joined = sizes[1] + sizes[0] + sizes[-1]
        last = "f"
        if nested:
            halves = self.constant(np.array([16, joined - 16], np.int64))
            self.nodes += [
                node("Split", ["f", halves], ["g", "h"], axis=1),
                node("Split", ["h", self.constant(np.array([16, joined - 32], np.int64))], ["i", "j"], axis=1),
                node("Add", ["g", "i"], ["k"]),
                node("Conv", ["j", self.normal(16, joined - 32, 1, 1)], ["l"]),
                node("Add", ["k", "l"], ["m"]),
            ]
            last, joined = "m", 16
        self.nodes += [
            node("GlobalAveragePool", [last], ["n"]),
            node("Flatten", ["n"], ["o"]),
            node("Gemm", ["o", self.normal(joined, 5)], ["y"]),
            node("Identity", ["p1"], ["z"]),
        ]

    def file(self) -> bytes:
        return self.file_of(self.nodes, ["N", 3, 5, 9], {"y": ["N", 5], "z": ["N", self.gate, 5, 9]})


@pytest.mark.parametrize("nested", [False, True], ids=["once", "again"])
@pytest.mark.parametrize("name", PARTS)
def test_parts_of_channels_agree_with_onnxruntime(name: str, nested: bool, isa: str) -> None:
    model = Model(PARTS[name], nested).file()
    session = session_of(model, isa)
    x = np.random.default_rng(len(name)).normal(size=(max(BATCHES), 3, 5, 9)).astype(np.float32)
    expected = dict(zip(("y", "z"), by_onnxruntime(model, {"x": x}), strict=True))
    alone = session.run({"x": x[:1]})
    for batch in BATCHES:
        got = session.run({"x": x[:batch]})
        for port, wanted in expected.items():
            assert got[port][:1].tobytes() == alone[port].tobytes()
            np.testing.assert_allclose(
                got[port], wanted[:batch], rtol=2e-5, atol=2e-5 * float(np.abs(wanted).max()), err_msg=port
            )


@pytest.mark.parametrize("name", PARTS)
def test_all_of_it_is_one_network_where_parts_begin_with_a_vector(name: str, vectors: str) -> None:
    plan: Any = session_of(Model(PARTS[name], True).file(), vectors).stage_text("plan", {"x": (2, 3, 5, 9)})
    steps = [line.split()[1] for line in plan.splitlines() if line[:3].strip().isdigit()]
    assert (steps == ["Network"]) == (name != "between vectors")
