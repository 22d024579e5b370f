"""TopK against numpy's stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, draw
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of
from moving_cases import ints

OP = "TopK"


def oracle(x: Array, k: Array, axis: int = -1, largest: int = 1, sorted: int = 1) -> tuple[Array, Array]:
    """The first of equals comes first; NaN is the largest."""
    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    places = np.argsort(-ranks if largest else ranks, axis, kind="stable")
    taken = np.take(places, np.arange(int(k[0])), axis)
    return np.take_along_axis(x, taken, axis), taken


def long_lines(dtype: type) -> Array:
    """Many equals, and of floats two that are no numbers."""
    x = np.round(draw((3, 500), np.float32) * 9).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        x[0, 77] = x[0, 400] = np.nan
    return x


CASES = [
    *(
        Case(f"{np.dtype(t).name}_{largest}", [draw((3, 7), t), ints(3)], {"largest": largest}, outputs=2)
        for t in NUMBERS
        for largest in (0, 1)
    ),
    *(
        Case(f"axis_{axis}", [draw((3, 4, 5), np.float32), ints(2)], {"axis": axis}, outputs=2)
        for axis in (-3, 0, 1, 2)
    ),
    Case("all", [draw((9,), np.float32), ints(9)], outputs=2),
    Case("none", [draw((9,), np.float32), ints(0)], outputs=2),
    Case("equals", [np.array([2, 1, 2, 1, 2]), ints(4)], outputs=2),
    Case("equals_smallest", [np.array([2, 1, 2, 1, 2]), ints(4)], {"largest": 0}, outputs=2),
    Case("unsorted", [draw((9,), np.float32), ints(4)], {"sorted": 0}, outputs=2),
    Case("nan", [np.array([1, np.nan, np.inf, -np.inf, np.nan], np.float32), ints(4)], outputs=2),
    Case("nan_smallest", [np.array([1, np.nan, np.inf, -np.inf], np.float32), ints(4)], {"largest": 0}, outputs=2),
    Case("values_only", [draw((9,), np.float32), ints(4)]),
    *(
        Case(f"lanes_{axis}_{n}", [np.round(draw((n, 40), np.float32)), ints(17)], {"axis": axis}, outputs=2)
        for axis in (0, 1)
        for n in (17, 300)
    ),
    *(
        Case(f"long_{np.dtype(t).name}_{k}_{largest}", [long_lines(t), ints(k)], {"largest": largest}, outputs=2)
        for t in (np.float32, np.float64, np.int32, np.uint8)
        for k in (1, 10, 33)
        for largest in (0, 1)
    ),
    Case("rising", [np.arange(600, dtype=np.float32), ints(5)], outputs=2),
    Case("empty", [draw((0, 5), np.float32), ints(2)], outputs=2),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_top_k_agrees_with_a_stable_sort(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("k", [4, *HOSTILE_INTS[1:]])
def test_top_k_refuses_more_than_there_is(k: int) -> None:
    check_refused(OP, Case("k", [draw((3,), np.float32), ints(k)], outputs=2), "k is")


def test_top_k_refuses_scalars_and_lists_of_k() -> None:
    check_refused(OP, Case("scalar", [draw((), np.float32), ints(1)], outputs=2), "rank 1")
    check_refused(OP, Case("list", [draw((3,), np.float32), ints(1, 2)], outputs=2), "expected a scalar")
