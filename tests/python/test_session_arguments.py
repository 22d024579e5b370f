"""Arguments of slipway.Session of another type than the docstring says: a sentence, never an error of the binding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import slipway


@pytest.fixture(scope="module")
def relu() -> bytes:
    """A model of one input, [N, 3]."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": None}, "device: got None, expected a text"),
        ({"precision": None}, "precision: got None, expected a text"),
        ({"isa": 3}, "isa: got 3, expected a text"),
        ({"optimize": "no"}, "optimize: got 'no', expected True or False"),
        ({"threads": 2.0}, "threads: got 2.0, expected a whole number from 1 to 256"),
        ({"threads": "2"}, "threads: got '2', expected a whole number from 1 to 256"),
        ({"max_memory": "1G"}, r"max_memory: got '1G', expected a whole number from 1 to 2\^63 - 1"),
        ({"max_steps": 2.5}, "max_steps: got 2.5, expected a whole number from 0"),
        ({"max_memory": 2**63}, "max_memory: got 9223372036854775808, expected"),
    ],
)
def test_an_argument_of_another_type_is_a_usage_error(relu: bytes, options: dict[str, Any], message: str) -> None:
    with pytest.raises(slipway.UsageError, match=message):
        slipway.Session(relu, **options)


def test_numbers_of_numpy_are_numbers(relu: bytes) -> None:
    slipway.Session(relu, threads=np.int64(2), max_memory=np.int32(1 << 30), optimize=np.True_)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [-1, 2.5, "a", 2**70])
def test_a_size_of_no_array_is_a_usage_error(relu: bytes, size: Any) -> None:
    with pytest.raises(slipway.UsageError, match='shapes: a size of input "x": got'):
        slipway.Session(relu).stage_text("plan", {"x": [size, 3]})
