"""Round against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Case, check, name_of

OP = "Round"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_round_takes_the_even_one_of_two_neighbours(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.rint)
