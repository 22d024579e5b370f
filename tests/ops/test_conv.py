"""Conv against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of, run
from onnx import TensorProto, helper, numpy_helper
from windows import convolve

import slipway

OP = "Conv"

RNG = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def case(name: str, x: tuple[int, ...], w: tuple[int, ...], *, bias: bool = True, **attributes: Any) -> Case:
    return Case(name, [normal(*x), normal(*w), normal(w[0]) if bias else None][: 3 if bias else 2], attributes)


CASES = [
    case("one_pixel", (1, 1, 1, 1), (1, 1, 1, 1)),
    case("no_bias", (2, 3, 5, 7), (4, 3, 3, 3), bias=False),
    case("kernel_shape_given", (1, 2, 6, 5), (3, 2, 3, 2), kernel_shape=[3, 2]),
    case("pads", (2, 3, 5, 7), (4, 3, 3, 3), pads=[1, 1, 1, 1]),
    case("uneven_pads", (1, 2, 5, 6), (3, 2, 3, 3), pads=[0, 2, 1, 3]),
    case("pads_wider_than_kernel", (1, 1, 3, 3), (2, 1, 2, 2), pads=[4, 3, 5, 4]),
    case("strides", (2, 3, 9, 10), (5, 3, 3, 3), strides=[2, 3], pads=[1, 0, 1, 0]),
    case("stride_larger_than_kernel", (1, 3, 9, 10), (5, 3, 1, 2), strides=[4, 3]),
    case("dilations", (1, 2, 9, 11), (3, 2, 3, 3), dilations=[2, 3], pads=[1, 2, 3, 4]),
    case("dilation_and_stride", (1, 2, 9, 11), (3, 2, 3, 2), dilations=[2, 3], strides=[3, 2], pads=[2, 2, 2, 2]),
    case("groups", (2, 6, 5, 5), (9, 2, 3, 3), group=3, pads=[1, 1, 1, 1]),
    case("depthwise", (1, 5, 6, 7), (5, 1, 3, 3), group=5, pads=[1, 1, 1, 1]),
    case("depthwise_with_multiplier", (1, 3, 6, 7), (6, 1, 3, 3), group=3),
    case("pointwise", (2, 7, 5, 9), (13, 7, 1, 1)),
    case("pointwise_strided", (1, 7, 5, 9), (13, 7, 1, 1), strides=[2, 2]),
    case("same_upper", (1, 2, 8, 7), (3, 2, 3, 4), auto_pad="SAME_UPPER", strides=[2, 2]),
    case("same_lower", (1, 2, 8, 7), (3, 2, 3, 4), auto_pad="SAME_LOWER", strides=[2, 2]),
    case("same_dilated", (1, 2, 8, 7), (3, 2, 3, 2), auto_pad="SAME_LOWER", dilations=[2, 3]),
    case("valid", (1, 2, 8, 7), (3, 2, 3, 4), auto_pad="VALID"),
    case("one_axis", (3, 4, 17), (5, 4, 3), pads=[1, 1], strides=[2]),
    case("three_axes", (1, 2, 5, 6, 7), (3, 2, 2, 3, 3), pads=[1, 0, 1, 0, 1, 1], strides=[2, 1, 2]),
    case("three_axes_grouped", (2, 4, 3, 4, 5), (6, 2, 1, 2, 3), group=2, dilations=[1, 2, 1]),
    case("empty_batch", (0, 3, 5, 5), (4, 3, 3, 3)),
    case("wide", (2, 37, 9, 11), (70, 37, 3, 3), pads=[1, 1, 1, 1]),
    case("few_pixels", (1, 64, 4, 4), (32, 64, 3, 3), pads=[1, 1, 1, 1]),
    case("large_kernel", (1, 3, 21, 20), (16, 3, 7, 7), strides=[2, 2], pads=[3, 3, 3, 3]),
    case("wide_groups", (2, 16, 9, 10), (20, 8, 3, 3), group=2, strides=[2, 1], dilations=[1, 2], pads=[0, 2, 1, 3]),
    case("wide_one_axis", (3, 24, 40), (12, 24, 5), pads=[2, 2]),
    case("long_sums", (1, 70, 6, 6), (14, 70, 3, 3), pads=[1, 1, 1, 1]),
    *(case(f"width_{n}", (1, 2, 3, n), (3, 2, 3, 3), pads=[1, 1, 1, 1]) for n in (1, 2, 15, 16, 17, 31, 32, 33, 70)),
    *(case(f"outputs_{n}", (1, 2, 4, 5), (n, 2, 2, 2)) for n in (1, 5, 6, 7, 11, 12, 13, 25)),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_conv_agrees_with_torch(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=convolve)


@pytest.mark.parametrize("opset", [13, 22, 24])
def test_conv_in_double_agrees_in_every_opset(opset: int, isa: str) -> None:
    inputs = [RNG.normal(size=shape) for shape in ((2, 4, 6, 5), (6, 2, 3, 2), (6,))]
    check(OP, Case("double", inputs, {"group": 2, "pads": [1, 0, 1, 1]}, opset=opset), isa, oracle=convolve)


@pytest.mark.parametrize("attribute", ["strides", "dilations", "pads", "kernel_shape", "group"])
@pytest.mark.parametrize("value", HOSTILE_INTS)
def test_conv_with_a_hostile_attribute_is_refused(attribute: str, value: int) -> None:
    if attribute == "pads" and value == 0:
        return
    given: Any = value if attribute == "group" else [value] * (4 if attribute == "pads" else 2)
    hostile = Case("hostile", [normal(1, 2, 3, 3), normal(2, 2, 1, 1)], {attribute: given})
    check_refused(OP, hostile, "Conv")


@pytest.mark.parametrize(
    ("x", "w", "attributes", "message"),
    [
        ((1, 4, 5, 5), (2, 3, 3, 3), {}, "4 channels"),
        ((1, 4, 5, 5), (3, 2, 3, 3), {"group": 2}, "group 2"),
        ((1, 3, 5, 5), (2, 3, 3), {}, "rank"),
        ((1, 3, 2, 5), (2, 3, 3, 3), {}, "does not fit"),
        ((3, 5), (2, 3), {}, "rank 3 to 5"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"kernel_shape": [2, 3]}, "kernel_shape"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"strides": [1]}, "strides"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"auto_pad": "SAME"}, "auto_pad"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"auto_pad": "VALID", "pads": [1, 1, 1, 1]}, "pads and auto_pad"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"activation": "relu"}, "activation"),
    ],
)
def test_conv_refuses_what_does_not_fit(
    x: tuple[int, ...], w: tuple[int, ...], attributes: dict[str, Any], message: str
) -> None:
    check_refused(OP, case("refused", x, w, bias=False, **attributes), message)


def test_conv_refuses_a_bias_of_another_length_and_integers() -> None:
    check_refused(OP, Case("bias", [normal(1, 1, 3, 3), normal(2, 1, 1, 1), normal(3)]), "bias")
    check_refused(OP, Case("int", [np.ones((1, 1, 3, 3), np.int32), np.ones((1, 1, 1, 1), np.int32)]), "int32")


def test_conv_gives_an_image_the_same_bits_alone_and_in_a_batch(isa: str) -> None:
    x, w, b = normal(3, 5, 9, 11), normal(13, 5, 3, 3), normal(13)
    together = run(OP, Case("batch", [x, w, b]), isa)[0]
    alone = run(OP, Case("alone", [x[1:2], w, b]), isa)[0]
    assert together[1:2].tobytes() == alone.tobytes()


def drawn(seed: int) -> Case:
    """A convolution over two axes whose sizes reach every shape of tile, panel, band and phase."""
    rng = np.random.default_rng(seed)
    group, channels, outputs = (int(rng.integers(1, n)) for n in (3, 12, 40))
    kernel, strides, dilations = (rng.integers(1, n, 2) for n in (6, 4, 3))
    pads = [int(rng.integers(0, 4)) for _ in range(4)]
    span = (kernel - 1) * dilations + 1
    sizes = [int(s + rng.integers(0, n)) for s, n in zip(span, (40, 60), strict=True)]
    x = normal(int(rng.integers(1, 4)), group * channels, *sizes)
    w = normal(group * outputs, channels, *(int(k) for k in kernel))
    attributes = {"group": group, "strides": strides.tolist(), "dilations": dilations.tolist(), "pads": pads}
    return Case(f"drawn_{seed}", [x, w, normal(group * outputs)], attributes)


@pytest.mark.parametrize("seed", range(12))
def test_conv_of_drawn_sizes_agrees_with_torch(seed: int, isa: str) -> None:
    check(OP, drawn(seed), isa, oracle=convolve)


def test_conv_of_an_image_that_is_cut_into_bands_agrees_with_torch(isa: str) -> None:
    check(OP, case("bands", (1, 20, 90, 130), (9, 20, 3, 3), pads=[1, 1, 1, 1], strides=[1, 2]), isa, oracle=convolve)


def test_conv_with_constant_weights_gives_the_same_bits_alone_in_a_batch_and_on_threads() -> None:
    x, w, b = normal(9, 5, 40, 31), normal(13, 5, 3, 3), normal(13)
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1])
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None, None, None]) for name in ("x", "y")]
    constants = [numpy_helper.from_array(array, name) for name, array in (("w", w), ("b", b))]
    graph = helper.make_graph([node], "conv", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    one, many = (slipway.Session(model, threads=threads) for threads in (1, 3))
    together = one.run({"x": x})["y"]
    assert many.run({"x": x})["y"].tobytes() == together.tobytes()
    assert np.concatenate([many.run({"x": image[None]})["y"] for image in x]).tobytes() == together.tobytes()
