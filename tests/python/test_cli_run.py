"""``slipway run`` of ONNX files from anywhere, and of random inputs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper

from slipway._metadata import signature_to_metadata
from slipway.cli._random import random_arrays
from slipway.errors import ExitCode, InputError, UsageError
from slipway.signature import (
    InputPort,
    LengthInput,
    OutputPort,
    Signature,
    TableInput,
    TensorInput,
    TensorOutput,
    TextInput,
)

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file that nothing of slipway made: names that lead elsewhere, a size without a name, a scalar output."""
    a = helper.make_tensor_value_info("a", T.FLOAT, ["rows", 3])
    b = helper.make_tensor_value_info("b", T.FLOAT, [None, 3])
    outputs = [
        helper.make_tensor_value_info("../s", T.FLOAT, ["rows", 3]),
        helper.make_tensor_value_info("t", T.FLOAT, []),
    ]
    nodes = [helper.make_node("Add", ["a", "b"], ["../s"]), helper.make_node("ReduceSum", ["../s"], ["t"], keepdims=0)]
    model = helper.make_model(
        helper.make_graph(nodes, "plain", [a, b], outputs), opset_imports=[helper.make_opsetid("", 18)]
    )
    model.ir_version = 10
    onnx.save(model, tmp_path / "plain.onnx")
    return tmp_path / "plain.onnx"


