"""LayerNormalization against numpy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import EDGE_SIZES, HOSTILE_INTS, Array, Case, check, check_refused, name_of, run

OP = "LayerNormalization"

RNG = np.random.default_rng(0)


def moments(x: Array, axis: int, epsilon: float) -> tuple[Array, Array]:
    axes = tuple(range(axis % x.ndim, x.ndim))
    deviation = np.sqrt(x.var(axes, keepdims=True) + float(np.float32(epsilon)))
    return x.mean(axes, keepdims=True), 1 / deviation


def oracle(
    x: Array, scale: Array, b: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> tuple[Array, Array, Array]:
    mean, inverse = moments(x, axis, epsilon)
    y = (x - mean) * inverse * scale
    return (y if b is None else y + b), mean, inverse


def magnitude(
    x: Array, scale: Array, b: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> tuple[Array, Array, Array]:
    """The terms are x and its mean, both scaled, and b; inputs are the magnitudes, whose spread is not larger."""
    mean, inverse = moments(x, axis, epsilon)
    y = (x + mean) * inverse * scale
    return (y if b is None else y + b), mean, inverse


def case(name: str, *shape: int, axis: int = -1, bias: bool = True, outputs: int = 1, **attributes: Any) -> Case:
    row = shape[axis:]
    inputs = [RNG.normal(size=size).astype(np.float32) for size in (shape, row, row)]
    return Case(name, inputs if bias else inputs[:2], {"axis": axis, **attributes}, outputs)


CASES = [
    *(case(f"size_{n}", 3, n) for n in EDGE_SIZES if n),
    case("no_bias", 3, 7, bias=False),
    case("long_rows", 5, 1500),
    case("two_axes", 2, 3, 4, axis=-2),
    case("first_axis", 2, 3, 4, axis=0),
    case("middle_axis", 2, 3, 4, axis=1, outputs=3),
    case("all_outputs", 5, 6, outputs=3),
    case("epsilon", 2, 9, epsilon=0.1, outputs=3),
    case("two_long_axes", 5, 6, 31, axis=-2, outputs=3),
    case("stash_type", 2, 9, stash_type=1),
    case("empty_batch", 0, 4),
    Case("broadcast_scale", [RNG.normal(size=s).astype(np.float32) for s in ((2, 3, 4), (3, 1), (1,))], {"axis": 1}),
    Case("tall_scale", [RNG.normal(size=s).astype(np.float32) for s in ((4, 4), (4, 1), (4,))], {"axis": 1}),
    Case("scalar_scale", [RNG.normal(size=s).astype(np.float32) for s in ((2, 3), (), ())], opset=17),
    Case("double", [RNG.normal(size=s) for s in ((2, 3), (3,), (3,))], opset=24),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_layer_normalization_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=magnitude)


def test_layer_normalization_of_large_values_with_small_spread_keeps_its_digits(isa: str) -> None:
    x = (1000 + RNG.normal(size=(4, 50))).astype(np.float32)
    check(OP, Case("shifted", [x, np.ones(50, np.float32)]), isa, oracle=oracle, magnitude=magnitude)


@pytest.mark.parametrize("size", [1e-35, 1e-20, 1e20, 1e37])
@pytest.mark.parametrize("n", [9, 100])
def test_layer_normalization_of_far_numbers_neither_overflows_nor_vanishes(size: float, n: int, isa: str) -> None:
    x = (size * RNG.normal(size=(4, n))).astype(np.float32)
    weights = [RNG.normal(size=n).astype(np.float32) for _ in range(2)]
    check(OP, Case("far", [x, *weights], {"epsilon": 0.0}), isa, oracle=oracle, magnitude=magnitude)


def test_layer_normalization_of_an_outlier_in_front_keeps_the_digits_of_the_others(isa: str) -> None:
    x = RNG.normal(size=(3, 1000)).astype(np.float32)
    x[:, 0] = (1e6, -1e12, 3e38)
    y, mean, inverse = run(OP, Case("outlier", [x, np.ones(1000, np.float32)], outputs=3), isa)
    for got, wanted in zip((y, mean, inverse), oracle(x.astype(np.float64), np.ones(1000)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-37)


def test_a_constant_row_becomes_the_bias(isa: str) -> None:
    x = np.broadcast_to(np.array([[0.1], [1e10], [-3e38]], np.float32), (3, 77)).copy()
    weights = [RNG.normal(size=77).astype(np.float32) for _ in range(2)]
    y = run(OP, Case("constant", [x, *weights]), isa)[0]
    assert (y == weights[1]).all()


@pytest.mark.parametrize("place", [0, 20])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_with_a_number_that_is_not_finite_is_nan(value: float, place: int, isa: str) -> None:
    x = RNG.normal(size=(2, 50)).astype(np.float32)
    x[0, place] = value
    y, mean, inverse = run(OP, Case("special", [x, np.ones(50, np.float32)], outputs=3), isa)
    assert np.isnan(y[0]).all()
    assert np.isfinite(y[1]).all()
    np.testing.assert_array_equal(mean[0], value)
    assert np.isnan(inverse[0])


@pytest.mark.parametrize("axis", [value for value in HOSTILE_INTS if value not in (0, -1)])
def test_layer_normalization_refuses_an_axis_outside_the_rank(axis: int) -> None:
    check_refused(OP, Case("axis", [np.ones((2, 3), np.float32), np.ones(3, np.float32)], {"axis": axis}), "axis")


def test_layer_normalization_refuses_what_it_does_not_have() -> None:
    plain = case("plain", 2, 3)
    check_refused(OP, Case("stash", plain.inputs, {"stash_type": 10}), "stash_type 1")
    check_refused(OP, Case("old", plain.inputs, opset=16), "opset 16")
    check_refused(OP, Case("shape", [*plain.inputs[:2], np.ones(2, np.float32)]), "broadcast")
    double = [x.astype(np.float64) for x in plain.inputs if x is not None]
    check_refused(OP, Case("double", double, outputs=2), "float32")


def test_rows_of_nothing_have_no_mean(isa: str) -> None:
    empty = [np.empty(size, np.float32) for size in ((3, 0), (0,), (0,))]
    y, mean, inverse = run(OP, Case("empty_rows", empty, outputs=3), isa)
    assert y.shape == (3, 0)
    assert mean.shape == inverse.shape == (3, 1)
    assert np.isnan(mean).all()
    assert np.isnan(inverse).all()
