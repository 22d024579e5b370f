"""Count, but say fizz for multiples of three and buzz for those of five: learned from the bits of the numbers.

Title:   FizzBuzz, perceptron 10-100-4 on binary digits, sigmoids, squared error
Paper:   Rumelhart, Hinton, Williams 1986, "Learning representations by back-propagating errors"
Data:    101 to 1023 to train, 1 to 100 to test, made by the rule; see data/fizzbuzz.py
Metric:  accuracy on 1 to 100, mean of five seeds 0.978 (0.95 to 0.99); expected 0.95
Time:    9 s on one core of an AMD EPYC

Network and loss are those of the notes' freehand model: sigmoids on both layers and half the squared error. Their 500
epochs of SGD 0.01 end where every answer is ``number``; Adam with a one-cycle schedule up to 0.05 learns the rule. The
binary digits are computed inside the model, so that the exported file takes plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slipway.data import fizzbuzz
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, InputPort, OutputPort, Signature, TableInput


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        hidden: Hidden units.
    """

    hidden: int = 100


class FizzBuzzNet(nn.Module):
    """Binary digits, then two linear layers with sigmoids."""

    powers: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        digits = torch.arange(fizzbuzz.BITS - 1, -1, -1)
        self.register_buffer("powers", 2.0**digits, persistent=False)
        self.hidden = nn.Linear(fizzbuzz.BITS, config.hidden)
        self.out = nn.Linear(config.hidden, len(fizzbuzz.LABELS))

    def forward(self, number: Tensor) -> Tensor:
        """Map whole numbers float32 [N, 1], 0 to 1023, to one score from 0 to 1 per label [N, 4]."""
        return torch.sigmoid(self.out(torch.sigmoid(self.hidden(self.digits(number)))))

    def digits(self, number: Tensor) -> Tensor:
        """Return the ten binary digits of numbers [N, 1], the highest first, [N, 10].

        floor(n / 2^k) - 2 floor(n / 2^(k+1)) is exact in float32: division by a power of two rounds nothing.
        """
        quotient = torch.floor(number / self.powers)
        return quotient - 2 * torch.floor(quotient / 2)


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return FizzBuzzNet(config)


def signature(config: Config, dataset: Dataset) -> Signature:
    """A number in, what to say out."""
    return Signature(
        inputs=(InputPort("number", "float32", ("N", 1), TableInput(("number",))),),
        outputs=(OutputPort("scores", ("N", len(dataset.labels)), ClassOutput("probabilities")),),
        labels=dataset.labels,
    )


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Half the squared error of scores [N, 4] against one-hot targets int64 [N], per item; the notes sum it."""
    one_hot = nn.functional.one_hot(targets, scores.shape[1])
    return (scores - one_hot).pow(2).sum() / 2 / len(targets)


RECIPE = Recipe(
    name="fizzbuzz",
    title="FizzBuzz from binary digits, perceptron 10-100-4",
    task="classification",
    notes='003, "二、简单的神经网络: 徒手模型, PyTorch 方式"',
    datasets=("fizzbuzz",),
    config=Config(),
    data=lambda request, config: fizzbuzz.load(request),
    signature=signature,
    build=build,
    loss=loss,
    score=accuracy,
    score_name="accuracy",
    expected={"embedded": 0.95},
    training=Training(epochs=500, batch_size=64, lr=0.05, optimizer="adam", schedule="one_cycle", validation=0.0),
    presets={
        "notes": {"epochs": 500, "lr": 0.01, "optimizer": "sgd", "schedule": "constant"},
        "smoke": {"epochs": 60},
    },
)
