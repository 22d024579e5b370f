"""Malignant or benign, from thirty measurements of cell nuclei: the notes' six-layer perceptron.

Title:   Breast cancer Wisconsin, perceptron 30-25-20-15-10-5-1
Paper:   Street, Wolberg, Mangasarian 1993, "Nuclear feature extraction for breast tumor diagnosis"
Data:    569 rows in scikit-learn (CC BY 4.0), 455 to train and 114 to test in file order; see data/breast_cancer.py
Metric:  accuracy on the test split 0.974 (five seeds: 0.965 to 0.982); expected 0.95
Time:    2 s on one core of an AMD EPYC

The notes feed the raw measurements (a BatchNorm is made and not used); here each is standardised by the mean and
deviation of the training rows, which are part of the signature and so of the exported file. They train on the first
60 % of the rows and keep 20 % to validate; here both parts train, and the test is the notes' last part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from slipway.data import breast_cancer
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import binary_accuracy
from slipway.signature import BinaryOutput, InputPort, OutputPort, Signature, TableInput


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        widths: Width of every layer, from the measurements to the probability.
    """

    widths: tuple[int, ...] = (30, 25, 20, 15, 10, 5, 1)


class Perceptron(nn.Module):
    """Linear layers; the first three end in ReLU, the others in the sigmoid, as in the notes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise(config.widths))

    def forward(self, x: Tensor) -> Tensor:
        """Map standardised rows [N, 30] to the probability that the tumour is benign, [N, 1]."""
        for place, layer in enumerate(self.layers):
            x = torch.relu(layer(x)) if place < 3 else torch.sigmoid(layer(x))
        return x


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the perceptron."""
    return Perceptron(config)


def signature(config: Config, dataset: Dataset) -> Signature:
    """Thirty measurements in, standardised; the probability of the second label out."""
    table = TableInput(dataset.facts["columns"], dataset.facts["mean"], dataset.facts["std"])
    return Signature(
        inputs=(InputPort("x", "float32", ("N", 30), table),),
        outputs=(OutputPort("probability", ("N", 1), BinaryOutput()),),
        labels=dataset.labels,
    )


RECIPE = Recipe(
    name="breast-cancer",
    title="Breast cancer from thirty measurements, six-layer perceptron",
    task="classification",
    notes='000, "多维度: sklearn 中breast_cancer数据集做全连接预测"',
    datasets=("breast-cancer",),
    config=Config(),
    data=lambda request, config: breast_cancer.load(request),
    signature=signature,
    build=build,
    loss=nn.functional.binary_cross_entropy,
    score=binary_accuracy,
    score_name="accuracy",
    expected={"embedded": 0.95},
    training=Training(epochs=200, batch_size=64, lr=5e-3, optimizer="adamw", weight_decay=0.01, schedule="one_cycle"),
    presets={
        "notes": {
            "epochs": 10_000, "batch_size": 1000, "lr": 0.05, "optimizer": "sgd", "weight_decay": 0.001,
            "schedule": "constant",
        },
        "smoke": {"epochs": 20},
    },
)  # fmt: skip
