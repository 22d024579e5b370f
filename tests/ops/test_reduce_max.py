"""ReduceMax against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS
from harness import Case, check, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceMax"

CASES = [
    *reduce_cases(*NUMBERS),
    *(case for case in reduce_cases(np.bool_) if case.opset >= 20),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_max_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, np.max)


def test_reduce_max_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")


@pytest.mark.parametrize("dtype", NUMBERS, ids=lambda dtype: np.dtype(dtype).name)
def test_reduce_max_of_nothing_is_the_smallest_value(dtype: type, isa: str) -> None:
    lowest = -np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).min
    case = Case("nothing", [np.zeros((2, 0), dtype), ints(1)])
    check(OP, case, isa, oracle=lambda x, axes: np.full((2, 1), lowest, dtype))


def test_reduce_max_takes_bools_since_opset_20() -> None:
    check_refused(OP, Case("older", [np.array([True])], opset=18), "type bool")
