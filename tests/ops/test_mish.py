"""Mish against its formula in more than double, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, check_refused, name_of

OP = "Mish"


def oracle(x: Array) -> Array:
    """The formula; in double, results that are denormal would lose digits of exp(x)."""
    wide = x.astype(np.longdouble)
    return np.asarray(wide * np.tanh(np.logaddexp(np.longdouble(0), wide)))


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_mish_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize(("dtype", "end"), [(np.float32, 120), (np.float64, 760)])
def test_mish_is_accurate_down_to_the_last_denormal_and_far_above(dtype: type, end: float, isa: str) -> None:
    case = Case("far", [np.concatenate([np.linspace(-end, end, 20001), np.geomspace(1e-45, 1e38, 999)]).astype(dtype)])
    check(OP, case, isa, oracle=oracle)


def test_mish_is_that_of_torch(isa: str) -> None:
    def of_torch(x: Array) -> Array:
        return torch.nn.functional.mish(torch.from_numpy(x)).numpy()

    check(OP, Case("line", [np.linspace(-30, 30, 4001, dtype=np.float32)]), isa, oracle=of_torch)


def test_mish_refuses_older_opsets() -> None:
    check_refused(OP, Case("older", [np.zeros(1, np.float32)], opset=17), "opset 17")
