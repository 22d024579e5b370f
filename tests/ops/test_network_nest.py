"""Network: concatenations that grow layer by layer, as DenseNet has them, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from test_network import Constants, check_batches, session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (1, 3, 17)


class Model(Constants):
    """Every layer reads what all before it have made; `is_chained`: as one value and the latest."""

    def __init__(self, growth: int, layers: int, is_chained: bool, first: int = 32) -> None:
        super().__init__(growth)
        node = helper.make_node
        self.nodes = [node("Conv", ["x", self.normal(first, 3, 3, 3)], ["v0"], pads=[1] * 4)]
        parts, channels, all_ = ["v0"], first, "v0"
        for i in range(1, layers + 1):
            statistics = [self.normal(channels) for _ in range(3)]
            statistics.append(self.constant(self.rng.uniform(0.5, 2, channels).astype(np.float32)))
            self.nodes += [
                node("BatchNormalization", [all_, *statistics], [f"n{i}"]),
                node("Relu", [f"n{i}"], [f"r{i}"]),
                node("Conv", [f"r{i}", self.normal(growth, channels, 3, 3)], [f"v{i}"], pads=[1] * 4),
            ]
            parts.append(f"v{i}")
            self.nodes.append(node("Concat", [all_, f"v{i}"] if is_chained else parts, [f"a{i}"], axis=1))
            all_ = f"a{i}"
            channels += growth
        # One from the middle is read once more, and leaves the network too.
        self.nodes += [
            node("Conv", ["a2", self.normal(8, first + 2 * growth, 1, 1)], ["m"]),
            node("Conv", [all_, self.normal(8, channels, 1, 1)], ["e"]),
            node("Add", ["m", "e"], ["y"]),
        ]

    def file(self) -> bytes:
        return self.file_of(self.nodes, ["N", 3, 6, 8], {"y": ["N", 8, 6, 8]})


def steps_of(model: bytes, isa: str, batch: int) -> str:
    plan: str = session_of(model, isa).stage_text("plan", {"x": (batch, 3, 6, 8)})
    return plan


@pytest.mark.parametrize("is_chained", [False, True])
@pytest.mark.parametrize(("growth", "layers"), [(16, 5), (32, 3), (12, 5), (16, 20)])
def test_layers_that_read_all_before_them_agree_with_onnxruntime(
    growth: int, layers: int, is_chained: bool, isa: str
) -> None:
    x = np.random.default_rng(layers).normal(size=(max(BATCHES), 3, 6, 8)).astype(np.float32)
    check_batches(Model(growth, layers, is_chained).file(), isa, x, BATCHES)


@pytest.mark.parametrize("is_chained", [False, True])
@pytest.mark.parametrize("batch", [1, 17])
def test_nothing_is_copied_from_one_to_the_next(is_chained: bool, batch: int, vectors: str) -> None:
    plan = steps_of(Model(16, 20, is_chained).file(), vectors, batch)
    assert plan.count("Network") == 1
    assert "Concat" not in plan
    assert "map" not in plan
    assert "map" in steps_of(Model(12, 5, is_chained).file(), vectors, batch)
