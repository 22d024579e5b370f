"""Not against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import unary_cases
from harness import Case, check, name_of, run

OP = "Not"


@pytest.mark.parametrize("case", unary_cases(np.bool_), ids=name_of)
def test_not_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.logical_not)


def test_not_takes_any_non_zero_byte_for_true(isa: str) -> None:
    x = np.array([0, 1, 2, 255], np.uint8).view(bool)
    assert run(OP, Case("bytes", [x]), isa)[0].tolist() == [True, False, False, False]
