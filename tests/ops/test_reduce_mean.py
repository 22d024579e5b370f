"""ReduceMean against numpy in double; integers are cut towards zero."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceMean"

CASES = [
    *reduce_cases(np.float32, np.float64),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_mean_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, np.mean)


def test_reduce_mean_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")


def test_reduce_mean_of_nothing_is_nan(isa: str) -> None:
    case = Case("nothing", [np.zeros((2, 0), np.float32), ints(1)])
    check(OP, case, isa, oracle=lambda x, axes: np.full((2, 1), np.nan))


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_reduce_mean_of_integers_is_cut(dtype: type, isa: str) -> None:
    x: Array = np.array([[1, 2], [-1, -2], [3, 3]], dtype)
    check(OP, Case("cut", [x, ints(1)]), isa, oracle=lambda x, axes: np.array([[1], [-1], [3]], dtype))
    check_refused(OP, Case("nothing", [np.zeros((2, 0), dtype), ints(1)]), "integer divisor", isa)
