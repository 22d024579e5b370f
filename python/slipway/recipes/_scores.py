"""Scores that several recipes share: what is counted as right, and out of how many."""

from __future__ import annotations

from torch import Tensor


def accuracy(scores: Tensor, targets: Tensor) -> tuple[float, float]:
    """Count the rows of scores [N, K] whose largest entry is at the target, int64 [N]."""
    return float((scores.argmax(dim=1) == targets).sum()), float(len(targets))


def binary_accuracy(probabilities: Tensor, targets: Tensor) -> tuple[float, float]:
    """Count the probabilities [N, 1] that are on the target's side of one half; targets are 0 or 1, [N, 1]."""
    return float(((probabilities > 0.5) == (targets > 0.5)).sum()), float(len(targets))


def r2(predictions: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return (SST - SSE, SST), whose ratio is the coefficient of determination; both [N, 1].

    The mean is that of the rows at hand, so the ratio of sums is exact where the split is one batch (256 rows).
    """
    values = targets.double()
    total = float(((values - values.mean()) ** 2).sum())
    return total - float(((predictions.detach().double() - values) ** 2).sum()), total
