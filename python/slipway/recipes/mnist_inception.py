"""Which digit is this: Inception modules, four branches side by side.

Title:   MNIST, two 5x5 convolutions, each followed by an Inception module of 1x1, 5x5, double 3x3 and pooled branches
Paper:   Szegedy et al. 2015, "Going Deeper with Convolutions", figure 2 (b); the double 3x3 is of Szegedy et al. 2016
Data:    MNIST, 60,000 + 10,000 images (CC BY-SA 3.0), or scikit-learn's digits (CC BY 4.0); see data/mnist.py
Metric:  accuracy on the test split 0.993 (MNIST, seed 0), 0.903 (embedded, mean of 3 seeds); expected 0.987 and 0.87
Time:    165 s (MNIST), 4 s (embedded) on one core of an AMD EPYC

Note 000 names the module, its 1x1 convolutions and that height and width stay as they are; its example is a picture
that is not part of the text. The sizes here are those of the course that the note follows (Liu, "PyTorch深度学习实践",
lecture 11). The notes give no settings of training; the preset ``notes`` takes those of the same data elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slipway.recipes._mnist import digits
from slipway.recipes._recipe import Dataset, Training


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        channels: Channels after each of the two 5x5 convolutions.
        narrow: Channels of the 1x1 branch, and of the 1x1 convolutions that begin the branches of 5x5 and 3x3.
        wide: Channels of each of the other three branches.
    """

    channels: tuple[int, int] = (10, 20)
    narrow: int = 16
    wide: int = 24


class Inception(nn.Module):
    """Four branches over the same input, joined along the channels; height and width stay."""

    def __init__(self, channels: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Conv2d(channels, narrow, kernel_size=1)
        self.branch5x5_1 = nn.Conv2d(channels, narrow, kernel_size=1)
        self.branch5x5_2 = nn.Conv2d(narrow, wide, kernel_size=5, padding=2)
        self.branch3x3_1 = nn.Conv2d(channels, narrow, kernel_size=1)
        self.branch3x3_2 = nn.Conv2d(narrow, wide, kernel_size=3, padding=1)
        self.branch3x3_3 = nn.Conv2d(wide, wide, kernel_size=3, padding=1)
        self.pooling = nn.AvgPool2d(kernel_size=3, stride=1, padding=1)
        self.branch_pool = nn.Conv2d(channels, wide, kernel_size=1)
        self.out_channels = narrow + 3 * wide

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, H, W] to [N, narrow + 3 * wide, H, W]."""
        branches = (
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(x))),
            self.branch_pool(self.pooling(x)),
        )
        return torch.cat(branches, dim=1)


class InceptionNet(nn.Module):
    """Convolution, pooling, ReLU, Inception, twice; 28x28 shrinks to 4x4."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        first, second = config.channels
        self.conv1 = nn.Conv2d(1, first, kernel_size=5)
        self.inception1 = Inception(first, config.narrow, config.wide)
        self.conv2 = nn.Conv2d(self.inception1.out_channels, second, kernel_size=5)
        self.inception2 = Inception(second, config.narrow, config.wide)
        self.pooling = nn.MaxPool2d(kernel_size=2)
        self.activate = nn.ReLU()
        self.linear = nn.Linear(self.inception2.out_channels * 4 * 4, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 1, 28, 28] to logits [N, classes]."""
        x = self.activate(self.pooling(self.conv1(image)))  # [N, 10, 12, 12]
        x = self.inception1(x)  # [N, 88, 12, 12]
        x = self.activate(self.pooling(self.conv2(x)))  # [N, 20, 4, 4]
        x = self.inception2(x)  # [N, 88, 4, 4]
        logits: Tensor = self.linear(x.flatten(1))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return InceptionNet(config, len(dataset.labels))


RECIPE = digits(
    name="mnist-inception",
    title="MNIST digits, Inception modules",
    notes='000, "CNN 高阶知识: Inception Module"',
    config=Config(),
    build=build,
    expected={"path": 0.987, "download": 0.987, "embedded": 0.87},
    training=Training(
        epochs=3, batch_size=64, lr=4e-3, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 10, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "momentum": 0.5, "schedule": "constant",
        },
        "smoke": {"epochs": 2, "channels": (6, 8), "narrow": 4, "wide": 6},
    },
)  # fmt: skip
