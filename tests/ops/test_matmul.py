"""MatMul against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from harness import EDGE_SIZES, Array, Case, check, check_refused, name_of, run

OP = "MatMul"

RNG = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


SHAPES = [
    *(((3, n), (n, 5)) for n in EDGE_SIZES),
    *(((n, 4), (4, n)) for n in EDGE_SIZES if n < 100),
    ((7,), (7,)),
    ((7,), (7, 20)),
    ((20, 7), (7,)),
    ((2, 3, 7), (7,)),
    ((7,), (2, 3, 7, 4)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (3, 4, 18)),
    ((5, 1, 3, 4), (1, 6, 4, 2)),
    ((1, 1, 20, 33), (2, 2, 33, 17)),
    ((0, 3, 4), (4, 5)),
    ((2, 3, 4), (0, 1, 4, 5)),
    ((2, 3, 0), (2, 0, 5)),
    ((13, 600), (600, 40)),
    ((2, 3, 7, 64), (64, 33)),
]
CASES = [Case(f"{a}_by_{b}".replace(" ", ""), [normal(*a), normal(*b)]) for a, b in SHAPES]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_matmul_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=np.matmul)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.int64])
@pytest.mark.parametrize("opset", [13, 24])
def test_matmul_of_other_types_agrees_with_numpy(dtype: type, opset: int, isa: str) -> None:
    inputs: list[Array] = [RNG.integers(-9, 9, shape).astype(dtype) for shape in ((2, 3, 4), (4, 5))]
    check(OP, Case("types", inputs, opset=opset), isa, oracle=np.matmul)


def test_matmul_of_large_integers_wraps() -> None:
    x = np.array([[2**62, -(2**63)]])
    assert run(OP, Case("wrap", [x, np.array([[2], [1]])]))[0].tolist() == [[0]]


def test_matmul_gives_a_row_the_same_bits_alone_and_in_a_batch(isa: str) -> None:
    a, b = normal(4, 25, 301), normal(301, 45)
    together = run(OP, Case("batch", [a, b]), isa)[0]
    alone = run(OP, Case("alone", [a[2, 20:21], b]), isa)[0]
    assert together[2, 20:21].tobytes() == alone.tobytes()


def test_matmul_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("inner", [normal(2, 3), normal(4, 5)]), "do not fit")
    check_refused(OP, Case("stack", [normal(2, 2, 3), normal(3, 3, 5)]), "broadcast")
    check_refused(OP, Case("scalar", [normal(), normal(3)]), "rank 1")
    check_refused(OP, Case("bool", [np.ones((2, 2), bool)] * 2), "bool")
