"""The order in which an answer names its classes; the first one is the label that ``slipway.preprocess`` gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slipway.signature import BinaryOutput, ClassOutput, SegmentationOutput


def ranking(
    spec: ClassOutput | BinaryOutput | SegmentationOutput, scores: NDArray[np.generic], shares: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the classes of each item, best first, as ``cpp/infer/decode.cc`` orders them.

    Scores decide, since two of them may have the same probability; equal ones stay in the order of their classes, and
    NaN comes first, as in ``numpy.argmax``. A binary answer begins with the side of its threshold.

    Args:
        spec: What the output means; not one label per step.
        scores: The output.
        shares: Its probabilities, or shares of pixels, [N, K].

    Returns:
        int64 [N, K].
    """
    if isinstance(spec, BinaryOutput):
        second = (shares[:, 1] > spec.threshold).astype(np.int64)
        return np.stack((second, 1 - second), axis=1)
    values = np.asarray(scores if isinstance(spec, ClassOutput) else shares, dtype=np.float64)
    return np.lexsort((-values, ~np.isnan(values)), axis=-1)
