"""Equal against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import NUMBERS, binary_cases
from harness import Case, check, name_of, run

OP = "Equal"


@pytest.mark.parametrize("case", binary_cases(*NUMBERS, np.bool_), ids=name_of)
def test_equal_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.equal)


def test_equal_takes_any_non_zero_byte_for_true(isa: str) -> None:
    x = np.array([1, 2, 0], np.uint8).view(bool)
    assert run(OP, Case("bytes", [x, np.array(True)]), isa)[0].tolist() == [True, True, False]
