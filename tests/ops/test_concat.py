"""Concat against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Concat"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t), counted((2, 1), t)], {"axis": 1}) for t in DTYPES),
    Case("one", [counted((3,))], {"axis": 0}),
    Case("negative_axis", [counted((2, 3, 4)), counted((2, 5, 4))], {"axis": -2}),
    Case("empty_piece", [counted((2, 0)), counted((2, 3)), counted((2, 0))], {"axis": 1}),
    Case("all_empty", [counted((0, 2)), counted((0, 3))], {"axis": 1}),
    Case("many", [counted((1, 2)) for _ in range(20)], {"axis": 0}),
    *(Case(f"many_of_{n}", [counted((5, 1 + i % 3, n)) for i in range(35)], {"axis": 1}) for n in (1, 2, 4)),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_concat_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda *inputs, axis: np.concatenate(inputs, axis))


def test_concat_refuses_what_does_not_fit() -> None:
    a = counted((2, 3))
    check_refused(OP, Case("sizes", [a, counted((3, 3))], {"axis": 1}), "axis 0 of input 1 is 3, expected 2")
    check_refused(OP, Case("ranks", [a, counted((2,))], {"axis": 0}), "expected rank 2")
    check_refused(OP, Case("types", [a, counted((2, 3), np.int64)], {"axis": 0}), "expected float32")
    check_refused(OP, Case("no_axis", [a]), "attribute axis is missing")
    for axis in (2, -3, *HOSTILE_INTS[2:]):
        check_refused(OP, Case("axis", [a, a], {"axis": axis}), "does not fit rank 2")
