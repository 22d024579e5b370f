"""Slice against numpy's own slices, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Slice"
LAST = 2**63 - 1


def oracle(x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None) -> Array:
    """x[start:end:step] for each axis, with Python's own bounds but for a start before the first element."""
    index = [slice(None)] * x.ndim
    for i, start in enumerate(starts):
        axis = int(axes[i]) if axes is not None else i
        step = int(steps[i]) if steps is not None else 1
        # An end before the first element means "to the first" when walking backwards; Python says None.
        end: int | None = int(ends[i])
        if step < 0 and int(ends[i]) < -x.shape[axis]:
            end = None
        first = int(start)
        if step < 0 and first < -x.shape[axis]:
            first = -x.shape[axis]  # ONNX clamps it to 0, where Python takes nothing
        index[axis] = slice(first, end, step)
    return x[tuple(index)].copy()


X = counted((4, 5, 6))
CASES = [
    *(Case(np.dtype(t).name, [counted((5, 4), t), ints(1, 0), ints(4, 2)]) for t in DTYPES),
    Case("axes", [X, ints(1, 2), ints(3, 5), ints(2, 0)]),
    Case("negative_axes", [X, ints(1), ints(3), ints(-1)]),
    Case("to_the_end", [X, ints(1), ints(LAST), ints(1)]),
    Case("steps", [X, ints(0, 1), ints(LAST, LAST), ints(1, 2), ints(2, 3)]),
    Case("backwards", [X, ints(-1, LAST), ints(-LAST - 1, 0), ints(0, 2), ints(-1, -2)]),
    Case("negative_bounds", [X, ints(-3), ints(-1), ints(1)]),
    Case("nothing", [X, ints(3), ints(1), ints(1)]),
    Case("beyond", [X, ints(100), ints(200), ints(1)]),
    Case("huge_step", [X, ints(1), ints(LAST), ints(0), ints(LAST)]),
    Case("huge_step_backwards", [X, ints(2), ints(-LAST - 1), ints(0), ints(-LAST - 1)]),
    Case("empty_axis", [counted((0, 3)), ints(0), ints(LAST)]),
    Case("empty_axis_backwards", [counted((0, 3)), ints(-1), ints(-LAST - 1), ints(0), ints(-1)]),
    Case("no_axes", [X, ints(), ints()]),
    Case("rows", [counted((2, 9, 40)), ints(1, 3), ints(8, 37), ints(1, 2)]),
    Case("columns_backwards", [counted((19, 35)), ints(LAST, 30), ints(-LAST - 1, 1), ints(0, 1), ints(-1, -3)]),
    Case("int32", [X, *(np.array([v], np.int32) for v in (1, 4, 1, 2))]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_slice_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("step", [-3, -2, -1, 1, 2, 3])
def test_slice_agrees_with_numpy_for_all_bounds_near_an_axis(step: int, isa: str) -> None:
    x = counted((4,))
    for start in range(-6, 7):
        for end in range(-6, 7):
            check(
                OP, Case(f"{start}:{end}:{step}", [x, ints(start), ints(end), ints(0), ints(step)]), isa, oracle=oracle
            )


def test_slice_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("step", [X, ints(0), ints(1), ints(0), ints(0)]), "a step is 0")
    check_refused(OP, Case("twice", [X, ints(0, 0), ints(1, 1), ints(1, -2)]), "axis 1 stands twice")
    check_refused(OP, Case("axis", [X, ints(0), ints(1), ints(3)]), "axis 3 does not fit rank 3")
    check_refused(OP, Case("counts", [X, ints(0, 0), ints(1)]), "equal counts")
    check_refused(OP, Case("float", [X, np.zeros(1), np.zeros(1)]), "expected int64 or int32")
