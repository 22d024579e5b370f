"""Inputs for element-wise operators: sizes around the edges of loops and vectors, broadcasting, special values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import EDGE_SIZES, Array, Case, specials

FLOATS = (np.float32, np.float64)
INTEGERS = (np.int64, np.int32, np.int8, np.uint8)
NUMBERS = FLOATS + INTEGERS

SHAPES = [
    ((), ()),
    ((), (5,)),
    ((1,), (7,)),
    ((3, 4), (4,)),
    ((2, 1, 3), (4, 1)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((0, 3), (1, 3)),
    ((1, 9), (8, 1)),
    ((2, 3, 4, 5), (3, 1, 1)),
    ((2, 3, 37), (2, 1, 37)),
    ((5, 19), (19,)),
    ((7, 33), ()),
]


def draw(shape: tuple[int, ...], dtype: npt.DTypeLike, seed: int = 0) -> Array:
    """Numbers of a type: normal ones for floats, the whole range for integers, coins for bool."""
    rng = np.random.default_rng([seed, *shape])
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.asarray(rng.normal(scale=3, size=shape), kind)
    if kind.kind == "b":
        return np.asarray(rng.integers(0, 2, shape), bool)
    limits = np.iinfo(kind)
    return np.asarray(rng.integers(limits.min, limits.max, shape, kind, endpoint=True), kind)


def unary_cases(*dtypes: npt.DTypeLike, attributes: Mapping[str, Any] | None = None, opset: int = 20) -> list[Case]:
    """One input of each size, and special values (for integers the ends of their range)."""
    given = attributes or {}
    cases = []
    for dtype in dtypes:
        name = np.dtype(dtype).name
        cases += [Case(f"{name}_{n}", [draw((n,), dtype)], given, opset=opset) for n in EDGE_SIZES]
        cases.append(Case(f"{name}_scalar", [draw((), dtype)], given, opset=opset))
        cases.append(Case(f"{name}_3d", [draw((2, 3, 5), dtype)], given, opset=opset))
        cases.append(Case(f"{name}_special", [special_values(dtype)], given, opset=opset))
    return cases


def binary_cases(*dtypes: npt.DTypeLike, attributes: Mapping[str, Any] | None = None, opset: int = 20) -> list[Case]:
    """Two inputs of each pair of shapes, both ways round, equal sizes, and all pairs of special values."""
    given = attributes or {}
    cases = []
    for dtype in dtypes:
        name = np.dtype(dtype).name
        for a, b in [*SHAPES, *((b, a) for a, b in SHAPES), *(((n,), (n,)) for n in EDGE_SIZES)]:
            case = f"{name}_{list(a)}_{list(b)}".replace(" ", "")
            cases.append(Case(case, [draw(a, dtype), draw(b, dtype, seed=1)], given, opset=opset))
        x = special_values(dtype)
        cases.append(Case(f"{name}_special", [x[:, None].copy(), x], given, opset=opset))
    return cases


def special_values(dtype: npt.DTypeLike) -> Array:
    """The values of a type that formulas get wrong."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return specials(kind)
    if kind.kind == "b":
        return np.array([False, True])
    limits = np.iinfo(kind)
    return np.unique(np.array([limits.min, limits.min + 1, max(limits.min, -1), 0, 1, 2, limits.max], kind))
