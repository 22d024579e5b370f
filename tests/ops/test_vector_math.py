"""Vector functions over all of float32: bit patterns of every exponent, both signs, NaN and denormals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from harness import Case, Oracle, check, columns_of

Array = npt.NDArray[Any]


def sigmoid(x: Array) -> Array:
    """In float64, from e^-|x|, so that small results keep their digits."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1) / (1 + small))


def mish(x: Array) -> Array:
    """In float64: of float32, no power of e is denormal there."""
    return np.asarray(x * np.tanh(np.logaddexp(0, x)))


def hard_swish(x: Array) -> Array:
    """x + 3 first, which is exact where it is small."""
    return np.asarray(x * (np.clip(x + 3, 0, 6) / 6))


def softsign(x: Array) -> Array:
    """The formula."""
    return np.asarray(x / (1 + np.abs(x)))


ORACLES: dict[str, Oracle] = {
    "Exp": np.exp,
    "Sigmoid": sigmoid,
    "Tanh": np.tanh,
    "Log": np.log,
    "Mish": mish,
    "HardSwish": hard_swish,
    "Softsign": softsign,
}
COLUMNS = [(op, column) for op in ORACLES for column in columns_of(op)]


@pytest.mark.parametrize(("op", "column"), COLUMNS)
def test_vector_functions_are_within_four_units_everywhere(op: str, column: str) -> None:
    # A prime step reaches every exponent with ever different digits.
    patterns = np.arange(0, 2**32, 65521, dtype=np.uint32)
    near_the_ends = np.linspace(-105, 90, 20001, dtype=np.float32)
    with np.errstate(all="ignore"):
        x = np.concatenate([patterns.view(np.float32), near_the_ends])
        check(op, Case("bit_patterns", [x]), column, oracle=ORACLES[op])
