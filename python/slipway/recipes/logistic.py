"""How likely is a pass after so many hours: one weight, one bias, and the sigmoid.

Title:   Logistic regression, sigmoid of nn.Linear(1, 1)
Paper:   Cox 1958, "The Regression Analysis of Binary Sequences"
Data:    the notes' three points: 1 and 2 hours failed, 3 hours passed; see data/points.py
Metric:  accuracy on 0 to 5 hours 1.000; expected 1.0
Time:    1 s on one core of an AMD EPYC

The notes stop after 500 steps of 0.01, where, from some first weights, the three points are not yet told apart. Here
the steps are larger, so that the probability crosses one half between 2 and 3 hours from any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slipway._figures import new_figure, png
from slipway.data import points
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.recipes._scores import binary_accuracy
from slipway.signature import BinaryOutput, InputPort, OutputPort, Signature, TableInput


@dataclass(frozen=True)
class Config:
    """Nothing to choose: one number in, one probability out."""


class Logistic(nn.Module):
    """The sigmoid of one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, hours: Tensor) -> Tensor:
        """Map hours of study [N, 1] to the probability of a pass [N, 1]."""
        return torch.sigmoid(self.linear(hours))


def signature(config: Config, dataset: Dataset) -> Signature:
    """Hours in, the probability of the second label out."""
    return Signature(
        inputs=(InputPort("hours", "float32", ("N", 1), TableInput(("hours",))),),
        outputs=(OutputPort("probability", ("N", 1), BinaryOutput()),),
        labels=dataset.labels,
    )


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw the probability over 0 to 10 hours, the line at one half, and the points."""
    hours = torch.linspace(0, 10, 200).unsqueeze(1)
    with torch.no_grad():
        probabilities = result.module(hours)
    train = result.dataset.train
    figure, grid = new_figure(size=(6, 4))
    axes = grid[0, 0]
    axes.plot(hours[:, 0], probabilities[:, 0], label="probability of a pass")
    axes.plot([0, 10], [0.5, 0.5], color="red", label="one half")
    axes.scatter([row[0] for row in train.raws], train.targets[:, 0], color="black", zorder=3, label="training points")
    axes.set_xlabel("hours")
    axes.set_ylabel("probability")
    axes.grid()
    axes.legend()
    return {"sigmoid": png(figure)}


RECIPE = Recipe(
    name="logistic",
    title="Pass or fail from hours of study, logistic regression",
    task="classification",
    notes='000, "逻辑回归"; 004, "二、逻辑斯蒂回归"',
    datasets=("points",),
    config=Config(),
    data=lambda request, config: points.hours(request),
    signature=signature,
    build=lambda config, dataset: Logistic(),
    loss=nn.functional.binary_cross_entropy,
    score=binary_accuracy,
    score_name="accuracy",
    expected={"embedded": 1.0},
    training=Training(epochs=1000, batch_size=3, lr=1.0, optimizer="sgd", validation=0.0),
    presets={"notes": {"epochs": 500, "lr": 0.01}, "smoke": {"epochs": 300}},
    pictures=pictures,
)
