"""Network: depthwise convolutions whose neighbouring pixels share what they read, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import only_output
from onnx import helper
from test_network import Constants, check_batches, session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (1, 3, 17)
CHANNELS = 19


def depthwise_model(kernel: tuple[int, int], stride: int, dilation: int = 1) -> bytes:
    """A depthwise convolution of an image of any size, between two of single places."""
    model = Constants(0)
    rows, columns = kernel
    nodes = [
        helper.make_node("Conv", ["x", model.normal(CHANNELS, 3, 1, 1)], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node(
            "Conv",
            ["b", model.normal(CHANNELS, 1, rows, columns), model.normal(CHANNELS)],
            ["c"],
            group=CHANNELS,
            pads=[rows // 2, columns // 2, rows // 2, columns // 2],
            strides=[1, stride],
            dilations=[1, dilation],
        ),
        helper.make_node("Clip", ["c", model.constant(np.float32(-1)), model.constant(np.float32(1))], ["d"]),
        helper.make_node("Conv", ["d", model.normal(4, CHANNELS, 1, 1)], ["y"]),
    ]
    return model.file_of(nodes, ["N", 3, "H", "W"], {"y": ["N", 4, "H2", "W2"]})


@pytest.mark.parametrize("kernel", [(3, 3), (1, 5), (5, 5), (7, 7), (4, 3), (3, 4)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_lines_of_every_width_agree_with_onnxruntime(kernel: tuple[int, int], stride: int, isa: str) -> None:
    model = depthwise_model(kernel, stride)
    rng = np.random.default_rng(stride)
    for width in (4, 7, 9, 12, 13, 19, 33):
        check_batches(model, isa, rng.normal(size=(max(BATCHES), 3, 6, width)).astype(np.float32), BATCHES)


def test_taps_that_are_apart_agree_with_onnxruntime(isa: str) -> None:
    x = np.random.default_rng(0).normal(size=(max(BATCHES), 3, 6, 14)).astype(np.float32)
    check_batches(depthwise_model((3, 3), 1, dilation=2), isa, x, BATCHES)


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (7, 7)])
def test_lines_that_threads_cut_have_the_same_bits(kernel: tuple[int, int], vectors: str) -> None:
    model = depthwise_model(kernel, 1)
    x = np.random.default_rng(1).normal(size=(9, 3, 47, 45)).astype(np.float32)
    for batch in (1, 9):
        alone = only_output(session_of(model, vectors), x[:batch]).tobytes()
        for threads in (2, 3, 5):
            assert only_output(session_of(model, vectors, threads), x[:batch]).tobytes() == alone
