"""GemmActivation against torch and numpy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from windows import activated

OP = "GemmActivation"
DOMAIN = "slipway"

RNG = np.random.default_rng(0)


def product(a: Array, b: Array, c: Array, *, alpha: float = 1.0, **_: Any) -> Array:
    """The argument of the activation, for transB 1."""
    y: Array = alpha * (a @ b.T) + c
    return y


def oracle(a: Array, b: Array, c: Array, *, alpha: float = 1.0, transB: int = 1, **activation: Any) -> Array:
    return activated(product(a, b, c, alpha=alpha), **activation)


def case(name: str, m: int, n: int, **attributes: Any) -> Case:
    shapes = ((m, 20), (n, 20), (n,))
    return Case(name, [RNG.normal(size=shape).astype(np.float32) for shape in shapes], {"transB": 1, **attributes})


CASES = [
    *(case(name, 9, 35, activation=name) for name in ("relu", "leaky_relu", "sigmoid", "tanh", "hard_swish", "silu")),
    case("relu6", 9, 35, activation="clip", activation_alpha=0.0, activation_beta=6.0),
    case("one_row", 1, 16, activation="relu"),
    case("empty", 0, 16, activation="relu"),
    case("slope_and_alpha", 5, 17, activation="leaky_relu", activation_alpha=0.25, alpha=0.5),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gemm_activation_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=product, domain=DOMAIN)


def test_gemm_activation_refuses_an_unknown_or_missing_activation() -> None:
    check_refused(OP, case("unknown", 2, 3, activation="swish"), "swish.*relu, leaky_relu", domain=DOMAIN)
    check_refused(OP, case("missing", 2, 3), "activation is missing", domain=DOMAIN)
