"""Loop: counted, conditional, both and neither; states, rows, captures, and bodies inside bodies.

The oracle is onnxruntime; onnx's own evaluator stacks rows wrongly.
"""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from graphs import Array, assert_same, by_onnxruntime, check, f32, flag, i64, model_of, refusal
from onnx import parser

import slipway
from slipway import _engine
from slipway.errors import UsageError

COUNTED = """g (float[N] x, int64 n) => (float[N] y, float[T,N] rows) {
  y, rows = Loop <body = b (int64 i, bool c, float[N] s) => (bool c2, float[N] s2, float[N] row) {
    f = Cast <to = 1> (i)
    s2 = Add (s, f)
    row = Mul (s2, s2)
    c2 = Identity (c)
  }> (n, , x)
}"""


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100])
def test_a_counted_loop_gives_states_and_rows(steps: int) -> None:
    check(COUNTED, {"x": f32(1, -2), "n": i64(steps)}, {"x": f32(0.5), "n": i64(steps)})


@pytest.mark.parametrize("steps", [0, -1, -(2**63)])
def test_a_loop_without_a_step_gives_its_states_back_and_no_rows(steps: int) -> None:
    expected = [f32(1, -2), np.zeros((0, 2), np.float32)]
    check(COUNTED, {"x": f32(1, -2), "n": i64(steps)}, expected=expected)


def test_one_session_takes_turns_between_counts_and_shapes() -> None:
    sizes = [(3, 4), (2, 1), (3, 9), (5, 4)]
    runs = [{"x": np.arange(size, dtype=np.float32), "n": i64(steps)} for size, steps in sizes]
    check(COUNTED, *runs)


CONDITIONAL = """g (float[N] x, bool go) => (float[N] y, int64 steps) {
  limit = Constant <value = float {100.0}> ()
  none = Constant <value = int64 {0}> ()
  one = Constant <value = int64 {1}> ()
  y, steps = Loop <body = b (int64 i, bool c, float[N] s, int64 k) => (bool c2, float[N] s2, int64 k2) {
    s2 = Add (s, s)
    k2 = Add (k, one)
    most = ReduceMax <keepdims = 0> (s2)
    c2 = Less (most, limit)
  }> (, go, x, none)
}"""


@pytest.mark.parametrize("go", [True, False])
def test_a_condition_ends_a_loop_without_a_count(go: bool) -> None:
    check(CONDITIONAL, {"x": f32(1, 3), "go": flag(go)}, {"x": f32(70), "go": flag(go)})


@pytest.mark.parametrize("steps", [0, 2, 50])
def test_count_and_condition_end_a_loop_together(steps: int) -> None:
    text = CONDITIONAL.replace("bool go)", "bool go, int64 n)").replace("(, go", "(n, go")
    check(text, {"x": f32(1, 3), "go": flag(True), "n": i64(steps)})


def test_without_count_and_condition_only_the_body_ends_a_loop() -> None:
    text = CONDITIONAL.replace(", bool go)", ")").replace("(, go", "(, ")
    check(text, {"x": f32(1, 3)}, {"x": f32(51)})


def test_count_and_condition_may_be_lists_of_one() -> None:
    text = """g (float[N] x, int64[1] n, bool[1] go) => (float[N] y, int64[T,1] rows) {
      y, rows = Loop <body = b (int64[1] i, bool[1] c, float[N] s) => (bool[1] c2, float[N] s2, int64[1] row) {
        s2 = Add (s, s)
        row = Add (i, i)
        c2 = Identity (c)
      }> (n, go, x)
    }"""
    check(text, {"x": f32(1), "n": i64([3]), "go": np.array([True])}, expected=[f32(8), i64([[0], [2], [4]])])


def test_states_are_exchanged_without_harm() -> None:
    text = """g (float[N] x, float[N] z, int64 n) => (float[N] a, float[N] b, float[N] c) {
      a, b, c = Loop <body = b (int64 i, bool k, float[N] p, float[N] q, float[N] r)
          => (bool k2, float[N] q, float[N] p, float[N] s) {
        s = Add (r, p)
        k2 = Identity (k)
      }> (n, , x, z, x)
    }"""
    check(text, *({"x": f32(1, 2), "z": f32(5, 6), "n": i64(steps)} for steps in range(4)))


