"""GatherElements against numpy and torch, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from harness import HOSTILE_INTS, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "GatherElements"

RNG = np.random.default_rng(0)
CASES = [
    *(Case(np.dtype(t).name, [counted((3, 4), t), RNG.integers(-3, 3, (3, 4))]) for t in DTYPES),
    *(
        Case(f"axis_{axis}", [counted((3, 4, 5)), RNG.integers(-3, 3, (3, 4, 5))], {"axis": axis})
        for axis in (-1, 0, 1)
    ),
    Case("longer", [counted((3, 4)), RNG.integers(0, 3, (7, 4))]),
    Case("int32", [counted((3,)), np.array([2, 0, -1, 1], np.int32)]),
    Case("empty", [counted((3, 4)), np.zeros((0, 4), np.int64)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gather_elements_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, indices, axis=0: np.take_along_axis(x, indices, axis))


def test_gather_elements_of_fewer_rows_agrees_with_torch(isa: str) -> None:
    case = Case("fewer", [counted((3, 4, 5)), RNG.integers(0, 4, (2, 6, 3))], {"axis": 1})
    gather = lambda x, indices, axis: torch.gather(torch.tensor(x), axis, torch.tensor(indices)).numpy()  # noqa: E731
    check(OP, case, isa, oracle=gather)


@pytest.mark.parametrize("index", [3, -4, *HOSTILE_INTS[2:]])
def test_gather_elements_of_an_index_out_of_range_is_a_fault(index: int, isa: str) -> None:
    check_refused(OP, Case("index", [counted((3,)), ints(0, index)]), "index is", isa)


def test_gather_elements_refuses_shapes_that_do_not_fit() -> None:
    check_refused(OP, Case("rank", [counted((3, 4)), ints(0)]), "indices have shape")
    check_refused(OP, Case("size", [counted((3, 4)), np.zeros((1, 5), np.int64)]), "indices have shape")
