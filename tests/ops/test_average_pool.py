"""AveragePool against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of, onnx_reference
from windows import convolve, same_pads

OP = "AveragePool"

RNG = np.random.default_rng(0)


def by_torch(x: Array, *, kernel_shape: list[int], **attributes: Any) -> Array:
    """torch has one pad per axis and no dilations."""
    rank = x.ndim - 2
    pads = attributes.get("pads") or [0] * (2 * rank)
    pool: Any = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[rank]
    y: Array = pool(
        torch.from_numpy(x),
        kernel_shape,
        attributes.get("strides") or [1] * rank,
        pads[:rank],
        bool(attributes.get("ceil_mode", 0)),
        bool(attributes.get("count_include_pad", 0)),
    ).numpy()
    return y


def by_convolution(x: Array, *, kernel_shape: list[int], **attributes: Any) -> Array:
    """A convolution with ones, divided by the same of a mask: any pads and dilations, without ceil_mode."""
    rank = x.ndim - 2
    counts_padding = attributes.pop("count_include_pad", 0)
    if attributes.get("auto_pad", "NOTSET") != "NOTSET":
        ones = [1] * rank
        strides, dilations = attributes.get("strides") or ones, attributes.get("dilations") or ones
        attributes["pads"] = same_pads(x.shape[2:], kernel_shape, strides, dilations, attributes.pop("auto_pad"))
    planes = x.reshape(-1, 1, *x.shape[2:])
    w = np.ones((1, 1, *kernel_shape))
    count = convolve(np.ones_like(planes), w, **attributes) if not counts_padding else np.prod(kernel_shape)
    y = convolve(planes, w, **attributes) / count
    return y.reshape(*x.shape[:2], *y.shape[2:])


def case(name: str, *shape: int, opset: int = 20, **attributes: Any) -> Case:
    return Case(name, [RNG.normal(size=shape).astype(np.float32)], attributes, opset=opset)


TORCH_CASES = [
    case("plain", 2, 3, 6, 8, kernel_shape=[2, 2]),
    case("strided", 2, 3, 7, 9, kernel_shape=[3, 2], strides=[2, 2], opset=13),
    case("pads", 1, 3, 7, 9, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    case("pads_counted", 1, 3, 7, 9, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    case("ceil", 1, 2, 6, 7, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("ceil_of_one_window", 1, 2, 1, 2, kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1),
    case(
        "ceil_of_one_window_counted", 1, 2, 1, 2, kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1, count_include_pad=1
    ),
    case("ceil_pads", 1, 2, 6, 7, kernel_shape=[3, 3], strides=[2, 3], pads=[1, 1, 1, 1], ceil_mode=1),
    case(
        "ceil_pads_counted",
        1,
        2,
        7,
        8,
        kernel_shape=[3, 3],
        strides=[3, 2],
        pads=[1, 1, 1, 1],
        ceil_mode=1,
        count_include_pad=1,
    ),
    case("pairs", 2, 3, 7, 67, kernel_shape=[2, 2], strides=[2, 2]),
    case("wide", 1, 2, 5, 1500, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
    case("wide_strided", 1, 2, 5, 1500, kernel_shape=[3, 5], strides=[2, 3], pads=[1, 2, 1, 2]),
    case("one_axis", 2, 3, 17, kernel_shape=[4], strides=[3], pads=[2, 2], opset=22),
    case("three_axes", 1, 2, 4, 5, 6, kernel_shape=[2, 3, 2], strides=[1, 2, 2], pads=[1, 1, 1, 1, 1, 1]),
    case("empty_batch", 0, 2, 4, 4, kernel_shape=[2, 2]),
    Case("float64", [RNG.normal(size=(1, 2, 5, 5))], {"kernel_shape": [3, 3]}),
]
OTHER_CASES = [
    case("dilations", 1, 2, 9, 11, kernel_shape=[2, 3], dilations=[3, 2], strides=[1, 2], opset=19),
    case("dilations_pads", 1, 2, 9, 11, kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 2, 3, 0]),
    case(
        "dilations_pads_counted",
        1,
        2,
        9,
        11,
        kernel_shape=[2, 3],
        dilations=[3, 2],
        pads=[1, 2, 3, 0],
        count_include_pad=1,
    ),
    case("uneven_pads", 1, 2, 5, 6, kernel_shape=[3, 3], pads=[0, 1, 2, 2]),
    case("same_upper", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    case("same_lower", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_LOWER", count_include_pad=1),
    case("valid", 1, 2, 7, 8, kernel_shape=[2, 3], strides=[2, 2], auto_pad="VALID"),
]


@pytest.mark.parametrize("case", TORCH_CASES, ids=name_of)
def test_average_pool_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=by_torch)


@pytest.mark.parametrize("case", OTHER_CASES, ids=name_of)
def test_average_pool_is_a_convolution_with_ones(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=by_convolution)


@pytest.mark.parametrize("size", [(1000,), (5000,), (56, 56), (300, 7), (224, 224), (9, 20, 30)], ids=str)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_average_of_many_equal_elements_is_that_element(size: tuple[int, ...], stride: int, isa: str) -> None:
    elements = np.random.default_rng(0).uniform(0.05, 2.0, (1, 8, *[1] * len(size))).astype(np.float32)
    x = np.broadcast_to(elements, (1, 8, *[n + 7 for n in size])).copy()
    even = Case("even", [x], {"kernel_shape": list(size), "strides": [stride] * len(size)})
    check(OP, even, isa, oracle=by_torch)


def test_average_pool_of_onnx_itself_agrees_with_dilations() -> None:
    dilated = case("dilated", 1, 1, 6, 6, kernel_shape=[2, 2], dilations=[2, 2], strides=[1, 1])
    check(OP, dilated, oracle=onnx_reference(OP))


def test_average_pool_of_infinity_and_nan_stays_in_their_windows() -> None:
    x = np.array([[[1, np.nan, 2, 3, np.inf, 4, 5]]], np.float32)
    check(OP, Case("specials", [x], {"kernel_shape": [2]}), oracle=by_torch)


@pytest.mark.parametrize("attribute", ["kernel_shape", "strides", "dilations", "pads"])
@pytest.mark.parametrize("value", HOSTILE_INTS)
def test_average_pool_with_a_hostile_attribute_is_refused(attribute: str, value: int) -> None:
    if attribute == "pads" and value == 0:
        return
    attributes: dict[str, Any] = {"kernel_shape": [2, 2], attribute: [value] * (4 if attribute == "pads" else 2)}
    check_refused(OP, case("hostile", 1, 1, 3, 3, **attributes), "AveragePool")


def test_average_pool_has_no_dilations_before_opset_19() -> None:
    check_refused(OP, case("old", 1, 1, 5, 5, opset=18, kernel_shape=[2, 2], dilations=[2, 2]), "dilations")
