"""If: branches that read what stands around them, of one shape and of two."""

from __future__ import annotations

import re

import numpy as np
import pytest
from graphs import check, f32, flag, i64, model_of, refusal
from onnx import parser

import slipway

CHOICE = """g (bool c, float[N] x) => (float[M] y) {
  two = Constant <value = float {2}> ()
  x2 = Mul (x, two)
  y = If <then_branch = t () => (float[N] a) { a = Add (x, x2) },
          else_branch = e () => (float[K] b) { b = Concat <axis = 0> (x2, x, x) }> (c)
}"""


@pytest.mark.parametrize("c", [True, False])
def test_the_branch_of_the_condition_runs(c: bool) -> None:
    check(CHOICE, {"c": flag(c), "x": f32(1, 2)}, {"c": flag(not c), "x": f32(3)})


def test_the_condition_may_be_a_list_of_one() -> None:
    check(CHOICE.replace("bool c", "bool[1] c"), {"c": np.array([True]), "x": f32(1, 2)}, expected=[f32(3, 6)])


def test_a_branch_may_give_back_what_stands_around_it() -> None:
    text = """g (bool c, float[N] x) => (float[N] y, float[2] z) {
      k = Constant <value = float[2] {3, 4}> ()
      n = Neg (x)
      y, z = If <then_branch = t () => (float[N] x, float[2] k) { unused = Neg (n) },
                 else_branch = e () => (float[N] n, float[2] m) { m = Constant <value = float[2] {5, 6}> () }> (c)
    }"""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}').SerializeToString()
    for optimize in (True, False):
        session = slipway.Session(model, optimize=optimize)
        for c in (True, False):
            got = session.run({"c": flag(c), "x": f32(1, -2)})
            np.testing.assert_array_equal(got["y"], f32(1, -2) if c else f32(-1, 2))
            np.testing.assert_array_equal(got["z"], f32(3, 4) if c else f32(5, 6))


def test_shapes_behind_an_if_follow_the_branch() -> None:
    text = CHOICE.replace("(float[M] y)", "(int64 size, float[M] z)")
    text = text.replace("(c)\n}", "(c)\n size = Size (y)\n z = Exp (y)\n}")
    check(text, *({"c": flag(c), "x": f32(*range(n))} for c in (True, False) for n in (1, 3)))


def test_an_if_stands_in_an_if() -> None:
    text = """g (bool c, bool d, float[N] x) => (float[N] y) {
      y = If <then_branch = t () => (float[N] a) {
                a = If <then_branch = tt () => (float[N] p) { p = Add (x, x) },
                        else_branch = te () => (float[N] q) { q = Mul (x, x) }> (d)
              },
              else_branch = e () => (float[N] b) { b = Neg (x) }> (c)
    }"""
    check(text, *({"c": flag(c), "d": flag(d), "x": f32(3, 4)} for c in (True, False) for d in (True, False)))


def test_an_if_in_a_loop_chooses_at_every_step() -> None:
    text = """g (float[N] x, int64 n) => (float[N] y, float[T,N] rows) {
      two = Constant <value = int64 {2}> ()
      zero = Constant <value = int64 {0}> ()
      y, rows = Loop <body = b (int64 i, bool c, float[N] s) => (bool c2, float[N] s2, float[N] row) {
        rest = Mod (i, two)
        even = Equal (rest, zero)
        s2 = If <then_branch = t () => (float[N] a) { a = Add (s, x) },
                 else_branch = e () => (float[N] m) { m = Mul (s, x) }> (even)
        row = Neg (s2)
        c2 = Identity (c)
      }> (n, , x)
    }"""
    check(text, *({"x": f32(1, 2), "n": i64(steps)} for steps in (1, 2, 7)))


def test_a_branch_that_cannot_run_harms_nobody_while_it_is_not_taken() -> None:
    text = """g (bool c, float[3] x) => (float[K] y) {
      axis = Constant <value = int64[1] {0}> ()
      y = If <then_branch = t () => (float s) { s = Squeeze (x, axis) },
              else_branch = e () => (float[3] b) { b = Neg (x) }> (c)
    }"""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}').SerializeToString()
    for optimize in (True, False):
        session = slipway.Session(model, optimize=optimize)
        np.testing.assert_array_equal(session.run({"c": flag(False), "x": f32(1, 2, 3)})["y"], f32(-1, -2, -3))
    assert re.search(r"If .*then_branch: Squeeze ", refusal(model, {"c": flag(True), "x": f32(1, 2, 3)}))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "(float[K] b) { b = Concat <axis = 0> (x2, x, x) }",
            "(double[N] b) { b = Cast <to = 11> (x) }",
            "in the other",
        ),
        ("(float[K] b)", "(float[K] b, float[N] x)", "its branches make 1 and 2"),
        ("{ a = Add (x, x2) }", "{ a = Add (x, nobody) }", "no node before it makes"),
        ("{ a = Add (x, x2) }", "{ a = Teleport (x) }", 'operator "Teleport"'),
        (", else_branch", ", other", 'attribute "other"'),
        ("(c)\n", "(x)\n", "the condition has type float32"),
        ("(c)\n", "(c, x)\n", "has 2 inputs, expected 1"),
        ("y = If", "y, z = If", "has 2 outputs, its branches make 1 and 1"),
    ],
)
def test_branches_that_do_not_fit_are_refused(old: str, new: str, words: str) -> None:
    text = CHOICE.replace("\n          else", " else").replace("  ", " ")
    assert old in text
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text.replace(old, new)}')
    assert re.search(words, refusal(model.SerializeToString()))


def test_a_missing_branch_is_refused() -> None:
    model = parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 20]>\n'
        "g (bool c, float[N] x) => (float[N] y) { y = If <then_branch = t () => (float[N] a) { a = Neg (x) }> (c) }"
    )
    assert "attribute else_branch is missing" in refusal(model.SerializeToString())


@pytest.mark.parametrize("opset", range(13, 25))
def test_every_opset_has_the_same_meaning(opset: int) -> None:
    check(CHOICE, {"c": flag(True), "x": f32(1, 2)}, opset=opset, expected=[f32(3, 6)])


def test_the_condition_of_more_than_one_element_is_refused_when_it_runs() -> None:
    model = model_of(CHOICE.replace("bool c,", "bool[K] c,"))
    assert "expected one element" in refusal(model, {"c": np.array([True, False]), "x": f32(1)})
