"""Faults to plant: changes of ONNX files, and runtimes that are wrong in ways of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from export_models import Array
from onnx import TensorProto, helper, numpy_helper

from slipway.runtime import find_onnx_runtime
from slipway.runtime.protocol import Arrays, RunArrays

ORT, NATIVE = find_onnx_runtime("onnxruntime-cpu"), find_onnx_runtime("native-cpu")


def first(model: onnx.ModelProto, op: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == op)


def rewrite_weight(model: onnx.ModelProto, name: str, change: Callable[[Array], Array]) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(change(numpy_helper.to_array(tensor))), name))


def swap_gates(model: onnx.ModelProto) -> None:
    gru = first(model, "GRU")
    for place, gates in ((1, 3), (2, 3), (3, 6)):

        def swapped(weight: Array, gates: int = gates) -> Array:
            parts = np.split(weight, gates, axis=1)
            order = [1, 0, 2, 4, 3, 5][:gates]
            return np.concatenate([parts[i] for i in order], axis=1)

        rewrite_weight(model, gru.input[place], swapped)


def drop_bias(model: onnx.ModelProto) -> None:
    del first(model, "Gemm").input[2:]


def shift_padding(model: onnx.ModelProto) -> None:
    pads = next(a for a in first(model, "MaxPool").attribute if a.name == "pads")
    pads.ints[:] = [0, 0, 2, 2]


def ceil_sizes(model: onnx.ModelProto) -> None:
    """One more row and column than wanted: what follows cannot even run."""
    next(a for a in first(model, "MaxPool").attribute if a.name == "ceil_mode").i = 1


def changed(content: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_model_from_string(content)
    change(model)
    return model.SerializeToString()


def branches(bias: float) -> bytes:
    """``y = if true: x + b (a value of the graph around it); else x``, then a Neg."""
    body = helper.make_graph(
        [helper.make_node("Add", ["twice", "b"], ["then"], name="inner")],
        "then",
        [],
        [helper.make_tensor_value_info("then", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(bias), "b")],
    )
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["else"])],
        "else",
        [],
        [helper.make_tensor_value_info("else", TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["twice"], name="double"),
            helper.make_node("If", ["yes"], ["chosen"], name="choice", then_branch=body, else_branch=other),
            helper.make_node("Neg", ["chosen"], ["y"], name="negative"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(np.bool_(True), "yes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


def sequences(factor: float) -> bytes:
    """``y = neg(factor * x)``, handed on inside a sequence, which is no tensor and cannot be fed."""
    graph = helper.make_graph(
        [
            helper.make_node("Neg", ["x"], ["a"], name="negative"),
            helper.make_node("SequenceConstruct", ["a", "x"], ["list"], name="list"),
            helper.make_node("SequenceAt", ["list", "zero"], ["b"], name="first"),
            helper.make_node("Mul", ["b", "factor"], ["y"], name="scaled"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(np.int64(0), "zero"), numpy_helper.from_array(np.float32(factor), "factor")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


@dataclass(frozen=True)
class WrongFusion:
    """A runtime that forgets the Relu behind a Gemm whose value nobody sees."""

    name: str = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        model = onnx.load_model_from_string(content)
        seen = {output.name for output in model.graph.output}
        hidden = {node.output[0] for node in model.graph.node if node.op_type == "Gemm"} - seen
        for node in model.graph.node:
            if node.op_type == "Relu" and node.input[0] in hidden:
                node.op_type = "Identity"
        return NATIVE.open(model.SerializeToString())


@dataclass(frozen=True)
class WrongWhenWatched:
    """A runtime whose first convolution is wrong as soon as there are several outputs."""

    name: str = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        run = NATIVE.open(content)

        def shifted(inputs: Arrays) -> dict[str, Array]:
            outputs = run(inputs)
            return {name: array + len(outputs) // 2 for name, array in outputs.items()}

        return shifted


@dataclass(frozen=True)
class LastOfSequence:
    """A runtime that takes the second item of a sequence for the first."""

    name: str = "onnxruntime-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        model = onnx.load_model_from_string(content)
        for tensor in model.graph.initializer:
            if tensor.name == "zero":
                tensor.CopyFrom(numpy_helper.from_array(np.int64(1), "zero"))
        return ORT.open(model.SerializeToString())


class Unsteady:
    """A runtime that fails on batches of 17."""

    name = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        run = NATIVE.open(content)

        def refusing(inputs: Arrays) -> dict[str, Array]:
            if any(array.shape[:1] == (17,) for array in inputs.values()):
                raise RuntimeError("only small batches")
            return run(inputs)

        return refusing