def test_a_body_reads_inputs_intermediates_and_constants_around_it() -> None:
    text = """g (float[N,T,2] x, int64[N] lengths) => (float[N,2] h, float[T,N,2] all)
      <float[2,2] w = {0.5, -0.5, 0.25, 1.0}, float[2] zero = {0, 0}, int64[1] minus = {-1}> {
      size = Shape (x)
      one = Constant <value = int64 {1}> ()
      t = Gather (size, one)
      first = Constant <value = int64 {0}> ()
      x0 = Gather <axis = 1> (x, first)
      h0 = Mul (x0, zero)
      h, all = Loop <body = b (int64 i, bool c, float[N,2] s) => (bool c2, float[N,2] s2, float[N,2] row) {
        xt = Gather <axis = 1> (x, i)
        p = MatMul (s, w)
        a = Add (p, xt)
        th = Tanh (a)
        alive = Less (i, lengths)
        mask = Unsqueeze (alive, minus)
        s2 = Where (mask, th, s)
        row = Identity (s2)
        c2 = Identity (c)
      }> (t, , h0)
    }"""
    rng = np.random.default_rng(0)
    runs = [
        {"x": rng.normal(size=(n, t, 2)).astype(np.float32), "lengths": rng.integers(0, t + 1, n)}
        for n, t in [(3, 5), (1, 1), (4, 20), (3, 5)]
    ]
    check(text, *runs)


NESTED = """g (float[N] x, int64 n) => (float[N] y, float[A,B] table) {
  two = Constant <value = int64 {2}> ()
  x2 = Add (x, x)
  y, table = Loop <body = outer (int64 i, bool c, float[N] s) => (bool c2, float[N] s3, float[B] row) {
    s2 = Add (s, x2)
    s3, row = Loop <body = inner (int64 j, bool d, float[N] u) => (bool d2, float[N] u2, float cell) {
      k = Add (i, j)
      f = Cast <to = 1> (k)
      a = Add (u, f)
      b = Add (a, x)
      u2 = Sub (b, s2)
      cell = ReduceSum <keepdims = 0> (u2)
      d2 = Identity (d)
    }> (two, , s2)
    c2 = Identity (c)
  }> (n, , x)
}"""


def test_a_loop_in_a_loop_reads_both_graphs_around_it() -> None:
    check(NESTED, {"x": f32(1, 2), "n": i64(3)}, {"x": f32(3), "n": i64(1)})


def test_the_count_of_an_inner_loop_may_be_the_outer_step() -> None:
    text = (
        NESTED.replace("> (two, , s2)", "> (i, , s2)")
        .replace(", float[A,B] table)", ")")
        .replace("y, table =", "y =")
        .replace(", float[B] row)", ")")
        .replace("s3, row =", "s3 =")
        .replace(", float cell)", ")")
    )
    check(text, {"x": f32(1, 2), "n": i64(4)})


def test_a_state_may_grow() -> None:
    text = """g (float[N] x, int64 n) => (float[M] y, int64 size) {
      y = Loop <body = b (int64 i, bool c, float[K] s) => (bool c2, float[L] s2) {
        s2 = Concat <axis = 0> (s, x)
        c2 = Identity (c)
      }> (n, , x)
      size = Size (y)
    }"""
    check(text, *({"x": f32(1, 2), "n": i64(steps)} for steps in (0, 1, 5, 300)))


def test_twenty_loops_stand_one_after_the_other() -> None:
    body = "(int64 i%d, bool c%d, float[N] s%d) => (bool k%d, float[N] t%d) { t%d = Add (s%d, x) k%d = Identity (c%d) }"
    loops = "\n".join(
        f"y{k} = Loop <body = b{k} {body.replace('%d', str(k))}> (n, , {f'y{k - 1}' if k else 'x'})" for k in range(20)
    )
    check(f"g (float[N] x, int64 n) => (float[N] y19) {{ {loops} }}", {"x": f32(1, 2), "n": i64(2)})


