"""Sigmoid against scipy in double."""

from __future__ import annotations

import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, name_of
from scipy import special

OP = "Sigmoid"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_sigmoid_agrees_with_scipy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=special.expit)
