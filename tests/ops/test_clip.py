"""Clip against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, draw, unary_cases
from harness import Array, Case, check, check_refused, name_of

OP = "Clip"


def oracle(x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    """min(max(x, low), high), NaN staying NaN."""
    if low is not None:
        x = np.where(x < low, low, x)
    return x if high is None else np.where(x > high, high, x)


def bounded(case: Case, low: int | None, high: int | None) -> Case:
    """The case with bounds of its input's type."""
    dtype = case.inputs[0].dtype  # type: ignore[union-attr]
    bounds = [None if bound is None else np.array(bound, dtype) for bound in (low, high)]
    return Case(f"{case.name}_{low}_{high}", [*case.inputs, *bounds])


CASES = [
    bounded(case, low, high)
    for case in unary_cases(*NUMBERS)
    for low, high in ((1, 3), (None, 3), (1, None), (None, None), (5, 2))
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_clip_keeps_values_between_its_bounds(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_clip_without_bounds_is_the_identity(isa: str) -> None:
    check(OP, Case("none", [draw((5,), np.float32)]), isa, oracle=oracle)


def test_clip_refuses_bounds_that_are_no_scalars() -> None:
    x = np.zeros(2, np.float32)
    check_refused(OP, Case("vector", [x, x]), "expected a scalar")
    check_refused(OP, Case("type", [x, np.array(1.0)]), "expected float32")
