"""Pow against numpy: floats in double, integers exactly."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, binary_cases
from harness import Array, Case, check, check_refused, name_of, run, specials

OP = "Pow"


@pytest.mark.parametrize("case", binary_cases(*FLOATS), ids=name_of)
def test_pow_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.power)


def patterns(seed: int) -> Array:
    """Every exponent of float32, both signs, NaN, denormals."""
    return np.random.default_rng(seed).integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)


def test_pow_is_within_four_units_everywhere(isa: str) -> None:
    normal = np.random.default_rng(2).normal(size=100_000).astype(np.float32)
    near_one, steep = np.float32(1) + normal * np.float32(1e-3), normal * np.float32(5e4)
    for a, b in ((np.abs(patterns(0)), normal), (patterns(0), patterns(1)), (near_one, steep)):
        with np.errstate(all="ignore"):
            check(OP, Case("patterns", [a, b]), isa, oracle=np.power)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 4, -3, 1.7, np.inf, -np.inf, np.nan])
def test_an_exponent_gives_the_same_bits_alone_and_beside_others(exponent: float, isa: str) -> None:
    a = np.concatenate([specials(np.float32), patterns(3)[:1001]])
    alone = Case("alone", [a, np.array(exponent, np.float32)])
    beside = Case("beside", [a, np.full(a.shape, exponent, np.float32)])
    with np.errstate(all="ignore"):
        check(OP, beside, isa, oracle=np.power)
    assert np.array_equal(run(OP, alone, isa)[0], run(OP, beside, isa)[0], equal_nan=True)


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_integer_pow_wraps(dtype: type, isa: str) -> None:
    base: Array = np.array([-7, -2, -1, 0, 1, 2, 3, 10], dtype)[:, None].copy()
    check(OP, Case("integers", [base, np.array([0, 1, 2, 3, 31, 64, 101], dtype)]), isa, oracle=np.power)


def test_integer_pow_of_a_negative_exponent_goes_towards_zero(isa: str) -> None:
    case = Case("negative", [np.array([1, -1, -1, 2]), np.array([-3, -3, -2, -1])])
    check(OP, case, isa, oracle=lambda a, b: np.array([1, -1, 1, 0]))
    check_refused(OP, Case("zero", [np.array([0]), np.array([-1])]), "integer divisor", isa)


@pytest.mark.parametrize("base", [np.float32, np.float64, np.int64, np.int32])
@pytest.mark.parametrize("exponent", [np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8])
def test_pow_keeps_the_type_of_its_base(base: type, exponent: type, isa: str) -> None:
    def oracle(a: Array, b: Array) -> Array:
        return np.power(a.astype(np.float64), b.astype(np.float64)).astype(a.dtype)

    check(OP, Case("types", [np.array([1, 2, 3], base), np.array([2, 3, 0], exponent)]), isa, oracle=oracle)
