"""CumSum against numpy in double."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import draw
from harness import EDGE_SIZES, HOSTILE_INTS, Array, Case, check, check_refused, name_of, run
from moving_cases import counted, ints

OP = "CumSum"


def oracle(x: Array, axis: Array, exclusive: int = 0, reverse: int = 0) -> Array:
    """numpy's cumulative sum, turned round and shifted as asked."""
    at = int(axis.reshape(()))
    turned = np.flip(x, at) if reverse else x
    y = np.cumsum(turned, at, dtype=x.dtype)
    if exclusive:
        y = y - turned
    return np.flip(y, at) if reverse else y


CASES = [
    Case(
        f"{np.dtype(t).name}_{axis}_{exclusive}{reverse}",
        [counted((3, 4, 5), t) - t(30), np.array(axis)],
        {"exclusive": exclusive, "reverse": reverse},
    )
    for t in (np.float32, np.float64, np.int64, np.int32)
    for axis in (-3, 0, 1, 2)
    for exclusive in (0, 1)
    for reverse in (0, 1)
]
CASES += [
    *(Case(f"size_{n}", [draw((n,), np.float32), np.array(0)]) for n in EDGE_SIZES),
    Case("long", [draw((5000,), np.float32), ints(0)]),
    *(
        Case(f"tiles_{axis}_{reverse}", [draw((3, 600), np.float32), ints(axis)], {"exclusive": 1, "reverse": reverse})
        for axis in (0, 1)
        for reverse in (0, 1)
    ),
    Case("int32_axis", [draw((3, 4), np.float32), np.array([1], np.int32)]),
    Case("empty", [draw((3, 0), np.float32), np.array(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_cum_sum_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_cum_sum_exclusive_starts_at_zero_before_an_infinity(isa: str) -> None:
    x = np.array([np.inf, 1, 2], np.float32)
    result = run(OP, Case("infinity", [x, np.array(0)], {"exclusive": 1}), isa)[0]
    assert result.tolist() == [0, np.inf, np.inf]


@pytest.mark.parametrize("axis", [2, -3, *HOSTILE_INTS[2:]])
def test_cum_sum_along_an_axis_beyond_the_rank_is_a_fault(axis: int, isa: str) -> None:
    check_refused(OP, Case("axis", [draw((3, 4), np.float32), np.array(axis)]), "is", isa)
