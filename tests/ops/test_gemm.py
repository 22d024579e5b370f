"""Gemm against numpy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import EDGE_SIZES, Array, Case, check, check_refused, name_of, run

OP = "Gemm"

RNG = np.random.default_rng(0)


def oracle(a: Array, b: Array, c: Array | None = None, *, alpha: float = 1.0, beta: float = 1.0, **trans: int) -> Array:
    """float32 attributes, everything else in the inputs' type."""
    product = (a.T if trans.get("transA") else a) @ (b.T if trans.get("transB") else b)
    y: Array = np.float32(alpha).astype(a.dtype) * product
    return y if c is None else y + np.float32(beta).astype(a.dtype) * c


def magnitude(
    a: Array, b: Array, c: Array | None = None, *, alpha: float = 1.0, beta: float = 1.0, **trans: int
) -> Array:
    return oracle(a, b, c, alpha=abs(alpha), beta=abs(beta), **trans)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def case(name: str, m: int, n: int, k: int, c: tuple[int, ...] | None = None, **attributes: Any) -> Case:
    a = (k, m) if attributes.get("transA") else (m, k)
    b = (n, k) if attributes.get("transB") else (k, n)
    return Case(name, [normal(*a), normal(*b)] + ([] if c is None else [normal(*c)]), attributes)


CASES = [
    *(case(f"m_{n}", n, 5, 7, (5,)) for n in EDGE_SIZES if n < 100),
    *(case(f"n_{n}", 3, n, 7, (n,)) for n in EDGE_SIZES),
    *(case(f"k_{n}", 3, 5, n, (5,)) for n in EDGE_SIZES),
    *(case(f"c_{'x'.join(map(str, c))}", 4, 6, 3, c) for c in ((), (1,), (6,), (1, 1), (1, 6), (4, 1), (4, 6))),
    case("no_c", 4, 6, 3),
    case("trans_a", 13, 18, 5, (18,), transA=1),
    case("trans_b", 13, 18, 5, (18,), transB=1),
    case("trans_both", 13, 18, 5, (13, 1), transA=1, transB=1),
    case("alpha", 5, 33, 7, (33,), alpha=0.3),
    case("beta", 5, 33, 7, (33,), beta=-0.7),
    case("alpha_and_beta", 5, 33, 7, (5, 33), alpha=-1.7, beta=0.5, transB=1),
    case("alpha_zero", 5, 6, 7, (5, 6), alpha=0.0),
    case("square", 40, 40, 40, (40, 40)),
    case("long_sums", 14, 37, 1100, (37,), transB=1),
    case("wide", 2, 700, 20, (700,)),
    case("many_rows", 73, 37, 70, (37,)),
    case("more_rows_than_are_split_at_once", 291, 65, 33, (65,), transB=1),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gemm_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=magnitude)


@pytest.mark.parametrize("opset", [13, 20, 24])
def test_gemm_in_double_agrees_in_every_opset(opset: int, isa: str) -> None:
    inputs = [RNG.normal(size=shape) for shape in ((3, 5), (5, 7), (7,))]
    check(OP, Case("double", inputs, {"alpha": 0.5}, opset=opset), isa, oracle=oracle)


def test_gemm_gives_a_row_the_same_bits_alone_and_in_a_batch(isa: str) -> None:
    a, b, c = normal(29, 301), normal(45, 301), normal(45)
    together = run(OP, Case("batch", [a, b, c], {"transB": 1}), isa)[0]
    for i in (0, 13, 28):
        alone = run(OP, Case("alone", [a[i : i + 1], b, c], {"transB": 1}), isa)[0]
        assert together[i : i + 1].tobytes() == alone.tobytes()


def test_gemm_keeps_nan_and_infinity_in_their_row(isa: str) -> None:
    a, b = normal(5, 4), normal(4, 3)
    a[1, 2], a[3, 0] = np.nan, np.inf
    y = run(OP, Case("specials", [a, b]), isa)[0]
    assert np.isnan(y[1]).all()
    assert np.isinf(y[3]).all()
    assert np.isfinite(y[[0, 2, 4]]).all()


def test_gemm_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("inner", [normal(2, 3), normal(4, 5)]), "do not fit")
    check_refused(OP, Case("rank", [normal(2, 3, 4), normal(4, 5)]), "rank 2")
    check_refused(OP, Case("bias", [normal(2, 3), normal(3, 5), normal(4)]), "broadcast")
    check_refused(OP, Case("tall bias", [normal(2, 3), normal(3, 5), normal(3, 5)]), "broadcast")
    check_refused(OP, Case("large bias", [normal(1, 3), normal(3, 5), normal(2, 5)]), "broadcast")
    check_refused(OP, Case("attribute", [normal(2, 3), normal(3, 5)], {"activation": "relu"}), "activation")
    check_refused(OP, Case("int", [np.ones((2, 2), np.int64)] * 2), "int64")
    check_refused(OP, Case("mixed", [normal(2, 3), np.ones((3, 5))]), "float64")
