"""ReduceSumSquare against numpy in double; integers wrap."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceSumSquare"

CASES = [
    *reduce_cases(np.float32, np.float64, np.int64, np.int32),
    Case("nothing", [np.zeros((2, 0), np.float32), ints(1)]),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_sum_square_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, lambda x, **how: np.sum(x * x, **how))


@pytest.mark.parametrize("shape", [(5, 7), (40, 100), (100, 70)])
@pytest.mark.parametrize("axis", [0, 1])
def test_reduce_sum_square_of_far_numbers_keeps_its_digits(shape: tuple[int, int], axis: int, isa: str) -> None:
    sizes = [10.0 ** ((i * 19) % 41 - 22) for i in range(shape[1 - axis])]
    x = np.random.default_rng(0).normal(size=shape) * np.expand_dims(sizes, axis)
    check_reduction(OP, Case("far", [x.astype(np.float32), ints(axis)]), isa, lambda x, **how: np.sum(x * x, **how))


def test_reduce_sum_square_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")
