"""Range against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of

OP = "Range"


def numbers(dtype: type, *values: float) -> list[Array]:
    """Scalars of a type."""
    return [np.array(value, dtype) for value in values]


def oracle(start: Array, limit: Array, delta: Array) -> Array:
    """start + i * delta."""
    count = max(int(np.ceil((float(limit) - float(start)) / float(delta))), 0)
    return np.asarray(start + np.arange(count, dtype=start.dtype) * delta)


CASES = [
    Case(f"{np.dtype(dtype).name}_{values}", numbers(dtype, *values))
    for dtype in (np.float32, np.float64, np.int64, np.int32)
    for values in ((0, 5, 1), (5, 0, -2), (0, 0, 1), (3, 1, 1), (1, 3, -1), (-3, 100, 7), (2, 3, 5))
]
CASES += [
    Case("fractions", numbers(np.float32, 0.5, 2.75, 0.25)),
    Case("tenths", numbers(np.float64, 1, 2, 0.1)),
    Case("list_of_one", [np.array([value], np.int64) for value in (1, 4, 1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_range_agrees_with_its_formula(case: Case, isa: str) -> None:
    flat = [x.reshape(()) for x in case.inputs if x is not None]
    dtype = flat[0].dtype
    check(OP, case, isa, oracle=lambda *_: oracle(*flat).astype(dtype))


def test_range_of_the_widest_integers_does_not_overflow(isa: str) -> None:
    low, high = -(2**63), 2**63 - 1
    case = Case("widest", numbers(np.int64, low, high, 2**62))
    check(OP, case, isa, oracle=lambda *_: np.array([low, -(2**62), 0, 2**62], np.int64))
    case = Case("down", numbers(np.int64, high, low, -(2**63)))
    check(OP, case, isa, oracle=lambda *_: np.array([high, -1], np.int64))


def test_range_refuses_what_has_no_end() -> None:
    check_refused(OP, Case("zero", numbers(np.int64, 0, 5, 0)), "delta is 0")
    check_refused(OP, Case("zero", numbers(np.float32, 0, 5, 0)), "delta is 0")
    check_refused(OP, Case("nan", numbers(np.float32, 0, np.nan, 1)), "too long")
    check_refused(OP, Case("infinite", numbers(np.float32, 0, np.inf, 1)), "too long")
    check_refused(OP, Case("long", numbers(np.int64, -(2**63), 2**63 - 1, 1)), "too l")
    check_refused(OP, Case("vector", [np.array([1, 2]), np.array(3), np.array(1)]), "expected a scalar")
