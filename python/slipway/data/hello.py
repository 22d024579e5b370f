"""The smallest sequence there is: "hello" in, "ohlol" out, one letter per step, letters e h l o."""

from __future__ import annotations

import torch

from slipway.data._dataset import Dataset, Source, Split

LETTERS = ("e", "h", "l", "o")


def load(request: str) -> Dataset:
    """Load the one pair, as training and as test data; targets are int64 [1, 5]. ``request`` changes nothing."""
    del request
    split = Split(["hello"], torch.tensor([[LETTERS.index(letter) for letter in "ohlol"]]))
    source = Source("embedded", "the notes' word", "in the recipe", "none needed", {"train": 1, "test": 1})
    return Dataset(split, split, LETTERS, source)
