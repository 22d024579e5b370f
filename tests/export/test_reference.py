"""The reference implementation as a runtime: in double, or refused where it would be wrong."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from slipway.errors import UnsupportedError
from slipway.runtime import find_onnx_runtime

REFERENCE = find_onnx_runtime("onnx-reference")
T, N, D, H = 3, 2, 4, 5


def recurrent(op: str, gates: int, *more: str, **attributes: object) -> bytes:
    rng = np.random.default_rng(5)
    weights = {name: rng.standard_normal((1, gates * H, d)).astype(np.float32) for name, d in (("W", D), ("R", H))}
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [T, N, D])]
    if "lengths" in more:
        ports.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, [N]))
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "W", "R", *more], ["y"], hidden_size=H, **attributes)],
        "g",
        ports,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [T, 1, N, H])],
        [numpy_helper.from_array(weight, name) for name, weight in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


@pytest.mark.parametrize(
    ("op", "gates", "attributes"),
    [
        ("RNN", 1, {"activations": ["Tanh"]}),
        ("GRU", 3, {"activations": ["Sigmoid", "Tanh"], "linear_before_reset": 1}),
        ("LSTM", 4, {"activations": ["Sigmoid", "Tanh", "Tanh"]}),
    ],
)
def test_recurrent_nodes_that_it_computes_are_computed_in_double(
    op: str, gates: int, attributes: dict[str, object]
) -> None:
    content = recurrent(op, gates, **attributes)
    inputs = {"x": np.random.default_rng(6).standard_normal((T, N, D)).astype(np.float32)}
    output = REFERENCE.open(content)(inputs)["y"]
    assert output.dtype == np.float64
    single = find_onnx_runtime("onnxruntime-cpu").open(content)(inputs)["y"]
    np.testing.assert_allclose(output, single, atol=1e-5)
    assert not np.array_equal(output, single)


@pytest.mark.parametrize(
    ("content", "ignored"),
    [
        (recurrent("GRU", 3, "", "lengths"), "sequence_lens"),
        (recurrent("RNN", 1, clip=1.0), "clip"),
        (recurrent("GRU", 3, activations=["Sigmoid", "Relu"]), "activations"),
        (recurrent("LSTM", 4, input_forget=1), "input_forget"),
    ],
)
def test_what_it_would_ignore_is_refused(content: bytes, ignored: str) -> None:
    with pytest.raises(UnsupportedError, match=f"ignores {ignored}"):
        REFERENCE.open(content)


def test_constants_and_casts_are_double_in_bodies_too() -> None:
    third = numpy_helper.from_array(np.float32(1 / 3), "third")
    body = helper.make_graph(
        [
            helper.make_node("Constant", [], ["c"], value=third),
            helper.make_node("Cast", ["x"], ["single"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["single", "c"], ["z"]),
        ],
        "body",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph(
        [helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.bool_(True), "yes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    (output,) = REFERENCE.open(model.SerializeToString())({"x": np.array([3], np.float32)}).values()
    assert output.dtype == np.float64
    assert output == 3 * np.float64(np.float32(1 / 3))
