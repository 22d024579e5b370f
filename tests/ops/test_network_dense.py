"""Network: sums at a single pixel, whose blocks of terms are made side by side for one sample."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import Array
from onnx import TensorProto, helper, numpy_helper

import slipway

OP = "Network"
DOMAIN = "slipway"

#: One block, two, four of which the last is shorter, more, with one to three left, the last of one term.
TERMS = (1, 5, 11, 12, 13, 47, 95, 96, 97, 250, 1023, 1025, 1281, 1500, 2048)
#: Terms and rows; a layer of more weights is no part of a network.
LAYERS = [(t, rows) for t in TERMS for rows in (1, 7, 8, 9, 16, 20, 40, 64, 70) if t * rows <= 1 << 15]
ACTIVATIONS = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Identity")


def dense(terms: int, rows: int, activation: str) -> tuple[bytes, list[Array]]:
    """Two convolutions of an image of one pixel, the second added to what the first made."""
    rng = np.random.default_rng(terms * 100 + rows)
    weights = [rng.normal(size=size) / np.sqrt(size[-1]) for size in ((rows, terms), (rows,), (rows, rows))]
    constants = [
        numpy_helper.from_array(array.astype(np.float32).reshape(*array.shape, *[1] * (2 * (array.ndim - 1))), name)
        for array, name in zip(weights, "abc", strict=True)
    ]
    nodes = [
        helper.make_node("Conv", ["x", "a", "b"], ["s"]),
        helper.make_node(activation, ["s"], ["t"]),
        helper.make_node("Conv", ["t", "c"], ["u"]),
        helper.make_node("Add", ["u", "t"], ["v"]),
        helper.make_node(activation, ["v"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", terms, 1, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "dense", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return model.SerializeToString(), [array.astype(np.float32).astype(np.float64) for array in weights]


def activated(name: str, x: Array) -> Array:
    if name == "Sigmoid":
        return 1 / (1 + np.exp(-x))
    if name == "Tanh":
        return np.tanh(x)
    if name == "Identity":
        return x
    return np.where(x > 0, x, (0.01 if name == "LeakyRelu" else 0.0) * x)


@pytest.mark.parametrize(("terms", "rows"), LAYERS)
def test_a_single_pixel_has_the_sums_and_the_bits_of_a_batch(terms: int, rows: int, isa: str) -> None:
    activation = ACTIVATIONS[(terms + rows) % len(ACTIVATIONS)]
    model, (a, b, c) = dense(terms, rows, activation)
    on = {"device": "cuda"} if isa == "cuda" else {"isa": isa}
    session = slipway.Session(model, threads=1, **on)  # type: ignore[arg-type]
    assert "slipway.Network" in session.stage_text("passes")
    x = np.random.default_rng(rows).normal(size=(37, terms, 1, 1)).astype(np.float32)
    whole = session.run({"x": x})["y"]
    t = activated(activation, x[:, :, 0, 0].astype(np.float64) @ a.T + b)
    expected = activated(activation, t @ c.T + t)
    np.testing.assert_allclose(whole[:, :, 0, 0], expected, rtol=2e-5, atol=2e-6 * max(1.0, np.abs(expected).max()))
    for row in (0, 17, 36):
        assert session.run({"x": x[row : row + 1]})["y"].tobytes() == whole[row].tobytes()
    if isa != "cuda":
        threaded = slipway.Session(model, threads=2, isa=isa)
        assert threaded.run({"x": x[:1]})["y"].tobytes() == whole[0].tobytes()


def test_a_bias_of_one_number_has_the_bits_of_a_list_of_one(isa: str) -> None:
    """In sessions that are all alive; what lies in memory beside the number has no say."""
    rng = np.random.default_rng(3)
    x, w = (rng.normal(size=size).astype(np.float32) for size in ((2, 65), (65, 1)))
    on = {"device": "cuda"} if isa == "cuda" else {"isa": isa}
    outputs = set()
    sessions = []
    for shape in [(), (1,), (1, 1)] * 10:
        bias = np.full(shape, 0.5, np.float32)
        nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["t"]), helper.make_node("Tanh", ["t"], ["y"])]
        ports = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 65), ("y", 1))
        ]
        constants = [numpy_helper.from_array(w, "w"), numpy_helper.from_array(bias, "b")]
        graph = helper.make_graph(nodes, "bias", ports[:1], ports[1:], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        sessions.append(slipway.Session(model.SerializeToString(), **on))  # type: ignore[arg-type]
        outputs.add(sessions[-1].run({"x": x})["y"].tobytes())
    assert len(outputs) == 1
