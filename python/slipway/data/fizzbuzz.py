"""FizzBuzz: what a child says instead of a number; made by the rule, so nothing is downloaded.

As in Joel Grus's "Fizz Buzz in TensorFlow", 1 to 100 are the test and 101 to 1023 the training numbers.
"""

from __future__ import annotations

import torch

from slipway.data._dataset import Dataset, Source, Split

LABELS = ("number", "fizz", "buzz", "fizzbuzz")
#: Numbers below 2 to the power of this can be told apart.
BITS = 10


def say(number: int) -> str:
    """Return ``fizz`` for multiples of 3, ``buzz`` for those of 5, ``fizzbuzz`` for those of both, else ``number``."""
    return LABELS[(number % 3 == 0) + 2 * (number % 5 == 0)]


def load(request: str) -> Dataset:
    """Load the numbers: raw items are rows [number], targets int64 [rows], the place in ``labels``.

    ``request`` changes nothing.
    """
    del request
    train, test = _split(range(101, 2**BITS)), _split(range(1, 101))
    source = Source(
        kind="embedded",
        name="FizzBuzz by its rule: 1 to 100 to test, 101 to 1023 to train",
        where="made by the recipe",
        licence="none needed",
        rows={"train": len(train), "test": len(test)},
    )
    return Dataset(train, test, LABELS, source)


def _split(numbers: range) -> Split:
    targets = [LABELS.index(say(number)) for number in numbers]
    return Split([[float(number)] for number in numbers], torch.tensor(targets))
