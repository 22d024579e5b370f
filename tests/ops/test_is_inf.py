"""IsInf against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, unary_cases
from harness import Array, Case, check, name_of

OP = "IsInf"


def oracle(x: Array, detect_negative: int = 1, detect_positive: int = 1) -> Array:
    """The infinities of the signs asked for."""
    return (np.isposinf(x) & bool(detect_positive)) | (np.isneginf(x) & bool(detect_negative))


@pytest.mark.parametrize("case", unary_cases(*FLOATS), ids=name_of)
def test_is_inf_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("attributes", [{"detect_negative": 0}, {"detect_positive": 0}], ids=str)
def test_is_inf_counts_only_the_signs_asked_for(attributes: dict[str, int], isa: str) -> None:
    for case in unary_cases(*FLOATS, attributes=attributes):
        check(OP, case, isa, oracle=oracle)
