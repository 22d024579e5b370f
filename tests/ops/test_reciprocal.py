"""Reciprocal against numpy, bit for bit."""

from __future__ import annotations

import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, name_of

OP = "Reciprocal"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_reciprocal_is_correctly_rounded(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x: 1 / x)
