"""What kind of answer does this question ask for: a two-way GRU reads it word by word.

Title:   Question classification, an embedding and a bidirectional GRU over packed sequences
Paper:   Li and Roth 2002, "Learning Question Classifiers" (the task); Cho et al. 2014 (the GRU)
Data:    5,452 + 500 questions of TREC (for research), or synthetic questions; see data/trec.py
Metric:  accuracy on the test split 0.878 (TREC, six classes; 0.894 with seed 1), 1.000 (embedded); expected 0.84, 0.95
Time:    22 s (TREC), 5 s (embedded) on one core of an AMD EPYC

The notes stop at torchtext's batches of numbered words; the network is the usual one on top. Lower case and a
vocabulary counted on the training questions are theirs; in place of spaCy the corpus's own tokens are used, punctuation
set apart, and in place of GloVe vectors the embedding is learned. ``--set fine=true`` tells the 50 fine classes apart:
0.754.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from slipway.data import trec
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.recipes._texts import Kind, PackedEncoder, text_ports
from slipway.signature import ClassOutput, OutputPort, Signature


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        fine: The 50 fine classes (``HUM:ind``) in place of the six coarse ones.
        least: Occurrences that a word of the vocabulary needs.
        embedding: Size of a word's vector.
        hidden: Size of each direction.
        layers: Number of recurrent layers.
        bidirectional: Read each question in both directions.
        dropout: Share of values dropped after the embedding, between layers and before the last layer.
        kind: The recurrent network: ``gru``, ``lstm`` or ``rnn`` (with ReLU).
    """

    fine: bool = False
    least: int = 2
    embedding: int = 100
    hidden: int = 100
    layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.5
    kind: Kind = "gru"


class QuestionClassifier(nn.Module):
    """Embedding, packed recurrent network, and a linear layer on its last hidden states."""

    def __init__(self, config: Config, words: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, config.embedding)
        self.encoder = PackedEncoder(
            config.kind, config.embedding, config.hidden, config.layers, config.bidirectional, config.dropout
        )
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(self.encoder.out_features, classes)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Map words int64 [T, N] and lengths int64 [N] (on the CPU) to logits [N, classes]."""
        text = self.encoder(self.dropout(self.embedding(words)), lengths)
        logits: Tensor = self.linear(self.dropout(text))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the classifier for the words and classes of the data set."""
    return QuestionClassifier(config, len(dataset.facts["vocabulary"]), len(dataset.labels))


def signature(config: Config, dataset: Dataset) -> Signature:
    """A question in, one score per class out."""
    return Signature(
        inputs=text_ports("words", "T", dataset),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


RECIPE = Recipe(
    name="trec",
    title="Question classification, a bidirectional GRU over words",
    task="classification",
    notes='003, "torchtext: TREC 问题分类"',
    datasets=("TREC",),
    config=Config(),
    data=lambda request, config: trec.load(request, config.fine, config.least),
    signature=signature,
    build=build,
    loss=nn.functional.cross_entropy,
    score=accuracy,
    score_name="accuracy",
    expected={"path": 0.84, "download": 0.84, "embedded": 0.95},
    training=Training(
        epochs=8, batch_size=32, lr=3e-3, optimizer="adamw", weight_decay=0.01, schedule="one_cycle", gradient_clip=1.0
    ),
    presets={
        "notes": {"embedding": 50, "dropout": 0.0},
        "smoke": {"epochs": 2, "limit": 600, "embedding": 32, "hidden": 32},
    },
)
