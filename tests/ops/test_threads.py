"""Kernels that share their work among threads give the same bits for every thread count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import slipway

Array = npt.NDArray[Any]

RNG = np.random.default_rng(0)

#: Large enough for every kernel to ask for a second thread, and not a multiple of any tile or panel.
CASES: dict[str, tuple[tuple[int, ...], tuple[tuple[int, ...] | Array, ...], dict[str, Any]]] = {
    "Add": ((3, 37, 65, 67), ((37, 1, 1),), {}),
    "Conv": ((3, 33, 29, 31), ((37, 33, 3, 3), (37,)), {"pads": [1, 1, 1, 1]}),
    "ConvTranspose": ((2, 33, 29, 31), ((33, 37, 3, 3), (37,)), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    "Gemm": ((301, 311), ((211, 311), (211,)), {"transB": 1}),
    "GlobalAveragePool": ((3, 37, 65, 67), (), {}),
    "GlobalMaxPool": ((3, 37, 65, 67), (), {}),
    "InstanceNormalization": ((3, 37, 65, 67), ((37,), (37,)), {}),
    "LayerNormalization": ((301, 311), ((311,), (311,)), {}),
    "MatMul": ((5, 101, 211), ((5, 211, 103),), {}),
    "Max": ((3, 37, 65, 67), ((67,), (3, 1, 1, 1)), {}),
    "MaxPool": ((3, 37, 65, 67), (), {"kernel_shape": [3, 3], "strides": [2, 2]}),
    "AveragePool": ((3, 37, 65, 67), (), {"kernel_shape": [3, 3], "strides": [2, 2]}),
    "BatchNormalization": ((3, 37, 65, 67), ((37,), (37,), (37,), (37,)), {"epsilon": 100.0}),
    "ReduceL1": ((301, 65, 67), (np.array([2]),), {}),
    "ReduceL2": ((301, 65, 67), (np.array([2]),), {}),
    "ReduceSumSquare": ((301, 65, 67), (np.array([0]),), {}),
    "ReduceProd": ((301, 65, 67), (np.array([1]),), {}),
    "Pow": ((3, 37, 65, 67), (np.full((37, 1, 1), 4, "f"),), {}),
    "ReduceLogSumExp": ((37, 65, 67), (), {"keepdims": 0}),
    "Relu": ((3, 37, 65, 67), (), {}),
    "Resize": ((3, 17, 45, 47), (np.zeros(0, "f"), np.array([1, 1, 2, 1.5], "f")), {"mode": "linear"}),
    "Softmax": ((3, 37, 65, 67), (), {"axis": 1}),
    "Transpose": ((3, 37, 65, 67), (), {"perm": [2, 0, 3, 1]}),
}


def session_of(op: str, path: Path, threads: int) -> slipway.Session:
    shape, weights, attributes = CASES[op]
    names = ["x", *(f"w{i}" for i in range(len(weights)))]
    constants = [
        numpy_helper.from_array(
            w if isinstance(w, np.ndarray) else np.random.default_rng(i).normal(size=w).astype(np.float32), f"w{i}"
        )
        for i, w in enumerate(weights)
    ]
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)],
        op,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return slipway.Session(path, threads=threads)


@pytest.mark.parametrize("op", CASES)
def test_results_do_not_depend_on_the_thread_count(op: str, tmp_path: Path) -> None:
    x = RNG.normal(size=CASES[op][0]).astype(np.float32)
    results = [session_of(op, tmp_path / "model.onnx", threads).run({"x": x})["y"] for threads in (1, 2, 3, 5)]
    for result in results[1:]:
        assert result.tobytes() == results[0].tobytes()
