"""RNN against its formula in float64."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, name_of
from recurrent_cases import activation_cases, common_cases
from recurrent_oracle import closed_form, magnitudes

from slipway import _engine

OP = "RNN"

CASES = [*common_cases(OP), *activation_cases(OP)]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_rnn_follows_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda *_, **__: closed_form(OP, case), magnitude=lambda *_, **__: magnitudes(OP, case))


def test_the_default_of_the_schema_is_taken_for_one_direction(isa: str) -> None:
    """Exporters write out ``activations=["Tanh", "Tanh"]`` although one direction needs one name."""
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    w, r = np.ones((1, 5, 4), np.float32), np.ones((1, 5, 5), np.float32)
    short, long = (
        _engine.run_op(OP, [x, w, r], {"hidden_size": 5, "activations": ["Tanh"] * count}, outputs=2, isa=isa)
        for count in (1, 2)
    )
    np.testing.assert_array_equal(short[0], long[0])
