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


#: Those that need no number.
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "hard_swish", "clip", "silu")


def split(attributes: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the convolution, and those of the activation."""
    names = [name for name in attributes if name.startswith("activation")]
    return {k: v for k, v in attributes.items() if k not in names}, {name: attributes[name] for name in names}


def oracle(*inputs: Array, **attributes: Any) -> Array:
    of_conv, of_activation = split(attributes)
    return activated(convolve(*inputs, **of_conv), **of_activation)


def magnitude(*inputs: Array, **attributes: Any) -> Array:
    """Only two grow faster than their argument, by less than a half: the sum's terms bound the error of the result."""
    of_conv, of_activation = split(attributes)
    return convolve(*inputs, **of_conv) * (1.5 if of_activation["activation"] in ("hard_swish", "silu") else 1.0)


def case(name: str, **attributes: Any) -> Case:
    shapes = ((2, 3, 7, 9), (5, 3, 3, 3), (5,))
    return Case(name, [RNG.normal(size=shape).astype(np.float32) for shape in shapes], attributes)


CASES = [
    *(case(name, activation=name, pads=[1, 1, 1, 1]) for name in ACTIVATIONS),
    case("slope", activation="leaky_relu", activation_alpha=0.3, strides=[2, 2]),
    case("negative_slope", activation="leaky_relu", activation_alpha=-0.5),
    case("relu6", activation="clip", activation_alpha=0.0, activation_beta=6.0),
    case("below", activation="clip", activation_beta=1.5, pads=[1, 1, 1, 1]),
    case("crossed", activation="clip", activation_alpha=1.0, activation_beta=-1.0),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_conv_activation_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=magnitude, domain=DOMAIN)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_conv_activation_of_special_values_is_that_of_torch(activation: str, isa: str) -> None:
    low = -50.0 if activation == "silu" else -100.0  # which multiplies a sigmoid, of few bits at -100
    x = np.array([[[np.nan, np.inf, -np.inf, 0.0, 100.0, low, 1e-30, -1e30]]], np.float32)
    special = Case("specials", [x, np.ones((1, 1, 1), np.float32)], {"activation": activation})
    check(OP, special, isa, oracle=oracle, magnitude=lambda x, w, **_: np.zeros_like(x), domain=DOMAIN)


def test_conv_activation_refuses_an_unknown_or_missing_activation() -> None:
    check_refused(OP, case("unknown", activation="swish"), "swish.*relu, leaky_relu", domain=DOMAIN)
    check_refused(OP, case("missing"), "activation is missing", domain=DOMAIN)