def test_shapes_behind_a_loop_may_hang_on_what_it_computes() -> None:
    text = """g (float[N] x, int64 n) => (float[A,B] y) {
      minus = Constant <value = int64[1] {-1}> ()
      first = Constant <value = int64[1] {1}> ()
      k = Loop <body = b (int64 i, bool c, int64[1] s) => (bool c2, int64[1] s2) {
        s2 = Add (s, s)
        c2 = Identity (c)
      }> (n, , first)
      shape = Concat <axis = 0> (k, minus)
      y = Reshape (x, shape)
    }"""
    check(text, *({"x": np.arange(8, dtype=np.float32), "n": i64(steps)} for steps in (0, 1, 3, 2)))


def test_a_shape_inside_a_body_may_hang_on_the_step() -> None:
    text = """g (float[N,3] x, int64 n) => (float[3] y) {
      zero = Constant <value = float[3] {0, 0, 0}> ()
      one = Constant <value = int64[1] {1}> ()
      axis = Constant <value = int64[1] {0}> ()
      y = Loop <body = b (int64 i, bool c, float[3] s) => (bool c2, float[3] s2) {
        to = Unsqueeze (i, axis)
        end = Add (to, one)
        part = Slice (x, axis, end)
        sum = ReduceSum <keepdims = 0> (part, axis)
        s2 = Add (s, sum)
        c2 = Identity (c)
      }> (n, , zero)
    }"""
    check(text, {"x": np.arange(12, dtype=np.float32).reshape(4, 3), "n": i64(4)})


def test_outputs_nobody_wants_may_be_left_out() -> None:
    rows = f32(1, 4, 16).reshape(3, 1)
    inputs = {"x": f32(1), "n": i64(3)}
    text = COUNTED.replace(", float[T,N] rows)", ")").replace("y, rows =", "y =")
    check(text, inputs, expected=[f32(4)])
    text = COUNTED.replace("(float[N] y, float[T,N] rows)", "(float[T,N] rows)").replace("y, rows =", ", rows =")
    check(text, inputs, expected=[rows])


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_constant_a_capture_and_an_input_may_be_outputs_of_a_body(steps: int) -> None:
    text = """g (float[N] x, int64 n) => (float[N] a, float[2] b, int64 c, float[N] d) {
      k = Constant <value = float[2] {3, 4}> ()
      zero = Constant <value = int64 {-1}> ()
      x2 = Neg (x)
      a, b, c, d = Loop <body = b (int64 i, bool g, float[N] p, float[2] q, int64 r, float[N] s)
          => (bool g, float[N] x2, float[2] k, int64 i, float[N] s) { unused = Add (p, s) }> (n, , x, k, zero, x)
    }"""
    x = f32(1, 2, 3)
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}').SerializeToString()
    for optimize in (True, False):
        got = slipway.Session(model, optimize=optimize).run({"x": x, "n": i64(steps)})
        assert_same([got[name] for name in "abcd"], [-x if steps else x, f32(3, 4), i64(steps - 1), x])


def test_many_threads_share_a_session() -> None:
    model = model_of(NESTED)
    session = slipway.Session(model)
    runs = [{"x": np.arange(1 + k % 5, dtype=np.float32), "n": i64(k % 7)} for k in range(1, 30) if k % 7]
    expected = [by_onnxruntime(model, inputs) for inputs in runs]
    faults: list[str] = []

    def work(offset: int) -> None:
        for k in range(3 * len(runs)):
            at = (k * 11 + offset) % len(runs)
            got = session.run(runs[at])
            try:
                assert_same([got["y"], got["table"]], expected[at])
            except AssertionError as error:
                faults.append(str(error))

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]


