"""Arrays for operators that move elements: every type, counted through so that a misplaced element shows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from harness import Array

DTYPES = (np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8, np.bool_)


def counted(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> Array:
    """0, 1, 2, ... in the given shape; every third element true for bool."""
    numbers = np.arange(int(np.prod(shape)))
    if np.dtype(dtype).kind == "b":
        return np.asarray((numbers % 3 == 0).reshape(shape))
    return np.asarray((numbers % 101).astype(dtype).reshape(shape))


def ints(*values: int) -> Array:
    """An int64 list."""
    return np.array(values, np.int64)
