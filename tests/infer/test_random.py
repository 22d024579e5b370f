"""--random keeps to what the metadata says of arrays, and draws what ``slipway run --random`` draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway._metadata import signature_to_metadata
from slipway.cli._random import random_arrays
from slipway.signature import InputPort, LengthInput, OutputPort, Signature, TensorInput, TensorOutput

from .conftest import Run, save_model

SIGNATURE = Signature(
    (
        InputPort("ids", "int64", ("T", "N"), TensorInput(below=5000)),
        InputPort("lengths", "int64", ("N",), LengthInput("ids")),
        InputPort("flags", "int64", ("N",), TensorInput()),
    ),
    tuple(
        OutputPort(f"{name}_again", dims, TensorOutput(), "int64")
        for name, dims in (("ids", ("T", "N")), ("lengths", ("N",)), ("flags", ("N",)))
    ),
    (),
)


@pytest.fixture
def echo_all(tmp_path: Path) -> Path:
    """A model that gives its inputs back."""
    inputs = [helper.make_tensor_value_info(p.name, TensorProto.INT64, list(p.dims)) for p in SIGNATURE.inputs]
    outputs = [helper.make_tensor_value_info(p.name, TensorProto.INT64, list(p.dims)) for p in SIGNATURE.outputs]
    nodes = [
        helper.make_node("Identity", [i.name], [o.name])
        for i, o in zip(SIGNATURE.inputs, SIGNATURE.outputs, strict=True)
    ]
    return save_model(tmp_path / "echo.onnx", nodes, inputs, outputs, metadata=signature_to_metadata(SIGNATURE))


@pytest.mark.parametrize("seed", [0, 7])
def test_ranges_and_lengths_are_those_of_the_metadata(infer: Run, echo_all: Path, tmp_path: Path, seed: int) -> None:
    shape = {"ids": [12, 300]}
    infer(echo_all, "--random", "--seed", seed, "--shapes", "ids:12x300", "--output-dir", tmp_path / "out")
    drawn = random_arrays(SIGNATURE, shape, seed)
    for port in SIGNATURE.inputs:
        got = np.load(tmp_path / "out" / f"{port.name}_again.npy")
        np.testing.assert_array_equal(got, drawn[port.name])
    ids, lengths, flags = (np.load(tmp_path / "out" / f"{port.name}.npy") for port in SIGNATURE.outputs)
    assert (ids.min() >= 0, ids.max() < 5000, ids.max() > 4000) == (True, True, True)
    assert (lengths.min(), lengths.max()) == (1, 12)
    assert set(flags) == {0, 1}
