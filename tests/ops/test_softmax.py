"""Softmax against torch in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from harness import EDGE_SIZES, HOSTILE_INTS, Array, Case, check, check_refused, name_of

OP = "Softmax"

RNG = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


CASES = [
    *(Case(f"size_{n}", [normal(3, n)]) for n in EDGE_SIZES),
    Case("one_dimension", [normal(7)]),
    Case("middle_axis", [normal(2, 5, 3)], {"axis": 1}),
    Case("first_axis", [normal(4, 5, 3)], {"axis": 0}),
    *(Case(f"lanes_{axis}", [normal(7, 1500, 3)], {"axis": axis}) for axis in (0, 1, 2)),
    Case("long_row", [normal(2, 3000)]),
    Case("negative_axis", [normal(4, 5, 3)], {"axis": -2}),
    Case("empty_batch", [normal(0, 5)]),
    Case("empty_inner", [normal(4, 5, 0)], {"axis": 1}),
    Case("large_logits", [np.array([[1000, 1001, -1000]], np.float32)]),
    Case("equal_logits", [np.full((2, 9), -3e38, np.float32)]),
    Case("minus_infinity_is_left_out", [np.array([[-np.inf, 0, 1]], np.float32)]),
    Case("infinity", [np.array([[np.inf, 0, 1], [0, 1, 2]], np.float32)]),
    Case("only_minus_infinity", [np.full((1, 3), -np.inf, np.float32)]),
    Case("nan_stays_in_its_row", [np.array([[np.nan, 1], [0, 1]], np.float32)]),
    Case("spread_logits", [30 * normal(40, 37)]),
    Case("spread_logits_side_by_side", [30 * normal(3, 21, 37)], {"axis": 1}),
    Case("one_stands_out", [np.array([[30, 0, 1], [17, 0, -3], [0, -90, -100]], np.float32)]),
    Case("long", [normal(2, 9001)]),
    Case("double", [RNG.normal(size=(3, 5))], opset=13),
    Case("newest", [normal(3, 5)], opset=24),
]


def oracle(x: Array, axis: int = -1) -> Array:
    y: Array = torch.softmax(torch.from_numpy(x), axis).numpy()
    return y


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_softmax_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("axis", [value for value in HOSTILE_INTS if value not in (0, -1)])
def test_softmax_refuses_an_axis_outside_the_rank(axis: int) -> None:
    check_refused(OP, Case("axis", [normal(2, 3)], {"axis": axis}), "axis")


def test_softmax_refuses_integers_and_scalars() -> None:
    check_refused(OP, Case("int", [np.ones(3, np.int64)]), "int64")
    check_refused(OP, Case("scalar", [np.array(1, np.float32)]), "rank 1")
