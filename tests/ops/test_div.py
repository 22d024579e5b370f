"""Div against numpy, bit for bit; integers against exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, INTEGERS, binary_cases, special_values
from harness import Array, Case, check, check_refused, name_of

OP = "Div"


@pytest.mark.parametrize("case", binary_cases(*FLOATS), ids=name_of)
def test_div_is_correctly_rounded(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.divide)


def truncated(a: Array, b: Array) -> Array:
    """Division towards zero in Python's unbounded integers, then wrapped to the type."""
    pairs = np.broadcast(a, b)
    exact = [abs(int(x)) // abs(int(y)) * (1 if (x < 0) == (y < 0) else -1) for x, y in pairs]
    bits = 8 * a.dtype.itemsize
    wrapped = np.array([q % 2**bits for q in exact], np.uint64).astype(f"u{a.dtype.itemsize}")
    return wrapped.view(a.dtype).reshape(pairs.shape)


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda dtype: np.dtype(dtype).name)
def test_integer_div_truncates_and_wraps(dtype: type, isa: str) -> None:
    x = special_values(dtype)
    a, b = x[:, None].copy(), x[x != 0]
    check(OP, Case("special", [a, b]), isa, oracle=truncated)


def test_integer_div_by_zero_is_a_fault(isa: str) -> None:
    check_refused(OP, Case("zero", [np.array([1, 2]), np.array([1, 0])]), "integer divisor", isa)
