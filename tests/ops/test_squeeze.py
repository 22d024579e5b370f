"""Squeeze against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Squeeze"

CASES = [
    *(Case(np.dtype(t).name, [counted((1, 3, 1), t)]) for t in DTYPES),
    Case("one_axis", [counted((1, 3, 1)), ints(0)]),
    Case("negative_axis", [counted((1, 3, 1)), ints(-1)]),
    Case("two_axes", [counted((1, 3, 1, 2)), ints(2, 0)]),
    Case("nothing", [counted((2, 3))]),
    Case("no_axes", [counted((1, 3)), ints()]),
    Case("empty", [counted((1, 0)), ints(0)]),
    Case("scalar", [counted((1, 1))]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_squeeze_agrees_with_numpy(case: Case) -> None:
    check(OP, case, oracle=lambda x, axes=None: np.squeeze(x, None if axes is None else tuple(axes)))


def test_squeeze_refuses_what_does_not_fit() -> None:
    x = counted((1, 3))
    check_refused(OP, Case("size", [x, ints(1)]), "not of size 1")
    check_refused(OP, Case("axis", [x, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [x, ints(0, -2)]), "axis 0 stands twice")
