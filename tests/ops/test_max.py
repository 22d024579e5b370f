"""Max against numpy, bit for bit."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from elementwise_cases import NUMBERS, binary_cases, draw
from harness import Array, Case, check, check_refused, name_of

OP = "Max"


# Which zero of two is taken is open, so none is compared.
CASES = [case for case in binary_cases(*NUMBERS) if not case.name.endswith("special")]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_max_of_two_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.maximum)


@pytest.mark.parametrize(
    "shapes", [[(3,)], [(3,), (1,), ()], [(2, 1, 3), (4, 1), (4, 3), (1, 1, 1)], [(2, 3)] * 9], ids=str
)
def test_max_takes_any_number_of_inputs(shapes: list[tuple[int, ...]], isa: str) -> None:
    def oracle(*inputs: Array) -> Array:
        return reduce(np.maximum, inputs)

    case = Case("many", [draw(shape, np.float32, seed=i) for i, shape in enumerate(shapes)])
    check(OP, case, isa, oracle=oracle)


def test_max_passes_nan_and_infinities_on(isa: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1], np.float32)
    check(OP, Case("nan", [x[:, None].copy(), x]), isa, oracle=np.maximum)


def test_max_refuses_no_input() -> None:
    check_refused(OP, Case("none", []), "0 inputs")
