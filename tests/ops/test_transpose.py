"""Transpose against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Transpose"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t)]) for t in DTYPES),
    Case("scalar", [counted(())]),
    Case("turned_round", [counted((2, 3, 4, 5))]),
    *(Case(f"perm_{p}", [counted((2, 3, 4))], {"perm": p}) for p in ([0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1])),
    *(Case(f"plane_{np.dtype(t).name}", [counted((2, 17, 35), t)], {"perm": [0, 2, 1]}) for t in DTYPES),
    Case("rows", [counted((3, 4, 33))], {"perm": [1, 0, 2]}),
    Case("ones", [counted((1, 3, 1, 2))], {"perm": [2, 1, 3, 0]}),
    Case("empty", [counted((2, 0, 3))], {"perm": [2, 1, 0]}),
    *(
        Case(f"tiles_{np.dtype(t).name}_{p}", [counted((3, 33, 65), t)], {"perm": p})
        for t in (np.float32, np.float64, np.uint8)
        for p in ([0, 2, 1], [2, 1, 0], [1, 2, 0], [2, 0, 1])
    ),
    Case("rank_8", [counted((2, 1, 2, 3, 1, 2, 2, 3))], {"perm": [7, 5, 3, 1, 0, 2, 4, 6]}),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_transpose_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, perm=None: np.transpose(x, perm).copy())


@pytest.mark.parametrize("perm", [[0, 0], [0, 2], [-1, 0], [0], [0, 1, 2], [2**62, 0]], ids=str)
def test_transpose_refuses_what_is_no_permutation(perm: list[int]) -> None:
    check_refused(OP, Case("perm", [counted((2, 3))], {"perm": perm}), "perm")
