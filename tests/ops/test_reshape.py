"""Reshape against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Reshape"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 6), t), ints(3, 4)]) for t in DTYPES),
    Case("open", [counted((2, 6)), ints(4, -1)]),
    Case("copied", [counted((2, 6)), ints(0, 3, 2)]),
    Case("copied_and_open", [counted((2, 3, 4)), ints(0, -1)]),
    Case("to_scalar", [counted((1, 1)), ints()]),
    Case("from_scalar", [counted(()), ints(1, 1)]),
    Case("empty_open", [counted((0, 3)), ints(3, -1)]),
    Case("rank_8", [counted((2, 6)), ints(1, 2, 1, 3, 1, 2, 1, 1)]),
]


def oracle(x: Array, shape: Array) -> Array:
    """0 copies the size of x."""
    return x.reshape([x.shape[i] if size == 0 else int(size) for i, size in enumerate(shape)])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_reshape_agrees_with_numpy(case: Case) -> None:
    check(OP, case, oracle=oracle)


def test_reshape_keeps_a_copied_size_of_zero_beside_an_open_one() -> None:
    check(OP, Case("empty_batch", [counted((0, 3, 4)), ints(0, -1)]), oracle=lambda x, shape: x.reshape(0, 12))


def test_reshape_with_allowzero_takes_zero_as_a_size() -> None:
    case = Case("zero", [counted((0, 3)), ints(3, 0)], {"allowzero": 1})
    check(OP, case, oracle=lambda x, shape, allowzero: x.reshape(3, 0))
    check_refused(OP, Case("open", [counted((0, 3)), ints(0, -1)], {"allowzero": 1}), "one size open")
    check_refused(OP, Case("older", [counted((1,)), ints(1)], {"allowzero": 1}, opset=13), "allowzero")


def test_reshape_refuses_what_does_not_fit() -> None:
    x = counted((2, 3))
    for shape in (ints(4, 2), ints(4, -1), ints(-1, -1), ints(-2, 3), ints(1, 2, 0), ints(2**62, 8), ints(2**62, -1)):
        check_refused(OP, Case("shape", [x, shape]), "shape|too large")
    check_refused(OP, Case("rank", [counted((1,)), ints(*[1] * 9)]), "rank 9")
