"""Weights that are no constants of the graph: a plan computes them of shapes, or of values that it has read.

What one plan packs of them is no other plan's. One session meets many shapes and values, against onnxruntime.
"""

from __future__ import annotations

import numpy as np
import pytest
from graphs import Array, assert_same, by_onnxruntime, f32, i64, model_of

import slipway
from slipway import _engine

COLUMNS = [name for name in _engine.isas() if name != "amx"]

#: w has C rows, as x has channels: the sizes of a row, what reads w, and the sizes of what it makes.
READERS = {
    "Conv": (
        "2, 3, 3",
        "v = Transpose <perm = [1, 0, 2, 3]> (w)\n y = Conv <pads = [1, 1, 1, 1]> (x, v)",
        "N, A, H, W",
    ),
    "ConvTranspose": ("2, 3, 3", "y = ConvTranspose (x, w)", "N, A, B, D"),
    "Gemm": ("40", "rows = ReduceMax <keepdims = 0> (x, plane)\n y = Gemm (rows, w)", "N, A"),
    "MatMul": ("130", "rows = ReduceMax <keepdims = 0> (x, plane)\n y = MatMul (rows, w)", "N, A"),
    "LSTM": (
        "12",
        """rows = ReduceMax (x, last)
           steps = Squeeze (rows, last)
           turned = Transpose <perm = [2, 0, 1]> (steps)
           columns = Transpose (w)
           gates = Unsqueeze (columns, first)
           states = Expand (step, square)
           hidden, y = LSTM <hidden_size = 3> (turned, gates, states)""",
        "1, N, 3",
    ),
}


def weights_of_shapes(op: str) -> bytes:
    row, reader, sizes = READERS[op]
    return model_of(
        f"""g (float[N, C, H, W] x) => (float[{sizes}] y)
        <int64[{row.count(",") + 1}] row = {{{row}}}, int64[1] first = {{0}}, int64[1] last = {{3}},
         int64[2] plane = {{2, 3}}, int64[3] square = {{1, 12, 3}}, float step = {{0.01}},
         int64 zero = {{0}}, int64 unit = {{1}}> {{
          channels = Shape <start = 1, end = 2> (x)
          sizes = Concat <axis = 0> (channels, row)
          count = ReduceProd <keepdims = 0> (sizes)
          numbers = Range (zero, count, unit)
          floats = Cast <to = 1> (numbers)
          scaled = Mul (floats, step)
          w = Reshape (scaled, sizes)
          {reader}
        }}"""
    )


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("op", list(READERS))
def test_weights_of_one_shape_are_not_those_of_another(op: str, column: str) -> None:
    model = weights_of_shapes(op)
    session = slipway.Session(model, isa=column)
    for channels in (1, 2, 8, 3, 1, 8):
        x = np.random.default_rng(channels).normal(size=(2, channels, 5, 4)).astype(np.float32)
        assert_same(list(session.run({"x": x}).values()), by_onnxruntime(model, {"x": x}), rtol=1e-4)


@pytest.mark.parametrize("column", COLUMNS)
def test_weights_of_one_value_are_not_those_of_another(column: str) -> None:
    model = model_of(
        """g (float[N, 8] x, int64 begin) => (float[N, 4] y)
        <int64 unit = {1}, int64 count = {32}, int64[2] sizes = {8, 4}> {
          end = Add (begin, count)
          numbers = Range (begin, end, unit)
          floats = Cast <to = 1> (numbers)
          w = Reshape (floats, sizes)
          y = MatMul (x, w)
        }"""
    )
    session = slipway.Session(model, isa=column)
    x = np.ones((3, 8), np.float32)
    for begin in (0, 7, -3, 0):
        inputs: dict[str, Array] = {"x": x, "begin": i64(begin)}
        assert_same(list(session.run(inputs).values()), by_onnxruntime(model, inputs))


@pytest.mark.parametrize("column", COLUMNS)
def test_weights_of_one_step_are_not_those_of_another(column: str) -> None:
    model = model_of(
        """g (float[1, 3] x, int64 n, float[1, 1] start) => (float[1, 1] y) {
          y = Loop <body = b (int64 i, bool c, float[1, 1] s) => (bool c2, float[1, 1] s2) {
            three = Constant <value = int64 {3}> ()
            one = Constant <value = int64 {1}> ()
            sizes = Constant <value = int64[2] {3, 1}> ()
            end = Add (i, three)
            numbers = Range (i, end, one)
            floats = Cast <to = 1> (numbers)
            w = Reshape (floats, sizes)
            product = MatMul (x, w)
            s2 = Add (s, product)
            c2 = Identity (c)
          }> (n, , start)
        }"""
    )
    inputs: dict[str, Array] = {"x": f32(1, 1, 1).reshape(1, 3), "n": i64(3), "start": f32(0).reshape(1, 1)}
    (y,) = slipway.Session(model, isa=column).run(inputs).values()
    assert y.item() == sum(sum(range(i, i + 3)) for i in range(3))


@pytest.mark.parametrize("optimize", [True, False])
def test_a_view_of_a_constant_needs_none_of_its_other_inputs(optimize: bool) -> None:
    text = """g (float[4] x, float ratio) => (float[4] y, float[4] z) <float[4] w = {1.0, 2.0, 3.0, 4.0}> {
      y = Dropout (w, ratio)
      z = Add (y, x)
    }"""
    session = slipway.Session(model_of(text), optimize=optimize)
    y, z = session.run({"x": f32(1, 1, 1, 1), "ratio": f32(0.5).reshape(())}).values()
    assert y.tolist() == [1, 2, 3, 4]
    assert z.tolist() == [2, 3, 4, 5]
