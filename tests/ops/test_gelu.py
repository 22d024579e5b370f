"""Gelu against scipy in double, both forms; the class is "sum", its two terms x / 2 and x / 2 * erf(...) cancel."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, check_refused, name_of
from scipy import special

OP = "Gelu"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_gelu_agrees_with_the_normal_distribution(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x: x * special.ndtr(x))


@pytest.mark.parametrize("case", unary_cases(*FLOATS, attributes={"approximate": "tanh"}), ids=name_of)
def test_gelu_by_tanh_agrees_with_its_formula(case: Case, isa: str) -> None:
    def oracle(x: Array, approximate: str) -> Array:
        return np.asarray(x * special.expit(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    check(OP, case, isa, oracle=oracle)


def test_gelu_refuses_an_unknown_approximation_and_older_opsets() -> None:
    x = np.zeros(1, np.float32)
    check_refused(OP, Case("unknown", [x], {"approximate": "sin"}), "approximate")
    check_refused(OP, Case("older", [x], opset=19), "opset 19")
