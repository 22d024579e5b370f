"""What a report says of reduced precisions, against the weights rounded by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from slipway.bundle import Golden
from slipway.runtime import find_runtimes
from slipway.signature import ClassOutput, InputPort, OutputPort, Signature, TensorInput
from slipway_export.precision import measure_precisions

NATIVE = find_runtimes("native-cpu")


class Shown:
    """Stands for a bundle of one golden: two scores, x times weights that bf16 and int8 cannot hold."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        weights = np.array([[1 + 2**-9, 1], [0, 0]], np.float32)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
            [numpy_helper.from_array(weights, "w")],
        )
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        self.signature = Signature(
            (InputPort("x", "float32", ("N", 2), TensorInput()),),
            (OutputPort("y", ("N", 2), ClassOutput()),),
            ("first", "second"),
        )
        x = np.array([[1, 0], [-1, 0]], np.float32)
        self.goldens = (Golden("batch_2", None, {"x": x}, {"y": x @ weights}, labels),)

    def read(self, name: str) -> bytes:
        onnx.checker.check_model(self.model)
        content: bytes = self.model.SerializeToString()
        return content


def test_errors_are_those_of_the_rounded_weights() -> None:
    bf16, int8 = measure_precisions(Shown(("first", "second")), NATIVE)  # type: ignore[arg-type]
    assert (bf16.precision, int8.precision) == ("bf16", "int8")
    assert bf16.max_abs == 2**-9
    assert bf16.relative == pytest.approx(2**-9 / (1 + 2**-9))
    assert 0 < int8.max_abs < 2**-14  # the scale has 16 bits


def test_labels_that_change_are_counted() -> None:
    """In bf16 both scores are equal, and of equal ones the first is the answer."""
    bf16, int8 = measure_precisions(Shown(("first", "second")), NATIVE)  # type: ignore[arg-type]
    assert bf16.same_labels == 0.5
    assert int8.same_labels == 1.0


def test_without_the_engine_nothing_is_measured(tmp_path: Path) -> None:
    assert measure_precisions(Shown(("first", "second")), find_runtimes("eager")) == ()  # type: ignore[arg-type]
