"""Network: transposed convolutions between two others, in small and large batches, against torch in double."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from graphs import Array, only_output
from onnx import TensorProto, helper, numpy_helper
from test_network import session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (1, 3, 40)


@dataclass(frozen=True)
class Layer:
    """A transposed convolution; by default that of a generator of images."""

    size: tuple[int, int]
    kernel: tuple[int, int] = (4, 4)
    strides: tuple[int, int] = (2, 2)
    pads: tuple[int, int, int, int] = (1, 1, 1, 1)
    more: tuple[int, int] = (0, 0)
    dilations: tuple[int, int] = (1, 1)
    channels: tuple[int, int] = (11, 18)
    has_bias: bool = True

    def __str__(self) -> str:
        return f"{self.size}-{self.kernel}-{self.strides}-{self.pads}-{self.channels}".replace(" ", "")

    def attributes(self) -> dict[str, Any]:
        return {
            "strides": self.strides,
            "pads": self.pads,
            "output_padding": self.more,
            "dilations": self.dilations,
        }


LAYERS = (
    Layer((1, 1), strides=(1, 1), pads=(0, 0, 0, 0)),  # every output meets one tap
    Layer((1, 7)),
    Layer((2, 2)),
    Layer((5, 8)),
    Layer((6, 5), kernel=(3, 3), more=(1, 1)),
    Layer((4, 6), kernel=(1, 2), strides=(3, 2), pads=(0, 0, 0, 0)),  # outputs that no tap reaches
    Layer((5, 5), kernel=(3, 2), strides=(1, 3), pads=(0, 1, 2, 0), dilations=(2, 1)),
    Layer((3, 4), kernel=(5, 5), strides=(2, 1), pads=(3, 2, 2, 4), channels=(40, 1), has_bias=False),
    Layer((9, 9), kernel=(2, 2), pads=(0, 0, 0, 0), channels=(3, 35)),
)


class Model:
    """A convolution, the layer with Relu, and another convolution."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        rng = np.random.default_rng(sum(layer.size) + layer.channels[1])
        came, made = layer.channels
        shapes = {"a": (came, 2, 1, 1), "w": (came, made, *layer.kernel), "b": (made,), "d": (3, made, 1, 1)}
        self.arrays = {name: (rng.normal(size=shape) / 3).astype(np.float32) for name, shape in shapes.items()}

    def file(self) -> bytes:
        inputs = ["s", "w", *(["b"] if self.layer.has_bias else [])]
        nodes = [
            helper.make_node("Conv", ["x", "a"], ["s"]),
            helper.make_node("ConvTranspose", inputs, ["t"], **self.layer.attributes()),
            helper.make_node("Relu", ["t"], ["u"]),
            helper.make_node("Conv", ["u", "d"], ["y"]),
        ]
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, *self.layer.size])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        constants = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        graph = helper.make_graph(nodes, "spread", [x], [y], constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return made.SerializeToString()

    def expected(self, x: Array, dtype: torch.dtype = torch.float64) -> Array:
        w = {name: torch.from_numpy(array).to(dtype) for name, array in self.arrays.items()}
        s = torch.conv2d(torch.from_numpy(x).to(dtype), w["a"])
        layer = self.layer
        bias = w["b"] if layer.has_bias else None
        # Pads of four sides are those of none, and edges cut off.
        whole = torch.conv_transpose2d(s, w["w"], bias, layer.strides, 0, 0, 1, layer.dilations)
        rows, columns = (
            (layer.size[i] - 1) * layer.strides[i] + (layer.kernel[i] - 1) * layer.dilations[i] + 1 + layer.more[i]
            for i in (0, 1)
        )
        grown = torch.zeros(*whole.shape[:2], rows, columns, dtype=dtype)
        if bias is not None:
            grown += bias[:, None, None]
        grown[:, :, : whole.shape[2], : whole.shape[3]] = whole
        top, left, bottom, right = layer.pads
        t = grown[:, :, top : rows - bottom, left : columns - right]
        return torch.conv2d(t.relu(), w["d"]).numpy()


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_transposed_convolution_agrees_with_torch(layer: Layer, isa: str) -> None:
    model = Model(layer)
    session = session_of(model.file(), isa)
    rng = np.random.default_rng(1)
    rows = []
    x = rng.normal(size=(max(BATCHES), 2, *layer.size)).astype(np.float32)
    for batch in BATCHES:
        got = only_output(session, x[:batch])
        expected = model.expected(x[:batch])
        bound = 2 * float(np.abs(model.expected(x[:batch], torch.float32) - expected).max()) + 1e-6
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)
        rows.append(got[:1].tobytes())
    assert len(set(rows)) == 1  # the same bits, whatever is beside a sample


def test_it_is_part_of_the_network(vectors: str) -> None:
    session = session_of(Model(LAYERS[0]).file(), vectors)
    plan = session.stage_text("plan", {"x": (4, 2, 1, 1)})
    assert "Network" in plan
    assert "ConvTranspose" not in plan
    # Of a kernel of 4 x 4 each output of a single pixel meets one tap: 11 terms, not 176.
    assert "11 terms, activation" in plan


def test_weights_that_are_not_finite_meet_no_zeros(isa: str) -> None:
    model = Model(Layer((5, 8)))
    model.arrays["w"][0, 0, 0, 0] = np.inf
    x = np.ones((2, 2, 5, 8), np.float32)
    got = only_output(session_of(model.file(), isa), x)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(model.expected(x)))
