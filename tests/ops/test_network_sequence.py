"""Network: values with one spatial axis, as convolutions over time have them, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper
from test_network import Constants, check_batches, session_of

OP = "Network"
DOMAIN = "slipway"

LENGTHS = (9, 50)
BATCHES = (1, 3, 17)


class Model(Constants):
    """Dilated convolutions with a residual, pooling, squeeze and excitation, and a dense layer."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        channels = int(self.rng.choice([6, 16, 21]))
        taps = int(self.rng.choice([2, 3, 5]))
        dilation = int(self.rng.integers(1, 3))
        pads = (
            [(taps - 1) * dilation, 0] if seed % 2 else [(taps - 1) * dilation // 2, ((taps - 1) * dilation + 1) // 2]
        )
        node = helper.make_node
        self.nodes = [
            node("Conv", ["x", self.normal(channels, 4, 3)], ["a"], pads=[1, 1]),
            node("Relu", ["a"], ["b"]),
            node("Conv", ["b", self.normal(channels, channels, taps)], ["c"], pads=pads, dilations=[dilation]),
            node("Add", ["c", "b"], ["d"]),
            node("Conv", ["d", self.normal(channels, 1, 3), self.normal(channels)], ["e"], pads=[1, 1], group=channels),
            node("GlobalAveragePool", ["e"], ["f"]),
            node("Reshape", ["f", self.constant(np.array([-1, channels], np.int64))], ["g"]),
            node("Gemm", ["g", self.normal(channels, channels)], ["h"]),
            node("Sigmoid", ["h"], ["i"]),
            node("Unsqueeze", ["i", self.constant(np.array([2], np.int64))], ["j"]),
            node("Mul", ["e", "j"], ["k"]),
            node("ConvTranspose", ["k", self.normal(channels, 7, 4)], ["l"], strides=[2], pads=[1, 1]),
            node("MaxPool", ["l"], ["m"], kernel_shape=[2], strides=[2]),
            node("ReduceMean", ["m", self.constant(np.array([2], np.int64))], ["n"], keepdims=0),
            node("Gemm", ["n", self.normal(7, 5)], ["y"]),
        ]

    def file(self) -> bytes:
        return self.file_of(self.nodes, ["N", 4, "T"], {"y": ["N", 5]})


@pytest.mark.parametrize("seed", range(6))
def test_convolutions_over_time_agree_with_onnxruntime(seed: int, isa: str) -> None:
    model = Model(seed).file()
    for length in LENGTHS:
        x = np.random.default_rng(seed).normal(size=(max(BATCHES), 4, length)).astype(np.float32)
        check_batches(model, isa, x, BATCHES)


def test_all_of_it_is_one_network(vectors: str) -> None:
    plan: Any = session_of(Model(0).file(), vectors).stage_text("plan", {"x": (2, 4, 20)})
    steps = [line for line in plan.splitlines() if line[:3].strip().isdigit()]
    assert len(steps) == 1
    assert "Network" in steps[0]
