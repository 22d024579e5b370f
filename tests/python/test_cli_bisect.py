"""``slipway verify --bisect``: what it prints, its exit codes, and the evidence that it writes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from slipway.errors import ExitCode

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")


@pytest.fixture(scope="module")
def wrong(hello_rnn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's model with another bias in its recurrent layer."""
    model = onnx.load_model(hello_rnn / "model.onnx")
    name = next(node for node in model.graph.node if node.op_type == "RNN").input[3]
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(0.1), name))
    path = tmp_path_factory.mktemp("wrong") / "wrong.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_agreement_is_said_with_every_value_and_exit_code_0(slipway: Say, hello_rnn: Path) -> None:
    code, out, _ = slipway("verify", hello_rnn, "--bisect")
    assert code == ExitCode.OK
    assert "native-cpu and onnxruntime-cpu agree within tolerance at each of" in out
    assert "agree with eager PyTorch from end to end" in out
    code, out, _ = slipway("verify", hello_rnn, "--bisect", "--json", "-")
    result = json.loads(out)
    assert (code, result["ok"], result["bisect"][0]["fault"]) == (ExitCode.OK, True, None)
    assert {row["runtime"] for row in result["rows"]} == {"onnxruntime-cpu", "native-cpu"}
    assert result["bisect"][0]["values"][0]["max_abs"] is not None


def test_a_fault_is_named_written_and_repeated_with_exit_code_3(
    slipway: Say, hello_rnn: Path, wrong: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "fault"
    arguments = ("verify", hello_rnn, "--bisect", "--file", f"native-cpu={wrong}", "--repro", folder)
    code, out, _ = slipway(*arguments)
    assert code == ExitCode.MISMATCH
    assert 'native-cpu leaves onnxruntime-cpu first at RNN "' in out
    assert 'of module "rnn" (RNN)' in out
    assert "From end to end native-cpu differs from eager PyTorch." in out
    command = next(line for line in out.splitlines() if "again with: " in line).partition("again with: slipway ")[2]
    code, out, _ = slipway(*command.split(), "--json", "-")
    rows = {row["runtime"]: row["ok"] for row in json.loads(out)["rows"]}
    assert (code, rows) == (ExitCode.MISMATCH, {"onnxruntime-cpu": True, "native-cpu": False})
    for options in (("--runtimes", "nonsense"), ("--recipe", "hello.py")):
        code, _, err = slipway("verify", folder, *options)
        assert (code, "--runtimes and --recipe belong to a bundle" in err) == (ExitCode.USAGE, True)
    code, out, _ = slipway(*arguments, "--json", "-")
    fault = json.loads(out)["bisect"][0]["fault"]
    assert (code, fault["op"], fault["module"], fault["fused"]) == (ExitCode.MISMATCH, "RNN", "rnn", False)
    assert fault["max_abs"] > 1e-3
    assert [node["op"] for node in fault["nodes"]] == ["RNN"]


def test_what_bounds_of_ones_own_find_is_found_again_by_the_command_that_is_shown(
    slipway: Say, hello_rnn: Path, tmp_path: Path
) -> None:
    near = tmp_path / "near.onnx"
    model = onnx.load(hello_rnn / "model.onnx")
    for weights in model.graph.initializer:
        array = onnx.numpy_helper.to_array(weights)
        if array.dtype == np.float32:
            weights.CopyFrom(onnx.numpy_helper.from_array(array * np.float32(1 + 4e-7), weights.name))
    onnx.save(model, near)
    options = ("--runtimes", "onnxruntime,native", "--file", f"native={near}", "--repro", tmp_path / "a fault")
    code, out, _ = slipway("verify", hello_rnn, "--bisect", *options, "--atol", "1e-9")
    assert code == ExitCode.MISMATCH
    command = next(line for line in out.splitlines() if "again with: " in line).partition("again with: slipway ")[2]
    assert slipway(*shlex.split(command))[0] == ExitCode.MISMATCH
    assert slipway("verify", tmp_path / "a fault")[0] == ExitCode.OK


def test_two_faults_have_a_folder_each(slipway: Say, hello_rnn: Path, wrong: Path, tmp_path: Path) -> None:
    code, out, _ = slipway(
        "verify", hello_rnn, "--bisect", "--runtimes", "onnx-reference,native-cpu,onnxruntime-cpu",
        "--file", f"native-cpu={wrong}", "--file", f"onnxruntime-cpu={wrong}", "--repro", tmp_path, "--json", "-",
    )  # fmt: skip
    assert code == ExitCode.MISMATCH
    assert {trial["repro"] for trial in json.loads(out)["bisect"]} == {
        str(tmp_path / "native-cpu"), str(tmp_path / "onnxruntime-cpu"),
    }  # fmt: skip
    assert slipway("verify", tmp_path / "native-cpu")[0] == ExitCode.MISMATCH


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--bisect", "--runtimes", "native-cpu"], ExitCode.USAGE, "compares two or more runtimes"),
        (["--bisect", "--runtimes", "eager,native-cpu"], ExitCode.USAGE, "no runtime 'eager' runs ONNX files"),
        (["--bisect", "--runtimes", "onnxruntime-cpu,native-cuda"], ExitCode.UNAVAILABLE, "native-cuda"),
        (["--bisect", "--file", "nothing"], ExitCode.USAGE, "RUNTIME=FILE.onnx"),
        (["--bisect", "--file", "native-cpu=/nowhere.onnx"], ExitCode.ERROR, "cannot be read"),
        (["--repro", "x"], ExitCode.USAGE, "belong to --bisect"),
    ],
)
def test_what_does_not_fit_is_refused(
    slipway: Say, hello_rnn: Path, options: list[str], code: ExitCode, message: str
) -> None:
    got, out, err = slipway("verify", hello_rnn, *options)
    assert (got, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1
