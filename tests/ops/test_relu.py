"""Relu against the formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from harness import EDGE_SIZES, Case, check, check_refused, name_of, specials

OP = "Relu"

RNG = np.random.default_rng(0)
CASES = [
    *(Case(f"size_{n}", [RNG.normal(size=n).astype(np.float32)]) for n in EDGE_SIZES),
    Case("scalar", [np.array(-3, np.float32)]),
    Case("float64", [RNG.normal(size=(3, 5))]),
    *(Case(str(np.dtype(t)), [np.array([-3, 0, 7], t)]) for t in (np.int8, np.int32, np.int64)),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_relu_is_the_larger_of_x_and_zero(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x: np.where(x < 0, np.zeros_like(x), x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_of_special_values_keeps_nan_and_signed_zero(dtype: type, isa: str) -> None:
    x = specials(dtype)
    check(OP, Case("specials", [x]), isa, oracle=lambda x: np.where(x < 0, np.zeros_like(x), x))


def test_relu_refuses_bool_and_unknown_attributes() -> None:
    check_refused(OP, Case("bool", [np.array([True])]), "type bool")
    check_refused(OP, Case("attribute", [np.zeros(1, np.float32)], {"alpha": 1.0}), "alpha")
