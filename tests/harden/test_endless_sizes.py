"""Sizes beside a size of zero may be any: nothing is computed, however much there would be to go over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

HUGE = 1 << 40

#: The nodes behind c, an array of zeros with these sizes, and further constants by name and shape.
MODELS: dict[str, tuple[list[int], list[onnx.NodeProto], dict[str, list[int]]]] = {
    "batch_normalization": (
        [HUGE, 1, 0],
        [helper.make_node("BatchNormalization", ["c", "one", "one", "one", "one"], ["y"])],
        {"one": [1]},
    ),
    "instance_normalization": (
        [HUGE, 1, 0],
        [helper.make_node("InstanceNormalization", ["c", "one", "one"], ["y"])],
        {"one": [1]},
    ),
    "matmul": ([HUGE, 0, 4], [helper.make_node("MatMul", ["c", "w"], ["y"])], {"w": [4, 5]}),
    "conv": ([HUGE, 0, 4, 4], [helper.make_node("Conv", ["c", "w"], ["y"])], {"w": [0, 0, 1, 1]}),
    "gru": (
        [1 << 30, 2, 0],
        [helper.make_node("GRU", ["c", "w", "r"], ["y"], hidden_size=0)],
        {"w": [1, 0, 0], "r": [1, 0, 0]},
    ),
    "lstm": (
        [0, (1 << 31) - 1, 1],
        [helper.make_node("LSTM", ["c", "w", "r"], ["y"], hidden_size=1)],
        {"w": [1, 4, 1], "r": [1, 4, 1]},
    ),
    "gather": (
        [HUGE, 0],
        [helper.make_node("Cast", ["c"], ["i"], to=7), helper.make_node("Gather", ["w", "i"], ["y"])],
        {"w": [0]},
    ),
    "gemm": ([0, 0], [helper.make_node("Gemm", ["c", "w"], ["y"])], {"w": [0, HUGE]}),
    "top_k": ([0, HUGE], [helper.make_node("TopK", ["c", "k"], ["y", "i"])], {}),
}

RUN = """
import sys, numpy as np, slipway
session = slipway.Session(open(sys.argv[1], "rb").read(), optimize=sys.argv[2] == "True", isa=sys.argv[3])
y = session.run({"x": np.ones(1, np.float32)})["y"]
print(y.size)
"""


@pytest.mark.parametrize("isa", ["scalar", ""])
@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("name", list(MODELS))
def test_nothing_is_made_of_nothing_at_once(name: str, optimize: bool, isa: str, tmp_path: Path) -> None:
    sizes, nodes, constants = MODELS[name]
    initializers = [
        numpy_helper.from_array(np.array(sizes, np.int64), "sizes"),
        numpy_helper.from_array(np.array([HUGE], np.int64), "k"),
        *(
            numpy_helper.from_array(np.ones(shape, np.float32) if 0 not in shape else np.empty(shape, np.float32), key)
            for key, shape in constants.items()
        ),
    ]
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["sizes"], ["c"]), *nodes],
        "empty",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializers,
    )
    model = tmp_path / "model.onnx"
    model.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    command = [sys.executable, "-c", RUN, str(model), str(optimize), isa]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
