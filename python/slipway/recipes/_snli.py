"""What the recipes on pairs of sentences share: sizes, ports, the merger of two encoded sentences, the classifier.

And, for the three with a recurrent encoder, all of the recipe but its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slipway.data import snli
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.recipes._texts import Kind, PackedEncoder, text_ports
from slipway.signature import ClassOutput, OutputPort, Signature


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        least: Occurrences in the training pairs that a word of the vocabulary needs.
        embedding: Size of a word's vector.
        hidden: Size of each direction of the encoder.
        layers: Number of recurrent layers.
        bidirectional: Read each sentence in both directions.
        classifier: Size of the layer between the merged sentences and the scores.
        word_dropout: Share of values dropped after the embedding.
        dropout: Share of values dropped between layers, after merging, and before the last layer.
    """

    least: int = 2
    embedding: int = 64
    hidden: int = 64
    layers: int = 1
    bidirectional: bool = False
    classifier: int = 64
    word_dropout: float = 0.2
    dropout: float = 0.2


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


class RecurrentPair(nn.Module):
    """One embedding and one packed encoder for both sentences, then the pair's classifier.

    Args:
        kind: The recurrent network of the encoder.
        config: Its sizes.
        words: Size of the vocabulary.
        classes: Number of classes.
    """

    def __init__(self, kind: Kind, config: Config, words: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, config.embedding)
        self.dropout = nn.Dropout(config.word_dropout)
        self.encoder = PackedEncoder(
            kind, config.embedding, config.hidden, config.layers, config.bidirectional, config.dropout
        )
        self.classifier = PairClassifier(self.encoder.out_features, config.classifier, classes, config.dropout)

    def forward(
        self, premise: Tensor, premise_lengths: Tensor, hypothesis: Tensor, hypothesis_lengths: Tensor
    ) -> Tensor:
        """Map two texts, words int64 [T, N] and lengths int64 [N] (on the CPU) each, to scores [N, classes]."""
        first = self.encoder(self.dropout(self.embedding(premise)), premise_lengths)
        second = self.encoder(self.dropout(self.embedding(hypothesis)), hypothesis_lengths)
        scores: Tensor = self.classifier(first, second)
        return scores


def pair_signature(dataset: Dataset) -> Signature:
    """Premise and hypothesis in, each with a time axis of its own; one score per label out."""
    return Signature(
        inputs=(*text_ports("premise", "T_premise", dataset), *text_ports("hypothesis", "T_hypothesis", dataset)),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


def recurrent(kind: Kind, title: str, notes: str, expected: Mapping[str, float]) -> Recipe:
    """Return the recipe ``snli-<kind>``, whose encoder of both sentences is one recurrent network."""

    def build(config: Config, dataset: Dataset) -> nn.Module:
        return RecurrentPair(kind, config, len(dataset.facts["vocabulary"]), len(dataset.labels))

    return Recipe(
        name=f"snli-{kind}",
        title=title,
        task="classification",
        notes=notes,
        datasets=("SNLI",),
        config=Config(),
        data=lambda request, config: snli.load(request, least=config.least),
        signature=lambda config, dataset: pair_signature(dataset),
        build=build,
        loss=nn.functional.cross_entropy,
        score=accuracy,
        score_name="accuracy",
        expected=expected,
        training=Training(
            epochs=20, batch_size=32, lr=5e-3, optimizer="adamw", weight_decay=0.01, schedule="one_cycle",
            gradient_clip=1.0,
        ),
        presets={
            "notes": {"embedding": 300},
            "smoke": {"epochs": 2, "limit": 600, "embedding": 32, "hidden": 32},
        },
    )  # fmt: skip
