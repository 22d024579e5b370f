"""Gather against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Gather"

CASES = [
    *(Case(np.dtype(t).name, [counted((4, 3), t), ints(2, 0, -1)]) for t in DTYPES),
    *(Case(f"axis_{axis}", [counted((2, 3, 4)), ints(1, 0)], {"axis": axis}) for axis in (-3, -2, -1, 0, 1, 2)),
    Case("scalar_index", [counted((4, 3)), np.array(1)], {"axis": 1}),
    Case("matrix_index", [counted((4, 3)), ints(0, 1, 2, -4).reshape(2, 2)]),
    Case("int32", [counted((4, 3)), np.array([3, -4], np.int32)]),
    Case("no_index", [counted((4, 3)), ints()], {"axis": 1}),
    Case("empty_rows", [counted((4, 0)), ints(1, 2)]),
    Case("large", [counted((100, 64)), np.arange(300) % 100]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gather_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, indices, axis=0: np.take(x, indices, axis))


@pytest.mark.parametrize("index", [4, -5, *HOSTILE_INTS[2:]])
def test_gather_of_an_index_out_of_range_is_a_fault(index: int, isa: str) -> None:
    check_refused(OP, Case("index", [counted((4, 3)), ints(0, index)]), "index is", isa)


def test_gather_from_nothing_is_a_fault(isa: str) -> None:
    check_refused(OP, Case("nothing", [counted((0, 3)), ints(0)]), "index is 0", isa)


def test_gather_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("scalar", [counted(()), ints(0)]), "rank 1")
    check_refused(OP, Case("axis", [counted((4,)), ints(0)], {"axis": 1}), "axis 1 does not fit rank 1")
    check_refused(OP, Case("float", [counted((4,)), counted((1,))]), "type float32")
