"""Teach a network one word: "hello" in, "ohlol" out, one letter per step.

Title:   hello -> ohlol, nn.RNN with four hidden units that are the scores of the four letters
Paper:   Elman 1990, "Finding Structure in Time"
Data:    the notes' word, in data/hello.py
Metric:  share of right letters 1.0 (from each of 40 seeds)
Time:    1 s on one core of an AMD EPYC

Four hidden units that are also the scores have local minima: with the notes' 15 epochs of Adam 0.1, 5 of 12 seeds stop
at four right letters of five. The default (300 epochs, AdamW with weight decay 0.3, cosine schedule) found the whole
word from each of 40 seeds tried. Note 000 uses SGD 0.05 without saying for how long, so the preset ``notes`` is that
of 001.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from slipway.data import hello
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, InputPort, OutputPort, Signature, TextInput


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        layers: Number of RNN layers.
    """

    layers: int = 1


class HelloRNN(nn.Module):
    """An RNN whose hidden state is the answer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        letters = len(hello.LETTERS)
        self.rnn = nn.RNN(letters, letters, config.layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map one-hot letters [T, N, 4] to scores of letters [T, N, 4]."""
        scores: Tensor = self.rnn(x)[0]
        return scores


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return HelloRNN(config)


def signature(config: Config, dataset: Dataset) -> Signature:
    """A word of the letters e h l o in, one-hot; one letter per step out."""
    letters = len(hello.LETTERS)
    text = TextInput(vocabulary=hello.LETTERS, limit=letters, one_hot=True)
    return Signature(
        inputs=(InputPort("x", "float32", ("T", "N", letters), text),),
        outputs=(OutputPort("scores", ("T", "N", letters), ClassOutput(per_step=True)),),
        labels=dataset.labels,
    )


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of scores [T, N, 4] against letters [N, T], averaged over all steps."""
    return nn.functional.cross_entropy(scores.permute(1, 2, 0), targets)


def score(scores: Tensor, targets: Tensor) -> tuple[float, float]:
    """Count the right letters of scores [T, N, 4] against letters [N, T]."""
    return accuracy(scores.transpose(0, 1).flatten(0, 1), targets.flatten())


RECIPE = Recipe(
    name="hello-rnn",
    title='"hello" becomes "ohlol", nn.RNN',
    task="sequence",
    notes='000, "循环神经网络 RNN Basic: RNN 模型学习 hello 序列预测 ohlol序列"; 001, "Example: Using RNNCell: RNN"',
    datasets=("hello",),
    config=Config(),
    data=lambda request, config: hello.load(request),
    signature=signature,
    build=build,
    loss=loss,
    score=score,
    score_name="letter accuracy",
    expected={"embedded": 1.0},
    training=Training(
        epochs=300, batch_size=1, lr=0.1, optimizer="adamw", weight_decay=0.3, schedule="cosine", validation=0.0
    ),
    presets={
        "notes": {"epochs": 15, "lr": 0.1, "optimizer": "adam", "weight_decay": 0.0, "schedule": "constant"},
        "smoke": {"epochs": 100},
    },
)
