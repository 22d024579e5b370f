"""Breast cancer, Wisconsin (diagnostic): 30 measurements of cell nuclei, malignant or benign; in scikit-learn.

W. H. Wolberg, O. L. Mangasarian, W. N. Street, 1993; UCI Machine Learning Repository.
"""

from __future__ import annotations

import numpy as np
import torch

from slipway.data._dataset import Dataset, Source, Split

#: The notes train on the first 60 %, keep 20 % to validate and test on the rest; we train on the first two parts.
_TRAIN = 455


def load(request: str) -> Dataset:
    """Load the table; it comes with scikit-learn, so ``request`` changes nothing.

    Raw items are float64 [30], targets float32 [rows, 1] with 1 for benign. ``facts``: ``mean`` and ``std`` of the
    training rows, and the ``columns``.
    """
    del request
    from sklearn.datasets import load_breast_cancer  # type: ignore[import-untyped]  # scikit-learn ships no types

    table = load_breast_cancer()
    values = np.asarray(table.data, dtype=np.float64)
    targets = torch.from_numpy(table.target.astype(np.float32)).reshape(-1, 1)
    train = Split(list(values[:_TRAIN]), targets[:_TRAIN])
    test = Split(list(values[_TRAIN:]), targets[_TRAIN:])
    source = Source(
        kind="embedded",
        name="breast cancer Wisconsin (diagnostic)",
        where="scikit-learn",
        licence="CC BY 4.0",
        rows={"train": len(train), "test": len(test)},
    )
    facts = {
        "columns": tuple(str(name) for name in table.feature_names),
        "mean": tuple(values[:_TRAIN].mean(axis=0).tolist()),
        "std": tuple(values[:_TRAIN].std(axis=0).tolist()),
    }
    return Dataset(train, test, tuple(str(name) for name in table.target_names), source, facts)
