"""ThresholdedRelu against its formula, bit for bit, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "ThresholdedRelu"


def oracle(x: Array, alpha: float = 1.0) -> Array:
    """The formula; attributes are float32 in ONNX."""
    return np.where(x > x.dtype.type(np.float32(alpha)), x, x.dtype.type(0))


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_thresholded_relu_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("alpha", [0.3, -0.3, 0.0])
def test_thresholded_relu_agrees_with_its_formula_and_torch_with_attributes(alpha: float, isa: str) -> None:
    def of_torch(x: Array, alpha: float) -> Array:
        return torch.nn.functional.threshold(torch.from_numpy(x), float(np.float32(alpha)), 0.0).numpy()

    for case in unary_cases(*FLOATS, attributes={"alpha": alpha}):
        check(OP, case, isa, oracle=oracle)
    line = np.linspace(-3, 3, 4001, dtype=np.float32)
    check(OP, Case("line", [line], {"alpha": alpha}), isa, oracle=of_torch)
