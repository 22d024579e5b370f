"""Tile against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Tile"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t), ints(2, 2)]) for t in DTYPES),
    Case("one_axis", [counted((2, 3, 4)), ints(1, 3, 1)]),
    Case("once", [counted((2, 3)), ints(1, 1)]),
    Case("never", [counted((2, 3)), ints(2, 0)]),
    Case("empty", [counted((0, 3)), ints(2, 2)]),
    Case("scalar", [counted(()), ints()]),
    Case("rank_8", [counted((2, 1, 2, 1, 2, 1, 2, 3)), ints(2, 2, 1, 2, 2, 1, 2, 2)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_tile_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, repeats: np.tile(x, tuple(repeats)))


def test_tile_refuses_what_does_not_fit() -> None:
    x = counted((2, 3))
    check_refused(OP, Case("count", [x, ints(2)]), "1 values")
    check_refused(OP, Case("negative", [x, ints(-1, 1)]), "repeats holds -1")
    check_refused(OP, Case("overflow", [x, ints(2**62, 2**62)]), "too large")
