"""SpaceToDepth against numpy, torch and onnx, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from harness import Array, Case, check, check_refused, name_of, onnx_reference
from moving_cases import DTYPES, counted

OP = "SpaceToDepth"


def oracle(x: Array, blocksize: int) -> Array:
    """Split, turn, and join axes, as ONNX states it."""
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // blocksize, blocksize, w // blocksize, blocksize)
    return blocks.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * blocksize**2, h // blocksize, w // blocksize)


CASES = [
    *(Case(np.dtype(t).name, [counted((2, 3, 4, 6), t)], {"blocksize": 2}) for t in DTYPES),
    *(
        Case(f"{list(shape)}".replace(" ", ""), [counted(shape)], {"blocksize": size}, opset=13)
        for shape, size in [
            ((1, 1, 3, 2), 1),
            ((2, 1, 2, 2), 2),
            ((1, 2, 15, 21), 3),
            ((2, 3, 34, 66), 2),
            ((0, 4, 2, 2), 2),
            ((2, 0, 2, 2), 2),
            ((2, 4, 0, 4), 2),
        ]
    ),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_space_to_depth_agrees_with_numpy(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_space_to_depth_is_that_of_onnx(isa: str) -> None:
    check(OP, Case("onnx", [counted((2, 2, 6, 9))], {"blocksize": 3}), isa, oracle=onnx_reference(OP))


def test_space_to_depth_of_one_channel_is_the_pixel_unshuffle_of_torch(isa: str) -> None:
    def of_torch(x: Array, blocksize: int) -> Array:
        return torch.nn.functional.pixel_unshuffle(torch.from_numpy(x), blocksize).numpy()

    check(OP, Case("torch", [counted((2, 1, 6, 9))], {"blocksize": 3}), isa, oracle=of_torch)


def test_space_to_depth_refuses_what_does_not_fit() -> None:
    x = counted((1, 2, 4, 6))
    check_refused(OP, Case("height", [x], {"blocksize": 3}), "multiples of 3")
    check_refused(OP, Case("missing", [x]), "blocksize is missing")
    check_refused(OP, Case("negative", [x], {"blocksize": -2}), "blocksize is -2")
    check_refused(OP, Case("huge", [x], {"blocksize": 2**62}), "too large")
    check_refused(OP, Case("rank", [x[0]], {"blocksize": 1}), "rank")
