"""Mod against numpy: the sign of the divisor, and with ``fmod`` that of the dividend."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import FLOATS, INTEGERS, binary_cases, special_values
from harness import Case, check, check_refused, name_of

OP = "Mod"


@pytest.mark.parametrize("case", binary_cases(*FLOATS, attributes={"fmod": 1}), ids=name_of)
def test_mod_of_floats_is_fmod(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=lambda a, b, fmod: np.fmod(a, b))


def test_fmod_is_exact_whatever_the_quotient(isa: str) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    b = np.ldexp(rng.normal(size=a.size), rng.integers(-40, 3, a.size)).astype(np.float32)
    normal = rng.normal(size=a.size).astype(np.float32)
    for x, y in ((a, a[::-1].copy()), (normal, b), (np.round(normal * 100) * b, b)):
        check(OP, Case("patterns", [x, y], {"fmod": 1}), isa, oracle=lambda a, b, fmod: np.fmod(a, b))


@pytest.mark.parametrize("fmod", [0, 1])
@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda dtype: np.dtype(dtype).name)
def test_mod_of_integers_has_the_asked_sign(dtype: type, fmod: int, isa: str) -> None:
    x = special_values(dtype)
    oracle = np.fmod if fmod else np.remainder
    case = Case("special", [x[:, None].copy(), x[x != 0]], {"fmod": fmod})
    check(OP, case, isa, oracle=lambda a, b, fmod: oracle(a, b))


def test_mod_refuses_what_onnx_forbids(isa: str) -> None:
    check_refused(OP, Case("float", [np.ones(1), np.ones(1)]), "fmod 1", isa)
    check_refused(OP, Case("zero", [np.array([1]), np.array([0])]), "integer divisor", isa)
    check_refused(OP, Case("two", [np.array([1]), np.array([1])], {"fmod": 2}), "fmod is 2", isa)
