"""ReduceSum against numpy in double; integers wrap."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check_refused, name_of, run
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceSum"

CASES = [
    *reduce_cases(np.float32, np.float64, np.int64, np.int32, since=13),
    Case("nothing", [np.zeros((2, 0), np.float32), ints(1)]),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_sum_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, np.sum)


def test_reduce_sum_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")


@pytest.mark.parametrize("kept", [1, 3, 16, 70])
@pytest.mark.parametrize("terms", [100, 128, 255, 256, 1000, 5000])
def test_a_sum_of_equal_terms_along_an_outer_axis_does_not_drift(terms: int, kept: int, isa: str) -> None:
    """Equal terms are rounded the same way again and again: one after the other, 255 of them are 64 roundings off."""
    x = np.tile((1 + np.random.default_rng(0).random((2, 1, kept))).astype(np.float32), (1, terms, 1))
    y = run(OP, Case("equal", [x, ints(1)], {"keepdims": 0}), isa)[0]
    exact = x.astype(np.float64).sum(axis=1)
    roundings = 16 + 16 + terms / 256
    assert np.abs(y / exact - 1).max() <= roundings * 2.0**-24
