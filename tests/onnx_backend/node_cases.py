"""The node test cases of the onnx package, as far as the engine's table has their operators.

onnx generates the cases from its own sources (`onnx.backend.test.case.node`). A case is taken when every operator in
it stands in the table and its tensors have types that the engine holds. Cases written for an opset outside 13 to 24
are taken at the nearest opset inside, provided that onnx's checker finds the model valid there.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from slipway import _engine

LOWEST, HIGHEST = 13, 24
HELD_TYPES = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.DOUBLE,
        TensorProto.INT64,
        TensorProto.INT32,
        TensorProto.INT8,
        TensorProto.UINT8,
        TensorProto.BOOL,
    }
)


@dataclass(frozen=True)
class NodeCase:
    """One test case: a model, and pairs of inputs and expected outputs."""

    name: str
    model: onnx.ModelProto
    data: Sequence[tuple[Sequence[Any], Sequence[Any]]]
    rtol: float
    atol: float


@dataclass(frozen=True)
class Left:
    """A case that concerns operators of the table but cannot be taken, and why."""

    name: str
    reason: str


def _refused_by_onnx(model: onnx.ModelProto) -> str | None:
    """Say why the model is not valid at its opset, or None if it is."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return str(error).strip().splitlines()[0]
    return None


def _type_names(model: onnx.ModelProto) -> set[str]:
    names = set()
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            names.add(str(kind))
        elif value.type.tensor_type.elem_type not in HELD_TYPES:
            names.add(TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower())
    return names


def _take(case: Any) -> NodeCase | Left:
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    if foreign := _type_names(model):
        return Left(case.name, f"type {', '.join(sorted(foreign))}")
    opset = next(entry for entry in model.opset_import if entry.domain == "")
    nearest = min(max(opset.version, LOWEST), HIGHEST)
    written_for, opset.version = opset.version, nearest
    if nearest != written_for and _refused_by_onnx(model):
        operators = ", ".join(sorted({node.op_type for node in model.graph.node}))
        return Left(case.name, f"opset {written_for}: {operators} is not valid at opset {nearest}")
    model.ir_version = min(model.ir_version, 10)
    return NodeCase(case.name, model, case.data_sets, case.rtol, case.atol)


@cache
def collect() -> tuple[tuple[NodeCase, ...], tuple[Left, ...]]:
    """Return the cases to run and those left aside, each in order of name."""
    from onnx.backend.test.case.node import collect_testcases

    known = {row["onnx"] for row in _engine.operators() if row["domain"] == ""} | {"Constant"}

    def is_known(node: onnx.NodeProto) -> bool:
        return (
            node.domain in ("", "ai.onnx")
            and node.op_type in known
            and all(is_known(inner) for attribute in node.attribute for inner in attribute.g.node)
        )

    taken: list[NodeCase] = []
    left: list[Left] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in sorted(cases, key=lambda c: str(c.name)):
        if case.model is None or not all(is_known(node) for node in case.model.graph.node):
            continue
        result = _take(case)
        (taken if isinstance(result, NodeCase) else left).append(result)  # type: ignore[arg-type]  # split by type
    return tuple(taken), tuple(left)


def array_of(value: Any) -> NDArray[np.generic]:
    """Return a case's value, given as an array or as a TensorProto, as an array."""
    if isinstance(value, TensorProto):
        return onnx.numpy_helper.to_array(value)
    return np.array(value, order="C")


def save(case: NodeCase, folder: Path) -> Path:
    """Write the case's model to a file."""
    path = folder / f"{case.name}.onnx"
    path.write_bytes(case.model.SerializeToString())
    return path
