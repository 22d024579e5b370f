"""Whole graphs in onnx's text form, run by the engine with and without passes against onnxruntime or a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import parser

import slipway
from slipway.errors import SlipwayError

Array = npt.NDArray[np.generic]


def model_of(text: str, opset: int = 20) -> bytes:
    """The model whose graph is `text`, checked by onnx."""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : {opset}]>\n{text}')
    onnx.checker.check_model(model)
    return model.SerializeToString()


def by_onnxruntime(model: bytes, inputs: Mapping[str, Array]) -> list[Array]:
    """What onnxruntime computes without optimisations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(None, dict(inputs))
    return outputs


def only_output(session: slipway.Session, x: Array) -> Array:
    """What a model of one input, x, and one output makes of it."""
    (y,) = session.run({"x": x}).values()
    return y


def assert_same(got: Sequence[Array], expected: Sequence[Array], rtol: float = 1e-6) -> None:
    """Types and shapes exactly, values within float32 rounding."""
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-6)


def check(text: str, *runs: Mapping[str, Array], opset: int = 20, expected: Sequence[Array] | None = None) -> None:
    """Every run in one session, twice, with and without passes; the oracle is onnxruntime, or `expected`."""
    model = model_of(text, opset)
    for optimize in (True, False):
        session = slipway.Session(model, optimize=optimize)
        for inputs in [*runs, *runs]:
            outputs = session.run(dict(inputs))
            got = [outputs[port.name] for port in session.outputs]
            assert_same(got, by_onnxruntime(model, inputs) if expected is None else expected)


def refusal(model: bytes, inputs: Mapping[str, Array] | None = None) -> str:
    """The message with which the model is refused: when it is loaded or, with inputs, when it runs."""
    if inputs is None:
        with pytest.raises(SlipwayError) as caught:
            slipway.Session(model)
        return str(caught.value)
    session = slipway.Session(model)
    with pytest.raises(SlipwayError) as caught:
        session.run(dict(inputs))
    return str(caught.value)


def f32(*values: float) -> Array:
    """A list of float32."""
    return np.array(values, np.float32)


def i64(value: int | Sequence[int]) -> Array:
    """An int64 scalar, or a list."""
    return np.array(value, np.int64)


def flag(value: bool) -> Array:
    """A scalar truth value."""
    return np.array(value)
