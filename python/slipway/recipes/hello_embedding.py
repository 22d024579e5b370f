"""Teach a network one word through an embedding: letters are numbers, and a linear layer gives the answer.

Title:   hello -> ohlol, embedding 4 x 10, two RNN layers of 8, linear 8-4
Paper:   Elman 1990, "Finding Structure in Time"
Data:    the notes' word, in data/hello.py
Metric:  share of right letters 1.0 (from each of 20 seeds)
Time:    1 s on one core of an AMD EPYC

Note 000 has time first, note 001 the batch; ``--set batch_first=true`` is the second. The weights are the same, and so
are the answers. Letters come out time first in both, as everywhere here; the notes flatten them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from slipway.data import hello
from slipway.recipes import hello_rnn
from slipway.recipes._recipe import Dataset, Training
from slipway.signature import ClassOutput, InputPort, OutputPort, Signature, TextInput


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        embedding: Size of a letter's vector.
        hidden: Size of the hidden state.
        layers: Number of RNN layers.
        batch_first: Take letters as [N, T] instead of [T, N].
    """

    embedding: int = 10
    hidden: int = 8
    layers: int = 2
    batch_first: bool = False


class HelloEmbedding(nn.Module):
    """Embedding, RNN, and a linear layer on every hidden state."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        letters = len(hello.LETTERS)
        self.batch_first = config.batch_first
        self.embedding = nn.Embedding(letters, config.embedding)
        self.rnn = nn.RNN(config.embedding, config.hidden, config.layers, batch_first=config.batch_first)
        self.linear = nn.Linear(config.hidden, letters)

    def forward(self, letters: Tensor) -> Tensor:
        """Map letters int64 [T, N] (or [N, T]) to scores of letters [T, N, 4]."""
        hidden, _ = self.rnn(self.embedding(letters))
        scores: Tensor = self.linear(hidden)
        return scores.transpose(0, 1) if self.batch_first else scores


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return HelloEmbedding(config)


def signature(config: Config, dataset: Dataset) -> Signature:
    """A word of the letters e h l o in; one letter per step out."""
    letters = len(hello.LETTERS)
    dims = ("N", "T") if config.batch_first else ("T", "N")
    text = TextInput(vocabulary=hello.LETTERS, limit=letters)
    return Signature(
        inputs=(InputPort("letters", "int64", dims, text),),
        outputs=(OutputPort("scores", ("T", "N", letters), ClassOutput(per_step=True)),),
        labels=dataset.labels,
    )


RECIPE = replace(
    hello_rnn.RECIPE,
    name="hello-embedding",
    title='"hello" becomes "ohlol", RNN with embedding',
    notes='000, "循环神经网络 RNN Basic: 加上embed 层模型"; 001, "Using Embedding and Linear Layer"',
    config=Config(),
    signature=signature,
    build=build,
    training=Training(epochs=60, batch_size=1, lr=0.05, optimizer="adam", validation=0.0),
    presets={
        "notes": {"batch_first": True, "epochs": 15, "lr": 0.05, "optimizer": "adam"},
        "smoke": {"epochs": 40},
    },
)
