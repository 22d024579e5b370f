"""Shape against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Shape"

CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t)]) for t in DTYPES),
    Case("scalar", [counted(())]),
    Case("empty", [counted((0, 3))]),
    *(
        Case(f"from_{start}_to_{end}", [counted((2, 3, 4))], {"start": start, "end": end})
        for start in (-4, -2, 0, 1, 3, 2**62, -(2**63))
        for end in (-5, -1, 0, 2, 3, 2**63 - 1)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_shape_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x, start=0, end=None: np.array(x.shape[start:end], np.int64))


def test_shape_has_start_and_end_since_opset_15() -> None:
    check_refused(OP, Case("start", [counted((2,))], {"start": 1}, opset=13), "start")
