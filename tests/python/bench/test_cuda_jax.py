"""JAX as a rival on a device: its translation of a graph, on the processor, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from slipway.bench import _cuda_jax
from slipway.errors import UnavailableError

RNG = np.random.default_rng(7)


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], shape: list[int]) -> onnx.ModelProto:
    """Return a model of x with one output y."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def network() -> tuple[onnx.ModelProto, np.ndarray]:
    """A network with every window, axis and shape operator that has a translation."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[2, 1], pads=[1, 0, 1, 2], dilations=[1, 2], group=1),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["m"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("AveragePool", ["r"], ["a"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node(
            "AveragePool", ["r"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1
        ),
        helper.make_node("Concat", ["m", "a", "p"], ["k"], axis=1),
        helper.make_node("ReduceMax", ["k", "last"], ["d"], keepdims=0),
        helper.make_node("ReduceMean", ["d", "last"], ["e"]),
        helper.make_node("Sub", ["d", "e"], ["f"]),
        helper.make_node("Reshape", ["f", "flat"], ["g"]),
        helper.make_node("Gemm", ["g", "v", "u"], ["h"], alpha=0.5, beta=2.0, transB=1),
        helper.make_node("Sigmoid", ["h"], ["y"]),
    ]
    constants = {
        "w": normal(4, 3, 3, 2),
        "b": normal(4),
        "last": np.array([-1], np.int64),
        "flat": np.array([0, -1], np.int64),
        "v": normal(5, 36),
        "u": normal(5),
    }
    return model(nodes, constants, [2, 3, 9, 8]), normal(2, 3, 9, 8)


def test_a_translated_graph_is_what_onnxruntime_computes() -> None:
    jax: Any = pytest.importorskip("jax")
    onnx_model, x = network()
    (want,) = ort.InferenceSession(onnx_model.SerializeToString()).run(None, {"x": x})
    with jax.default_matmul_precision("highest"):
        (got,) = _cuda_jax.run_graph(onnx_model.graph, ["x"], ["y"], x)
    np.testing.assert_allclose(np.asarray(got), want, rtol=2e-5, atol=2e-6)


def test_an_operator_without_a_translation_is_named() -> None:
    graph = model([helper.make_node("Erf", ["x"], ["y"])], {}, [2]).graph
    with pytest.raises(UnavailableError, match="operator Erf is not translated to JAX"):
        _cuda_jax.run_graph(graph, ["x"], ["y"], normal(2))


def test_without_a_gpu_it_says_so() -> None:
    reason = _cuda_jax.JaxCuda(tf32=True).unavailable()
    assert reason is not None
    assert "jax" in reason.lower()
    assert _cuda_jax.JaxCuda(tf32=True).name == "jax-tf32-cuda"
