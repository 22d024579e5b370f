"""Products of split numbers (cpp/simd/split.h) on AMX, bit by bit against what its instruction is defined to do."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, run

from slipway import _engine

pytestmark = pytest.mark.skipif("amx" not in _engine.isas(), reason="this processor, or this system, has no AMX")

RNG = np.random.default_rng(0)

#: Which parts of A and B meet, in order: the small products of all terms, then the large ones.
SMALL = ((0, 2), (0, 1), (1, 1), (1, 0), (2, 0))
LARGE = ((0, 0),)
TERMS = 32


def parts(x: Array) -> list[Array]:
    """Three float32 arrays of bfloat16 numbers whose sum is `x`."""
    found: list[Array] = []
    rest = x.astype(np.float32)
    for _ in range(3):
        first = ((rest.view(np.uint32) + np.uint32(0x8000)) & np.uint32(0xFFFF0000)).view(np.float32)
        found.append(first)
        rest = rest - first
    assert (rest == 0).all()
    return found


def tdpbf16ps(sums: Array, a: Array, b: Array) -> Array:
    """Even and odd terms apart, each from zero, then both, then C (Intel's manual, TDPBF16PS). Products are exact."""
    halves = []
    for first in (0, 1):
        half = np.zeros_like(sums)
        for p in range(first, TERMS, 2):
            half = half + a[:, p, None] * b[None, p]
        halves.append(half)
    result: Array = sums + (halves[0] + halves[1])
    return result


def emulated(a: Array, b: Array) -> Array:
    k = -(-a.shape[1] // TERMS) * TERMS
    a_parts = parts(np.pad(a, ((0, 0), (0, k - a.shape[1]))))
    b_parts = parts(np.pad(b, ((0, k - b.shape[0]), (0, 0))))
    sums = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for pairs in (SMALL, LARGE):
        for p in range(0, k, TERMS):
            for i, j in pairs:
                sums = tdpbf16ps(sums, a_parts[i][:, p : p + TERMS], b_parts[j][p : p + TERMS])
    return sums


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("m", "n", "k"), [(64, 32, 32), (69, 33, 70), (64, 65, 33), (97, 112, 128), (200, 47, 300), (128, 129, 65)]
)
def test_products_have_the_bits_of_the_instruction(m: int, n: int, k: int) -> None:
    a, b = normal(m, k), normal(k, n)
    y = run("MatMul", Case("split", [a, b]), "amx", all_constant=True)[0]
    assert y.tobytes() == emulated(a, b).tobytes()


@pytest.mark.parametrize("k", [64, 784, 4096])
def test_errors_are_those_of_float32(k: int) -> None:
    a, b = normal(64, k), normal(k, 64)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    errors = {
        isa: np.abs(run("MatMul", Case("split", [a, b]), isa, all_constant=True)[0] - exact).max()
        for isa in ("avx512", "amx")
    }
    errors["numpy"] = np.abs(a @ b - exact).max()
    assert errors["amx"] <= 2 * min(errors["numpy"], errors["avx512"])


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38, 1e-30, 1e-42])
def test_a_row_that_does_not_split_is_multiplied_as_it_is(value: float) -> None:
    a, b = normal(70, 40), normal(40, 37)
    if abs(value) < 1:
        a[7] *= np.float32(value)
    else:
        a[7, 3] = value
    y = run("MatMul", Case("specials", [a, b]), "amx", all_constant=True)[0]
    with np.errstate(all="ignore"):
        wanted = a.astype(np.float64) @ b.astype(np.float64)
        np.testing.assert_allclose(y[7], wanted[7].astype(np.float32), rtol=1e-4, atol=max(abs(value) * 1e-4, 1e-43))
    others = np.arange(70) != 7
    assert y[others].tobytes() == emulated(a[others], b).tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_weights_that_do_not_split_are_multiplied_as_they_are(value: float) -> None:
    a, b = normal(64, 40), normal(40, 37)
    b[3, 5] = value
    case = Case("weights", [a, b])
    y = [run("MatMul", case, isa, all_constant=True)[0] for isa in ("avx512", "amx")]
    assert y[0].tobytes() == y[1].tobytes()
