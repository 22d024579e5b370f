"""Network: convolutions of groups of several channels, as ResNeXt and RegNet have them, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import only_output
from onnx import helper
from test_network import Constants, check_batches, session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (1, 3, 17)


class Model(Constants):
    """A convolution of groups of `width` channels between two others, and a second one at a single pixel."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__(width)
        channels = width * groups
        node = helper.make_node
        self.nodes = [
            node("Conv", ["x", self.normal(channels, 3, 3, 3)], ["a"], pads=[1] * 4),
            node("Relu", ["a"], ["b"]),
            node("Conv", ["b", self.normal(channels, width, 3, 3), self.normal(channels)], ["c"], group=groups,
                 pads=[1, 0, 1, 2], strides=[1, 2], dilations=[1, 2]),
            node("HardSwish", ["c"], ["d"]),
            node("Conv", ["d", self.normal(channels, channels, 1, 1)], ["e"]),
            node("Conv", ["e", self.normal(channels, width, 1, 1)], ["f"], group=groups),
            node("Add", ["d", "f"], ["g"]),
            node("GlobalAveragePool", ["g"], ["h"]),
            node("Conv", ["h", self.normal(channels, width, 1, 1), self.normal(channels)], ["i"], group=groups),
            node("Flatten", ["i"], ["j"]),
            node("Gemm", ["j", self.normal(channels, 5)], ["y"]),
        ]  # fmt: skip

    def file(self) -> bytes:
        return self.file_of(self.nodes, ["N", 3, 7, 12], {"y": ["N", 5]})


def steps_of(model: bytes, isa: str) -> str:
    plan: Any = session_of(model, isa).stage_text("plan", {"x": (1, 3, 7, 12)})
    return str(plan)


@pytest.mark.parametrize(("width", "groups"), [(2, 16), (4, 8), (4, 5), (8, 6), (16, 2), (32, 3), (3, 8), (24, 2)])
def test_convolutions_of_groups_agree_with_onnxruntime(width: int, groups: int, isa: str) -> None:
    model = Model(width, groups).file()
    x = np.random.default_rng(width).normal(size=(max(BATCHES), 3, 7, 12)).astype(np.float32)
    check_batches(model, isa, x, BATCHES)


@pytest.mark.parametrize(("width", "groups"), [(2, 16), (8, 6), (32, 3)])
def test_all_of_it_is_one_network(width: int, groups: int, vectors: str) -> None:
    steps = [line for line in steps_of(Model(width, groups).file(), vectors).splitlines() if line[:3].strip().isdigit()]
    assert len(steps) == 1
    assert "Network" in steps[0]


def test_groups_narrower_than_a_vector_are_taken_from_its_lanes(vectors: str) -> None:
    assert "grouped" in steps_of(Model(2, 16).file(), vectors)


def test_a_group_keeps_what_is_not_finite_to_itself(vectors: str) -> None:
    """Lanes of several groups lie in one vector."""
    rng = np.random.default_rng(0)
    model = Constants(0)
    nodes = [
        helper.make_node("Conv", ["x", model.normal(16, 4, 3, 3)], ["a"], pads=[1] * 4, group=4),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    made = model.file_of(nodes, ["N", 16, 6, 6], {"y": ["N", 16, 6, 6]})
    x = rng.normal(size=(9, 16, 6, 6)).astype(np.float32)
    x[:, 4:8] = np.nan
    for batch in (1, 9):
        y = only_output(session_of(made, vectors), x[:batch])
        assert np.isnan(y[:, 4:8]).all()
        assert np.isfinite(np.delete(y, range(4, 8), axis=1)).all()
