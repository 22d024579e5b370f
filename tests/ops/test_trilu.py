"""Trilu against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Trilu"

CASES = [
    *(Case(np.dtype(t).name, [counted((3, 4), t)]) for t in DTYPES),
    *(
        Case(f"k_{k}_upper_{upper}", [counted((2, 3, 5)) + 1, np.array(k)], {"upper": upper})
        for k in (-4, -1, 0, 2, 6, 2**62, -(2**63))
        for upper in (0, 1)
    ),
    Case("tall", [counted((5, 2)) + 1], {"upper": 0}),
    Case("empty", [counted((0, 3))]),
    Case("no_columns", [counted((3, 0))]),
]


def oracle(x: Array, k: Array | None = None, upper: int = 1) -> Array:
    """numpy takes no larger diagonals than 32 bits."""
    limited = 0 if k is None else int(np.clip(k, -100, 100))
    return np.triu(x, limited) if upper else np.tril(x, limited)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_trilu_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_trilu_refuses_vectors_and_older_opsets() -> None:
    check_refused(OP, Case("vector", [counted((3,))]), "rank 2")
    check_refused(OP, Case("older", [counted((3, 3))], opset=13), "opset 13")
