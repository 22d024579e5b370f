"""PRelu against its formula, bit for bit, with slopes of every shape that is broadcast to x, and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from elementwise_cases import FLOATS, SHAPES, draw, special_values
from harness import EDGE_SIZES, Array, Case, check, check_refused, name_of, onnx_reference

OP = "PRelu"


def oracle(x: Array, slope: Array) -> Array:
    """The formula."""
    return np.where(x < 0, slope * x, x)


def cases() -> list[Case]:
    """Pairs of shapes of which the second is broadcast to the first, equal sizes, and all pairs of special values."""
    both_ways = [*SHAPES, *((b, a) for a, b in SHAPES)]
    shapes = [(x, slope) for x, slope in both_ways if np.broadcast_shapes(x, slope) == x]
    shapes += [*(((n,), (n,)) for n in EDGE_SIZES), *(((n,), (1,)) for n in EDGE_SIZES)]
    made = []
    for dtype in FLOATS:
        name = np.dtype(dtype).name
        for x, slope in shapes:
            case = f"{name}_{list(x)}_{list(slope)}".replace(" ", "")
            made.append(Case(case, [draw(x, dtype), draw(slope, dtype, seed=1)], opset=13))
        values = special_values(dtype)
        pairs = [np.broadcast_to(values[:, None], (values.size, values.size)).copy(), values]
        made.append(Case(f"{name}_special", pairs))
    return made


@pytest.mark.parametrize("case", cases(), ids=name_of)
def test_prelu_agrees_with_its_formula(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("count", [1, 5])
def test_prelu_is_that_of_torch_and_onnx(count: int, isa: str) -> None:
    x = draw((2, 5, 7, 3), np.float32)
    slope = draw((count, 1, 1), np.float32, seed=1)

    def of_torch(x: Array, slope: Array) -> Array:
        return torch.nn.functional.prelu(torch.from_numpy(x), torch.from_numpy(slope.reshape(-1))).numpy()

    case = Case("channels", [x, slope])
    check(OP, case, isa, oracle=of_torch)
    check(OP, case, isa, oracle=onnx_reference(OP))


def test_prelu_refuses_slopes_that_would_change_the_shape_and_other_types() -> None:
    x = np.zeros((3, 1), np.float32)
    message = r"slope of shape \[.*\] cannot be broadcast to shape \[3, 1\] of x"
    for shape in ((3, 4), (1, 3, 1), (2, 1), (0,)):
        check_refused(OP, Case("shape", [x, np.zeros(shape, np.float32)]), message)
    check_refused(OP, Case("type", [x, x.astype(np.float64)]), "float64")
    check_refused(OP, Case("integers", [x.astype(np.int64)] * 2), "int64")
