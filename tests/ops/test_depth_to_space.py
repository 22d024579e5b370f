"""DepthToSpace against numpy, torch and onnx, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from harness import Array, Case, check, check_refused, name_of, onnx_reference
from moving_cases import DTYPES, counted

OP = "DepthToSpace"


def oracle(x: Array, blocksize: int, mode: str = "DCR") -> Array:
    """Split, turn, and join axes, as ONNX states it."""
    n, c, h, w = x.shape
    left = c // blocksize**2
    if mode == "DCR":
        turned = x.reshape(n, blocksize, blocksize, left, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        turned = x.reshape(n, left, blocksize, blocksize, h, w).transpose(0, 1, 4, 2, 5, 3)
    return turned.reshape(n, left, h * blocksize, w * blocksize)


CASES = [
    *(Case(np.dtype(t).name, [counted((2, 8, 2, 3), t)], {"blocksize": 2}) for t in DTYPES),
    *(
        Case(f"{mode}_{list(shape)}".replace(" ", ""), [counted(shape)], {"blocksize": size, "mode": mode}, opset=13)
        for mode in ("DCR", "CRD")
        for shape, size in [
            ((1, 1, 3, 2), 1),
            ((2, 4, 1, 1), 2),
            ((1, 18, 5, 7), 3),
            ((2, 12, 17, 33), 2),
            ((0, 4, 2, 2), 2),
            ((2, 0, 2, 2), 2),
            ((2, 4, 0, 3), 2),
        ]
    ),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_depth_to_space_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_is_that_of_onnx(mode: str, isa: str) -> None:
    check(OP, Case("onnx", [counted((2, 18, 4, 5))], {"blocksize": 3, "mode": mode}), isa, oracle=onnx_reference(OP))


def test_depth_to_space_by_columns_first_is_the_pixel_shuffle_of_torch(isa: str) -> None:
    def of_torch(x: Array, blocksize: int, mode: str) -> Array:
        return torch.nn.functional.pixel_shuffle(torch.from_numpy(x), blocksize).numpy()

    check(OP, Case("torch", [counted((2, 18, 4, 5))], {"blocksize": 3, "mode": "CRD"}), isa, oracle=of_torch)


def test_depth_to_space_refuses_what_does_not_fit() -> None:
    x = counted((1, 6, 2, 2))
    check_refused(OP, Case("channels", [x], {"blocksize": 2}), "6 channels, expected a multiple of 4")
    check_refused(OP, Case("missing", [x]), "blocksize is missing")
    check_refused(OP, Case("zero", [x], {"blocksize": 0}), "blocksize is 0")
    check_refused(OP, Case("huge", [x], {"blocksize": 2**62}), "too large")
    check_refused(OP, Case("mode", [x], {"blocksize": 1, "mode": "RCD"}), "mode is")
    check_refused(OP, Case("rank", [x[0]], {"blocksize": 1}), "rank")
