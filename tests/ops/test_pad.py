"""Pad against numpy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted, ints

OP = "Pad"


def oracle(
    x: Array, pads: Array, value: Array | None = None, axes: Array | None = None, mode: str = "constant"
) -> Array:
    """numpy's pad; a negative one crops."""
    places = range(x.ndim) if axes is None else axes
    widths = [(0, 0)] * x.ndim
    for i, axis in enumerate(places):
        widths[int(axis)] = (int(pads[i]), int(pads[i + len(pads) // 2]))
    crop = tuple(slice(max(-b, 0), n - max(-e, 0)) for n, (b, e) in zip(x.shape, widths, strict=True))
    wider = [(max(b, 0), max(e, 0)) for b, e in widths]
    if mode == "constant":
        fill = x.dtype.type(0) if value is None else value.reshape(())
        return np.pad(x[crop], wider, constant_values=fill)
    return np.asarray(np.pad(x, wider, mode=mode))  # type: ignore[call-overload]


X = counted((3, 4)) + 1
CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3), t), ints(1, 0, 2, 3), np.array(1, t)]) for t in DTYPES),
    Case("zeros", [X, ints(1, 1, 1, 1)]),
    Case("list_of_one", [X, ints(1, 1, 1, 1), np.array([7], np.float32)]),
    Case("rows", [counted((2, 3, 5, 7)), ints(0, 1, 0, 0, 0, 1, 2, 0), np.array(9, np.float32)]),
    Case("image", [counted((2, 3, 5, 7)), ints(0, 0, 1, 2, 0, 0, 3, 1), np.array(9, np.float32)]),
    Case("batch", [counted((2, 3, 5)), ints(1, 0, 0, 2, 0, 0)]),
    *(
        Case(f"image_{mode}", [counted((2, 3, 5)), ints(0, 1, 2, 0, 2, 1)], {"mode": mode})
        for mode in ("reflect", "edge")
    ),
    Case("axes", [X, ints(2, 1), None, ints(-1)]),
    Case("axes_order", [X, ints(2, 0, 1, 3), None, ints(1, 0)]),
    Case("axes_int32", [X, ints(2, 1), None, np.array([1], np.int32)]),
    Case("no_axes", [X, ints(), None, ints()]),
    Case("crop", [X, ints(-1, 0, 0, -2)]),
    Case("crop_and_pad", [X, ints(-1, 2, 2, -2), np.array(9, np.float32)]),
    Case("crop_all", [X, ints(-3, 0, 0, 0)]),
    Case("empty", [counted((0, 2)), ints(1, 1, 1, 1)]),
    *(Case(f"{mode}", [X, ints(1, 2, 2, 3)], {"mode": mode}) for mode in ("reflect", "edge", "wrap")),
    *(Case(f"{mode}_far", [X, ints(7, 9, 8, 11)], {"mode": mode}) for mode in ("reflect", "edge", "wrap")),
    *(Case(f"{mode}_one", [X[:1].copy(), ints(2, 0, 3, 0)], {"mode": mode}) for mode in ("reflect", "edge", "wrap")),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_pad_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_pad_of_a_scalar_is_the_identity(isa: str) -> None:
    check(OP, Case("scalar", [counted(()), ints()]), isa, oracle=lambda x, pads: x)


def test_pad_refuses_what_does_not_fit() -> None:
    check_refused(OP, Case("count", [X, ints(1, 1)]), "pads has 2 values, expected 4")
    check_refused(OP, Case("too_little", [X, ints(-2, 0, -2, 0)]), "leave nothing")
    check_refused(OP, Case("negative", [X, ints(-1, 0, 0, 0)], {"mode": "edge"}), "negative ones are supported")
    check_refused(OP, Case("nothing", [counted((0,)), ints(1, 0)], {"mode": "edge"}), "nothing to repeat")
    check_refused(OP, Case("mode", [X, ints(1, 1, 1, 1)], {"mode": "mirror"}), "mode is")
    check_refused(OP, Case("older", [X, ints(1, 1, 1, 1)], {"mode": "wrap"}, opset=18), "mode is")
    check_refused(OP, Case("axes", [X, ints(1, 1), None, ints(2)]), "axis 2 does not fit rank 2")
    check_refused(OP, Case("twice", [X, ints(1, 1, 1, 1), None, ints(0, 0)]), "stands twice")
    for pad in (2**62, 2**63 - 1, -(2**63)):
        check_refused(OP, Case("hostile", [X, ints(pad, pad, pad, pad)]), "too large|leave nothing")
