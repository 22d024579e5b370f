"""Network: convolutions in tiles, against double precision, and the same bits for a sample whatever is beside it."""

from __future__ import annotations

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

#: In lanes of channels, in lanes of samples, and with a rest of samples.
BATCHES = (1, 16, 37)


@dataclass(frozen=True)
class Layer:
    """A convolution between a 1x1 convolution of 3 channels and what may go into it."""

    channels: int
    made: int
    size: tuple[int, int]
    kernel: tuple[int, int] = (3, 3)
    pads: tuple[int, int, int, int] = (1, 1, 1, 1)
    pool: bool = False
    plus: bool = False
    activation: str = ""
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    parts: int = 1

    def __str__(self) -> str:
        flags = "".join(name for name in ("pool", "plus") if getattr(self, name)) + self.activation
        return f"{self.channels}x{self.made}-{self.size}-{self.kernel}-{self.pads}-{flags}".replace(" ", "")


#: Odd and even sizes, one tile across, every kernel, uneven pads, channels around the vectors of all instruction sets.
LAYERS = (
    Layer(16, 16, (12, 12), activation="Relu"),
    Layer(16, 16, (7, 9), plus=True, activation="Relu"),
    Layer(32, 32, (4, 4), plus=True),
    Layer(33, 70, (5, 8), pads=(0, 0, 0, 0), activation="Tanh"),
    Layer(20, 24, (9, 2), pads=(2, 1, 0, 3), activation="LeakyRelu"),
    Layer(17, 40, (8, 13), pads=(0, 2, 1, 0), pool=True, activation="Relu"),
    Layer(64, 128, (24, 7), activation="Relu"),
    Layer(300, 40, (6, 5)),
    Layer(10, 20, (12, 12), (5, 5), (0, 0, 0, 0), pool=True, activation="Relu"),
    Layer(24, 33, (9, 11), (5, 5), (2, 2, 2, 2), plus=True, activation="Sigmoid"),
    Layer(90, 20, (7, 7), (5, 5), (1, 3, 2, 0)),
    Layer(24, 24, (10, 9), (3, 5), (1, 2, 1, 2), pool=True),
    Layer(24, 24, (9, 10), (5, 3), (2, 1, 2, 1), activation="Relu"),
    Layer(28, 40, (8, 8), activation="Relu", parts=3),
)
#: Whose sums are no faster in tiles, or that tiles do not compute.
DIRECT = (
    Layer(3, 32, (16, 16)),
    Layer(8, 8, (14, 14)),
    Layer(64, 64, (2, 2)),
    Layer(64, 64, (1, 1)),
    Layer(32, 32, (12, 12), strides=(2, 1)),
    Layer(32, 32, (12, 12), dilations=(1, 2)),
    Layer(32, 32, (12, 12), (1, 3), (0, 1, 0, 1)),
    Layer(32, 32, (14, 14), (7, 7), (3, 3, 3, 3)),
)


