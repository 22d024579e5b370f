"""Softsign against its formula in double, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "Softsign"


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_softsign_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda x: x / (1 + np.abs(x)))


def test_softsign_is_that_of_torch(isa: str) -> None:
    def of_torch(x: Array) -> Array:
        return torch.nn.functional.softsign(torch.from_numpy(x)).numpy()

    check(OP, Case("line", [np.linspace(-30, 30, 4001, dtype=np.float32)]), isa, oracle=of_torch)
