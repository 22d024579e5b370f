"""States of a loop that a body changes in place.

The first step's memory is the caller's, and who reads the old value must still see it.
"""

from __future__ import annotations

import numpy as np
import pytest
from graphs import Array, by_onnxruntime, i64, model_of

import slipway
from slipway.errors import SlipwayError


def loop(body: str, states: str = "float[3,N] s", made: str = "float[3,N] s2", results: str = "float[3,N] y") -> bytes:
    return model_of(
        f"""g (float[3,N] x, int64 n) => ({results}, float[T,N] rows) {{
          y, rows = Loop <body = b (int64 i, bool c, {states}) => (bool c2, {made}, float[N] row) {{
            zero = Constant <value = int64[1] {{0}}> ()
            one = Constant <value = float {{1.0}}> ()
            two = Constant <value = int64 {{2}}> ()
            three = Constant <value = int64 {{3}}> ()
            lead = Constant <value = int64[2] {{1, 1}}> ()
            at = Mod (i, three)
            place = Reshape (at, lead)
            next = Add (i, two)
            follow = Mod (next, three)
            place2 = Reshape (follow, lead)
            old = Gather <axis = 0> (s, at)
            c2 = Identity (c)
            {body}
          }}> (n, , x)
        }}"""
    )


BODIES = {
    # The old value is read before the change alone: in place.
    "nd": """new = Add (old, one)
             row = Identity (old)
             update = Unsqueeze (new, zero)
             spot = Reshape (place, lead)
             s2 = ScatterND (s, spot, update)""",
    "nd_added": """row = Mul (old, old)
                   update = Unsqueeze (row, zero)
                   s2 = ScatterND <reduction = "add"> (s, place2, update)""",
    "elements": """wide = Unsqueeze (old, zero)
                   size = Shape (wide)
                   spot = Expand (place2, size)
                   row = Add (old, one)
                   update = Unsqueeze (row, zero)
                   s2 = ScatterElements <axis = 0> (s, spot, update)""",
    # The old value is read after the change: not in place.
    "read_later": """new = Add (old, one)
                     update = Unsqueeze (new, zero)
                     s2 = ScatterND (s, place, update)
                     both = Add (s, s2)
                     row = ReduceSum <keepdims = 0> (both, zero)""",
    "read_beside": """first = Gather <axis = 0> (s, at)
                      row = Add (first, one)
                      s2 = ScatterND (s, place, wide)
                      """.replace("s2 = ", "wide = Unsqueeze (row, zero)\n s2 = "),
    # The change is no state but goes through another operator first.
    "changed_again": """new = Add (old, one)
                        update = Unsqueeze (new, zero)
                        changed = ScatterND (s, place, update)
                        s2 = Mul (changed, one)
                        row = Identity (new)""",
}


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("name", list(BODIES))
def test_states_that_are_updated_are_those_of_onnxruntime(name: str, steps: int) -> None:
    model = loop(BODIES[name])
    session = slipway.Session(model)
    for width in (4, 1, 5):
        x = np.random.default_rng(steps).normal(size=(3, width)).astype(np.float32)
        before = x.copy()
        inputs: dict[str, Array] = {"x": x, "n": i64(steps)}
        expected = by_onnxruntime(model, inputs)
        for _ in range(2):
            got = session.run(inputs)
            np.testing.assert_array_equal(x, before)
            for port, wanted in zip(session.outputs, expected, strict=True):
                if steps == 0 and wanted.size == 0:
                    continue
                np.testing.assert_allclose(got[port.name], wanted, rtol=1e-6)


def test_two_states_that_are_exchanged_keep_their_values() -> None:
    """s2 changes s, and t2 is the old s: it must be copied before."""
    model = model_of(
        """g (float[3] x, int64 n) => (float[3] y, float[3] z) {
          y, z = Loop <body = b (int64 i, bool c, float[3] s, float[3] t) => (bool c2, float[3] s2, float[3] t2) {
            lead = Constant <value = int64[2] {1, 1}> ()
            three = Constant <value = int64 {3}> ()
            flat = Constant <value = int64[1] {-1}> ()
            at = Mod (i, three)
            place = Reshape (at, lead)
            old = Gather (t, at)
            sum = Add (old, old)
            update = Reshape (sum, flat)
            s2 = ScatterND (s, place, update)
            t2 = Identity (s)
            c2 = Identity (c)
          }> (n, , x, x)
        }"""
    )
    session = slipway.Session(model)
    for steps in (1, 2, 3, 8):
        inputs: dict[str, Array] = {"x": np.array([1, 2, 3], np.float32), "n": i64(steps)}
        for got, wanted in zip(session.run(inputs).values(), by_onnxruntime(model, inputs), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_an_index_out_of_range_leaves_the_session_usable() -> None:
    model = model_of(
        """g (float[3] x, int64 n) => (float[3] y) {
          y = Loop <body = b (int64 i, bool c, float[3] s) => (bool c2, float[3] s2) {
            lead = Constant <value = int64[2] {1, 1}> ()
            update = Constant <value = float[1] {7.0}> ()
            place = Reshape (i, lead)
            s2 = ScatterND (s, place, update)
            c2 = Identity (c)
          }> (n, , x)
        }"""
    )
    session = slipway.Session(model)
    x = np.zeros(3, np.float32)
    with pytest.raises(slipway.errors.SlipwayError, match="step 3"):
        session.run({"x": x, "n": i64(5)})
    np.testing.assert_array_equal(session.run({"x": x, "n": i64(2)})["y"], [7, 7, 0])
    np.testing.assert_array_equal(x, 0)


def test_a_step_that_fails_in_the_middle_leaves_nothing_behind() -> None:
    """The failing step was to change the state in place; in the next run the same step must not."""
    model = model_of(
        """g (int64 n, float[4] x, float[2] v, int64[4] places) => (float[4] y, float[L] w) {
          y, w = Loop <body = b (int64 i, bool c, float[A] s, float[B] t) => (bool c2, float[C] s2, float[D] t2) {
            zero = Constant <value = int64[1] {0}> ()
            more = Constant <value = float[1] {0.0}> ()
            count = Shape (t)
            values = Slice (s, zero, count, zero)
            at = Slice (places, zero, count, zero)
            s2 = ScatterElements <axis = 0> (s, at, values)
            t2 = Concat <axis = 0> (t, more)
            c2 = Identity (c)
          }> (n, , x, v)
        }"""
    )
    session = slipway.Session(model)
    good: dict[str, Array] = {
        "n": i64(3),
        "x": np.array([1, 2, 3, 4], np.float32),
        "v": np.zeros(2, np.float32),
        "places": i64([1, 2, 3, 0]),
    }
    expected = by_onnxruntime(model, good)[0]
    np.testing.assert_array_equal(session.run(good)["y"], expected)
    with pytest.raises(SlipwayError, match=r"step 1: .*index is 100"):
        session.run({**good, "places": i64([0, 0, 100, 0])})
    for _ in range(2):
        np.testing.assert_array_equal(session.run(good)["y"], expected)
