"""Points of known curves: synthetic data, because the notes' own is made up too; what is right is then known exactly.

Noise is added to the training points alone; the test is the curve itself, so that the score says how well it was
recovered. The noise comes from NumPy's ``PCG64`` with a fixed seed: every run sees the same points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data._dataset import Dataset, Source, Split

Array = NDArray[np.float64]

#: Factors of x, x^2 and 1, in the notes' order.
QUADRATIC = (-2.0, 1.5, 0.5)
#: Standard deviation of the noise on x^2, as in the notes.
NOISE = 0.1


def quadratic(request: str) -> Dataset:
    """Load 1.5 x^2 - 2 x + 0.5 at 64 points of [-2, 2] with noise of deviation 0.1; 41 points to test.

    Raw items are rows [x], targets float32 [rows, 1]. ``request`` changes nothing.
    """
    del request
    name = "synthetic: 1.5 x^2 - 2 x + 0.5 on [-2, 2], noise of deviation 0.1 to train"
    return _dataset(lambda x: QUADRATIC[0] * x + QUADRATIC[1] * x**2 + QUADRATIC[2], 2.0, (64, 41), name)


def square(request: str) -> Dataset:
    """Load x^2 at 1000 points of [-1, 1] with noise of deviation 0.1, as the notes do; 201 points to test.

    Raw items are rows [x], targets float32 [rows, 1]. ``request`` changes nothing.
    """
    del request
    return _dataset(np.square, 1.0, (1000, 201), "synthetic: x^2 on [-1, 1], noise of deviation 0.1 to train")


def _dataset(curve: Callable[[Array], Array], end: float, rows: tuple[int, int], name: str) -> Dataset:
    x, test_x = np.linspace(-end, end, rows[0]), np.linspace(-end, end, rows[1])
    noise = NOISE * np.random.Generator(np.random.PCG64(1)).standard_normal(rows[0])
    source = Source("embedded", name, "made by the recipe", "none needed", {"train": rows[0], "test": rows[1]})
    return Dataset(_split(x, curve(x) + noise), _split(test_x, curve(test_x)), (), source)


def _split(x: Array, y: Array) -> Split:
    return Split(list(x.reshape(-1, 1)), torch.from_numpy(y.astype(np.float32)).reshape(-1, 1))
