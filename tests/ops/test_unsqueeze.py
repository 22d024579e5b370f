"""Unsqueeze against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Unsqueeze"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t), ints(0)]) for t in DTYPES),
    *(Case(f"axes_{list(a)}", [counted((2, 3)), ints(*a)]) for a in ([0, 3], [3, 0], [-1], [1, 2], [-4, -1], [])),
    Case("scalar", [counted(()), ints(0)]),
    Case("empty", [counted((0,)), ints(1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_unsqueeze_agrees_with_numpy(case: Case) -> None:
    check(OP, case, oracle=lambda x, axes: np.expand_dims(x, tuple(axes)))


def test_unsqueeze_refuses_what_does_not_fit() -> None:
    x = counted((2, 3))
    check_refused(OP, Case("twice", [x, ints(0, -4)]), "axis 0 stands twice")
    check_refused(OP, Case("axis", [x, ints(3)]), "axis 3 does not fit rank 3")
    check_refused(OP, Case("missing", [x]), "1 inputs")
    check_refused(OP, Case("rank", [counted((1,)), ints(*range(8))]), "rank 9")
