"""Neg against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, check_refused, name_of

OP = "Neg"


@pytest.mark.parametrize("case", unary_cases(*FLOATS, np.int64, np.int32, np.int8), ids=name_of)
def test_neg_agrees_with_numpy_and_wraps(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.negative)


def test_neg_refuses_unsigned_integers() -> None:
    check_refused(OP, Case("uint8", [np.array([1], np.uint8)]), "type uint8")
