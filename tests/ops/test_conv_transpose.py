"""ConvTranspose against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of, onnx_reference, run

OP = "ConvTranspose"

RNG = np.random.default_rng(0)


def oracle(x: Array, w: Array, b: Array | None = None, **attributes: Any) -> Array:
    """The whole result by torch, then the pads cut off; output_padding lengthens the end by the bias."""
    rank = x.ndim - 2
    strides = attributes.get("strides") or [1] * rank
    dilations = attributes.get("dilations") or [1] * rank
    more = attributes.get("output_padding") or [0] * rank
    pads = attributes.get("pads") or [0] * (2 * rank)
    group = attributes.get("group", 1)
    transposed: Any = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[rank]
    y = transposed(torch.from_numpy(x), torch.from_numpy(w), None, strides, 0, 0, group, dilations)
    for axis in range(rank):
        y = F.pad(y, [0, 0] * (rank - 1 - axis) + [0, more[axis]])
        y = y.narrow(axis + 2, pads[axis], y.shape[axis + 2] - pads[axis] - pads[rank + axis])
    result: Array = y.numpy() + (0 if b is None else b.reshape(-1, *[1] * rank))
    return result


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def case(name: str, x: tuple[int, ...], w: tuple[int, ...], *, bias: bool = True, **attributes: Any) -> Case:
    channels = w[1] * attributes.get("group", 1)
    return Case(name, [normal(*x), normal(*w)] + ([normal(channels)] if bias else []), attributes)


CASES = [
    case("one_pixel", (1, 1, 1, 1), (1, 1, 1, 1)),
    case("no_bias", (2, 3, 4, 5), (3, 2, 3, 3), bias=False),
    case("strides", (2, 3, 4, 5), (3, 4, 3, 2), strides=[2, 3]),
    case("stride_larger_than_kernel", (1, 2, 3, 3), (2, 1, 2, 2), strides=[3, 4]),
    case("pads", (1, 2, 4, 5), (2, 3, 3, 4), strides=[2, 2], pads=[1, 0, 2, 1]),
    case("output_padding", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1], output_padding=[1, 2]),
    case("dilations", (1, 2, 4, 5), (2, 3, 3, 2), strides=[2, 1], dilations=[2, 3], pads=[1, 2, 0, 1]),
    case("groups", (2, 6, 3, 4), (6, 2, 3, 3), group=3, strides=[2, 2]),
    case("wide", (2, 20, 5, 6), (20, 9, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0]),
    case("wide_groups", (1, 64, 4, 3), (64, 5, 2, 3), group=2, strides=[1, 3], dilations=[2, 1], pads=[0, 1, 1, 0]),
    case("wide_one_axis", (2, 33, 9), (33, 6, 4), strides=[2], pads=[1, 1]),
    case("kernel_shape_given", (1, 2, 3, 3), (2, 2, 2, 2), kernel_shape=[2, 2]),
    case("valid", (1, 2, 3, 3), (2, 2, 2, 3), auto_pad="VALID", strides=[2, 1]),
    case("one_axis", (2, 3, 9), (3, 2, 4), strides=[2], pads=[1, 1]),
    case("three_axes", (1, 2, 3, 2, 4), (2, 3, 2, 3, 2), strides=[1, 2, 2], pads=[0, 1, 0, 1, 0, 1]),
    case("empty_batch", (0, 2, 3, 3), (2, 2, 2, 2)),
    case("wide_pads", (1, 3, 6, 33), (3, 4, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    case("wide_three", (1, 2, 3, 37), (2, 3, 2, 5), strides=[1, 3], pads=[0, 2, 1, 1]),
    case("wide_plain", (1, 2, 3, 35), (2, 3, 3, 3), pads=[1, 1, 1, 1]),
    case("wide_dilations", (1, 2, 3, 35), (2, 3, 1, 3), strides=[1, 2], dilations=[1, 3], pads=[0, 1, 0, 2]),
    case("very_wide", (1, 1, 1, 1500), (1, 2, 1, 3), strides=[1, 2], pads=[0, 1, 0, 0]),
    case("far_strides", (1, 1, 2, 3), (1, 2, 2, 2), strides=[1, 65]),
    case("many_taps", (1, 1, 2, 40), (1, 2, 1, 33)),
    case("wide", (1, 3, 6, 33), (3, 4, 2, 2), strides=[2, 2]),
    case("bands", (2, 16, 37, 33), (16, 13, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    case("bands_of_groups", (1, 24, 41, 20), (24, 9, 3, 4), group=2, strides=[1, 2], pads=[2, 0, 1, 3]),
    case("many_phases", (2, 3, 9, 21), (3, 5, 5, 7), strides=[3, 4], dilations=[2, 1], pads=[1, 2, 0, 1]),
    case("phases_without_taps", (1, 5, 8, 18), (5, 3, 2, 1), strides=[4, 3], output_padding=[1, 2]),
    case("deep", (1, 130, 6, 7), (130, 4, 4, 2), strides=[2, 2], pads=[0, 1, 3, 0]),
]


def random_case(seed: int) -> Case:
    """Any strides, dilations, pads and groups that leave an output."""
    rng = np.random.default_rng(seed)
    group = int(rng.choice([1, 1, 2, 3]))
    kernel, strides, dilations = ([int(rng.integers(1, most)) for _ in range(2)] for most in (5, 5, 3))
    size = [int(rng.integers(1, 24)) for _ in range(2)]
    full = [s * (n - 1) + (k - 1) * d + 1 for s, n, k, d in zip(strides, size, kernel, dilations, strict=True)]
    pads = [int(rng.integers(0, min(4, (full[i % 2] + 1) // 2))) for i in range(4)]
    x = (int(rng.integers(1, 3)), group * int(rng.integers(1, 9)), *size)
    w = (x[1], int(rng.integers(1, 15)), *kernel)
    more = [int(rng.integers(0, max(s, d))) for s, d in zip(strides, dilations, strict=True)]
    return case(f"seed_{seed}", x, w, bias=bool(seed % 3), group=group, strides=strides, dilations=dilations, pads=pads,
                output_padding=more)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_conv_transpose_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


@pytest.mark.parametrize("seed", range(60))
def test_conv_transpose_of_any_shape_agrees_with_torch(seed: int, isa: str) -> None:
    check(OP, random_case(seed), isa, oracle=oracle)


def test_an_image_has_the_bits_that_it_has_alone(isa: str) -> None:
    for case in [case for case in CASES if case.inputs[0] is not None and case.inputs[0].ndim == 4]:
        x, *weights = case.inputs
        assert x is not None
        images = np.concatenate([x, x[::-1] * np.float32(0.7), x])
        together = run(OP, Case(case.name, [images, *weights], case.attributes), isa, all_constant=True)[0]
        for i in range(len(images)):
            alone = run(OP, Case(case.name, [images[i : i + 1], *weights], case.attributes), isa, all_constant=True)[0]
            assert alone.tobytes() == together[i : i + 1].tobytes(), case.name


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number_reaches_only_where_it_lands(value: float, isa: str) -> None:
    given = case("no_number", (1, 2, 5, 18), (2, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    weights = given.inputs[1]
    assert weights is not None
    weights[1, 2, 0, 2] = value
    finite = [np.isfinite(run(OP, given, isa, all_constant=constant)[0]) for constant in (False, True)]
    assert (finite[0] == finite[1]).all()
    assert finite[0][0, :2].all()
    assert finite[0][0, 2, -1].all()
    assert not finite[0][0, 2].all()


@pytest.mark.parametrize("opset", [13, 22, 24])
def test_conv_transpose_in_double_agrees_in_every_opset(opset: int, isa: str) -> None:
    inputs = [RNG.normal(size=shape) for shape in ((2, 4, 3, 5), (4, 3, 3, 2), (6,))]
    check(OP, Case("double", inputs, {"group": 2, "strides": [2, 1]}, opset=opset), isa, oracle=oracle)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("kernel", [2, 3, 4])
def test_conv_transpose_with_same_padding_agrees_with_onnx(auto_pad: str, kernel: int) -> None:
    same = case("same", (1, 2, 4, 5), (2, 3, kernel, kernel), bias=False, strides=[2, 2], auto_pad=auto_pad)
    if kernel == 2:
        check(OP, same, oracle=lambda x, w, **_: oracle(x, w, strides=[2, 2]))
    else:
        check(OP, same, oracle=onnx_reference(OP))


@pytest.mark.parametrize(
    ("output_shape", "auto_pad", "pads"),
    [
        ([7, 10], "NOTSET", [1, 1, 1, 0]),
        ([7, 10], "SAME_UPPER", [1, 0, 1, 1]),
        ([9, 11], "NOTSET", [0, 0, 0, 0]),
        ([3, 4], "SAME_LOWER", [3, 4, 3, 3]),
    ],
)
def test_conv_transpose_to_a_given_shape_pads_by_the_formulas(
    output_shape: list[int], auto_pad: str, pads: list[int]
) -> None:
    given = case("given", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], output_shape=output_shape, auto_pad=auto_pad)
    expected = oracle(*(x.astype(np.float64) for x in given.inputs if x is not None), strides=[2, 2], pads=pads)
    assert expected.shape[2:] == tuple(output_shape)
    check(OP, given, oracle=lambda *inputs, **_: oracle(*inputs, strides=[2, 2], pads=pads))


def test_conv_transpose_beyond_its_size_continues_with_the_bias() -> None:
    given = case("given", (1, 1, 3, 3), (1, 2, 3, 3), strides=[3, 2], output_shape=[10, 8])
    y = run(OP, given)[0]
    bias = given.inputs[2]
    assert bias is not None
    assert (y[0, :, 9, :] == bias[:, None]).all()
    assert (y[0, :, :, 7] == bias[:, None]).all()


@pytest.mark.parametrize(
    "attribute", ["strides", "dilations", "pads", "kernel_shape", "output_padding", "output_shape"]
)
@pytest.mark.parametrize("value", HOSTILE_INTS)
def test_conv_transpose_with_a_hostile_attribute_is_refused(attribute: str, value: int) -> None:
    if value == 0 and attribute in {"pads", "output_padding", "output_shape"}:
        return
    given = [value] * (4 if attribute == "pads" else 2)
    check_refused(OP, Case("hostile", [normal(1, 2, 3, 3), normal(2, 2, 1, 1)], {attribute: given}), "ConvTranspose")


def test_conv_transpose_refuses_what_does_not_fit() -> None:
    check_refused(OP, case("channels", (1, 3, 4, 4), (2, 2, 2, 2)), "3 channels")
    check_refused(OP, case("group", (1, 3, 4, 4), (3, 2, 2, 2), group=2), "group 2")
    check_refused(OP, case("pads", (1, 2, 1, 1), (2, 2, 2, 2), pads=[2, 2, 2, 2]), "pads leave")
    check_refused(OP, Case("bias", [normal(1, 1, 3, 3), normal(1, 2, 1, 1), normal(3)]), "bias")
