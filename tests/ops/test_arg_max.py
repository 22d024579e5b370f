"""ArgMax against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, draw
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of

OP = "ArgMax"


def oracle(x: Array, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Array:
    """The first of equals, or the last."""
    if select_last_index:
        return np.asarray(x.shape[axis] - 1 - np.argmax(np.flip(x, axis), axis, keepdims=bool(keepdims)))
    return np.asarray(np.argmax(x, axis, keepdims=bool(keepdims)))


def with_nan(shape: tuple[int, ...]) -> Array:
    """Numbers with many equal ones, both zeros among them, and some NaN."""
    x = np.round(draw(shape, np.float32))
    x[np.random.default_rng(0).random(shape) < 0.05] = np.nan
    return x


CASES = [
    Case(f"{np.dtype(t).name}_{axis}_{keep}_{last}", [x], {"axis": axis, "keepdims": keep, "select_last_index": last})
    for t in NUMBERS
    for x in [draw((3, 4, 5), t)]
    for axis in (-3, 0, 1, 2)
    for keep in (0, 1)
    for last in (0, 1)
]
CASES += [
    Case("default", [draw((3, 4), np.float32)]),
    Case("equals", [np.array([1, 2, 1, 2, 1])]),
    Case("equals_last", [np.array([1, 2, 1, 2, 1])], {"select_last_index": 1}),
    Case("nan", [np.array([1, np.nan, np.inf, np.nan, -np.inf], np.float32)]),
    Case("nan_last", [np.array([1, np.nan, np.inf, np.nan, -np.inf], np.float32)], {"select_last_index": 1}),
    *(
        Case(f"lanes_{axis}_{last}", [np.round(draw((40, 600), np.float32))], {"axis": axis, "select_last_index": last})
        for axis in (0, 1)
        for last in (0, 1)
    ),
    *(Case(f"pieces_{last}", [np.round(draw((9000, 3), np.float32))], {"select_last_index": last}) for last in (0, 1)),
    *(
        Case(f"nan_{list(shape)}_{axis}_{last}", [with_nan(shape)], {"axis": axis, "select_last_index": last})
        for shape in ((20, 9), (100, 33), (3, 8, 70))
        for axis in range(len(shape))
        for last in (0, 1)
    ),
    Case("empty", [draw((3, 0), np.float32)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_arg_max_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_arg_max_refuses_to_choose_from_nothing() -> None:
    check_refused(OP, Case("nothing", [draw((3, 0), np.float32)], {"axis": 1}), "nothing can be chosen")
    check_refused(OP, Case("scalar", [draw((), np.float32)]), "rank 1")


@pytest.mark.parametrize("axis", [2, -3, *HOSTILE_INTS[2:]])
def test_arg_max_refuses_an_axis_beyond_the_rank(axis: int) -> None:
    check_refused(OP, Case("axis", [draw((3, 4), np.float32)], {"axis": axis}), "does not fit rank 2")
