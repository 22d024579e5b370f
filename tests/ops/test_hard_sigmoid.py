"""HardSigmoid against its formula in double."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "HardSigmoid"


def oracle(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """The formula; attributes are float32 in ONNX."""
    alpha = float(np.float32(alpha))
    beta = float(np.float32(beta))
    return np.clip(alpha * x + beta, 0, 1)


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_hard_sigmoid_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("case", unary_cases(*FLOATS, attributes={"alpha": -0.3, "beta": 0.7}), ids=name_of)
def test_hard_sigmoid_agrees_with_its_formula_with_attributes(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)
