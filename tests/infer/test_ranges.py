"""Arrays whose whole numbers are outside the ranges that the metadata declares are refused alike by both programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway._metadata import signature_to_metadata
from slipway.cli._inspect import parse_shapes
from slipway.cli._random import random_arrays
from slipway.errors import InputError, UsageError
from slipway.runtime._inputs import check_inputs
from slipway.signature import InputPort, LengthInput, OutputPort, Signature, TensorInput, TensorOutput, TextInput

from .conftest import Run, save_model

SIGNATURE = Signature(
    (
        InputPort("ids", "int64", ("N", "T"), TensorInput(below=10)),
        InputPort("lengths", "int64", ("N",), LengthInput("ids")),
        InputPort("tokens", "int64", ("T2", "N"), TextInput(limit=5, unknown=7, pad=-1)),
        InputPort("token_lengths", "int64", ("N",), LengthInput("tokens")),
        InputPort("free", "int64", ("N",), TensorInput()),
    ),
    (OutputPort("free_again", ("N",), TensorOutput(), "int64"),),
)

RIGHT = {
    "ids": np.int64([[0, 9, 1], [2, 3, 4]]),
    "lengths": np.int64([3, 1]),
    "tokens": np.int64([[0, 4], [7, 1], [-1, -1], [2, -1]]),
    "token_lengths": np.int64([4, 2]),
    "free": np.int64([-(2**63), 2**63 - 1]),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    inputs = [helper.make_tensor_value_info(p.name, TensorProto.INT64, list(p.dims)) for p in SIGNATURE.inputs]
    outputs = [helper.make_tensor_value_info("free_again", TensorProto.INT64, ["N"])]
    node = helper.make_node("Identity", ["free"], ["free_again"])
    return save_model(tmp_path / "m.onnx", [node], inputs, outputs, metadata=signature_to_metadata(SIGNATURE))


def options(folder: Path, arrays: dict[str, np.ndarray]) -> list[str]:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return ["--input", *(f"{name}={folder / name}.npy" for name in arrays)]


def test_numbers_in_their_ranges_are_taken(infer: Run, model: Path, tmp_path: Path) -> None:
    check_inputs(SIGNATURE, RIGHT)
    infer(model, *options(tmp_path, RIGHT))


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("ids", (1, 2), -1, "0 to 9"),
        ("ids", (0, 1), 10, "0 to 9"),
        ("ids", (0, 0), 2**63 - 1, "0 to 9"),
        ("lengths", (1,), 0, "1 to 3"),
        ("lengths", (0,), 4, "1 to 3"),
        ("lengths", (0,), -(2**63), "1 to 3"),
        ("tokens", (2, 1), 5, "0 to 4"),
        ("tokens", (0, 1), -2, "0 to 4"),
        ("token_lengths", (0,), 5, "1 to 4"),
    ],
)
def test_a_number_outside_its_range_is_named_with_its_place(
    infer: Run, model: Path, tmp_path: Path, name: str, place: tuple[int, ...], value: int, expected: str
) -> None:
    arrays = {key: array.copy() for key, array in RIGHT.items()}
    arrays[name][place] = value
    said = f'input "{name}" holds {value} at place {list(place)}, expected {expected}'
    with pytest.raises(InputError) as caught:
        check_inputs(SIGNATURE, arrays)
    assert str(caught.value) == said
    given = options(tmp_path, arrays)
    assert infer(model, *given, code=1).stderr == f"slipway-infer: {said}\n"
    assert infer(model, *given, "--iterations", 1, code=1).stderr == f"slipway-infer: {said}\n"


@pytest.mark.parametrize("shapes", ["", "ids:300x3,tokens:5x300", "tokens:40x9", "ids:1x0", "lengths:1,ids:1x1"])
def test_what_is_drawn_at_random_is_in_range_and_alike(infer: Run, model: Path, tmp_path: Path, shapes: str) -> None:
    drawn = random_arrays(SIGNATURE, parse_shapes(shapes) if shapes else {}, 3)
    options = ["--random", "--seed", 3, *(["--shapes", shapes] if shapes else [])]
    if shapes == "ids:1x0":  # no steps: nothing has a length
        infer(model, *options, code=1)
        return
    check_inputs(SIGNATURE, drawn)
    infer(model, *options, "--output", tmp_path / "y.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), drawn["free"])


@pytest.mark.parametrize("shapes", ["ids:2x3,lengths:4", "ids:2x3,tokens:3x4", "free:1,token_lengths:2"])
def test_shapes_that_contradict_each_other_are_refused(infer: Run, model: Path, shapes: str) -> None:
    with pytest.raises(UsageError, match=r"--shapes: N is [0-9] in input"):
        random_arrays(SIGNATURE, parse_shapes(shapes), 0)
    assert "--shapes: N is " in infer(model, "--random", "--shapes", shapes, code=2).stderr
