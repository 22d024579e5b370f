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


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: np.dtype(dtype).name)
def test_round_of_halves_and_of_numbers_without_digits_behind_the_point(dtype: type, isa: str) -> None:
    digits = np.finfo(dtype).nmant
    x = np.concatenate([np.arange(-20, 20) / 2, 2.0 ** np.arange(-30, 100), 2.0**digits + np.arange(-9, 9) / 2])
    x = np.concatenate([x, np.nextafter(x.astype(dtype), 0), -x]).astype(dtype)
    check(OP, Case("halves", [x]), isa, oracle=np.rint)
