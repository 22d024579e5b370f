"""Cases of the operators that reduce axes: every axis and pair of axes, kept or not, by attribute or input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from elementwise_cases import draw
from harness import Array, Case, check
from moving_cases import ints


def reduce_cases(*dtypes: npt.DTypeLike, since: int = 18) -> list[Case]:
    """Axes stand in an attribute before opset ``since`` and in an input from then on."""
    cases = []
    for dtype in dtypes:
        name = np.dtype(dtype).name
        x = draw((3, 4, 5), dtype)
        for axes in [axes for n in (1, 2, 3) for axes in combinations(range(3), n)]:
            for keepdims in (0, 1):
                at = f"{name}_{''.join(map(str, axes))}_{keepdims}"
                cases.append(Case(at, [x, ints(*axes)], {"keepdims": keepdims}))
                if since > 13:
                    cases.append(Case(f"{at}_13", [x], {"axes": list(axes), "keepdims": keepdims}, opset=13))
        cases += [
            Case(f"{name}_all", [x]),
            Case(f"{name}_negative", [x, ints(-1, 0)]),
            Case(f"{name}_no_axes", [x, ints()]),
            Case(f"{name}_noop", [x, ints()], {"noop_with_empty_axes": 1}),
            Case(f"{name}_noop_absent", [x], {"noop_with_empty_axes": 1}),
            Case(f"{name}_scalar", [draw((), dtype)]),
            Case(f"{name}_one", [draw((1, 1), dtype), ints(1)]),
            Case(f"{name}_no_rows", [draw((0, 3), dtype), ints(1)]),
            Case(f"{name}_long", [draw((2, 1000), dtype), ints(1)]),
            Case(f"{name}_long_columns", [draw((1000, 3), dtype), ints(0)]),
            Case(f"{name}_pieces", [draw((9000,), dtype)]),
            Case(f"{name}_pieces_of_columns", [draw((9000, 3), dtype), ints(0)]),
            Case(f"{name}_long_split", [draw((20, 3, 50), dtype), ints(0, 2)]),
            Case(f"{name}_short_rows", [draw((41, 3), dtype), ints(1)]),
            Case(f"{name}_rows_apart", [draw((3, 19, 2, 21), dtype), ints(0, 3)]),
            Case(f"{name}_rows", [draw((3, 2, 5, 37), dtype), ints(1, 3)]),
            Case(f"{name}_channels", [draw((3, 4, 5, 33), dtype), ints(0, 2)]),
        ]
        if dtype is np.float32:  # numpy itself adds so many float64 rows one by one
            cases.append(Case(f"{name}_columns", [draw((2, 600, 83), dtype), ints(1)]))
    return cases


def check_reduction(op: str, case: Case, isa: str, function: Callable[..., Any]) -> None:
    """Check against ``function(x, axis=..., keepdims=...)``, a numpy reduction."""

    def oracle(
        x: Array,
        axes_input: Array | None = None,
        axes: list[int] | None = None,
        keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> Array:
        chosen = tuple(axes or ()) if axes_input is None else tuple(int(axis) for axis in axes_input)
        axis = chosen or (() if noop_with_empty_axes else None)
        # So wide that numpy's own roundings do not count: it sums columns one element after the other.
        wide = x.astype(np.longdouble) if x.dtype.kind == "f" else x
        return np.asarray(function(wide, axis=axis, keepdims=bool(keepdims))).astype(x.dtype)

    check(op, case, isa, oracle=oracle)
