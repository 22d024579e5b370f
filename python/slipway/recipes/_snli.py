"""What the recipes on pairs of sentences share: the merger of two encoded sentences, and the classifier on top."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Merger(nn.Module):
    """Premise, hypothesis, their difference and their product side by side, normalised over the batch, with dropout.

    Args:
        size: Size of an encoded sentence.
        dropout: Share of values dropped.
    """

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4 * size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, premise: Tensor, hypothesis: Tensor) -> Tensor:
        """Map two encoded sentences [N, size] to [N, 4 * size]."""
        merged = torch.cat((premise, hypothesis, premise - hypothesis, premise * hypothesis), dim=1)
        features: Tensor = self.dropout(self.norm(merged))
        return features


class PairClassifier(nn.Module):
    """The merger, one hidden layer with batch normalisation and dropout, and one score per class.

    Args:
        size: Size of an encoded sentence.
        hidden: Size of the hidden layer.
        classes: Number of classes.
        dropout: Share of values dropped after the merger and after the hidden layer.
    """

    def __init__(self, size: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.merger = Merger(size, dropout)
        self.layers = nn.Sequential(
            nn.Linear(4 * size, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    def forward(self, premise: Tensor, hypothesis: Tensor) -> Tensor:
        """Map two encoded sentences [N, size] to scores [N, classes]."""
        scores: Tensor = self.layers(self.merger(premise, hypothesis))
        return scores
