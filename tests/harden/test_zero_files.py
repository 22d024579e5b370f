"""Files and lines that hold nothing, given to both programs: outputs of nothing, or one clear line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from small_models import PERCEPTRON, WORDS

from slipway._metadata import signature_to_metadata
from slipway.signature import (
    ImageInput,
    InputPort,
    LengthInput,
    OutputPort,
    Signature,
    TableInput,
    TensorOutput,
    TextInput,
)

PROGRAMS = {
    "slipway run": [sys.executable, "-m", "slipway", "run"],
    "slipway-infer": [str(Path(sys.executable).with_name("slipway-infer"))],
}
#: Exit code, stdout and stderr of a program, given a model, arguments and stdin.
Say = Callable[..., tuple[int, str, str]]


def described(model: bytes, inputs: Sequence[InputPort], output: tuple[int | str, ...]) -> bytes:
    """The model with the metadata that says how raw input becomes arrays."""
    signature = Signature(tuple(inputs), (OutputPort("y", output, TensorOutput()),))
    proto = onnx.load_from_string(model)
    for key, value in signature_to_metadata(signature).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    data: bytes = proto.SerializeToString()
    return data


TABLE = described(PERCEPTRON, [InputPort("x", "float32", ("N", 30), TableInput())], ("N", 19))
TEXTS = described(
    WORDS,
    [
        InputPort("tokens", "int64", ("T", "N"), TextInput(limit=40, vocabulary=tuple("abcdefgh"), unknown=0)),
        InputPort("lengths", "int64", ("N",), LengthInput("tokens")),
    ],
    ("N", 18),
)
IMAGES = described(
    onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Flatten", ["x"], ["y"])],
            "g",
            [onnx.helper.make_tensor_value_info("x", 1, ["N", 1, 28, 28])],
            [onnx.helper.make_tensor_value_info("y", 1, ["N", 784])],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 20)],
        ir_version=9,
    ).SerializeToString(),
    [InputPort("x", "float32", ("N", 1, 28, 28), ImageInput())],
    ("N", 784),
)


@pytest.fixture(params=PROGRAMS)
def say(request: pytest.FixtureRequest, tmp_path: Path) -> Say:
    if not Path(PROGRAMS[request.param][0]).exists():
        pytest.skip("slipway-infer is not installed")

    def run(model: bytes, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        (tmp_path / "model.onnx").write_bytes(model)
        command = [*PROGRAMS[request.param], "model.onnx", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == 0 or done.stderr.strip().count("\n") == 0, done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def test_arrays_of_no_rows_give_outputs_of_no_rows(say: Say, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((0, 30), np.float32))
    code, _, error = say(TABLE, "--input", "x=x.npy", "--output-dir", "out")
    assert (code, error) == (0, "")
    assert np.load(tmp_path / "out" / "y.npy").shape == (0, 19)


def test_texts_of_no_letter_are_refused_and_texts_of_no_line_are_nothing(say: Say) -> None:
    code, out, error = say(TEXTS, "--text", "")
    assert (code, out) == (1, "")
    assert "is empty" in error
    assert "give at least one character" in error
    for arguments in ([], ["--json"]):
        assert say(TEXTS, *arguments) == (0, "", "")
    code, _, error = say(TEXTS, stdin="ab\n\ncd\n")
    assert code == 1 or error == ""


@pytest.mark.parametrize("content", ["", "\n", "\n\r\n  \n"])
def test_tables_of_no_line_are_refused_by_name(content: str, say: Say, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text(content)
    code, out, error = say(TABLE, "--csv", "none.csv")
    assert (code, out) == (1, "")
    assert "none.csv" in error


@pytest.mark.parametrize("kind", ["array", "image"])
def test_files_of_no_byte_are_refused_by_name(kind: str, say: Say, tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"")
    given = ["--input", "x=none"] if kind == "array" else ["--image", "none"]
    code, out, error = say(TABLE if kind == "array" else IMAGES, *given)
    assert (code, out) == (1, "")
    assert f"cannot read {kind}" in error
    assert "none" in error