def test_an_error_in_a_body_names_loop_step_and_node() -> None:
    text = """g (float[N] x, int64 n) => (float y) {
      zero = Constant <value = float {0}> ()
      y = Loop <body = b (int64 i, bool c, float s) => (bool c2, float s2) {
        v = Gather (x, i)
        s2 = Add (s, v)
        c2 = Identity (c)
      }> (n, , zero)
    }"""
    message = refusal(model_of(text), {"x": f32(1, 2), "n": i64(5)})
    assert "Loop " in message
    assert "step 2: Gather " in message
    assert "is 2, allowed are -2 to 1" in message
    check(text, {"x": f32(1, 2), "n": i64(2)})


def rows_of_changing_shape() -> str:
    return """g (float[N] x, int64 n) => (float[T,K] rows) {
      y, rows = Loop <body = b (int64 i, bool c, float[K] s) => (bool c2, float[L] s2, float[M] row) {
        s2 = Concat <axis = 0> (s, x)
        row = Neg (s2)
        c2 = Identity (c)
      }> (n, , x)
    }"""


def test_rows_of_different_shapes_are_refused() -> None:
    message = refusal(model_of(rows_of_changing_shape()), {"x": f32(1, 2), "n": i64(3)})
    assert "row 0 changes its shape from [4] to [6]" in message
    check(rows_of_changing_shape(), {"x": f32(1, 2), "n": i64(1)})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "s2 = Add (s, f)",
            "a = Add (s, f)\n s2 = Cast <to = 11> (a)",
            'value "s2" has type float64, but the model states',
        ),
        ("c2 = Identity (c)", "c2 = Cast <to = 7> (c)", 'value "c2" has type int64, but the model states bool'),
        ("bool c2, float[N] s2", "float[N] s2, bool c2", "the condition that its graph makes has type float32"),
        (
            "float[N] s2, float[N] row)",
            "bool c, float[N] row)",
            "state 0 enters its graph as float32 and leaves",
        ),
        ("(n, , x)", "(n)", "has 1 inputs, expected 2 or more"),
        ("(n, , x)", "(n, , , )", "input 2 is missing"),
        ("(n, , x)", "(n, , x, x)", "its graph has 3 inputs, expected 4"),
        ("(n, , x)", "(x, , x)", "the number of steps has type float32"),
        ("(n, , x)", "(n, n, x)", "the condition has type int64"),
        (", float[N] s2, float[N] row)", ")", "its graph has 1 outputs, expected 2 or more"),
        ("row = Mul (s2, s2)", "row = Mul (s2, nobody)", "no node before it makes"),
        ("row = Mul (s2, s2)", "row = Teleport (s2)", 'Loop .*: Teleport .*operator "Teleport"'),
        ("row = Mul (s2, s2)", "row = Mul <speed = 3> (s2, s2)", 'body: Mul .*attribute "speed"'),
        ("<body = b", "<speed = 3, body = b", 'attribute "speed"'),
        ("y, rows =", "y, rows, more =", "has 3 outputs, expected 1 to 2"),
        ("row = Mul (s2, s2)", "x = Mul (s2, s2)\n row = Identity (x)", "which the graph around it has already"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(old: str, new: str, words: str) -> None:
    assert old in COUNTED
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{COUNTED.replace(old, new)}')
    assert re.search(words, refusal(model.SerializeToString()))


def test_a_loop_alone_is_no_call() -> None:
    with pytest.raises(UsageError, match="runs in a session only"):
        _engine.run_op("Loop", [i64(3), None, f32(1)])


def test_text_of_a_stage_shows_the_body_indented() -> None:
    session = slipway.Session(model_of(COUNTED))
    for stage in ("onnx", "graph", "passes"):
        text = session.stage_text(stage)
        assert "body: graph of" in text
        assert "\n    body\n      input i" in text
        assert "\n        Mul " in text


@pytest.mark.parametrize("opset", range(13, 25))
def test_every_opset_has_the_same_meaning(opset: int) -> None:
    expected: list[Array] = [f32(1 + 0 + 1 + 2), f32(1, 4, 16).reshape(3, 1)]
    check(COUNTED, {"x": f32(1), "n": i64(3)}, opset=opset, expected=expected)
