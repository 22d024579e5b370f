"""ReduceLogSumExp against numpy in long double."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceLogSumExp"

CASES = [
    *reduce_cases(np.float32, np.float64),
    Case("large", [np.array([[1000, 1001], [-1000, -1001]], np.float32), ints(1)]),
    Case("nan", [np.array([[1, np.nan], [np.nan, np.inf]], np.float32), ints(1)]),
    Case("infinities", [np.array([[1, np.inf], [-np.inf, -np.inf], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_log_sum_exp_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, lambda x, **how: np.logaddexp.reduce(x.astype(np.longdouble), **how))


def test_reduce_log_sum_exp_of_nothing_is_minus_infinity(isa: str) -> None:
    case = Case("nothing", [np.zeros((2, 0), np.float32), ints(1)])
    check(OP, case, isa, oracle=lambda x, axes: np.full((2, 1), -np.inf))


def test_reduce_log_sum_exp_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")
