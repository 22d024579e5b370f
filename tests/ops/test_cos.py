"""Cos against numpy in more than double: far from zero, and beside multiples of pi / 2."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "Cos"


def oracle(x: Array) -> Array:
    """In long double, so that the reduction of x is exact enough where the result is small."""
    return np.asarray(np.cos(x.astype(np.longdouble)))


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_cos_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("dtype", FLOATS)
def test_cos_is_accurate_beside_multiples_of_pi_and_far_out(dtype: type, isa: str) -> None:
    beside = np.concatenate([np.arange(-5000, 5000), np.geomspace(1e4, 1e9, 500).round()]) * (np.pi / 2)
    far = np.geomspace(1, 3e38, 5001)
    check(OP, Case("far", [np.concatenate([beside, far, -far]).astype(dtype)]), isa, oracle=oracle)


def test_cos_of_positions_agrees_with_numpy(isa: str) -> None:
    """Positional encodings: position / 10000^(i / D)."""
    angles = np.arange(2048)[:, None] / 10000 ** (np.arange(0, 64, 2) / 64)
    check(OP, Case("positions", [angles.astype(np.float32)]), isa, oracle=oracle)
