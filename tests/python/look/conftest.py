"""A small model with everything a card and a picture show."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture
def residual() -> onnx.ModelProto:
    """Conv -> Relu -> Add with the first Conv, and a Flatten; [N, 2, 5, 5] -> [N, 75]."""
    rng = np.random.default_rng(0)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "stem.weight", "stem.bias"], ["a"], name="stem", kernel_shape=[1, 1]),
            helper.make_node("Conv", ["a", "inner.weight"], ["b"], name="inner", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["b"], ["c"], name="relu"),
            helper.make_node("Add", ["a", "c"], ["d"], name="add"),
            helper.make_node("Flatten", ["d"], ["y"], name="flat <&>"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 5, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 75])],
        [
            numpy_helper.from_array(rng.standard_normal((3, 2, 1, 1)).astype(np.float32), "stem.weight"),
            numpy_helper.from_array(np.zeros(3, np.float32), "stem.bias"),
            numpy_helper.from_array(rng.standard_normal((3, 3, 3, 3)).astype(np.float32), "inner.weight"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10, producer_name="us")
    helper.set_model_props(model, {"note": "n"})
    onnx.checker.check_model(model, full_check=True)
    return model
