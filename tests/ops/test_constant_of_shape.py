"""ConstantOfShape against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, ints

OP = "ConstantOfShape"

CASES = [
    Case("default", [ints(2, 3)]),
    Case("scalar", [ints()]),
    Case("empty", [ints(0, 3)]),
    *(Case(np.dtype(t).name, [ints(3, 2)], {"value": np.array([1], t)}) for t in DTYPES),
]


def oracle(shape: Array, value: Array | None = None) -> Array:
    """float32 zeros by default."""
    fill = np.zeros(1, np.float32) if value is None else value
    return np.full(tuple(shape), fill[0], fill.dtype)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_constant_of_shape_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_constant_of_shape_refuses_what_has_no_size() -> None:
    check_refused(OP, Case("negative", [ints(-1)]), "shape holds -1")
    check_refused(OP, Case("overflow", [ints(2**40, 2**40)]), "too large")
    check_refused(OP, Case("value", [ints(2)], {"value": ints(1, 2)}), "expected one element")
