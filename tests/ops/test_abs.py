"""Abs against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, unary_cases
from harness import Case, check, name_of

OP = "Abs"


@pytest.mark.parametrize("case", unary_cases(*NUMBERS), ids=name_of)
def test_abs_agrees_with_numpy_and_wraps(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.abs)
