"""Where against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, SHAPES, draw
from harness import Case, check, check_refused, name_of, run

OP = "Where"
DTYPES = (*NUMBERS, np.bool_)

CASES = [
    Case(f"{np.dtype(t).name}_{a}_{b}", [draw(c, bool), draw(a, t), draw(b, t, seed=1)])
    for t in DTYPES
    for a, b in SHAPES
    for c in (a, b)
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_where_chooses_as_numpy_does(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.where)


def test_where_takes_any_non_zero_byte_for_true(isa: str) -> None:
    condition = np.array([0, 2, 255], np.uint8).view(bool)
    assert run(OP, Case("bytes", [condition, np.array(1), np.array(0)]), isa)[0].tolist() == [0, 1, 1]


def test_where_refuses_a_condition_of_numbers() -> None:
    check_refused(OP, Case("numbers", [np.array([1]), np.array(1), np.array(0)]), "type int64")
