"""What ``slipway run --json`` prints: an object per item, as ``slipway-infer --json`` prints them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper

from slipway._metadata import signature_to_metadata
from slipway.cli._console import write_result
from slipway.errors import ExitCode
from slipway.signature import ClassOutput, InputPort, OutputPort, OutputSpec, Signature, TensorInput, TensorOutput

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")


def model_of(folder: Path, spec: OutputSpec) -> Path:
    """A model that gives its rows back, and their mean, which has no batch."""
    signature = Signature(
        (InputPort("x", "float32", ("N", 3), TensorInput()),),
        (OutputPort("y", ("N", 3), spec), OutputPort("mean", (3,), TensorOutput())),
        ("a", "b", "c"),
    )
    values = [helper.make_tensor_value_info(n, T.FLOAT, dims) for n, dims in (("x", ["N", 3]), ("y", ["N", 3]))]
    nodes = [
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("ReduceMean", ["x", "first"], ["mean"], keepdims=0),
    ]
    first = onnx.numpy_helper.from_array(np.int64([0]), "first")
    outputs = [values[1], helper.make_tensor_value_info("mean", T.FLOAT, [3])]
    graph = helper.make_graph(nodes, "g", values[:1], outputs, [first])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    for key, value in signature_to_metadata(signature).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def answers(slipway: Say, model: Path, rows: np.ndarray) -> list[dict[str, Any]]:
    np.save(model.with_name("x.npy"), rows)
    code, out, err = slipway("run", model, "--input", f"x={model.with_name('x.npy')}", "--json")
    assert code == ExitCode.OK, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("spec", [ClassOutput(), TensorOutput()], ids=["class", "tensor"])
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_an_output_without_a_batch_goes_whole_to_every_item(
    slipway: Say, tmp_path: Path, spec: OutputSpec, count: int
) -> None:
    rows = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
    found = answers(slipway, model_of(tmp_path, spec), rows)
    assert [row["input"] for row in found] == list(range(count))
    np.testing.assert_array_equal(np.float32([row["outputs"]["y"] for row in found]).reshape(rows.shape), rows)
    for row in found:
        np.testing.assert_allclose(row["outputs"]["mean"], rows.mean(0), rtol=1e-5)


def test_numbers_that_json_does_not_have_are_null(slipway: Say, tmp_path: Path) -> None:
    rows = np.float32([[1, np.nan, np.inf], [-np.inf, 2, 3]])
    model = model_of(tmp_path, TensorOutput())
    np.save(tmp_path / "x.npy", rows)
    code, out, _ = slipway("run", model, "--input", f"x={tmp_path / 'x.npy'}", "--json")
    assert code == ExitCode.OK
    found = [json.loads(line, parse_constant=lambda word: pytest.fail(word)) for line in out.splitlines()]
    assert [row["outputs"]["y"] for row in found] == [[1, None, None], [None, 2, 3]]


def test_a_result_is_json_whatever_numbers_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    write_result({"a": [float("nan"), (1.5, float("-inf"))], "b": {"c": float("inf")}}, "-", "")
    assert json.loads(capsys.readouterr().out) == {"a": [None, [1.5, None]], "b": {"c": None}}
