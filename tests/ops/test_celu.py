"""Celu against its formula in double, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import unary_cases
from harness import Array, Case, check, check_refused, name_of

OP = "Celu"


def oracle(x: Array, alpha: float = 1.0) -> Array:
    """The formula; attributes are float32 in ONNX."""
    alpha = float(np.float32(alpha))
    return np.where(x < 0, alpha * np.expm1(x / alpha), x)


@pytest.mark.parametrize("case", unary_cases(np.float32), ids=name_of)
def test_celu_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("alpha", [0.3, 2.5, -0.3])
def test_celu_agrees_with_its_formula_and_torch_with_attributes(alpha: float, isa: str) -> None:
    def of_torch(x: Array, alpha: float) -> Array:
        return torch.nn.functional.celu(torch.from_numpy(x), float(np.float32(alpha))).numpy()

    for case in unary_cases(np.float32, attributes={"alpha": alpha}):
        check(OP, case, isa, oracle=oracle)
    line = np.linspace(-30, 30, 4001, dtype=np.float32)
    check(OP, Case("line", [line], {"alpha": alpha}), isa, oracle=of_torch)


def test_celu_refuses_an_alpha_of_zero_and_what_onnx_does_not_have() -> None:
    x = np.zeros(1, np.float32)
    check_refused(OP, Case("zero", [x], {"alpha": 0.0}), "alpha is 0")
    check_refused(OP, Case("double", [x.astype(np.float64)]), "float64")
