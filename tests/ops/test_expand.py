"""Expand against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Expand"

CASES = [
    *(Case(np.dtype(t).name, [counted((3, 1), t), ints(2, 1, 4)]) for t in DTYPES),
    *(Case(f"twice_{np.dtype(t).name}", [counted((2, 5, 1, 7, 1), t), ints(2, 5, 2, 7, 2)]) for t in DTYPES),
    Case("rows", [counted((3, 1, 33)), ints(3, 4, 33)]),
    Case("elements", [counted((2, 17, 1)), ints(2, 17, 19)]),
    Case("keeps_larger", [counted((3, 4)), ints(1, 1)]),
    Case("shorter", [counted((2, 3, 1)), ints(4)]),
    Case("scalar", [counted(()), ints(2, 2)]),
    Case("to_scalar", [counted(()), ints()]),
    Case("to_empty", [counted((1, 3)), ints(0, 3)]),
    Case("from_empty", [counted((0, 1)), ints(1, 5)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_expand_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, shape: (x * np.ones(tuple(shape), x.dtype)).astype(x.dtype))


def test_expand_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("sizes", [counted((3,)), ints(2)]), "cannot be broadcast")
    check_refused(OP, Case("negative", [counted((3,)), ints(-1)]), "shape holds -1")
    check_refused(OP, Case("overflow", [counted((1, 1)), ints(2**40, 2**40)]), "too large")
