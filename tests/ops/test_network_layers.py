"""Network: a convolution of every kind between two others, in small and large batches, against torch in double."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from graphs import Array
from onnx import TensorProto, helper, numpy_helper

import slipway

OP = "Network"
DOMAIN = "slipway"

#: Tiles of 4 and of 8 channels with a rest and without, alone and beside others.
CHANNELS = (6, 8, 13, 24, 37)
KERNELS = ((1, 1), (3, 3), (5, 5), (2, 3))
BATCHES = (1, 5, 70)


class Layer:
    """A convolution between two others, with what may follow it: an addition, an activation, a pooling."""

    def __init__(self, channels: int, kernel: tuple[int, int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.kernel = kernel
        self.end = ("pool", "add", "plain", "strided")[seed % 4]
        self.size = (9 + seed % 3, 11 + seed % 2)
        inside = int(rng.choice([8, 11, 16]))
        shapes = {"a": (inside, 2, 3, 3), "b": (channels, inside, *kernel), "c": (channels,), "d": (9, channels, 1, 1)}
        if self.end == "add":
            shapes["e"] = (channels, inside, 1, 1)
        self.arrays = {
            name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1)).astype(np.float32)
            for name, shape in shapes.items()
        }

    def attributes(self) -> dict[str, Any]:
        if self.end == "strided":
            return {"strides": [2, 1], "dilations": [1, 2], "pads": [1, 0, 0, 2]}
        rows, columns = self.kernel
        return {"pads": [rows // 2, columns // 2, (rows - 1) // 2, (columns - 1) // 2]}

    def model(self) -> bytes:
        nodes = [
            helper.make_node("Conv", ["x", "a"], ["s"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["s"], ["t"]),
            helper.make_node("Conv", ["t", "b", "c"], ["u"], **self.attributes()),
        ]
        last = "u"
        if self.end == "pool":
            nodes.append(helper.make_node("MaxPool", ["u"], ["v"], kernel_shape=[2, 2], strides=[2, 2]))
            last = "v"
        if self.end == "add":
            nodes += [helper.make_node("Conv", ["t", "e"], ["f"]), helper.make_node("Add", ["u", "f"], ["v"])]
            last = "v"
        nodes += [helper.make_node("Relu", [last], ["w"]), helper.make_node("Conv", ["w", "d"], ["y"])]
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, *self.size])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        constants = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        graph = helper.make_graph(nodes, "layer", [x], [y], constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return made.SerializeToString()

    def expected(self, x: Array) -> Array:
        w = {name: torch.from_numpy(array).double() for name, array in self.arrays.items()}
        t = torch.conv2d(torch.from_numpy(x).double(), w["a"], padding=1).relu()
        more = self.attributes()
        top, left, bottom, right = more["pads"]
        padded = torch.nn.functional.pad(t, (left, right, top, bottom))
        u = torch.conv2d(padded, w["b"], w["c"], stride=more.get("strides", 1), dilation=more.get("dilations", 1))
        if self.end == "pool":
            u = torch.max_pool2d(u, 2)
        if self.end == "add":
            u = u + torch.conv2d(t, w["e"])
        return torch.conv2d(u.relu(), w["d"]).numpy()


LAYERS = [(c, k, seed) for seed, (c, k) in enumerate(itertools.product(CHANNELS, KERNELS))]


def session_of(model: bytes, isa: str) -> slipway.Session:
    on = {"device": "cuda"} if isa == "cuda" else {"isa": isa}
    return slipway.Session(model, threads=1, **on)  # type: ignore[arg-type]


@pytest.mark.parametrize(("channels", "kernel", "seed"), LAYERS)
def test_a_convolution_agrees_with_torch_in_every_batch(
    channels: int, kernel: tuple[int, int], seed: int, isa: str
) -> None:
    layer = Layer(channels, kernel, seed)
    session = session_of(layer.model(), isa)
    for batch in BATCHES:
        x = np.random.default_rng(seed).normal(size=(batch, 2, *layer.size)).astype(np.float32)
        expected = layer.expected(x)
        np.testing.assert_allclose(
            session.run({"x": x})["y"], expected, rtol=2e-5, atol=2e-6 * max(1.0, float(np.abs(expected).max()))
        )


def test_an_infinity_reaches_the_windows_that_hold_it_and_no_others(isa: str) -> None:
    layer = Layer(24, (2, 3), 15)  # of a stride: nobody computes it in tiles of Winograd
    assert layer.end == "strided"
    session = session_of(layer.model(), isa)
    x = np.abs(np.random.default_rng(1).normal(size=(70, 2, *layer.size))).astype(np.float32)
    x[3, 0, 4, 5] = np.inf
    got, expected = session.run({"x": x})["y"], layer.expected(x)
    assert (np.isfinite(got[3]) == np.isfinite(expected[3])).all()
    assert np.isfinite(np.delete(got, 3, axis=0)).all()


@pytest.mark.parametrize("pool", ["GlobalAveragePool", "AveragePool", "ReduceMean"])
@pytest.mark.parametrize("size", [(3, 5), (7, 7), (24, 23), (56, 56), (112, 96)])
def test_the_mean_of_many_equal_pixels_is_that_pixel(size: tuple[int, int], pool: str, isa: str) -> None:
    attributes: dict[str, Any] = {"kernel_shape": size} if pool == "AveragePool" else {}
    if pool == "ReduceMean":
        attributes = {"keepdims": 1}
    constants = [
        numpy_helper.from_array(np.ones((2, 1, 1, 1), np.float32), "a"),
        numpy_helper.from_array(np.array([2, 3]), "axes"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["s"]),
        helper.make_node(pool, ["s", "axes"] if pool == "ReduceMean" else ["s"], ["y"], **attributes),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, *size])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2, 1, 1])
    graph = helper.make_graph(nodes, "mean", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = session_of(model.SerializeToString(), isa)
    assert "became a network" in session.stage_text("passes")
    for batch in (1, 37):
        pixels = np.random.default_rng(batch).uniform(0.05, 2.0, (batch, 1, 1, 1)).astype(np.float32)
        means = session.run({"x": np.broadcast_to(pixels, (batch, 1, *size)).copy()})["y"]
        # Four roundings, as harness.py asks of every sum.
        np.testing.assert_allclose(means, np.broadcast_to(pixels, means.shape), rtol=4 * np.finfo(np.float32).eps)
