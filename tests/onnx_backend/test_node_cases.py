"""Every node test case of the onnx package passes on the engine, or stands in REFUSED or DIFFERENT with a reason.

A refused case must be refused by name at load: the engine never computes something other than ONNX says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from node_cases import NodeCase, array_of, collect, save

import slipway
from slipway.errors import ModelError, UnsupportedError

TAKEN, _ = collect()

#: Case name -> why the engine refuses it.
REFUSED: dict[str, str] = {
    **dict.fromkeys(
        ("test_dropout_default_mask", "test_dropout_default_mask_ratio"),
        "the mask of Dropout has no use in inference",
    ),
    **dict.fromkeys(
        (
            "test_training_dropout",
            "test_training_dropout_default",
            "test_training_dropout_default_mask",
            "test_training_dropout_mask",
            "test_training_dropout_zero_ratio",
            "test_training_dropout_zero_ratio_mask",
        ),
        "Dropout in training mode draws random numbers",
    ),
    **dict.fromkeys(
        ("test_batchnorm_epsilon_training_mode", "test_batchnorm_example_training_mode"),
        "BatchNormalization in training mode changes its statistics",
    ),
    **dict.fromkeys(
        (
            "test_mod_float32_mixed_sign_fmod_0",
            "test_mod_float64_mixed_sign_fmod_0",
            "test_mod_float_edge_cases_fmod_0_float32",
            "test_mod_float_edge_cases_fmod_0_float64",
        ),
        "Mod of floats needs fmod 1 up to opset 24",
    ),
    **dict.fromkeys(
        (
            "test_resize_downsample_scales_cubic_antialias",
            "test_resize_downsample_scales_linear_antialias",
            "test_resize_downsample_sizes_cubic_antialias",
            "test_resize_downsample_sizes_linear_antialias",
        ),
        "Resize has no antialias",
    ),
    **dict.fromkeys(
        (
            "test_resize_tf_crop_and_resize",
            "test_resize_tf_crop_and_resize_axes_2_3",
            "test_resize_tf_crop_and_resize_axes_3_2",
            "test_resize_tf_crop_and_resize_extrapolation_value",
        ),
        "Resize does not crop",
    ),
}

#: Case name -> why the engine gives something else than onnx states.
DIFFERENT: dict[str, str] = dict.fromkeys(
    ("test_resize_downsample_scales_cubic_align_corners", "test_resize_downsample_scales_linear_align_corners"),
    "onnx's reference aligns corners of a length of 3.2; ONNX's formula, torch and onnxruntime of the 3 that are there",
)


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_node_case(case: NodeCase, tmp_path: Path) -> None:
    """The outputs are those that onnx states, within onnx's own tolerance; types and shapes exactly."""
    model = save(case, tmp_path)
    if case.name in REFUSED:
        with pytest.raises((ModelError, UnsupportedError)):
            _run_all(case, model)
        return
    if case.name in DIFFERENT:
        with pytest.raises(AssertionError, match="Mismatched elements"):
            _run_all(case, model)
        return
    _run_all(case, model)


def _run_all(case: NodeCase, model: Path) -> None:
    session = slipway.Session(model)
    names = [port.name for port in case.model.graph.input]
    for inputs, expected in case.data:
        arrays = {name: array_of(value) for name, value in zip(names, inputs, strict=True)}
        got = session.run(arrays)
        for port, stated in zip(case.model.graph.output, expected, strict=True):
            value, want = got[port.name], array_of(stated)
            assert value.dtype == want.dtype
            assert value.shape == want.shape
            np.testing.assert_allclose(value, want, rtol=case.rtol, atol=case.atol)


def test_no_case_of_the_lists_is_unknown() -> None:
    """A name in REFUSED or DIFFERENT that no case has is a leftover."""
    assert {*REFUSED, *DIFFERENT} <= {case.name for case in TAKEN}


def test_the_document_states_these_counts() -> None:
    """The numbers in docs/operators.md are those of the onnx version that it names."""
    text = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
    if f"With onnx {onnx.__version__}:" not in text:
        pytest.skip(f"the document speaks of another onnx than {onnx.__version__}")
    _, left = collect()
    by_type = sum(case.reason.startswith("type") for case in left)
    passed = len(TAKEN) - len(REFUSED) - len(DIFFERENT)
    for count in (passed, len(REFUSED), len(DIFFERENT), by_type, len(left) - by_type):
        assert f"\n| {count} | " in text
