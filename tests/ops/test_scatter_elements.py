"""ScatterElements against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Array, Case, Oracle, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "ScatterElements"

RNG = np.random.default_rng(0)
COMBINE: dict[str, Oracle] = {
    "none": lambda y, x: x,
    "add": lambda y, x: y + x,
    "mul": lambda y, x: y * x,
    "max": np.maximum,
    "min": np.minimum,
}


def oracle(data: Array, indices: Array, updates: Array, axis: int = 0, reduction: str = "none") -> Array:
    """One update after another, in row-major order."""
    y = data.copy()
    for place in np.ndindex(indices.shape):
        at = list(place)
        at[axis] = int(indices[place])
        y[tuple(at)] = COMBINE[reduction](y[tuple(at)], updates[place])
    return y


CASES = [
    *(
        Case(np.dtype(t).name, [counted((3, 4), t), ints(2, 0, -1, 0).reshape(1, 4), counted((1, 4), t)])
        for t in DTYPES
    ),
    *(
        Case(
            f"{how}_{np.dtype(t).name}",
            [counted((3, 4), t), RNG.integers(-3, 3, (3, 4)), counted((3, 4), t) + 2],
            {"reduction": how},
        )
        for how in COMBINE
        for t in DTYPES[:-1]
    ),
    Case("axis", [counted((2, 3, 4)), RNG.integers(0, 3, (2, 2, 3)), counted((2, 2, 3)) + 50], {"axis": -2}),
    *(
        Case(f"many_meet_{how}", [counted(n), RNG.integers(-7, 7, u), counted(u) % 3 + 1], {"reduction": how})
        for how in COMBINE
        for n, u in (((7,), (600,)), ((7, 40), (50, 40)))
    ),
    Case("many_meet_in_rows", [counted((9, 7)), RNG.integers(-7, 7, (9, 70)), counted((9, 70))], {"axis": 1}),
    Case("int32", [counted((3,)), np.array([2, 0], np.int32), counted((2,)) + 7]),
    Case("nothing", [counted((3,)), ints(), counted((0,))]),
    Case("nan", [np.array([np.nan, 1.0]), ints(0, 1), np.array([1.0, np.nan])], {"reduction": "max"}),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_scatter_elements_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("index", [3, -4, *HOSTILE_INTS[2:]])
def test_scatter_elements_of_an_index_out_of_range_is_a_fault(index: int, isa: str) -> None:
    check_refused(OP, Case("index", [counted((3,)), ints(index), counted((1,))]), "index is", isa)


def test_scatter_elements_knows_its_reductions_by_opset() -> None:
    inputs = [counted((3,)), ints(0), counted((1,))]
    check_refused(OP, Case("13", inputs, {"reduction": "none"}, opset=13), "reduction")
    check_refused(OP, Case("16", inputs, {"reduction": "max"}, opset=16), "expected none, add, mul")
    check_refused(OP, Case("unknown", inputs, {"reduction": "mean"}), "reduction is")
    mask = np.array([True])
    check_refused(OP, Case("bool", [mask, ints(0), mask], {"reduction": "add"}), "type bool")


def test_scatter_elements_refuses_shapes_that_do_not_fit() -> None:
    x = counted((3, 4))
    check_refused(OP, Case("updates", [x, np.zeros((1, 4), np.int64), counted((1, 3))]), "axis 1 of updates")
    check_refused(OP, Case("rank", [x, ints(0), counted((1,))]), "indices have shape")
