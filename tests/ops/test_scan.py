"""Scan: states and sequences, every axis and direction, against onnxruntime."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from graphs import check, f32, model_of, refusal
from onnx import parser

SUMS = """g (float[D] s0, float[T,D] x) => (float[D] s, float[T,D] rows) {
  s, rows = Scan <num_scan_inputs = 1, body = b (float[D] s1, float[D] xt) => (float[D] s2, float[D] row) {
    s2 = Add (s1, xt)
    row = Mul (s2, xt)
  }> (s0, x)
}"""


def numbers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("length", [1, 2, 9])
def test_a_scan_carries_its_state_and_stacks_its_rows(length: int) -> None:
    check(SUMS, {"s0": numbers(3), "x": numbers(length, 3)}, {"s0": numbers(1), "x": numbers(length + 1, 1)})


def test_an_empty_sequence_gives_the_state_back_and_no_rows() -> None:
    check(SUMS, {"s0": f32(1, 2), "x": numbers(0, 2)}, expected=[f32(1, 2), np.zeros((0, 2), np.float32)])


AXES = """g (float[A,B] s0, float[?,?,?] x, float[?,?,?] z) => (float[A,B] s, float[?,?,?] p, float[?,?,?] q) {
  s, p, q = Scan <num_scan_inputs = 2, scan_input_axes = [IN0, IN1], scan_input_directions = [DI0, DI1],
      scan_output_axes = [OUT0, OUT1], scan_output_directions = [DO0, DO1],
      body = b (float[A,B] s1, float[A,B] xt, float[A,B] zt) => (float[A,B] s2, float[A,B] pt, float[A,B] qt) {
    h = Mul (s1, zt)
    s2 = Add (h, xt)
    pt = Sub (s2, zt)
    qt = Neg (s2)
  }> (s0, x, z)
}""".replace("?,?,?", "U,V,W")


def axes_text(axes: tuple[int, ...], directions: tuple[int, ...]) -> str:
    text = AXES
    for place, axis, direction in zip(("IN0", "IN1", "OUT0", "OUT1"), axes, directions, strict=True):
        text = text.replace(place, str(axis)).replace(f"D{place[0]}{place[-1]}", str(direction))
    names = ("U,V,W", "U1,V1,W1", "U2,V2,W2", "U3,V3,W3")
    for name in names:
        text = text.replace("U,V,W", name, 1) if name != "U,V,W" else text
    return text


def along(axis: int, length: int = 4, *rest: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A sequence of [2, 3] along that axis of three."""
    shape = list(rest or (2, 3))
    shape.insert(axis % 3, length)
    return numbers(*shape)


@pytest.mark.parametrize(
    "axes", [*itertools.product([0, 1, 2], [0, 2], [1], [2]), (-1, -2, -3, -1), (0, 0, 0, 0)], ids=str
)
@pytest.mark.parametrize("directions", [(0, 1, 0, 1), (1, 0, 1, 1)], ids=str)
def test_axes_and_directions_of_inputs_and_outputs(axes: tuple[int, ...], directions: tuple[int, ...]) -> None:
    runs = [{"s0": numbers(2, 3), "x": along(axes[0], t), "z": along(axes[1], t)} for t in (4, 1, 6)]
    check(axes_text(axes, directions), *runs)


def test_several_states_keep_their_order_and_captures_are_read() -> None:
    text = """g (float[2] a, float[2] b, float[T] x, float[2] k) => (float[2] p, float[2] q, float[T] r) {
      k2 = Add (k, k)
      p, q, r = Scan <num_scan_inputs = 1, body = b (float[2] a1, float[2] b1, float xt)
          => (float[2] b2, float[2] a2, float c) {
        m = Mul (a1, xt)
        b2 = Add (b1, k2)
        a2 = Sub (m, b1)
        c = ReduceSum <keepdims = 0> (a2)
      }> (a, b, x)
    }"""
    check(text, *({"a": f32(1, 2), "b": f32(3, 4), "k": f32(5, 6), "x": numbers(t)} for t in (1, 2, 5)))


def test_a_scan_may_have_no_state_and_a_loop_inside() -> None:
    text = """g (float[T,N] x) => (float[T,N] y) {
      three = Constant <value = int64 {3}> ()
      y = Scan <num_scan_inputs = 1, body = b (float[N] xt) => (float[N] yt) {
        yt = Loop <body = l (int64 i, bool c, float[N] s) => (bool c2, float[N] s2) {
          s2 = Add (s, xt)
          c2 = Identity (c)
        }> (three, , xt)
      }> (x)
    }"""
    check(text, {"x": numbers(4, 2)}, {"x": numbers(1, 5)})


def test_sequences_of_different_lengths_are_refused() -> None:
    text = axes_text((0, 0, 0, 0), (0, 0, 0, 0))
    inputs = {"s0": numbers(2, 3), "x": along(0, 4), "z": along(0, 5)}
    assert re.search("sequences have lengths 4 and 5", refusal(model_of(text), inputs))


def test_a_state_that_changes_its_shape_is_refused() -> None:
    text = """g (float[D] s0, float[T,E] x) => (float[D] s) {
      s = Scan <num_scan_inputs = 1, body = b (float[D] s1, float[E] xt) => (float[F] s2) {
        s2 = Concat <axis = 0> (s1, xt)
      }> (s0, x)
    }"""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}').SerializeToString()
    assert "step 0: state 0 changes its shape from [2] to [5]" in refusal(model, {"s0": f32(1, 2), "x": numbers(2, 3)})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_scan_inputs = 1", "num_scan_inputs = 0", "num_scan_inputs is 0, expected 1 to 2"),
        ("num_scan_inputs = 1", "num_scan_inputs = 3", "num_scan_inputs is 3, expected 1 to 2"),
        ("num_scan_inputs = 1", "num_scan_inputs = 9223372036854775807", "expected 1 to 2"),
        ("num_scan_inputs = 1, ", "", "attribute num_scan_inputs is missing"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, scan_input_axes = [0, 1]", "scan_input_axes holds 2, expected 1"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, scan_input_axes = [2]", "axis 2 does not fit rank 2"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, scan_input_directions = [2]", "scan_input_directions holds 2"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, scan_output_axes = [-3]", "axis -3 does not fit rank 2"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, scan_output_directions = [0, 0]", "holds 2, expected 1"),
        ("num_scan_inputs = 1", "num_scan_inputs = 1, speed = 1", 'attribute "speed"'),
        ("(s0, x)", "(s0, x, x)", "its graph has 2 inputs, expected 3"),
        ("(float[D] s2, float[D] row)", "(float[D] s2)", "scan_output_axes|has 2 outputs, expected 1 to 1"),
        ("s2 = Add (s1, xt)", "z = Add (s1, xt)\n s2 = Cast <to = 11> (z)", "s2"),
    ],
)
def test_attributes_and_bodies_that_do_not_fit_are_refused(old: str, new: str, words: str) -> None:
    assert old in SUMS
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{SUMS.replace(old, new)}')
    assert re.search(words, refusal(model.SerializeToString()))


@pytest.mark.parametrize("opset", range(13, 25))
def test_every_opset_has_the_same_meaning(opset: int) -> None:
    inputs = {"s0": f32(1), "x": f32(1, 2).reshape(2, 1)}
    check(SUMS, inputs, opset=opset, expected=[f32(4), f32(2, 8).reshape(2, 1)])
