"""Sub against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, binary_cases
from harness import Case, check, check_refused, name_of

OP = "Sub"


@pytest.mark.parametrize("case", binary_cases(*NUMBERS), ids=name_of)
def test_sub_agrees_with_numpy_and_wraps(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.subtract)


def test_sub_refuses_shapes_that_do_not_fit_and_mixed_types() -> None:
    check_refused(OP, Case("shapes", [np.zeros((2, 3)), np.zeros(2)]), "cannot be broadcast")
    check_refused(OP, Case("types", [np.zeros(2), np.zeros(2, np.float32)]), "expected float64")
    check_refused(OP, Case("older", [np.zeros(2, np.int8)] * 2, opset=13), "type int8")
