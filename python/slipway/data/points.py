"""The notes' data sets of three points: a line through the origin, and hours of study with what came of them.

There is nothing to download and no folder to give: the points stand here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slipway.data._dataset import Dataset, Source, Split


def line(request: str) -> Dataset:
    """Load y = 2 x at 1, 2, 3; the test holds 4, which the notes predict, and points below and between.

    Raw items are rows [x], targets float32 [rows, 1]. ``request`` changes nothing.
    """
    del request
    return _dataset([1, 2, 3], [2, 4, 6], [0, 1.5, 2.5, 4], [0, 3, 5, 8], "the notes' points of the line y = 2 x")


def hours(request: str) -> Dataset:
    """Load whether 1, 2 and 3 hours of study were enough; the test asks for 0 to 5 hours.

    Raw items are rows [hours], targets float32 [rows, 1] with 1 for ``pass``; the notes' three points leave open where
    between 2 and 3 hours the answer changes, so the test does not ask there. ``request`` changes nothing.
    """
    del request
    name = "the notes' three points: hours of study, failed or passed"
    return _dataset([1, 2, 3], [0, 0, 1], [0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1], name, ("fail", "pass"))


def _dataset(
    x: Sequence[float], y: Sequence[float], test_x: Sequence[float], test_y: Sequence[float], name: str,
    labels: tuple[str, ...] = (),
) -> Dataset:  # fmt: skip
    source = Source("embedded", name, "in the recipe", "none needed", {"train": len(x), "test": len(test_x)})
    return Dataset(_split(x, y), _split(test_x, test_y), labels, source)


def _split(x: Sequence[float], y: Sequence[float]) -> Split:
    return Split([[float(value)] for value in x], torch.tensor(y, dtype=torch.float32).reshape(-1, 1))
