"""GRU against its formulas in float64."""

from __future__ import annotations

import pytest
from harness import Case, check, name_of
from recurrent_cases import activation_cases, common_cases, make
from recurrent_oracle import closed_form, magnitudes

OP = "GRU"

CASES = [
    *common_cases(OP),
    *activation_cases(OP),
    *(
        make(
            OP, f"reset_before_{n}_{direction}", hidden=n, lengths=[2, 4, 1], linear_before_reset=0, direction=direction
        )
        for n in (1, 8, 17, 100)
        for direction in ("forward", "bidirectional")
    ),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gru_follows_its_formulas(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda *_, **__: closed_form(OP, case), magnitude=lambda *_, **__: magnitudes(OP, case))
