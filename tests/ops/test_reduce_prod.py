"""ReduceProd against numpy in long double; integers wrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Array, Case, check_refused, name_of
from moving_cases import ints
from reduce_cases import check_reduction, reduce_cases

OP = "ReduceProd"


def product(x: Array, **how: Any) -> Array:
    """The product in a type so wide that its own roundings do not count; integers in theirs."""
    return np.asarray(np.prod(x.astype(np.longdouble) if x.dtype.kind == "f" else x, **how))


CASES = [
    *reduce_cases(np.float32, np.float64, np.int64, np.int32),
    Case("nothing", [np.zeros((2, 0), np.float32), ints(1)]),
    Case("special", [np.array([[1, np.nan], [np.inf, 1], [-np.inf, 2]], np.float32), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reduce_prod_agrees_with_numpy(case: Case, isa: str) -> None:
    check_reduction(OP, case, isa, product)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_product_of_far_numbers_by_turns_neither_overflows_nor_vanishes(axis: int, isa: str) -> None:
    if isa == "cuda":
        pytest.skip("each thread multiplies every so many-th number, which may all be far on one side")
    x = np.random.default_rng(0).uniform(0.5, 1.5, size=(300, 300)).astype(np.float32)
    x *= np.float32([1e20, 1e-20])[(np.arange(300) % 2).reshape((-1, 1) if axis == 0 else (1, -1))]
    check_reduction(OP, Case("far", [x, ints(axis)]), isa, product)


def test_reduce_prod_refuses_what_does_not_fit() -> None:
    x = np.zeros((2, 3), np.float32)
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(1, -1)]), "axis 1 stands twice")
    check_refused(OP, Case("keepdims", [x], {"keepdims": 2}), "keepdims is 2")
    check_refused(OP, Case("attribute", [x], {"axes": [0]}), "axes")
