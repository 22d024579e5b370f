"""Runs of the cheapest kind: plain dicts of NumPy arrays, and bound calls; what is not plain goes the long way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from onnx import parser

import slipway

Array = np.ndarray


def model(text: str) -> slipway.Session:
    return slipway.Session(parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}').SerializeToString())


@pytest.fixture(scope="module")
def affine() -> slipway.Session:
    return model("""g (float[N, 3] x, float[3] w) => (float[N, 3] y, float[N, 3] z) {
        y = Mul (x, w)
        z = Add (y, x)
    }""")


@pytest.fixture(scope="module")
def grown() -> slipway.Session:
    """The shape of the output is a value of the input, so the plan goes on behind its first segment."""
    return model("""g (int64[1] n, float[1] v) => (float[M] y) {
        wide = Expand (v, n)
        y = Neg (wide)
    }""")


NEGATED = "g (float[N] x) => (float[N] y) { y = Neg (x) }"
X = np.arange(6, dtype=np.float32).reshape(2, 3)
W = np.array([1, 10, 100], np.float32)


def check(session: slipway.Session, x: Array, w: Array) -> None:
    outputs = session.run({"x": x, "w": w})
    assert list(outputs) == ["y", "z"]
    np.testing.assert_array_equal(outputs["y"], X * W)
    np.testing.assert_array_equal(outputs["z"], X * W + X)


def test_a_plain_dict_runs_and_its_results_are_arrays_of_their_own(affine: slipway.Session) -> None:
    check(affine, X, W)
    first, second = (affine.run({"w": W, "x": X})["y"] for _ in range(2))
    first[:] = 0
    np.testing.assert_array_equal(second, X * W)
    assert first.flags.writeable
    assert first.dtype == np.float32


def test_run_is_a_method_like_any_other(affine: slipway.Session) -> None:
    assert list(inspect.signature(slipway.Session.run).parameters) == ["self", "inputs", "outputs", "stream"]
    assert inspect.getdoc(affine.run) == inspect.getdoc(slipway.Session.run)
    assert "Args:" in str(slipway.Session.run.__doc__)
    assert repr(slipway.Session.run).startswith("<function Session.run at ")
    np.testing.assert_array_equal(affine.run(inputs={"x": X, "w": W})["y"], X * W)
    np.testing.assert_array_equal(slipway.Session.run(affine, {"x": X, "w": W})["y"], X * W)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'inputs'"):
        affine.run()  # type: ignore[call-overload]
    with pytest.raises(AttributeError, match="_engine"):
        slipway.Session.__new__(slipway.Session).run({"x": X})


class Doubled(slipway.Session):
    """A session whose outputs are twice what the model says."""

    def run(self, inputs: Any, outputs: Any = None) -> Any:
        return {name: 2 * array for name, array in super().run(inputs, outputs).items()}


def test_a_subclass_may_have_its_own_run() -> None:
    session = Doubled(parser.parse_model('<ir_version: 9, opset_import: ["" : 20]>\n' + NEGATED).SerializeToString())
    np.testing.assert_array_equal(session.run({"x": W})["y"], -2 * W)


def test_a_dict_of_another_class_is_asked_for_its_own_items(affine: slipway.Session) -> None:
    class Renamed(dict[str, Array]):
        def __getitem__(self, name: str) -> Array:
            return super().__getitem__(name) * 2

    np.testing.assert_array_equal(affine.run(Renamed(x=X, w=W))["y"], 4 * X * W)


class Own(np.ndarray):
    """A subclass, which may hide anything."""


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.asfortranarray(x),
        lambda x: x.repeat(2, axis=1)[:, ::2],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(2, 3),
        lambda x: x.view(Own),
    ],
    ids=["fortran", "strided", "unaligned", "subclass"],
)
def test_what_is_not_plain_gives_the_same(affine: slipway.Session, change: Callable[[Array], Array]) -> None:
    check(affine, change(X), W)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": X}, r"inputs? missing: w|missing: w"),
        ({"x": X, "w": W, "v": W}, "unknown: v"),
        ({"x": X, "v": W}, "missing: w"),
        ({"x": X.astype(np.float64), "w": W}, '"x" has type float64, expected float32'),
        ({"x": X.astype(">f4"), "w": W}, '"x" has type >f4, expected float32'),
        ({"x": X, "w": W[:2]}, r'"w" is float32 \[2\], expected float32 \[3\]'),
        ({"x": X.reshape(1, 2, 3), "w": W}, r'"x" is float32 \[1, 2, 3\]'),
        ({"x": X.reshape((1,) * 7 + (2, 3)), "w": W}, "9 dimensions|rank"),
        ({"x": [1.0], "w": W}, "got list"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_same_words(
    affine: slipway.Session, inputs: dict[str, Array], message: str
) -> None:
    with pytest.raises(slipway.SlipwayError, match=message):
        affine.run(inputs)


def test_keys_that_are_no_names_are_refused(affine: slipway.Session) -> None:
    with pytest.raises(slipway.SlipwayError, match="missing: x, w"):
        affine.run({1: X, 2: W})  # type: ignore[dict-item]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "int8", "uint8", "bool"])
def test_every_element_type_goes_in_and_out(dtype: str) -> None:
    kind = {"float32": "float", "float64": "double"}.get(dtype, dtype)
    session = model(f"g ({kind}[N] x) => ({kind}[N] y) {{ y = Identity (x) }}")
    x = np.array([0, 1, 1], dtype)
    y = session.run({"x": x})["y"]
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(x, y)


def test_a_bound_call_reads_what_stands_there_when_it_is_called(affine: slipway.Session) -> None:
    x, w = X.copy(), W.copy()
    buffers = {"y": np.empty_like(x), "z": np.empty_like(x)}
    call = affine.bind({"x": x, "w": w}, buffers)
    for factor in (1, -2):
        x *= factor
        call()
        np.testing.assert_array_equal(buffers["z"], x * w + x)


def test_two_bound_calls_do_not_share_memory(affine: slipway.Session) -> None:
    buffers = [{"y": np.empty_like(X), "z": np.empty_like(X)} for _ in range(2)]
    calls = [affine.bind({"x": X + n, "w": W}, buffers[n]) for n in range(2)]
    for call in (*calls, *reversed(calls)):
        call()
    for n in range(2):
        np.testing.assert_array_equal(buffers[n]["y"], (X + n) * W)


def test_a_bound_call_outlives_its_session() -> None:
    session = model("g (float[N] x) => (float[N] y) { y = Exp (x) }")
    x, y = np.zeros(3, np.float32), np.empty(3, np.float32)
    call = session.bind({"x": x}, {"y": y})
    del session
    call()
    np.testing.assert_array_equal(y, np.ones(3))


def test_a_bound_buffer_that_does_not_fit_is_refused_when_it_is_bound(affine: slipway.Session) -> None:
    buffers = {"y": np.empty((2, 3), np.float32), "z": np.empty((3, 3), np.float32)}
    with pytest.raises(slipway.InputError, match=r'output "z" is float32 \[3, 3\], expected float32 \[2, 3\]'):
        affine.bind({"x": X, "w": W}, buffers)


def test_a_bound_call_whose_shapes_wait_for_values(grown: slipway.Session) -> None:
    n, v, y = np.array([3], np.int64), np.array([2], np.float32), np.empty(3, np.float32)
    call = grown.bind({"n": n, "v": v}, {"y": y})
    call()
    np.testing.assert_array_equal(y, [-2, -2, -2])
    n[0] = 4
    with pytest.raises(slipway.InputError, match=r'output "y" is float32 \[3\], expected float32 \[4\]'):
        call()
    n[0] = 3
    call()


def test_a_bound_call_serves_one_thread_at_a_time() -> None:
    session = model("g (float[N] x) => (float[N] y) { a = Exp (x)\n b = Log (a)\n y = Neg (b) }")
    x, y = np.ones(1_000_000, np.float32), np.empty(1_000_000, np.float32)
    call = session.bind({"x": x}, {"y": y})

    def go(_: int) -> list[str]:
        refusals = []
        for _ in range(50):
            try:
                call()
            except slipway.UsageError as error:
                refusals.append(str(error))
        return refusals

    with ThreadPoolExecutor(4) as pool:
        refusals = {refusal for some in pool.map(go, range(4)) for refusal in some}
    assert refusals == {"a bound call is running in another thread; bind one for each thread"}
    call()
    np.testing.assert_allclose(y, -1, rtol=1e-6)


def test_a_fault_of_a_bound_call_is_told_and_the_next_call_runs() -> None:
    session = model("g (float[4] x, int64[N] i) => (float[N] y) { y = Gather (x, i) }")
    index, y = np.array([3, 9]), np.empty(2, np.float32)
    call = session.bind({"x": np.arange(4, dtype=np.float32), "i": index}, {"y": y})
    with pytest.raises(slipway.RuntimeFault, match="9"):
        call()
    index[1] = 0
    call()
    np.testing.assert_array_equal(y, [3, 0])
