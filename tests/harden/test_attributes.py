"""An attribute of the wrong kind is refused at load, whoever would read it and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, defs, helper, numpy_helper

import slipway
from slipway import _engine
from slipway.errors import ModelError

VALUES: dict[int, Any] = {
    onnx.AttributeProto.INT: 1,
    onnx.AttributeProto.FLOAT: 1.0,
    onnx.AttributeProto.STRING: "a",
    onnx.AttributeProto.INTS: [1],
    onnx.AttributeProto.FLOATS: [1.0],
    onnx.AttributeProto.STRINGS: ["a"],
    onnx.AttributeProto.TENSOR: numpy_helper.from_array(np.ones(1, np.float32), "t"),
}
#: Operators of one float input whose attributes only a kernel reads, and some whose shapes depend on them.
UNARY = ["Celu", "CumSum", "Elu", "Gelu", "HardSigmoid", "IsInf", "LeakyRelu", "LogSoftmax", "ReduceSum", "Selu",
         "Softmax", "Transpose", "Trilu", "Flatten", "LpNormalization", "Shape", "TopK", "ArgMax",
         "ThresholdedRelu"]  # fmt: skip


def known() -> list[tuple[str, str]]:
    """Every operator of UNARY that the engine has, with each attribute that ONNX gives it."""
    have = {row["onnx"] for row in _engine.operators()}
    return [(op, name) for op in UNARY if op in have for name in defs.get_schema(op, 20).attributes]


@pytest.mark.parametrize(("op", "name"), known())
def test_a_wrong_kind_is_named_at_load(op: str, name: str) -> None:
    right = int(defs.get_schema(op, 20).attributes[name].type.value)
    more = [numpy_helper.from_array(np.array([1], np.int64), "one")] if op in ("CumSum", "TopK") else []
    for kind, value in VALUES.items():
        outputs = ["y", "i"] if op == "TopK" else ["y"]
        node = helper.make_node(op, ["x", *(tensor.name for tensor in more)], outputs, **{name: value})
        graph = helper.make_graph(
            [node],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
            [helper.make_empty_tensor_value_info("y")],
            more,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString()
        if kind == right:
            continue
        with pytest.raises(ModelError, match=f'{op} .*attribute "?{name}"? must be an? .*'):
            slipway.Session(model)
