"""BatchNormalization against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import Array, Case, check, check_refused, name_of

OP = "BatchNormalization"

RNG = np.random.default_rng(0)


def oracle(x: Array, scale: Array, b: Array, mean: Array, var: Array, epsilon: float = 1e-5, **_: Any) -> Array:
    image, *own = (torch.from_numpy(v) for v in (x, mean, var, scale, b))
    y: Array = F.batch_norm(image, own[0], own[1], own[2], own[3], False, 0.0, float(np.float32(epsilon))).numpy()
    return y


def magnitude(x: Array, scale: Array, b: Array, mean: Array, var: Array, epsilon: float = 1e-5, **_: Any) -> Array:
    """The terms are x and mean, both scaled, and b."""
    return oracle(x, scale, b, -mean, var, epsilon)


def case(name: str, *shape: int, dtype: type = np.float32, opset: int = 20, **attributes: Any) -> Case:
    channels: list[Array] = [RNG.normal(size=shape[1]).astype(dtype) for _ in range(4)]
    channels[3] = np.abs(channels[3])
    return Case(name, [RNG.normal(size=shape).astype(dtype), *channels], attributes, opset=opset)


CASES = [
    case("two_axes", 3, 5),
    case("one_axis_behind", 2, 3, 17),
    case("image", 2, 3, 5, 7, opset=13),
    case("volume", 1, 2, 3, 4, 5, opset=24),
    case("epsilon", 2, 3, 4, epsilon=0.1),
    case("momentum_is_for_training", 2, 3, 4, momentum=0.5, training_mode=0, opset=15),
    case("double", 2, 3, 4, dtype=np.float64, opset=14),
    case("empty", 2, 3, 0),
    case("many_channels", 3, 37),
    case("rows", 2, 3, 37),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_batch_normalization_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle, magnitude=magnitude)


def test_batch_normalization_refuses_training_and_what_does_not_fit() -> None:
    plain = case("plain", 2, 3, 4)
    check_refused(OP, Case("training", plain.inputs, {"training_mode": 1}), "training_mode 1")
    check_refused(OP, Case("outputs", plain.inputs, outputs=3), "training")
    check_refused(OP, Case("old", plain.inputs, {"training_mode": 0}, opset=13), "training_mode")
    check_refused(OP, Case("channels", [*plain.inputs[:4], np.ones(4, np.float32)]), "input 4 has 4")
    check_refused(OP, Case("mixed", [*plain.inputs[:4], np.ones(3)]), "float64")


def test_batch_normalization_by_an_infinite_factor_is_the_whole_formula(isa: str) -> None:
    one = np.ones(2, np.float32)
    x = np.array([[1, 2], [3, np.inf], [np.nan, -1]], np.float32)
    flat = Case("flat", [x, one, one, one, np.zeros(2, np.float32)], {"epsilon": 0.0})

    def formula(x: Array, scale: Array, b: Array, mean: Array, var: Array, **_: Any) -> Array:
        y: Array = (x - mean) * (scale / np.sqrt(var)) + b
        return y

    check(OP, flat, isa, oracle=formula)
