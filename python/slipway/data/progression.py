"""Diabetes progression: ten baseline measurements of 442 patients and how far the disease had come a year later.

B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", Annals of Statistics 32 (2004); in
scikit-learn, whose BSD 3-clause licence covers the copy (the authors state none).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data._dataset import Dataset, Source, Split

LICENCE = "BSD 3-clause, as a part of scikit-learn"
#: The first four fifths of the rows train; the file is in no order.
TRAIN = 354


def table() -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Return measurements [442, 10], progression after a year [442] (25 to 346), and the names of the columns."""
    from sklearn.datasets import load_diabetes  # type: ignore[import-untyped]  # scikit-learn ships no types

    bunch = load_diabetes(scaled=False)
    return (
        np.asarray(bunch.data, np.float64),
        np.asarray(bunch.target, np.float64),
        tuple(map(str, bunch.feature_names)),
    )


def load(request: str) -> Dataset:
    """Load the regression; it comes with scikit-learn, so ``request`` changes nothing.

    Raw items are float64 [10]; targets are float32 [rows, 1], the progression less its mean, in deviations of the
    training rows. ``facts``: ``mean`` and ``std`` of the training rows, and the ``columns``.
    """
    del request
    values, progression, columns = table()
    targets = torch.from_numpy((progression - progression[:TRAIN].mean()) / progression[:TRAIN].std()).float()[:, None]
    train = Split(list(values[:TRAIN]), targets[:TRAIN])
    test = Split(list(values[TRAIN:]), targets[TRAIN:])
    source = Source(
        kind="embedded",
        name="diabetes progression (Efron et al.)",
        where="scikit-learn",
        licence=LICENCE,
        rows={"train": len(train), "test": len(test)},
    )
    facts = {
        "columns": columns,
        "mean": tuple(values[:TRAIN].mean(axis=0).tolist()),
        "std": tuple(values[:TRAIN].std(axis=0).tolist()),
    }
    return Dataset(train, test, (), source, facts)
