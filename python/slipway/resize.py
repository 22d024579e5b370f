"""Resizing of 8-bit images by the triangle filter, defined to the last bit so that C++ can do the same.

The definition is Pillow's ``BILINEAR`` (antialiased: when shrinking, the triangle is as wide as the shrinkage), in
double instead of fixed point, so it may differ from Pillow by one level where a value is near a half.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def resize(plane: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize one channel, uint8 [H, W], to [height, width]; first along each row, then along each column.

    After each of the two steps values are rounded half up to 8 bits; a size that does not change is left alone.
    """
    if plane.shape[1] != width:
        plane = _resample(plane, width)
    if plane.shape[0] != height:
        plane = _resample(np.ascontiguousarray(plane.T), height).T
    return np.ascontiguousarray(plane)


def _resample(plane: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resample the last axis: output i is ``floor(sum(w p) / sum(w) + 0.5)``, both sums from left to right.

    ``w = max(0, 1 - |(k + 0.5 - centre) / width|)`` with ``scale = old / new``, ``centre = (i + 0.5) * scale`` and
    ``width = max(scale, 1)``, over the k from ``floor(centre - width + 0.5)`` up to but without
    ``floor(centre + width + 0.5)``, cut to the image.
    """
    old = plane.shape[1]
    scale = old / size
    width = max(scale, 1.0)
    out = np.empty((plane.shape[0], size), dtype=np.uint8)
    for i in range(size):
        centre = (i + 0.5) * scale
        first = max(0, math.floor(centre - width + 0.5))
        last = min(old, math.floor(centre + width + 0.5))
        total, weights = np.zeros(plane.shape[0]), 0.0
        for k in range(first, last):
            w = max(0.0, 1.0 - abs((k + 0.5 - centre) / width))
            total += w * plane[:, k]
            weights += w
        out[:, i] = np.floor(total / weights + 0.5)
    return out
