"""Log against numpy in double."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, name_of

OP = "Log"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_log_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.log)
