"""A model that never ends can be ended: by Ctrl-C, and by other signals that Python handles."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

IN_PYTHON = """
import sys, numpy as np, slipway
session = slipway.Session(sys.argv[1])
try:
    print("runs", flush=True)
    session.run({"x": np.ones(1, np.float32)})
except KeyboardInterrupt:
    print("interrupted")
"""
IN_A_THREAD = """
import sys, threading, numpy as np, slipway
session = slipway.Session(sys.argv[1])
thread = threading.Thread(target=session.run, args=({"x": np.ones(1, np.float32)},), daemon=True)
thread.start()
try:
    print("runs", flush=True)
    thread.join()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Loop that keeps its state for 2^62 steps."""
    state = helper.make_tensor_value_info("s", TensorProto.FLOAT, ["N"])
    body = helper.make_graph(
        [helper.make_node("Identity", ["s"], ["t"]), helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            state,
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("t", TensorProto.FLOAT, ["N"]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["steps", "", "x"], ["y"], body=body)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N"])],
        [numpy_helper.from_array(np.array(2**62), "steps")],
    )
    file = tmp_path_factory.mktemp("endless") / "endless.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), file)
    return file


@pytest.mark.parametrize("program", [IN_PYTHON, IN_A_THREAD], ids=["main", "thread"])
def test_ctrl_c_ends_a_loop_without_end(program: str, endless: Path) -> None:
    command = [sys.executable, "-c", program, str(endless)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "runs\n"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (out, running.returncode) == ("interrupted\n", 0), err


def test_ctrl_c_ends_the_command(endless: Path) -> None:
    command = [sys.executable, "-m", "slipway", "run", str(endless), "--random"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(timeout=3)  # it starts, and runs
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
