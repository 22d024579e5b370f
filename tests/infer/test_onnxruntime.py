"""The engine onnxruntime: its library from the installed wheel, through its C ABI."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway._metadata import signature_to_metadata
from slipway.signature import InputPort, OutputPort, Signature, TensorOutput, TextInput

from .conftest import Run, port_info, save_model


def find_library() -> Path | None:
    found = importlib.util.find_spec("onnxruntime")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("capi/libonnxruntime.*"), None)


LIBRARY = find_library()
needs_library = pytest.mark.skipif(LIBRARY is None, reason="the installed onnxruntime has no shared library")
ORT = ("--engine", "onnxruntime", "--ort-library", LIBRARY)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Make a text model with two outputs of two types, one of them a scalar."""
    signature = Signature(
        (InputPort("x", "int64", ("T", "N"), TextInput()),),
        (OutputPort("doubled", ("T", "N"), TensorOutput(), "int64"), OutputPort("largest", (), TensorOutput())),
    )
    nodes = [
        helper.make_node("Add", ["x", "x"], ["doubled"]),
        helper.make_node("Cast", ["x"], ["real"], to=1),
        helper.make_node("ReduceMax", ["real"], ["largest"], keepdims=0),
    ]
    ports = [[port_info(port) for port in side] for side in (signature.inputs, signature.outputs)]
    return save_model(tmp_path / "m.onnx", nodes, ports[0], ports[1], metadata=signature_to_metadata(signature))


@needs_library
def test_both_engines_give_the_same(infer: Run, model: Path) -> None:
    native = infer(model, "--text", "abc", "xyz", "--json").stdout
    assert infer(model, "--text", "abc", "xyz", "--json", *ORT).stdout == native
    rows = [json.loads(line) for line in native.splitlines()]
    assert rows[1]["outputs"] == {"doubled": [240, 242, 244], "largest": 122}


@needs_library
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool", "uint8", "int8"])
def test_every_type_goes_through(infer: Run, tmp_path: Path, dtype: str) -> None:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ports = [helper.make_tensor_value_info(name, kind, ["A", "B"]) for name in "xy"]
    path = save_model(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], ports[:1], ports[1:])
    for shape in ((2, 3), (0, 3)):
        np.save(tmp_path / "x.npy", np.arange(shape[0] * 3).reshape(shape).astype(dtype))
        infer(path, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--threads", 2, *ORT)
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), np.load(tmp_path / "x.npy"))


@needs_library
def test_its_errors_are_ours(infer: Run, model: Path, tmp_path: Path) -> None:
    strings = [helper.make_tensor_value_info(name, TensorProto.STRING, [1]) for name in "xy"]
    path = save_model(tmp_path / "s.onnx", [helper.make_node("Identity", ["x"], ["y"])], strings[:1], strings[1:])
    assert "not supported" in infer(path, "--random", *ORT, code=1).stderr
    shape = helper.make_node("Reshape", ["x", "shape"], ["y"])
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in "xy"]
    path = save_model(tmp_path / "r.onnx", [shape], ports[:1], ports[1:], {"shape": np.int64([7])})
    assert "onnxruntime: " in infer(path, "--random", "--shapes", "x:3", *ORT, code=1).stderr
    model.write_bytes(model.read_bytes()[:50])
    assert "onnxruntime: " in infer(model, "--text", "a", *ORT, code=1).stderr


@needs_library
def test_the_environment_names_the_library(infer_program: Path, model: Path) -> None:
    environment = os.environ | {"SLIPWAY_ORT_LIBRARY": str(LIBRARY)}
    command = [infer_program, model, "--text", "a", "--engine", "onnxruntime"]
    assert subprocess.run(command, env=environment, capture_output=True, timeout=60).returncode == 0


def test_a_library_that_is_none_ends_with_4(infer: Run, infer_program: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(b"no library")
    engine = ("--text", "a", "--engine", "onnxruntime", "--ort-library")
    assert "nowhere.so" in infer(model, *engine, tmp_path / "nowhere.so", code=4).stderr
    infer(model, *engine, tmp_path / "lib.so", code=4)
    infer(model, *engine, "libm.so.6", code=4)
