"""LSTM against its formulas in float64."""

from __future__ import annotations

import pytest
from harness import Case, check, name_of
from recurrent_cases import activation_cases, common_cases, make
from recurrent_oracle import closed_form, magnitudes

OP = "LSTM"

CASES = [
    *common_cases(OP),
    *activation_cases(OP),
    make(OP, "peepholes", peepholes=True, lengths=[2, 4, 1]),
    make(OP, "peepholes_both_ways", peepholes=True, direction="bidirectional", layout=1),
    make(OP, "input_forget", input_forget=1, lengths=[2, 4, 1]),
    make(OP, "everything", input_forget=1, peepholes=True, clip=0.4, direction="bidirectional", lengths=[2, 4, 1]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_lstm_follows_its_formulas(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda *_, **__: closed_form(OP, case), magnitude=lambda *_, **__: magnitudes(OP, case))
