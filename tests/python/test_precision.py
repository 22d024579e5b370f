"""Session(precision=...): weights are rounded as torch and a formula round them, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import slipway
from slipway import _engine
from slipway.errors import UsageError

Floats = NDArray[np.float32]
RNG = np.random.default_rng(11)
ISAS = [isa for isa in _engine.isas() if isa != "cuda"]


def weights(*shape: int) -> Floats:
    return RNG.normal(size=shape).astype(np.float32)


def to_bf16(w: Floats, axes: tuple[int, ...]) -> Floats:
    """As torch rounds; `axes` are those of a channel's weights, which do not matter here."""
    rounded: Floats = torch.from_numpy(w).to(torch.bfloat16).to(torch.float32).numpy()
    return rounded


def to_int8(w: Floats, axes: tuple[int, ...]) -> Floats:
    """q * s: s is the channel's largest magnitude / 127, rounded up to 16 significant bits."""
    scale = (np.abs(w).max(axis=axes, keepdims=True) / np.float32(127)).astype(np.float32)
    scale = ((scale.view(np.uint32) + 255) & ~np.uint32(255)).view(np.float32)
    rounded: Floats = np.rint(w / scale) * scale + np.float32(0)
    return rounded


ROUND: dict[str, Callable[[Floats, tuple[int, ...]], Floats]] = {"bf16": to_bf16, "int8": to_int8}

#: Per case the node, its input shape, its weights with the axes of one channel, and its other constants. Products of
#: 130 x 97 do not fit into the first cache, so that few rows of them read weights of fewer bytes.
Case = tuple[onnx.NodeProto, tuple[int | str, ...], dict[str, tuple[Floats, tuple[int, ...]]], dict[str, Floats]]
CASES: dict[str, Case] = {
    "gemm": (
        helper.make_node("Gemm", ["x", "w", "b"], ["y"]),
        ("N", 130),
        {"w": (weights(130, 97), (0,))},
        {"b": weights(97)},
    ),
    "gemm_transposed": (
        helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1),
        ("N", 130),
        {"w": (weights(97, 130), (1,))},
        {"b": weights(97)},
    ),
    "matmul": (helper.make_node("MatMul", ["x", "w"], ["y"]), ("N", 300), {"w": (weights(300, 33), (0,))}, {}),
    "matmul_stack": (
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        ("N", 3, 4, 60),
        {"w": (weights(3, 60, 50), (1,))},
        {},
    ),
    "conv": (
        helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1]),
        ("N", 5, 9, 8),
        {"w": (weights(7, 5, 3, 3), (1, 2, 3))},
        {"b": weights(7)},
    ),
    "conv_transpose": (
        helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2]),
        ("N", 5, 4, 3),
        {"w": (weights(5, 6, 3, 3), (0, 2, 3))},
        {},
    ),
    "gru": (
        helper.make_node("GRU", ["x", "w", "r"], ["", "y"], hidden_size=9, linear_before_reset=1),
        (6, "N", 5),
        {"w": (weights(1, 27, 5), (2,)), "r": (weights(1, 27, 9), (2,))},
        {},
    ),
}


def model_of(case: Case, change: Callable[[Floats, tuple[int, ...]], Floats] | None = None) -> bytes:
    """The case's model, its weights changed."""
    node, shape, own, others = case
    constants = {name: change(w, axes) if change else w for name, (w, axes) in own.items()} | others
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def inputs_of(case: Case, batch: int) -> dict[str, Floats]:
    shape = [batch if size == "N" else int(size) for size in case[1]]
    return {"x": np.random.default_rng(batch).normal(size=shape).astype(np.float32)}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("precision", list(ROUND))
@pytest.mark.parametrize("name", list(CASES))
def test_a_reduced_precision_is_that_of_the_rounded_weights_bit_for_bit(name: str, precision: str, isa: str) -> None:
    case = CASES[name]
    reduced = slipway.Session(model_of(case), precision=precision, isa=isa)
    rounded = slipway.Session(model_of(case, ROUND[precision]), isa=isa)
    exact = slipway.Session(model_of(case), isa=isa)
    for batch in (1, 2, 3, 4, 5, 40):
        inputs = inputs_of(case, batch)
        got = reduced.run(inputs)["y"]
        np.testing.assert_array_equal(got, rounded.run(inputs)["y"])
        error = np.abs(got - exact.run(inputs)["y"]).max()
        assert 0 < error < 0.1 * np.abs(got).max()


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("precision", list(ROUND))
@pytest.mark.parametrize("name", ["gemm", "gemm_transposed", "matmul"])
def test_rows_do_not_depend_on_how_many_there_are(name: str, precision: str, isa: str) -> None:
    session = slipway.Session(model_of(CASES[name]), precision=precision, isa=isa)
    inputs = inputs_of(CASES[name], 9)
    whole = session.run(inputs)["y"]
    for rows in (1, 2, 3, 4, 5):
        np.testing.assert_array_equal(session.run({"x": inputs["x"][:rows]})["y"], whole[:rows])


def test_two_threads_change_no_bit() -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    case: Case = (node, ("N", 512), {"w": (weights(512, 1000), (0,))}, {})
    for precision in ROUND:
        one, two = (slipway.Session(model_of(case), threads=n, precision=precision) for n in (1, 2))
        inputs = inputs_of(case, 1)
        np.testing.assert_array_equal(one.run(inputs)["y"], two.run(inputs)["y"])


@pytest.mark.parametrize("precision", list(ROUND))
def test_weights_that_are_not_finite_stay(precision: str) -> None:
    node, shape, _, others = CASES["gemm"]
    w = weights(130, 97)
    w[3, 5], w[7, 6], w[:, 8] = np.inf, np.nan, 0
    case: Case = (node, shape, {"w": (w, (0,))}, others)
    y = slipway.Session(model_of(case), precision=precision).run(inputs_of(case, 2))["y"]
    assert np.isinf(y[:, 5]).all()
    assert np.isnan(y[:, 6]).all()
    np.testing.assert_array_equal(y[:, 8], others["b"][8])
    assert np.isfinite(np.delete(y, (5, 6), axis=1)).all()


def test_the_largest_weight_does_not_become_infinite() -> None:
    node, shape, _, others = CASES["gemm"]
    case: Case = (node, shape, {"w": (np.full((130, 97), np.finfo(np.float32).max), (0,))}, others)
    x = {"x": np.eye(2, 130, dtype=np.float32)}
    y = slipway.Session(model_of(case), precision="bf16").run(x)["y"]
    np.testing.assert_allclose(y, np.finfo(np.float32).max, rtol=2**-8)


def test_the_passes_say_which_weights_were_rounded() -> None:
    text = slipway.Session(model_of(CASES["gemm"]), precision="int8").stage_text("passes")
    assert "round_weights" in text
    assert "has weights of int8" in text
    assert "round_weights" not in slipway.Session(model_of(CASES["gemm"])).stage_text("passes")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match=r'unknown precision "fp8", expected fp32, bf16, int8 or tf32'):
        slipway.Session(model_of(CASES["gemm"]), precision="fp8")


def test_a_reduced_precision_without_passes_is_refused() -> None:
    with pytest.raises(UsageError, match="precision is bf16, which needs the passes"):
        slipway.Session(model_of(CASES["gemm"]), precision="bf16", optimize=False)
