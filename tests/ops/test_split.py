"""Split against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Split"


def oracle(x: Array, split: Array | None = None, axis: int = 0, num_outputs: int | None = None) -> tuple[Array, ...]:
    """Pieces of the given sizes, else of ceil(size / num_outputs) and a last one of the rest."""
    if split is not None:
        return tuple(np.split(x, np.cumsum(split)[:-1], axis))
    assert num_outputs is not None
    piece = -(-x.shape[axis] // num_outputs)
    return tuple(np.split(x, [piece * i for i in range(1, num_outputs)], axis))


CASES = [
    *(Case(np.dtype(t).name, [counted((2, 6), t), ints(1, 2, 3)], {"axis": 1}, outputs=3) for t in DTYPES),
    Case("empty_piece", [counted((4, 3)), ints(0, 4)], outputs=2),
    Case("negative_axis", [counted((2, 4, 3)), ints(3, 1)], {"axis": -2}, outputs=2),
    Case("equal", [counted((6, 2))], {"num_outputs": 3}, outputs=3),
    Case("smaller_last", [counted((7, 2))], {"num_outputs": 3}, outputs=3),
    Case("many", [counted((3, 40, 2)), ints(*[1, 2, 0, 1] * 10)], {"axis": 1}, outputs=40),
    Case("empty", [counted((0, 2))], {"num_outputs": 2}, outputs=2),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_split_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_split_before_opset_18_cuts_into_as_many_pieces_as_outputs(isa: str) -> None:
    case = Case("equal", [counted((6, 2))], outputs=3, opset=13)
    check(OP, case, isa, oracle=lambda x: tuple(np.split(x, 3)))
    check_refused(OP, Case("uneven", [counted((7,))], outputs=2, opset=13), "cannot be cut into 2 equal pieces")
    check_refused(OP, Case("newer", [counted((6,))], {"num_outputs": 2}, outputs=2, opset=13), "num_outputs")


def test_split_refuses_what_does_not_fit() -> None:
    x = counted((4,))
    check_refused(OP, Case("sum", [x, ints(1, 2)], outputs=2), "split sums to 3")
    check_refused(OP, Case("negative", [x, ints(-1, 5)], outputs=2), "split holds -1")
    check_refused(OP, Case("overflow", [x, ints(2**62, 2**62)], outputs=2), "too large")
    check_refused(OP, Case("count", [x, ints(4)], outputs=2), "1 sizes for 2 outputs")
    check_refused(OP, Case("neither", [x], outputs=2), "num_outputs is missing")
    check_refused(OP, Case("both", [x, ints(2, 2)], {"num_outputs": 2}, outputs=2), "both")
    check_refused(OP, Case("too_many", [counted((5,))], {"num_outputs": 4}, outputs=4), "cannot be cut into 4")
    for count in HOSTILE_INTS:
        check_refused(OP, Case("hostile", [x], {"num_outputs": count}, outputs=2), "num_outputs is")
