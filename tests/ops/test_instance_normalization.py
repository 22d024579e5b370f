"""InstanceNormalization against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import EDGE_SIZES, Array, Case, check, check_refused, name_of

OP = "InstanceNormalization"

RNG = np.random.default_rng(0)


def oracle(x: Array, scale: Array, b: Array, epsilon: float = 1e-5) -> Array:
    tensors = [torch.from_numpy(v) for v in (scale, b)]
    y: Array = F.instance_norm(
        torch.from_numpy(x), weight=tensors[0], bias=tensors[1], eps=float(np.float32(epsilon))
    ).numpy()
    return y


def magnitude(x: Array, scale: Array, b: Array, epsilon: float = 1e-5) -> Array:
    """The terms are x and its mean, both scaled, and b; inputs are the magnitudes, whose spread is not larger."""
    axes = tuple(range(2, x.ndim))
    factor = scale.reshape(-1, *[1] * (x.ndim - 2)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    shift: Array = b.reshape(-1, *[1] * (x.ndim - 2))
    terms: Array = (x + x.mean(axes, keepdims=True)) * factor + shift
    return terms


def case(name: str, *shape: int, dtype: type = np.float32, opset: int = 20, **attributes: Any) -> Case:
    inputs: list[Array] = [RNG.normal(size=size).astype(dtype) for size in (shape, shape[1], shape[1])]
    return Case(name, inputs, attributes, opset=opset)


CASES = [
    *(case(f"size_{n}", 2, 3, n) for n in EDGE_SIZES if n > 1),
    case("image", 2, 3, 5, 7, opset=13),
    case("volume", 1, 2, 3, 4, 5, opset=24),
    case("epsilon", 2, 3, 4, epsilon=0.1),
    case("double", 2, 3, 4, dtype=np.float64, opset=22),
    case("empty_batch", 0, 3, 4),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_instance_normalization_agrees_with_torch(case: Case, isa: str) -> None:
    if case.inputs[0] is not None and case.inputs[0].size == 0:
        check(OP, case, isa, oracle=lambda x, *_: x, magnitude=lambda x, *_: x)
        return
    check(OP, case, isa, oracle=oracle, magnitude=magnitude)


def test_instance_normalization_of_one_element_is_the_shift(isa: str) -> None:
    one = case("one", 2, 3, 1)
    check(OP, one, isa, oracle=lambda x, scale, b: np.broadcast_to(b.reshape(-1, 1), x.shape).copy())


@pytest.mark.parametrize("size", [1e-35, 1e-20, 1e20, 1e37])
def test_instance_normalization_of_far_numbers_neither_overflows_nor_vanishes(size: float, isa: str) -> None:
    plain = case("far", 2, 3, 100, epsilon=0.0)
    x = np.asarray(plain.inputs[0], np.float64) * size
    check(
        OP,
        Case("far", [x.astype(np.float32), *plain.inputs[1:]], plain.attributes),
        isa,
        oracle=oracle,
        magnitude=magnitude,
    )


def test_instance_normalization_refuses_what_does_not_fit() -> None:
    check_refused(OP, case("rank", 2, 3), "rank 3")
    plain = case("plain", 2, 3, 4)
    check_refused(OP, Case("channels", [*plain.inputs[:2], np.ones(4, np.float32)]), "input 2 has 4")
