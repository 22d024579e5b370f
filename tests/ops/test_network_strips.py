"""Network: convolutions of an input with few channels, whose lanes are pixels, against double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
import torch
from graphs import Array, only_output
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional

import slipway

OP = "Network"
DOMAIN = "slipway"

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Relu": torch.relu,
    "Tanh": torch.tanh,
    "LeakyRelu": lambda x: functional.leaky_relu(x, 0.01),
}


@dataclass(frozen=True)
class Layer:
    """A convolution that reads the input of the model, between 1x1 convolutions of its result and the output."""

    channels: int
    made: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pool: bool = False
    activation: str = ""
    down: int = 1
    dilations: tuple[int, int] = (1, 1)

    def __str__(self) -> str:
        flags = ("pool" if self.pool else "") + self.activation
        return f"{self.channels}x{self.made}-{self.size}-{self.kernel}-{self.pads}-{flags}".replace(" ", "")


#: In strips on every instruction set: two channels, or one, are far less than a vector of any.
STRIPS = (
    Layer(3, 2, (6, 16), (1, 7), (0, 3, 0, 3)),
    Layer(3, 2, (9, 37), (5, 5), activation="Relu"),
    Layer(2, 1, (12, 36), (5, 5), pool=True, activation="Relu"),
    Layer(1, 2, (11, 41), (7, 3), (3, 1, 3, 1), pool=True, activation="Tanh"),
    Layer(40, 2, (7, 25), (3, 3), (1, 1, 1, 1), dilations=(1, 3), activation="LeakyRelu"),
    Layer(4, 1, (13, 70), (4, 5), (2, 0, 1, 4), down=2),
    Layer(2, 2, (17, 33), (5, 5), (2, 2, 2, 2), pool=True, down=3),
)
#: In strips on some; 6 channels of 16 lanes are the first layer of LeNet.
BESIDE = (
    Layer(3, 6, (32, 32), (5, 5), pool=True, activation="Relu"),
    Layer(1, 10, (28, 28), (5, 5), pool=True, activation="Relu"),
    Layer(3, 17, (8, 40), (5, 5)),
    Layer(3, 5, (9, 15), (3, 3)),
)


class Model:
    """The layer as a file, and as torch computes it in any precision."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        rng = np.random.default_rng(layer.channels * 100 + layer.made)
        taps = layer.kernel[0] * layer.kernel[1] * layer.channels
        self.arrays: dict[str, Array] = {
            "weight": (rng.normal(size=(layer.made, layer.channels, *layer.kernel)) / taps**0.5).astype(np.float32),
            "bias": rng.normal(size=layer.made).astype(np.float32),
            "last": rng.normal(size=(9, layer.made, 1, 1)).astype(np.float32),
        }
        window = {"pads": layer.pads, "strides": (layer.down, 1), "dilations": layer.dilations}
        nodes = [helper.make_node("Conv", ["x", "weight", "bias"], ["sums"], **window)]
        if layer.pool:
            nodes.append(helper.make_node("MaxPool", ["sums"], ["largest"], kernel_shape=[2, 2], strides=[2, 2]))
        if layer.activation:
            nodes.append(helper.make_node(layer.activation, nodes[-1].output, ["active"]))
        nodes.append(helper.make_node("Conv", [nodes[-1].output[0], "last"], ["y"]))
        constants = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", layer.channels, *layer.size])]
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)]
        graph = helper.make_graph(nodes, "layer", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model)
        self.file: bytes = model.SerializeToString()

    def run(self, x: Array) -> Array:
        layer = self.layer
        weight, bias, last = (torch.from_numpy(array).double() for array in self.arrays.values())
        top, left, bottom, right = layer.pads
        padded = functional.pad(torch.from_numpy(x).double(), (left, right, top, bottom))
        value = functional.conv2d(padded, weight, bias, (layer.down, 1), 0, layer.dilations)
        if layer.pool:
            value = functional.max_pool2d(value, 2)
        if layer.activation:
            value = ACTIVATIONS[layer.activation](value)
        result: Array = functional.conv2d(value, last).numpy()
        return result

    def draw(self, batch: int) -> Array:
        return np.random.default_rng(batch).normal(size=(batch, self.layer.channels, *self.layer.size)).astype("f4")


def plan_of(session: slipway.Session, model: Model, batch: int) -> str:
    return session.stage_text("plan", {"x": (batch, model.layer.channels, *model.layer.size)})


@pytest.mark.parametrize("layer", STRIPS, ids=str)
def test_the_plan_takes_strips_where_channels_are_few(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    assert plan_of(slipway.Session(model.file, isa=vectors), model, 1).count(" strips, ") == 1


@pytest.mark.parametrize("layer", [*STRIPS, *BESIDE], ids=str)
def test_every_pixel_is_right_and_no_batch_or_thread_changes_a_bit(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    threaded = [slipway.Session(model.file, threads=n, isa=vectors) for n in (2, 3)]
    x = model.draw(37)
    exact = model.run(x)
    whole = only_output(session, x)
    assert whole.shape == exact.shape
    np.testing.assert_allclose(whole, exact, rtol=0, atol=3e-6 * float(np.abs(exact).max()))
    for begin, end in ((0, 1), (3, 5), (20, 37)):
        for one in (session, *threaded):
            assert only_output(one, x[begin:end]).tobytes() == whole[begin:end].tobytes()


@pytest.mark.parametrize("layer", STRIPS, ids=str)
def test_nothing_beside_the_input_is_read(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    x = model.draw(1)
    around = np.full(x.size + 64, np.nan, np.float32)
    inside = around[32:-32].reshape(x.shape)
    inside[:] = x
    assert np.isfinite(only_output(session, inside)).all()


@pytest.mark.parametrize("layer", [STRIPS[1], STRIPS[3], BESIDE[0]], ids=str)
def test_nan_reaches_the_pixels_whose_windows_hold_it_and_no_other(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    for y, x in ((0, 0), (5, 14), (layer.size[0] - 1, layer.size[1] - 1)):
        image = model.draw(1)
        image[0, 0, y, x] = np.nan
        assert (np.isnan(only_output(session, image)) == np.isnan(model.run(image))).all()
