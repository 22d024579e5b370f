"""ReduceLogSum of positive numbers against numpy in double."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from harness import Case, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceLogSum"


def positive(case: Case) -> Case:
    """The case with an input whose sum is far from 0, where the logarithm would magnify the rounding of the sum."""
    x, *rest = case.inputs
    return replace(case, inputs=[np.asarray(np.abs(x) + 2, x.dtype), *rest])  # type: ignore[union-attr, arg-type]


CASES = [
    *(positive(case) for case in reduce_cases(np.float32, np.float64)),
    Case("nothing", [np.zeros((2, 0), np.float32), ints(1)]),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [0, 0]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_log_sum_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, lambda x, **how: np.log(np.sum(x, **how)))


def test_reduce_log_sum_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")
