"""HardSwish against its formula in double, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, check_refused, name_of

OP = "HardSwish"


def oracle(x: Array) -> Array:
    """The formula; x + 3 first, which is exact where it is small."""
    return np.asarray(x * (np.clip(x + 3, 0, 6) / 6))


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_hard_swish_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_hard_swish_is_that_of_torch_also_beside_its_corners(isa: str) -> None:
    near = np.float32(3) + np.arange(-50, 50, dtype=np.float32) * np.spacing(np.float32(3))
    x = np.concatenate([np.linspace(-9, 9, 4001, dtype=np.float32), near, -near])

    def of_torch(x: Array) -> Array:
        return torch.nn.functional.hardswish(torch.from_numpy(x)).numpy()

    check(OP, Case("line", [x]), isa, oracle=of_torch)


def test_hard_swish_refuses_older_opsets_and_attributes() -> None:
    x = np.zeros(1, np.float32)
    check_refused(OP, Case("older", [x], opset=13), "opset 13")
    check_refused(OP, Case("attribute", [x], {"alpha": 0.5}), "alpha")