@pytest.mark.parametrize("runtime", ["native", "onnxruntime"])
def test_a_plain_file_runs_and_its_names_stay_in_the_folder(
    slipway: Say, plain: Path, tmp_path: Path, runtime: str
) -> None:
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.float32)
    np.save("a.npy", a)
    np.save("b.npy", b)
    given = ("--input", "a=a.npy", "--input", "b=b.npy", "--runtime", runtime)
    code, out, _ = slipway("run", plain, *given, "--output-dir", "out/deep", "--json")
    assert (code, json.loads(out)["outputs"]["t"]) == (ExitCode.OK, 21.0)
    np.testing.assert_array_equal(np.load("out/deep/_.._s.npy"), a + b)
    assert not list(tmp_path.glob("out/*.npy"))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], ExitCode.USAGE, "give one of --input, --text, --image, --csv, --random; got none"),
        (["--random", "--input", "a=a.npy"], ExitCode.USAGE, "got --input and --random"),
        (["--random", "--runtime", "eager"], ExitCode.USAGE, "eager needs a bundle"),
        (["--random", "--shapes", "c:2x3"], ExitCode.USAGE, "there is no input 'c'; the inputs are a, b"),
        (["--random", "--shapes", "a:2x4"], ExitCode.USAGE, "has shape ['rows', 3], got [2, 4]"),
        (["--random", "--shapes", "a:2"], ExitCode.USAGE, "has shape ['rows', 3], got [2]"),
        (["--random", "--shapes", "a:9999999999x3"], ExitCode.ERROR, "too large to be drawn"),
        (["--random", "--seed", "-1"], ExitCode.USAGE, "--seed"),
        (["--shapes", "a:2x3"], ExitCode.USAGE, "--shapes goes with --random"),
        (["--text", "x"], ExitCode.USAGE, "its inputs are a (tensor), b (tensor)"),
        (["--input", "a=a.npy", "--input", "a=a.npy"], ExitCode.USAGE, "a is given twice"),
        (["--input", "a=a.npy"], ExitCode.ERROR, 'input "b" is missing'),
        (["--random", "--device", "cuda"], ExitCode.UNAVAILABLE, "native-cuda"),
        (["--random", "--precision", "fp8"], ExitCode.USAGE, "got 'fp8', expected fp32, bf16, int8, tf32"),
        (["--random", "--precision", "bf16", "--runtime", "onnxruntime"], ExitCode.UNAVAILABLE, "use fp32, or native"),
    ],
)
def test_what_does_not_fit_a_plain_file_is_one_line(
    slipway: Say, plain: Path, options: list[str], code: ExitCode, message: str
) -> None:
    np.save("a.npy", np.ones((2, 3), np.float32))
    got, out, err = slipway("run", plain, *options)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_what_is_no_model_is_one_line(slipway: Say, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model at all")
    for name, code in (("x.onnx", ExitCode.ERROR), ("none.onnx", ExitCode.ERROR)):
        for runtime in ("native", "onnxruntime"):
            got, out, err = slipway("run", name, "--random", "--runtime", runtime)
            assert (got, out, err.count("\n")) == (code, "", 1)
            assert "fault of slipway" not in err
            assert name in err


def test_an_operator_that_is_not_there_is_named(slipway: Say, tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", T.FLOAT, [2])
    y = helper.make_tensor_value_info("y", T.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Sinh", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save(model, tmp_path / "sinh.onnx")
    code, _, err = slipway("run", "sinh.onnx", "--random")
    assert (code, "Sinh" in err) == (ExitCode.ERROR, True)
    assert slipway("run", "sinh.onnx", "--random", "--runtime", "onnxruntime")[0] == ExitCode.OK


def test_precision_rounds_the_weights(slipway: Say, tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", T.FLOAT, [1, 1])
    y = helper.make_tensor_value_info("y", T.FLOAT, [1, 1])
    weights = helper.make_tensor("w", T.FLOAT, [1, 1], [1 + 2**-10])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, tmp_path / "one.onnx")
    np.save(tmp_path / "x.npy", np.ones((1, 1), np.float32))
    for precision, wanted in (("fp32", 1 + 2**-10), ("bf16", 1.0)):
        options = ["--input", f"x={tmp_path / 'x.npy'}", "--precision", precision, "--output-dir", tmp_path / precision]
        assert slipway("run", tmp_path / "one.onnx", *options)[0] == ExitCode.OK
        assert np.load(tmp_path / precision / "y.npy").item() == wanted


@pytest.mark.skipif(shutil.which("slipway-infer") is None, reason="slipway-infer is not installed")
@pytest.mark.parametrize("options", [["--seed", "0"], ["--seed", "9223372036854775807", "--shapes", "a:4x3,b:4x3"]])
def test_random_inputs_are_those_of_slipway_infer(slipway: Say, plain: Path, options: list[str]) -> None:
    assert slipway("run", plain, "--random", *options, "--output-dir", "ours")[0] == ExitCode.OK
    subprocess.run(["slipway-infer", plain, "--random", *options, "--output-dir", "theirs"], check=True)
    for file in Path("ours").iterdir():
        assert file.read_bytes() == (Path("theirs") / file.name).read_bytes()


def test_random_inputs_keep_to_the_ports_meaning() -> None:
    ports = (
        InputPort("text", "int64", ("T", "N"), TextInput(vocabulary=list("abcdefgh"), limit=128)),
        InputPort("lengths", "int64", ("N",), LengthInput("text")),
        InputPort("hot", "float32", ("N", "T", 5), TextInput(limit=5, one_hot=True)),
        InputPort("ids", "int64", ("N", 50), TensorInput(below=9)),
        InputPort("flag", "bool", ("N",), TensorInput()),
    )
    arrays = random_arrays(Signature(ports, ()), {"lengths": [300]}, seed=3)
    assert arrays["text"].shape == (16, 300)
    assert set(np.unique(arrays["text"])) == set(range(8))
    assert set(np.unique(arrays["lengths"])) == set(range(1, 17))
    assert (arrays["hot"].sum(-1) == 1).all()
    assert set(np.unique(arrays["ids"])) == set(range(9))
    assert arrays["flag"].dtype == bool
    again = random_arrays(Signature(ports, ()), {"lengths": [300]}, seed=3)
    other = random_arrays(Signature(ports, ()), {"lengths": [300]}, seed=4)
    assert (arrays["text"] == again["text"]).all()
    assert not (arrays["text"] == other["text"]).all()
    with pytest.raises(UsageError, match="there is no input 'x'"):
        random_arrays(Signature(ports, ()), {"x": [1]}, seed=0)
    with pytest.raises(InputError, match="too large"):
        random_arrays(Signature(ports, ()), {"text": [1 << 20, 1 << 20]}, seed=0)


@pytest.mark.parametrize(
    ("bound", "code", "said"),
    [
        ("64M", ExitCode.OK, ""),
        ("4096", ExitCode.ERROR, "max_memory is 4096"),
        ("1T", ExitCode.USAGE, "expected bytes, as in 1048576, 512M or 4G"),
        ("9223372036854775807G", ExitCode.USAGE, "expected bytes"),
        ("-1", ExitCode.USAGE, "expected bytes"),
    ],
)
def test_the_memory_of_a_run_is_bounded(slipway: Say, plain: Path, bound: str, code: ExitCode, said: str) -> None:
    given = ("run", plain, "--random", "--shapes", "a:900x3,b:900x3", "--max-memory", bound, "--max-steps", "9")
    got, _, error = slipway(*given)
    assert (got, said in error) == (code, True), error


def test_bounds_are_those_of_the_engine_alone(slipway: Say, plain: Path) -> None:
    code, _, error = slipway("run", plain, "--random", "--max-memory", "1G", "--runtime", "onnxruntime")
    assert code == ExitCode.UNAVAILABLE
    assert "--max-memory and --max-steps are not available for onnxruntime-cpu" in error


def test_rows_of_several_tables_are_answered_in_order(slipway: Say, tmp_path: Path) -> None:
    signature = Signature(
        (InputPort("x", "float32", ("N", 2), TableInput()),), (OutputPort("y", ("N", 2), TensorOutput()),)
    )
    values = [helper.make_tensor_value_info(name, T.FLOAT, ["N", 2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    helper.set_model_props(model, signature_to_metadata(signature))
    onnx.save(model, "table.onnx")
    Path("a.csv").write_text("1,2\n3,4\n")
    Path("b.csv").write_text("5,6\n")
    code, out, _ = slipway("run", "table.onnx", "--csv", "a.csv", "--csv", "b.csv", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, [row["outputs"]["y"] for row in rows]) == (ExitCode.OK, [[1, 2], [3, 4], [5, 6]])
    assert [row["input"] for row in rows] == ["a.csv, row 1", "a.csv, row 2", "b.csv, row 1"]
