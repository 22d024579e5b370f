"""LeakyRelu against its formula, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "LeakyRelu"


def oracle(x: Array, alpha: float = 0.01) -> Array:
    """The formula; attributes are float32 in ONNX."""
    alpha = x.dtype.type(np.float32(alpha))
    return np.where(x < 0, alpha * x, x)


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_leaky_relu_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("case", unary_cases(*FLOATS, attributes={"alpha": -0.3}), ids=name_of)
def test_leaky_relu_agrees_with_its_formula_with_attributes(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)
