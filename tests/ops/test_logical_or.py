"""Or against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import binary_cases
from harness import Case, check, name_of

OP = "Or"


@pytest.mark.parametrize("case", binary_cases(np.bool_), ids=name_of)
def test_or_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.logical_or)
