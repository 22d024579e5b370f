"""From which country is this surname: a two-layer GRU reads it letter by letter.

Title:   Surname to country, two GRU layers of 100 over packed sequences
Paper:   Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder ..." (the GRU)
Data:    13,374 + 6,700 surnames of 18 countries (MIT), or surnames of Faker (MIT); see data/names.py
Metric:  accuracy on the test split 0.854 (full set; 0.850 with seed 1), 0.720 (embedded); expected 0.84 and 0.70
Time:    120 s (full set), 70 s (embedded) on one core of an AMD EPYC

The notes freeze the batch size and sort each batch by hand; here any T, N and order work, with the same arithmetic
(``enforce_sorted=False``). Dropout 0.3, AdamW with weight decay 0.1, a one-cycle schedule, batches of 32 of like length
and 30 epochs; the notes use SGD 0.1, batches of 256, 200 epochs and no dropout, and keep the best epoch by its test
accuracy. A padding character's embedding is never read. Accented Latin letters are folded to ASCII by a table inside
the exported file, so that ``García`` is read as ``Garcia``. All of this holds for the other recipes on names too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from slipway.data import names
from slipway.preprocess import fold_table
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, InputPort, LengthInput, OutputPort, Signature, TextInput

#: Tokens are ASCII codes, as in the notes (INPUT_SIZE = 128).
CHARACTERS = 128


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        cell: The recurrent layers: GRU, LSTM or RNN (tanh).
        hidden: Size of the embedding and of each direction.
        layers: Number of recurrent layers.
        bidirectional: Read each name in both directions.
        dropout: Share of values dropped after the embedding, between the layers and before the last layer.
    """

    cell: Literal["gru", "lstm", "rnn"] = "gru"
    hidden: int = 100
    layers: int = 2
    bidirectional: bool = False
    dropout: float = 0.3


_CELLS: dict[str, type[nn.GRU | nn.LSTM | nn.RNN]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class NameClassifier(nn.Module):
    """Embedding, packed recurrent layers, and a linear layer on the last hidden state of each name."""

    def __init__(self, config: Config, countries: int) -> None:
        super().__init__()
        directions = 2 if config.bidirectional else 1
        between = config.dropout if config.layers > 1 else 0.0
        self.bidirectional = config.bidirectional
        self.embedding = nn.Embedding(CHARACTERS, config.hidden)
        self.recurrent = _CELLS[config.cell](
            config.hidden, config.hidden, config.layers, dropout=between, bidirectional=config.bidirectional
        )
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(config.hidden * directions, countries)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Map tokens int64 [T, N] and lengths int64 [N] (on the CPU) to logits [N, countries]."""
        embedded = self.dropout(self.embedding(tokens))
        packed = pack_padded_sequence(embedded, lengths, enforce_sorted=False)
        _, state = self.recurrent(packed)
        last = state[0] if isinstance(state, tuple) else state  # [layers * directions, N, hidden]
        features = torch.cat((last[-1], last[-2]), dim=1) if self.bidirectional else last[-1]
        logits: Tensor = self.linear(self.dropout(features))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the classifier for the countries of the data set."""
    return NameClassifier(config, len(dataset.labels))


def signature(config: Config, dataset: Dataset) -> Signature:
    """Names in, one score per country out; accented Latin letters are folded to ASCII."""
    text = TextInput(limit=CHARACTERS, fold=fold_table())
    return Signature(
        inputs=(
            InputPort("tokens", "int64", ("T", "N"), text),
            InputPort("lengths", "int64", ("N",), LengthInput(of="tokens")),
        ),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


RECIPE = Recipe(
    name="names-gru",
    title="Surname to country, two GRU layers over packed sequences",
    task="classification",
    notes='000, "循环神经网络 RNN Advanced: 根据姓名进行国籍预测"',
    datasets=("names",),
    config=Config(),
    data=lambda request, config: names.load(request),
    signature=signature,
    build=build,
    loss=nn.functional.cross_entropy,
    score=accuracy,
    score_name="accuracy",
    expected={"path": 0.84, "embedded": 0.70},
    training=Training(
        epochs=30, batch_size=32, lr=3e-3, optimizer="adamw", weight_decay=0.1, schedule="one_cycle", gradient_clip=1.0
    ),
    presets={
        "notes": {
            "dropout": 0.0, "epochs": 200, "batch_size": 256, "lr": 0.1, "optimizer": "sgd", "weight_decay": 0.0,
            "schedule": "constant", "gradient_clip": None,
        },
        "smoke": {"epochs": 2, "limit": 1000},
    },
)  # fmt: skip
