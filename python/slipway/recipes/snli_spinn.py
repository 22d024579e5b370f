"""Does the hypothesis follow from the premise: SPINN builds both trees on a stack, a classifier compares them.

Title:   Natural language inference, SPINN: shift-reduce encoding by a tree LSTM and a tracker
Paper:   Bowman et al. 2016, "A Fast Unified Model for Parsing and Sentence Understanding"
Data:    SNLI or a subset of it (CC BY-SA 4.0), or synthetic pairs of sentences; see data/snli.py
Metric:  accuracy on the test split 0.488 (subset, 983 pairs: 95 % interval 0.457 to 0.520, chance 0.34; 0.473 with
         seed 1), 0.938 (embedded); expected 0.42 and 0.85
Time:    55 s (subset), 50 s (embedded) on one core of an AMD EPYC

The notes keep a Python list per sentence and move one sentence at a time. Here the stacks of a batch are one tensor
with a depth per sentence; outputs and gradients equal the list code's, and the loop over the moves becomes one ONNX
Loop of any length. The text is the binary parse, words and brackets apart: a word is a shift, a closing bracket a
reduce. A text that is no parse has a meaning too: what cannot be reduced is not.

With ``--preset predict`` the tracker finds the tree by itself, as the notes' ``predict``: moves that are not legal are
never chosen, brackets are ignored, and the parses of the training pairs are what it learns from. It then reaches 0.472
(subset) and 0.803 (embedded).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slipway.data import snli
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.recipes._snli import PairClassifier, pair_signature
from slipway.recipes._spinn import Parse, Spinn

CLASSES = len(snli.LABELS)


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        least: Occurrences that a word of the vocabulary needs.
        d_embed: Size of a word's vector.
        d_hidden: Size of an entry's hidden state, and of an encoded sentence.
        d_tracker: Size of the tracker's state.
        d_classifier: Size of the classifier's hidden layer.
        dropout: Share of values dropped after the embedding, after the merger and after the hidden layer.
        predict: Let the tracker find the tree by itself, which it learns from the brackets; later they are ignored.
    """

    least: int = 2
    d_embed: int = 64
    d_hidden: int = 64
    d_tracker: int = 32
    d_classifier: int = 64
    dropout: float = 0.3
    predict: bool = False


class SpinnClassifier(nn.Module):
    """Embedding, projection to entries of the stack, SPINN for both sentences side by side, merger and classifier."""

    def __init__(self, config: Config, words: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, config.d_embed)
        self.project = nn.Linear(config.d_embed, 2 * config.d_hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.parse = Parse()
        self.encoder = Spinn(config.d_hidden, config.d_tracker, config.predict)
        self.classifier = PairClassifier(config.d_hidden, config.d_classifier, classes, config.dropout)
        self.predict = config.predict

    def forward(
        self, premise: Tensor, premise_lengths: Tensor, hypothesis: Tensor, hypothesis_lengths: Tensor
    ) -> Tensor:
        """Map two bracketed sentences, int64 [T, N] with their lengths [N], to scores [N, classes].

        In train mode with ``predict`` one more column holds the loss of the item's predicted moves.
        """
        n = premise.size(1)
        first = torch.cat((premise, torch.zeros_like(hypothesis)))
        second = torch.cat((hypothesis, torch.zeros_like(premise)))
        lengths = torch.cat((premise_lengths, hypothesis_lengths))
        encoded, moves_loss = self.encode(torch.cat((first, second), dim=1), lengths)
        sides = encoded.reshape(2, n, encoded.size(1))
        scores: Tensor = self.classifier(sides[0], sides[1])
        if self.training and self.predict:
            scores = torch.cat((scores, moves_loss.reshape(2, n).sum(dim=0).unsqueeze(1)), dim=1)
        return scores

    def encode(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode bracketed sentences, int64 [T, N], as float [N, d_hidden]; the loss of the moves is float [N]."""
        words, count, moves = self.parse(tokens, lengths)
        if self.training:  # padding and brackets leave more than half of the rows empty
            words, moves = words[: int(count.max()) + 1], moves[: int((moves != 0).sum(dim=0).max())]
        entries = self.project(self.dropout(self.embedding(words)))
        entries = torch.where((words == 0).unsqueeze(2), torch.zeros_like(entries), entries)
        encoded: tuple[Tensor, Tensor] = self.encoder(entries.transpose(0, 1), count, moves)
        return encoded


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the classifier for the words of the data set."""
    return SpinnClassifier(config, len(dataset.facts["vocabulary"]), len(dataset.labels))


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of the scores, and in train mode with ``predict`` that of the moves on top of it."""
    answer = nn.functional.cross_entropy(outputs[:, :CLASSES], targets)
    return answer + outputs[:, CLASSES:].sum(dim=1).mean()


def score(outputs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Count the right answers."""
    return accuracy(outputs[:, :CLASSES], targets)


RECIPE = Recipe(
    name="snli-spinn",
    title="Natural language inference, SPINN: shift-reduce encoding on a stack",
    task="classification",
    notes='003, "循环神经网络 / 简化 / 追踪器 / SPINN"',
    datasets=("SNLI",),
    config=Config(),
    data=lambda request, config: snli.load(request, form="parse", least=config.least),
    signature=lambda config, dataset: pair_signature(dataset),
    build=build,
    loss=loss,
    score=score,
    score_name="accuracy",
    expected={"path": 0.42, "embedded": 0.85},
    training=Training(
        epochs=12, batch_size=32, lr=3e-3, optimizer="adamw", weight_decay=0.01, schedule="one_cycle", gradient_clip=1.0
    ),
    presets={
        "notes": {"d_embed": 300, "d_hidden": 300, "d_tracker": 64},
        "smoke": {"epochs": 2, "limit": 300, "d_embed": 16, "d_hidden": 16, "d_tracker": 8, "d_classifier": 16},
        "predict": {"predict": True},
    },
)
