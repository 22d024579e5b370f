"""RNN against its formula in float64."""

from __future__ import annotations

import pytest
from harness import Case, check, name_of
from recurrent_cases import activation_cases, common_cases
from recurrent_oracle import closed_form, magnitudes

OP = "RNN"

CASES = [*common_cases(OP), *activation_cases(OP)]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_rnn_follows_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda *_, **__: closed_form(OP, case), magnitude=lambda *_, **__: magnitudes(OP, case))
