"""ConvActivation against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from windows import activated, convolve

OP = "ConvActivation"
DOMAIN = "slipway"

RNG = np.random.default_rng(0)


def oracle(*inputs: Array, activation: str, activation_alpha: float = 0.01, **attributes: Any) -> Array:
    return activated(convolve(*inputs, **attributes), activation, activation_alpha)


def magnitude(*inputs: Array, activation: str, activation_alpha: float = 0.01, **attributes: Any) -> Array:
    """No activation grows faster than its argument, so the sum's terms bound the error of the result."""
    return convolve(*inputs, **attributes)


def case(name: str, **attributes: Any) -> Case:
    shapes = ((2, 3, 7, 9), (5, 3, 3, 3), (5,))
    return Case(name, [RNG.normal(size=shape).astype(np.float32) for shape in shapes], attributes)


CASES = [
    *(case(name, activation=name, pads=[1, 1, 1, 1]) for name in ("relu", "leaky_relu", "sigmoid", "tanh")),
    case("slope", activation="leaky_relu", activation_alpha=0.3, strides=[2, 2]),
    case("negative_slope", activation="leaky_relu", activation_alpha=-0.5),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_conv_activation_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=magnitude, domain=DOMAIN)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid", "tanh"])
def test_conv_activation_of_special_values_is_that_of_torch(activation: str, isa: str) -> None:
    x = np.array([[[np.nan, np.inf, -np.inf, 0.0, 100.0, -100.0, 1e-30, -1e30]]], np.float32)
    special = Case("specials", [x, np.ones((1, 1, 1), np.float32)], {"activation": activation})
    check(OP, special, isa, oracle=oracle, magnitude=lambda x, w, **_: np.zeros_like(x), domain=DOMAIN)


def test_conv_activation_refuses_an_unknown_or_missing_activation() -> None:
    check_refused(OP, case("unknown", activation="swish"), "swish.*relu, leaky_relu", domain=DOMAIN)
    check_refused(OP, case("missing"), "activation is missing", domain=DOMAIN)
