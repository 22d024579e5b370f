"""A segmentation is labelled by the class of most pixels, with the shares of all, as in slipway.preprocess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import InputError
from slipway.preprocess import decode, pixel_shares
from slipway.signature import SegmentationOutput

from .conftest import Run
from .test_labels import LABELS, predictions, scores_model

DIMS = ("N", 3, "H", "W")


def test_pixels_are_counted_as_in_python(infer: Run, tmp_path: Path) -> None:
    model, signature = scores_model(tmp_path, DIMS, SegmentationOutput())
    values = np.random.default_rng(0).normal(size=(4, 3, 5, 7)).astype(np.float32)
    values[1, 2] += 1
    values[2] = 0  # equal scores: the first class
    values[3, :, 0, :4] = np.nan  # NaN comes first, as in numpy.argmax
    values[3, 1, 1] = np.nan
    rows = predictions(infer, model, values, "--top", 3)
    shares = pixel_shares(values)
    assert [row["label"] for row in rows] == decode(signature, {"scores": values})
    assert rows[2]["top"][0] == {"label": "eins", "probability": 1.0}
    for row, expected in zip(rows, shares, strict=True):
        found = {choice["label"]: choice["probability"] for choice in row["top"]}
        np.testing.assert_allclose([found[label] for label in LABELS], expected, rtol=0, atol=1e-15)
        assert [c["probability"] for c in row["top"]] == sorted(found.values(), reverse=True)
    np.testing.assert_array_equal(np.float32(rows[0]["outputs"]["scores"]), values[0])


def test_shares_follow_from_the_largest_scores() -> None:
    scores = np.zeros((1, 3, 2, 2), np.float32)
    scores[0, 1, 0] = 1
    scores[0, 2, 1, 1] = 2
    np.testing.assert_array_equal(pixel_shares(scores), [[0.25, 0.5, 0.25]])


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 0, 4, 4), (2, 3, 0, 4)])
def test_scores_without_pixels_or_classes_are_refused(infer: Run, tmp_path: Path, shape: tuple[int, ...]) -> None:
    model, _ = scores_model(tmp_path, ("N", "K", "H", "W")[: len(shape)], SegmentationOutput())
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    infer(model, "--input", tmp_path / "x.npy", code=1)
    with pytest.raises(InputError, match=r"\[N, K, H, W\]"):
        pixel_shares(np.zeros(shape, np.float32))
