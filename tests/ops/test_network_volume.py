"""Network: values with three spatial axes, as convolutions over volumes and clips have them, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import by_onnxruntime, only_output
from onnx import helper
from test_network import Constants, check_batches, session_of

OP = "Network"
DOMAIN = "slipway"

SIZES = ((5, 6, 7), (6, 5, 18))
BATCHES = (1, 3, 17)


class Model(Constants):
    """Convolutions of every kind of window, a residual, a concatenation, squeeze and excitation, and dense layers."""

    def __init__(self, seed: int, size: tuple[int, int, int]) -> None:
        super().__init__(seed)
        self.size = size
        channels = int(self.rng.choice([6, 16, 21]))
        kernel = [int(taps) for taps in self.rng.choice([1, 2, 3], size=3)]
        dilations = [int(step) for step in self.rng.choice([1, 2], size=3)]
        reach = [(taps - 1) * step for taps, step in zip(kernel, dilations, strict=True)]
        pads = [all_of - all_of // 2 for all_of in reach] + [all_of // 2 for all_of in reach]
        node = helper.make_node
        axes = self.constant(np.array([2, 3, 4], np.int64))
        self.nodes = [
            node("Conv", ["x", self.normal(channels, 2, 3, 3, 3)], ["a"], pads=[1] * 6),
            node("Relu", ["a"], ["b"]),
            node("Conv", ["b", self.normal(channels, channels, *kernel)], ["c"], pads=pads, dilations=dilations),
            node("Add", ["c", "b"], ["d"]),
            node("Conv", ["d", self.normal(channels, 1, 3, 2, 3)], ["e"], pads=[1, 0, 1, 1, 1, 1], group=channels),
            node("HardSwish", ["e"], ["f"]),
            node("MaxPool", ["f"], ["g"], kernel_shape=[3, 2, 3], strides=[2, 1, 2], pads=[1, 0, 1, 1, 1, 1]),
            node("AveragePool", ["f"], ["h"], kernel_shape=[3, 2, 3], strides=[2, 1, 2], pads=[1, 0, 1, 1, 1, 1],
                 count_include_pad=seed % 2),
            node("Concat", ["g", "h"], ["i"], axis=1),
            node("GlobalAveragePool", ["i"], ["j"]),
            node("Mul", ["i", "j"], ["k"]),
            node("Conv", ["k", self.normal(9, 2 * channels, 1, 2, 2), self.normal(9)], ["l"], strides=[1, 2, 1]),
            node("BatchNormalization", ["l", *(self.constant(self.rng.uniform(0.5, 2, 9).astype(np.float32))
                                               for _ in range(4))], ["m"]),
            node("ReduceMax", ["m", axes], ["n"], keepdims=0),
            node("Flatten", ["m"], ["o"]),
            node("Gemm", ["o", self.normal(self.flat(), 9)], ["p"]),
            node("Add", ["n", "p"], ["y"]),
        ]  # fmt: skip

    def flat(self) -> int:
        """Numbers of the last volume."""
        depth, height, width = self.size
        # The poolings leave every second plane and column, the last convolution every second row and a column less.
        return 9 * ((depth + 1) // 2) * (height // 2) * ((width + 1) // 2 - 1)

    def file(self) -> bytes:
        return self.file_of(self.nodes, ["N", 2, *self.size], {"y": ["N", 9]})


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_convolutions_over_volumes_agree_with_onnxruntime(seed: int, size: tuple[int, int, int], isa: str) -> None:
    model = Model(seed, size).file()
    x = np.random.default_rng(seed).normal(size=(max(BATCHES), 2, *size)).astype(np.float32)
    check_batches(model, isa, x, BATCHES)


@pytest.mark.parametrize(("pads", "stride"), [((0, 0), 1), ((0, 1), 2), ((1, 0), 2), ((1, 1), 1)], ids=str)
def test_volumes_of_one_plane_agree_with_onnxruntime(pads: tuple[int, int], stride: int, isa: str) -> None:
    """A picture may be computed in tiles of Winograd, but not what padding in front of it makes."""
    model = Constants(pads[0])
    node = helper.make_node
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Conv", ["a", model.normal(16, 8, 1, 3, 3), model.normal(16)], ["b"],
             pads=[pads[0], 1, 1, pads[1], 1, 1], strides=[stride, 1, 1]),
        node("GlobalMaxPool", ["b"], ["y"]),
    ]  # fmt: skip
    made = model.file_of(nodes, ["N", 8, 1, 12, 12], {"y": ["N", 16, 1, 1, 1]})
    given = np.random.default_rng(stride).normal(size=(9, 8, 1, 12, 12)).astype(np.float32)
    (expected,) = by_onnxruntime(made, {"x": given})
    got = only_output(session_of(made, isa), given)
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5 * float(np.abs(expected).max()))


def test_all_of_it_is_one_network(vectors: str) -> None:
    plan: Any = session_of(Model(0, SIZES[0]).file(), vectors).stage_text("plan", {"x": (2, 2, *SIZES[0])})
    steps = [line for line in plan.splitlines() if line[:3].strip().isdigit()]
    assert len(steps) == 1
    assert "Network" in steps[0]
