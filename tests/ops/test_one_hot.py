"""OneHot against the onnx reference, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, ints

OP = "OneHot"

CASES = [
    *(Case(np.dtype(t).name, [ints(0, 2, 1), np.array(3), np.array([0, 1], t)]) for t in DTYPES[:-1]),
    *(
        Case(f"axis_{a}", [ints(0, 2, 1, 3).reshape(2, 2), np.array(4), ints(5, 7)], {"axis": a})
        for a in (-3, -1, 0, 1, 2)
    ),
    Case("outside", [ints(-4, -3, -1, 0, 3, 2**62, -(2**63)), np.array(3), ints(0, 1)]),
    Case("floats", [np.array([0, 2], np.float32), np.array(3, np.float32), ints(0, 1)]),
    Case("int32", [np.array([0, 2], np.int32), np.array([3], np.int32), ints(0, 1)]),
    Case("scalar", [np.array(1), np.array(3), ints(0, 1)]),
    Case("empty", [ints(), np.array(3), ints(0, 1)]),
]


def oracle(indices: Array, depth: Array, values: Array, axis: int = -1) -> Array:
    """Negative indices count from the end; others outside give off."""
    size = int(depth.reshape(()))
    places = np.where(indices < 0, indices + size, indices)
    places = np.expand_dims(places, axis)
    steps = np.arange(size).reshape([-1 if i == axis % places.ndim else 1 for i in range(places.ndim)])
    return np.asarray(np.where(places == steps, values[1], values[0]))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_one_hot_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_one_hot_of_bools(isa: str) -> None:
    case = Case("bool", [ints(1, 0), np.array(2), np.array([False, True])])
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("depth", HOSTILE_INTS)
def test_one_hot_refuses_impossible_depths(depth: int) -> None:
    if 0 < depth < 2**33:
        return  # large, but possible where there is the memory
    check_refused(OP, Case("depth", [ints(0, 1), np.array(depth), ints(0, 1)]), "depth is|too large|cannot allocate")


def test_one_hot_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("values", [ints(0), np.array(2), ints(0, 1, 2)]), "expected \\[2\\]")
    check_refused(OP, Case("depths", [ints(0), ints(2, 3), ints(0, 1)]), "expected a scalar")
    check_refused(OP, Case("axis", [ints(0), np.array(2), ints(0, 1)], {"axis": 2}), "axis 2 does not fit rank 2")
