"""MaxPool against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of, onnx_reference, run
from windows import padded, same_pads

OP = "MaxPool"

RNG = np.random.default_rng(0)


def oracle(x: Array, *, kernel_shape: list[int], **attributes: Any) -> Array:
    """Padding with -infinity by hand gives torch the uneven pads that it lacks."""
    rank = x.ndim - 2
    strides = attributes.get("strides") or [1] * rank
    dilations = attributes.get("dilations") or [1] * rank
    auto_pad = attributes.get("auto_pad", "NOTSET")
    pads = attributes.get("pads") or [0] * (2 * rank)
    if auto_pad != "NOTSET":
        pads = same_pads(x.shape[2:], kernel_shape, strides, dilations, auto_pad)
    pool: Any = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[rank]
    image = torch.from_numpy(x.astype(np.float64))
    ceil = bool(attributes.get("ceil_mode", 0))
    if len(set(pads)) == 1:
        y = pool(image, kernel_shape, strides, pads[0], dilations, ceil)
    else:
        y = pool(padded(image, pads, -np.inf), kernel_shape, strides, 0, dilations, ceil)
    result: Array = y.numpy().astype(x.dtype)
    return result


def case(name: str, *shape: int, **attributes: Any) -> Case:
    return Case(name, [RNG.normal(size=shape).astype(np.float32)], attributes)


CASES = [
    case("plain", 2, 3, 6, 8, kernel_shape=[2, 2]),
    case("strided", 2, 3, 7, 9, kernel_shape=[2, 2], strides=[2, 2]),
    case("overlapping", 1, 3, 9, 11, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("uneven_pads", 1, 2, 5, 6, kernel_shape=[3, 3], pads=[0, 1, 2, 2]),
    case("stride_three", 1, 2, 11, 13, kernel_shape=[2, 3], strides=[3, 3]),
    case("dilations", 1, 2, 9, 11, kernel_shape=[2, 3], dilations=[3, 2], strides=[1, 2]),
    case("ceil", 1, 2, 6, 7, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("ceil_with_pads", 1, 2, 7, 8, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
    case(
        "ceil_that_would_begin_in_padding",
        1,
        1,
        2,
        2,
        kernel_shape=[2, 2],
        strides=[3, 3],
        pads=[1, 1, 1, 1],
        ceil_mode=1,
    ),
    case("ceil_dilated", 1, 2, 8, 9, kernel_shape=[2, 3], strides=[3, 2], dilations=[2, 2], ceil_mode=1),
    case("ceil_of_one_window", 1, 2, 1, 2, kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1),
    case(
        "ceil_of_one_window_after_pads", 1, 2, 3, 3, kernel_shape=[5, 5], strides=[4, 4], pads=[1, 0, 0, 1], ceil_mode=1
    ),
    case("same_upper", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    case("same_lower", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
    case("valid", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="VALID"),
    case("one_axis", 2, 3, 17, kernel_shape=[3], strides=[2], pads=[1, 1]),
    case("three_axes", 1, 2, 4, 5, 6, kernel_shape=[2, 3, 2], strides=[1, 2, 2], pads=[1, 1, 1, 1, 1, 1]),
    case("empty_batch", 0, 2, 4, 4, kernel_shape=[2, 2]),
    *(case(f"long_rows_{n}", 1, 1, 2, 2100, kernel_shape=[2, 3], strides=[1, n], dilations=[1, 5]) for n in (1, 2, 3)),
    case("long_window", 1, 1, 1, 1400, kernel_shape=[1, 1100], pads=[0, 7, 0, 9], strides=[1, 2]),
    case("nearly_all_columns", 1, 1, 1, 1400, kernel_shape=[1, 1024], strides=[1, 3]),
    case("double", 1, 2, 5, 5, kernel_shape=[2, 2]),
    *(case(f"width_{n}", 1, 2, 3, n, kernel_shape=[2, 2], strides=[1, 1]) for n in (2, 15, 16, 17, 18, 33, 34)),
    *(case(f"halved_{n}", 1, 2, 4, n, kernel_shape=[2, 2], strides=[2, 2]) for n in (2, 31, 32, 33, 34, 63, 64, 66)),
    *(case(f"paired_{n}", 3, 5, 7, n, kernel_shape=[2, 2], strides=[2, 2]) for n in (2, 3, 9, 26, 33, 65)),
    case("paired_in_three_axes", 2, 3, 4, 6, 37, kernel_shape=[1, 2, 2], strides=[1, 2, 2]),
    case("paired_with_pads_at_the_end", 1, 2, 5, 7, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1]),
    *(case(f"padded_{n}", 1, 1, 4, n, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]) for n in (1, 8, 31, 34)),
    Case("int8", [RNG.integers(-128, 128, (1, 2, 5, 5), np.int8)], {"kernel_shape": [2, 2]}),
    Case("uint8", [RNG.integers(0, 256, (1, 2, 5, 5), np.uint8)], {"kernel_shape": [3, 3], "strides": [2, 2]}),
    Case("float64", [RNG.normal(size=(1, 2, 5, 5))], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, opset=13),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_max_pool_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("kernel", [[3, 3], [1, 1], [2, 5]])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_max_pool_with_nan_and_infinity_agrees_with_torch(kernel: list[int], stride: int, isa: str) -> None:
    x = RNG.normal(size=(1, 2, 9, 40)).astype(np.float32)
    x[0, 0, 2, 3::7] = np.nan
    x[0, 1, 4] = -np.inf
    x[0, 1, 5, ::3] = np.inf
    check(OP, Case("specials", [x], {"kernel_shape": kernel, "strides": [stride, stride]}), isa, oracle=oracle)


@pytest.mark.parametrize("pads", [0, 1])
def test_max_pool_indices_agree_with_torch(pads: int) -> None:
    x = RNG.normal(size=(2, 3, 6, 7)).astype(np.float32)
    attributes = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [pads] * 4}
    y, indices = run(OP, Case("indices", [x], attributes, outputs=2))
    expected, planes = F.max_pool2d(torch.from_numpy(x), [3, 2], [2, 1], pads, return_indices=True)
    assert (y == expected.numpy()).all()
    assert (indices == planes.numpy() + 42 * np.arange(6).reshape(2, 3, 1, 1)).all()
    assert (x.reshape(-1)[indices] == y).all()


def test_max_pool_indices_in_column_major_order_agree_with_onnx() -> None:
    x = RNG.permutation(60).reshape(1, 2, 5, 6).astype(np.float32)
    attributes = {"kernel_shape": [2, 3], "strides": [2, 2], "storage_order": 1}
    y, indices = run(OP, Case("indices", [x[:, :1]], attributes, outputs=2))
    expected, places = onnx_reference(OP, outputs=2)(x[:, :1], **attributes)
    assert (y == expected).all()
    assert (indices == places).all()


def test_max_pool_of_equal_values_has_the_first_index() -> None:
    y, indices = run(OP, Case("equal", [np.zeros((1, 1, 4), np.float32)], {"kernel_shape": [2]}, outputs=2))
    assert (y == 0).all()
    assert indices.tolist() == [[[0, 1, 2]]]


@pytest.mark.parametrize("attribute", ["kernel_shape", "strides", "dilations", "pads"])
@pytest.mark.parametrize("value", HOSTILE_INTS)
def test_max_pool_with_a_hostile_attribute_is_refused(attribute: str, value: int) -> None:
    if attribute == "pads" and value == 0:
        return
    attributes: dict[str, Any] = {"kernel_shape": [2, 2], attribute: [value] * (4 if attribute == "pads" else 2)}
    check_refused(OP, case("hostile", 1, 1, 3, 3, **attributes), "MaxPool")


def test_max_pool_refuses_what_does_not_fit() -> None:
    check_refused(OP, case("kernel", 1, 1, 3, 3), "kernel_shape is missing")
    check_refused(OP, case("pads", 1, 1, 3, 3, kernel_shape=[2, 2], pads=[2, 0, 0, 0]), "not smaller")
    check_refused(OP, case("large", 1, 1, 3, 3, kernel_shape=[4, 2]), "does not fit")
    huge = case("huge", 1, 1, 3, 3, kernel_shape=[2**30, 2**30], pads=[2**30 - 1] * 4, strides=[2**30, 2**30])
    check_refused(OP, huge, "elements, allowed are")
    check_refused(OP, Case("int32", [np.ones((1, 1, 3, 3), np.int32)], {"kernel_shape": [1, 1]}), "int32")
