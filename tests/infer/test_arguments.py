"""The command line of slipway-infer: options, exit codes, one line per error."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway import __version__
from slipway.signature import TextInput

from .conftest import Echo, Run, save_model


@pytest.fixture
def relu(tmp_path: Path) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
    return save_model(tmp_path / "relu.onnx", [helper.make_node("Relu", ["x"], ["y"])], [x], [y])


def test_help_shows_examples_and_version_the_version(infer: Run) -> None:
    assert "Examples:" in infer("--help").stdout
    assert infer("--version").stdout.startswith(f"slipway-infer {__version__}")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("MODEL", "--nonsense"),
        ("MODEL", "--text"),
        ("MODEL", "--json=1"),
        ("MODEL", "--threads", "0"),
        ("MODEL", "--threads", "257"),
        ("MODEL", "--threads", "9" * 40),
        ("MODEL", "--top", "-1"),
        ("MODEL", "--seed", "1x"),
        ("MODEL", "--engine", "tflite"),
        ("MODEL", "--device", "gpu"),
        ("MODEL", "--precision", "fp16"),
        ("MODEL", "--shapes", "x"),
        ("MODEL", "--shapes", "x:"),
        ("MODEL", "--shapes", "x:1x-1"),
        ("MODEL", "--shapes", "x:1,x:2"),
        ("MODEL", "--shapes", "x:1x1x1x1x1x1x1x1x1"),
        ("MODEL", "--random", "--shapes", "nobody:1"),
        ("MODEL", "--random", "--shapes", "x:1"),
        ("MODEL", "--random", "--input", "a.npy"),
        ("MODEL", "--iterations", "1", "--output", "a.npy"),
        ("MODEL", "--iterations", "1", "--output-dir", "a"),
        ("MODEL", "--selftest", "--output", "a.npy"),
        ("MODEL", "--selftest", "--output-dir", "a"),
        ("MODEL", "--selftest", "--iterations", "1"),
        ("MODEL", "--selftest", "--shapes", "x:2x3"),
        ("MODEL", "--text", "a"),
        ("MODEL", "MODEL"),
        ("MODEL", "--output", "a.npy", "--output-dir", "b", "--random"),
        ("MODEL", "--selftest"),
        ("MODEL", "--iterations", "0"),
    ],
)
def test_a_wrong_call_ends_with_2_and_one_line(infer: Run, relu: Path, arguments: tuple[str, ...]) -> None:
    infer(*(str(relu) if argument == "MODEL" else argument for argument in arguments), code=2)


def test_lines_for_a_model_of_plain_tensors_are_refused(infer: Run, relu: Path) -> None:
    infer(relu, stdin="1,2,3\n", code=2)


def test_a_device_that_is_not_there_ends_with_4(infer: Run, relu: Path) -> None:
    assert "not available" in infer(relu, "--random", "--device", "cuda:99", code=4).stderr
    assert "not available" in infer(relu, "--random", "--device", "cuda:99", "--engine", "onnxruntime", code=4).stderr


def test_what_is_missing_or_broken_is_named(infer: Run, relu: Path, tmp_path: Path) -> None:
    assert "nowhere.onnx" in infer(tmp_path / "nowhere.onnx", "--random", code=1).stderr
    (tmp_path / "empty").mkdir()
    assert "no model.onnx" in infer(tmp_path / "empty", "--random", code=6).stderr
    assert "missing.npy" in infer(relu, "--input", tmp_path / "missing.npy", code=1).stderr
    relu.write_bytes(relu.read_bytes()[:20])
    infer(relu, "--random", code=1)


def test_a_terminal_without_input_gets_the_usage(infer_program: Path, relu: Path) -> None:
    terminal, other = pty.openpty()
    done = subprocess.run([infer_program, relu], stdin=other, capture_output=True, text=True, timeout=30)
    os.close(terminal)
    os.close(other)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130(infer_program: Path, echo: Echo, number: signal.Signals) -> None:
    model, _ = echo("int64", ("T", "N"), TextInput())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen([infer_program, model], **pipes)  # type: ignore[call-overload]
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdin.write(b"a\n")
    child.stdin.flush()
    child.stdout.readline()
    child.send_signal(number)
    assert child.wait(timeout=30) == 130
    assert child.stderr.read() == b"slipway-infer: interrupted\n"
    for pipe in (child.stdin, child.stdout, child.stderr):
        pipe.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_file_is_written_leaves_none_half(
    infer_program: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """With a second thread, which would take the signal that the writing one holds back."""
    port = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["K"])
    model = save_model(
        tmp_path / "big.onnx",
        [helper.make_node("Relu", ["x"], ["y"])],
        [port],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["K"])],
    )
    out = tmp_path / "out"
    out.mkdir()
    drawn = ["--random", "--shapes", "x:16000000", "--threads", "2"]
    child = subprocess.Popen([infer_program, model, *drawn, "--output", out / "y.npy"])
    while child.poll() is None and not any(out.iterdir()):
        pass
    child.send_signal(number)
    code = child.wait(timeout=30)
    assert (code, list(out.iterdir())) in ((130, []), (130, [out / "y.npy"]), (0, [out / "y.npy"]))


def test_a_conversation_through_pipes_is_answered_line_by_line(infer_program: Path, echo: Echo) -> None:
    model, _ = echo("int64", ("T", "N"), TextInput())
    with subprocess.Popen([infer_program, model], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for text in ("a", "bc"):
            child.stdin.write(text.encode() + b"\n")
            child.stdin.flush()
            assert child.stdout.readline().decode().startswith(text)
        child.stdin.close()
        assert child.wait(timeout=30) == 0


def test_output_that_cannot_be_written_is_an_error(infer_program: Path, relu: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [infer_program, relu, "--random"], stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=30
        )
    assert done.returncode == 1
    assert b"standard output" in done.stderr


def test_random_input_depends_on_the_seed_alone(infer: Run, relu: Path) -> None:
    runs = [infer(relu, "--random", "--shapes", "x:2x3", "--seed", seed, "--json").stdout for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0].splitlines()) == 2


def test_iterations_give_percentiles(infer: Run, relu: Path) -> None:
    begin = time.monotonic()
    row = json.loads(infer(relu, "--random", "--shapes", "x:4x3", "--iterations", "50", "--json").stdout)
    assert row["samples"] == 50
    assert row["batch"] == 4
    assert 0 < row["p50_us"] <= row["p90_us"] <= row["p99_us"] < (time.monotonic() - begin) * 1e6
    assert "p99" in infer(relu, "--iterations", "5").stdout


def test_precision_rounds_the_weights_and_nothing_else(infer: Run, tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])
    weights = {"w": np.array([[1 + 2**-10], [0.5]], np.float32)}
    model = save_model(tmp_path / "w.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], [x], [y], weights)
    np.save(tmp_path / "x.npy", np.array([[1, 0], [0, 1 + 2**-10]], np.float32))
    for precision, first in (("fp32", 1 + 2**-10), ("bf16", 1.0)):
        infer(model, "--input", tmp_path / "x.npy", "--precision", precision, "--output", tmp_path / "y.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), [[first], [0.5 * (1 + 2**-10)]])


def test_onnxruntime_has_no_precision_to_choose(infer: Run, relu: Path) -> None:
    done = infer(relu, "--random", "--engine", "onnxruntime", "--precision", "int8", code=4)
    assert "precision int8 is not available for engine onnxruntime; use fp32" in done.stderr


@pytest.mark.parametrize(
    ("bound", "code", "said"),
    [
        ("64M", 0, ""),
        ("4096", 1, "max_memory is 4096"),
        ("1T", 2, "expected bytes, as in 1048576, 512M or 4G"),
        ("9223372036854775807G", 2, "expected bytes"),
        ("-1", 2, "expected bytes"),
        ("", 2, "expected bytes"),
    ],
)
def test_the_memory_of_a_run_is_bounded(infer: Run, relu: Path, bound: str, code: int, said: str) -> None:
    given = ("--random", "--shapes", "x:2000x3", "--max-memory", bound, "--max-steps", "9")
    assert said in infer(relu, *given, code=code).stderr


def test_bounds_are_those_of_the_native_engine_alone(infer: Run, relu: Path) -> None:
    said = infer(relu, "--random", "--engine", "onnxruntime", "--max-memory", "1G", code=4).stderr
    assert "--max-memory and --max-steps are not available for engine onnxruntime" in said
