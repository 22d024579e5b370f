"""Sigmoid against scipy in double."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, name_of, run
from scipy import special

OP = "Sigmoid"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_sigmoid_agrees_with_scipy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=special.expit)


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Exp", "Softplus", "Mish", "Elu", "Erf", "Gelu"])
def test_any_nan_stays_one_where_powers_are_made_of_bits(op: str, isa: str) -> None:
    bits = np.array([0x7FC00000, 0x7FC00001, 0x7F800001, 0x7FFFFFFF, 0xFFC00101, 0xFF800001], np.uint32)
    x = np.tile(bits.view(np.float32), 9)
    y = run(op, Case("nan", [x]), isa)[0]
    assert np.isnan(y).all()
    of_one = np.stack([run(op, Case("nan", [np.full(43, number)]), isa)[0] for number in x[:6]]).view(np.uint32)
    assert (of_one == of_one[:, :1]).all()  # wherever in a vector, or behind the last, it stands
