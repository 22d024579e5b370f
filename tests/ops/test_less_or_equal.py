"""LessOrEqual against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, binary_cases
from harness import Case, check, name_of

OP = "LessOrEqual"


@pytest.mark.parametrize("case", binary_cases(*NUMBERS), ids=name_of)
def test_less_or_equal_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.less_equal)
