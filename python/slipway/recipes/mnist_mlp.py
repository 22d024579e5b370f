"""Which digit is this: the notes' fully connected network.

Title:   MNIST, five linear layers 784-512-256-128-64-10 with ReLU between them
Paper:   LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", section III
Data:    MNIST, 60,000 + 10,000 images (CC BY-SA 3.0), or scikit-learn's digits (CC BY 4.0); see data/mnist.py
Metric:  accuracy on the test split 0.985 (MNIST, seed 0), 0.892 (embedded, mean of 3 seeds); expected 0.975 and 0.87
Time:    50 s (MNIST), 2 s (embedded) on one core of an AMD EPYC

Note 000 gives the layers in a picture and the code of training, 004 the network in code; both are this one. Note 000
measures on the training images (``train=True`` for the test set too); here the test split is the published one. The
notes train with SGD, momentum 0.5, for 10 epochs (preset ``notes``); the default is AdamW with a one-cycle schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from slipway.recipes._mnist import digits
from slipway.recipes._recipe import Dataset, Training


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        hidden: Features after each of the hidden layers.
    """

    hidden: tuple[int, ...] = (512, 256, 128, 64)


class Net(nn.Module):
    """Linear layers with ReLU between them over the flattened image."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise((28 * 28, *config.hidden)))
        self.linear = nn.Linear((28 * 28, *config.hidden)[-1], classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 1, 28, 28] to logits [N, classes]."""
        x = image.flatten(1)  # [N, 784]
        for layer in self.hidden:
            x = layer(x).relu()
        logits: Tensor = self.linear(x)
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return Net(config, len(dataset.labels))


RECIPE = digits(
    name="mnist-mlp",
    title="MNIST digits, the notes' fully connected network",
    notes='000, "MNIST手写字符识别: 全连接神经网络模型"; 004, "4.2 代码实践"',
    config=Config(),
    build=build,
    expected={"path": 0.975, "download": 0.975, "embedded": 0.87},
    training=Training(
        epochs=8, batch_size=64, lr=1e-3, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 10, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "momentum": 0.5, "schedule": "constant",
        },
        "smoke": {"epochs": 3, "hidden": (64, 32)},
    },
)  # fmt: skip