class Model:
    """The layer as a file, and as torch computes it in any precision."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        rng = np.random.default_rng(layer.channels * 100 + layer.made)
        taps = layer.kernel[0] * layer.kernel[1] * layer.channels
        self.arrays: dict[str, Array] = {
            "first": rng.normal(size=(layer.channels, 3, 1, 1)).astype(np.float32),
            "weight": (rng.normal(size=(layer.made, layer.channels, *layer.kernel)) / taps**0.5).astype(np.float32),
            "bias": rng.normal(size=layer.made).astype(np.float32),
            "other": (rng.normal(size=(layer.made, layer.channels, *layer.kernel)) / taps**0.5).astype(np.float32),
        }
        self.file = self._file()

    def _file(self) -> bytes:
        layer, nodes = self.layer, []

        def add(op: str, inputs: list[str], **attributes: object) -> str:
            nodes.append(helper.make_node(op, inputs, [f"v{len(nodes)}"], **attributes))
            return f"v{len(nodes) - 1}"

        window = {"pads": layer.pads, "strides": layer.strides, "dilations": layer.dilations}
        cuts = np.array_split(self.arrays["first"], layer.parts)
        firsts = {f"first{i}": cut for i, cut in enumerate(cuts)}
        parts = [add("Conv", ["x", name]) for name in firsts]
        value = x = add("Concat", parts, axis=1) if layer.parts > 1 else parts[0]
        value = add("Conv", [x, "weight", "bias"], **window)
        if layer.plus:
            value = add("Add", [value, add("Conv", [x, "other"], **window)])
        if layer.pool:
            value = add("MaxPool", [value], kernel_shape=[2, 2], strides=[2, 2])
        if layer.activation:
            value = add(layer.activation, [value])
        constants = [numpy_helper.from_array(array, name) for name, array in {**self.arrays, **firsts}.items()]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, *layer.size])]
        outputs = [helper.make_tensor_value_info(value, TensorProto.FLOAT, [None] * 4)]
        graph = helper.make_graph(nodes, "layer", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data

    def run(self, x: Array, dtype: torch.dtype) -> Array:
        layer = self.layer
        weights = {name: torch.from_numpy(array).to(dtype) for name, array in self.arrays.items()}
        top, left, bottom, right = layer.pads

        def convolve(value: Tensor, name: str, bias: Tensor | None = None) -> Tensor:
            padded = functional.pad(value, (left, right, top, bottom))
            return functional.conv2d(padded, weights[name], bias, layer.strides, 0, layer.dilations)

        first = functional.conv2d(torch.from_numpy(x).to(dtype), weights["first"])
        value = convolve(first, "weight", weights["bias"])
        if layer.plus:
            value = value + convolve(first, "other")
        if layer.pool:
            value = functional.max_pool2d(value, 2)
        if layer.activation:
            known = {"LeakyRelu": lambda v: functional.leaky_relu(v, 0.01)}
            value = known.get(layer.activation, getattr(torch, layer.activation.lower(), None))(value)
        result: Array = value.double().numpy()
        return result


def draw(layer: Layer, batch: int) -> Array:
    return np.random.default_rng(batch).normal(size=(batch, 3, *layer.size)).astype(np.float32)


def tiled_in(session: slipway.Session, layer: Layer, batch: int) -> int:
    return session.stage_text("plan", {"x": (batch, 3, *layer.size)}).count("winograd")


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_tiles_err_no_more_than_twice_as_much_as_eager(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    for batch in BATCHES:
        x = draw(layer, batch)
        exact = model.run(x, torch.float64)
        got = only_output(session, x)
        assert got.shape == exact.shape
        error, eager = (np.sqrt(np.mean((y - exact) ** 2)) for y in (got, model.run(x, torch.float32)))
        assert error <= 2 * eager, f"batch {batch}: {error / eager:.2f} times eager's error"
        np.testing.assert_allclose(got, exact, rtol=0, atol=3e-6 * max(1.0, float(np.abs(exact).max())))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_row_has_the_bits_that_it_has_alone(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    threaded = [slipway.Session(model.file, threads=n, isa=vectors) for n in (2, 3, 8)]
    x = draw(layer, 37)
    whole = only_output(session, x)
    for begin, end in ((0, 1), (3, 20), (36, 37), (8, 12)):
        assert only_output(session, x[begin:end]).tobytes() == whole[begin:end].tobytes()
    for other in threaded:
        assert only_output(other, x).tobytes() == whole.tobytes()
        assert only_output(other, x[5:6]).tobytes() == whole[5:6].tobytes()


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_plan_tells_of_tiles_whatever_the_batch(layer: Layer, vectors: str) -> None:
    session = slipway.Session(Model(layer).file, isa=vectors)
    counts = {tiled_in(session, layer, batch) for batch in (1, 2, 16, 33, 256)}
    assert counts == {2 if layer.plus else 1}


@pytest.mark.parametrize("layer", DIRECT, ids=str)
def test_direct_sums_stay_where_tiles_gain_nothing(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    assert [tiled_in(session, layer, batch) for batch in (1, 16, 256)] == [0, 0, 0]
    x = draw(layer, 3)
    exact = model.run(x, torch.float64)
    np.testing.assert_allclose(only_output(session, x), exact, rtol=0, atol=3e-6 * float(np.abs(exact).max()))


@pytest.mark.parametrize("layer", [LAYERS[0], LAYERS[1], LAYERS[9], LAYERS[10]], ids=str)
def test_nan_reaches_the_pixels_whose_windows_hold_it_and_no_other(layer: Layer, vectors: str) -> None:
    model = Model(layer)
    session = slipway.Session(model.file, isa=vectors)
    for batch in (1, 16):
        for y, x in ((0, 0), (3, 4), (layer.size[0] - 1, layer.size[1] - 1)):
            image = draw(layer, batch)
            image[0, 1, y, x] = np.nan
            expected = np.isnan(model.run(image, torch.float32))
            assert expected.any()
            assert (np.isnan(only_output(session, image)) == expected).all()
