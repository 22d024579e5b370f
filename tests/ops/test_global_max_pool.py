"""GlobalMaxPool against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from harness import EDGE_SIZES, Array, Case, check, check_refused, name_of

OP = "GlobalMaxPool"

RNG = np.random.default_rng(0)
SHAPES = [*((2, 3, n) for n in EDGE_SIZES if n), (0, 3, 4, 4), (2, 0, 4), (1, 2, 5, 7), (2, 2, 3, 4, 5)]
CASES = [Case("x".join(map(str, shape)), [RNG.normal(size=shape).astype(np.float32)]) for shape in SHAPES]


def oracle(x: Array) -> Array:
    largest: Array = x.max(axis=tuple(range(2, x.ndim)), keepdims=True, initial=-np.inf)
    return largest.astype(x.dtype)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_global_max_pool_is_the_largest(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_global_max_pool_takes_double_in_every_opset(isa: str) -> None:
    for opset in (13, 22, 24):
        check(OP, Case("double", [RNG.normal(size=(2, 3, 4))], opset=opset), isa, oracle=oracle)


def test_global_max_pool_of_nan_is_nan_and_of_nothing_minus_infinity(isa: str) -> None:
    x = np.array([[[1, np.nan, 3], [-np.inf, -np.inf, -np.inf], [np.inf, 0, 1]]], np.float32)
    check(OP, Case("specials", [x]), isa, oracle=oracle)
    check(OP, Case("nothing", [np.zeros((1, 2, 0), np.float32)]), isa, oracle=oracle)


def test_global_max_pool_refuses_low_rank_and_integers() -> None:
    check_refused(OP, Case("rank", [np.zeros((2, 3), np.float32)]), "rank 3")
    check_refused(OP, Case("int", [np.zeros((2, 3, 4), np.int64)]), "int64")
