"""Resize against the onnx reference in float64, and against torch's interpolate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from harness import HOSTILE_INTS, Array, Case, check, check_refused, name_of, onnx_reference, run
from moving_cases import DTYPES, counted, ints

OP = "Resize"

RNG = np.random.default_rng(0)
COORDINATES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
REFERENCE = onnx_reference(OP)


def floats(*values: float) -> Array:
    return np.array(values, np.float32)


def drawn(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def to_sizes(name: str, x: Array, *sizes: int, opset: int = 20, **attributes: Any) -> Case:
    return Case(name, [x, None, None, ints(*sizes)], attributes, opset=opset)


def by_scales(name: str, x: Array, *scales: float, opset: int = 20, **attributes: Any) -> Case:
    return Case(name, [x, None, floats(*scales)], attributes, opset=opset)


def magnitude(x: Array, *inputs: Array | None, **attributes: Any) -> Array:
    """At most this much is added: the weights of cubic are within 1.5 of 1 along an axis, for usual coefficients."""
    y = REFERENCE(x, *inputs, **attributes)[0]
    return np.full(y.shape, 1.5**x.ndim * np.abs(x).max(initial=0.0))


# Sizes up and down, odd and even, of which nothing lies halfway between two places by rounding alone.
SHAPES = [((5,), (8,)), ((2, 3, 7), (2, 3, 5)), ((1, 2, 5, 4), (1, 2, 8, 3)), ((1, 2, 3, 4, 5), (1, 2, 5, 7, 3))]
MODES = [{"mode": "linear"}, {"mode": "cubic"}, {"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5}]
CASES = [
    *(
        to_sizes(
            f"{attributes['mode']}_{len(attributes)}_{coordinates}_{len(before)}",
            drawn(*before),
            *after,
            coordinate_transformation_mode=coordinates,
            **attributes,
        )
        for attributes in MODES
        for coordinates in COORDINATES
        for before, after in SHAPES
    ),
    *(
        to_sizes(
            f"nearest_{rounding}_{coordinates}_{len(before)}",
            drawn(*before),
            *after,
            coordinate_transformation_mode=coordinates,
            nearest_mode=rounding,
        )
        for rounding in ROUNDINGS
        for coordinates in COORDINATES
        for before, after in SHAPES
    ),
    *(
        by_scales(
            f"{mode}_by_{scale}_{coordinates}",
            drawn(1, 2, 6, 5),
            1,
            1,
            scale,
            2,
            mode=mode,
            coordinate_transformation_mode=coordinates,
        )
        for mode in ("nearest", "linear", "cubic")
        for scale in (0.75, 1.6, 2.5)
        for coordinates in COORDINATES
        if coordinates != "align_corners"  # the reference takes a length that is not whole
    ),
    *(
        to_sizes(f"{mode}_{policy}", drawn(1, 1, 6, 9), 8, 10, mode=mode, axes=[2, 3], keep_aspect_ratio_policy=policy)
        for mode in ("nearest", "linear")
        for policy in ("stretch", "not_larger", "not_smaller")
    ),
    by_scales("axes", drawn(2, 3, 4), 2.0, 0.5, mode="linear", axes=[2, 0], opset=18),
    by_scales("axes_from_the_end", drawn(2, 3, 4), 2.0, mode="linear", axes=[2], opset=19),
    to_sizes("channels_last", drawn(2, 5, 4, 3), 2, 7, 9, 3, mode="linear"),
    to_sizes("channels_last_nearest", drawn(2, 5, 4, 3), 2, 7, 9, 3),
    to_sizes("in_the_middle", drawn(4, 3, 5), 6, 3, 8, mode="linear"),
    to_sizes("identity", drawn(2, 3, 4), 2, 3, 4, mode="cubic"),
    to_sizes("of_every_axis", drawn(3, 4, 3, 2), 4, 3, 5, 3, mode="cubic"),
    to_sizes("one_place", drawn(1, 1, 5, 4), 1, 1, 1, 1, mode="linear"),
    to_sizes("of_one_place", drawn(1, 1, 1, 1), 1, 1, 5, 4, mode="cubic"),
    to_sizes("wide", drawn(1, 2, 3, 700), 1, 2, 5, 1500, mode="linear", opset=13),
    to_sizes("much_smaller", drawn(1, 2, 100, 257), 1, 2, 3, 4, mode="cubic"),
    Case("float64", [RNG.normal(size=(1, 2, 5, 6)), None, None, ints(1, 2, 9, 4)], {"mode": "linear"}),
    Case("empty_lists", [drawn(1, 4), floats(), floats(), ints(1, 7)], {"mode": "linear"}, opset=13),
    Case("roi_unread", [drawn(1, 4), floats(0, 0, 1, 1), floats(1, 2)], {"mode": "linear", "extrapolation_value": 9.0}),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_resize_agrees_with_onnx(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=onnx_reference(OP, case.opset), magnitude=magnitude)


TORCH_MODES = {"nearest": (3, 4, 5), "linear": (3,), "bilinear": (4,), "trilinear": (5,), "bicubic": (4,)}
TORCH = [
    (mode, align, (2, 3, *before[: rank - 2]), after[: rank - 2])
    for mode, ranks in TORCH_MODES.items()
    for align in ((False,) if mode == "nearest" else (False, True))
    for before, after in [((7, 5, 3), (9, 11, 8)), ((9, 11, 8), (7, 5, 3)), ((1, 4, 2), (3, 1, 1))]
    for rank in ranks
]


@pytest.mark.parametrize(("mode", "align", "before", "after"), TORCH)
def test_resize_agrees_with_torch(
    mode: str, align: bool, before: tuple[int, ...], after: tuple[int, ...], isa: str
) -> None:
    attributes: dict[str, Any] = {"mode": {"nearest": "nearest", "bicubic": "cubic"}.get(mode, "linear")}
    attributes["coordinate_transformation_mode"] = "align_corners" if align else "half_pixel"
    if mode == "nearest":
        attributes |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}

    def oracle(x: Array, *inputs: Array, **_: Any) -> Array:
        options = {} if mode == "nearest" else {"align_corners": align}
        y: Array = torch.nn.functional.interpolate(torch.from_numpy(x), size=after, mode=mode, **options).numpy()
        return y

    def bound(x: Array, *inputs: Array, **_: Any) -> Array:
        return np.full((*before[:2], *after), 1.5**x.ndim * np.abs(x).max())

    check(OP, to_sizes(mode, drawn(*before), *before[:2], *after, **attributes), isa, oracle=oracle, magnitude=bound)


@pytest.mark.parametrize("factor", [0.1, 1 / 3, 0.7, 1.1, 1.5, 2.0, 3.3])
@pytest.mark.parametrize("size", [1, 3, 10, 41])
def test_a_factor_gives_the_places_of_torch(factor: float, size: int, isa: str) -> None:
    x = torch.arange(size, dtype=torch.float32).reshape(1, 1, size)
    if int(np.floor(size * factor)) == 0:
        pytest.skip("torch makes nothing empty")
    expected = torch.nn.functional.interpolate(x, scale_factor=factor, mode="nearest").numpy()
    case = by_scales(
        "factor", x.numpy(), 1, 1, factor, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )
    np.testing.assert_array_equal(run(OP, case, isa)[0], expected)


@pytest.mark.parametrize("factor", [0.4, 0.7, 1.1, 1.5, 2.0, 3.3])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_factor_aligns_the_corners_of_torch(mode: str, factor: float, isa: str) -> None:
    x = drawn(1, 2, 5, 7)

    def oracle(x: Array, *inputs: Array, **_: Any) -> Array:
        options: dict[str, Any] = {"scale_factor": factor, "mode": mode, "align_corners": True}
        y: Array = torch.nn.functional.interpolate(torch.from_numpy(x), **options).numpy()
        return y

    attributes = {"mode": mode.removeprefix("bi"), "coordinate_transformation_mode": "align_corners"}
    case = by_scales("corners", x, 1, 1, factor, factor, **attributes)
    check(
        OP, case, isa, oracle=oracle, magnitude=lambda x, *_, **__: np.full(oracle(x).shape, 1.5**4 * np.abs(x).max())
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nearest_moves_every_type(dtype: Any, isa: str) -> None:
    x = counted((2, 3), dtype)
    case = by_scales("twice", x, 1, 2, coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    np.testing.assert_array_equal(run(OP, case, isa)[0], x.repeat(2, axis=1))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_nothing_becomes_nothing(mode: str, isa: str) -> None:
    for x, sizes in ((drawn(0, 3), (0, 5)), (drawn(2, 3), (0, 5)), (drawn(2, 3), (2, 0))):
        assert run(OP, to_sizes("empty", x, *sizes, mode=mode), isa)[0].shape == sizes
    assert run(OP, by_scales("vanishes", drawn(2, 3), 1, 0.25, mode=mode), isa)[0].shape == (2, 0)


def test_infinity_spreads_to_the_places_it_is_a_part_of(isa: str) -> None:
    x = floats(1, np.inf, 2, np.nan, 3)
    aligned = to_sizes("inf", x, 9, mode="linear", coordinate_transformation_mode="align_corners")
    expected = floats(1, np.inf, np.inf, np.inf, 2, np.nan, np.nan, np.nan, 3)
    np.testing.assert_array_equal(run(OP, aligned, isa)[0], expected)


def test_resize_refuses_what_is_missing_by_its_name() -> None:
    x = drawn(1, 1, 4, 4)
    twice = (1, 1, 2, 2)
    check_refused(
        OP, by_scales("crop", x, *twice, coordinate_transformation_mode="tf_crop_and_resize"), "supported are"
    )
    check_refused(OP, by_scales("smooth", x, *twice, mode="linear", antialias=1), "antialias is 1, supported is 0")
    check_refused(OP, by_scales("type", counted((1, 4), np.int64), 1, 2, mode="linear"), "int64, supported are")


def test_resize_refuses_what_does_not_fit() -> None:
    x = drawn(2, 4)
    check_refused(OP, Case("neither", [x]), "has neither scales nor sizes, expected one")
    check_refused(OP, Case("both", [x, None, floats(1, 1), ints(2, 4)]), "has both")
    check_refused(OP, to_sizes("count", x, 2), "sizes has 1 values, expected 2")
    check_refused(OP, by_scales("count", x, 1, 2, 3), "scales has 3 values, expected 2")
    check_refused(OP, to_sizes("negative", x, 2, -1), "sizes holds -1")
    check_refused(OP, to_sizes("of_nothing", drawn(2, 0), 2, 3), "an axis of size 0 cannot become 3 long")
    for scale in (0.0, -1.0, np.inf, np.nan):
        check_refused(OP, by_scales("scale", x, 1, scale), "scales holds .*, expected a number above 0")
    check_refused(OP, by_scales("policy", x, 1, 2, keep_aspect_ratio_policy="not_larger"), "expected stretch")
    for name in ("mode", "nearest_mode", "coordinate_transformation_mode", "keep_aspect_ratio_policy"):
        check_refused(OP, to_sizes(name, x, 2, 8, **{name: "other"}), f'{name} is "other", expected')
    check_refused(OP, to_sizes("axes", x, 2, axes=[2]), "axis 2 does not fit rank 2")
    check_refused(OP, to_sizes("twice", x, 2, 2, axes=[0, -2]), "stands twice")
    symmetric = {"coordinate_transformation_mode": "half_pixel_symmetric"}
    check_refused(OP, to_sizes("old", x, 2, 8, opset=18, **symmetric), "coordinate_transformation_mode is")
    check_refused(OP, to_sizes("older", x, 8, axes=[1], opset=17), "axes")
    check_refused(OP, Case("narrow", [x, None, None, np.array([2, 8], np.int32)]), "int32, supported are: int64")


@pytest.mark.parametrize("value", [v for v in HOSTILE_INTS if v != 0])
def test_a_hostile_size_is_refused(value: int) -> None:
    for mode in ("nearest", "linear", "cubic"):
        check_refused(OP, to_sizes("hostile", drawn(1, 1), 1, value, mode=mode), "Resize|large|memory|long")
    check_refused(OP, by_scales("hostile", drawn(1, 1), 1, abs(float(value)) * 2.0**33), "Resize|large|memory|long")
