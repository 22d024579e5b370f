"""Flatten against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Flatten"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3, 4), t)]) for t in DTYPES),
    *(Case(f"axis_{axis}", [counted((2, 3, 4))], {"axis": axis}) for axis in range(-3, 4)),
    Case("vector", [counted((5,))]),
    Case("scalar", [counted(())], {"axis": 0}),
    Case("empty", [counted((0, 3, 4))]),
]


def oracle(x: Array, axis: int = 1) -> Array:
    """A matrix, cut before the axis."""
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:])))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_flatten_agrees_with_numpy(case: Case) -> None:
    check(OP, case, oracle=oracle)


@pytest.mark.parametrize("axis", [4, -4, *HOSTILE_INTS[2:]])
def test_flatten_refuses_an_axis_beyond_the_rank(axis: int) -> None:
    check_refused(OP, Case("axis", [counted((2, 3, 4))], {"axis": axis}), "attribute axis is")
