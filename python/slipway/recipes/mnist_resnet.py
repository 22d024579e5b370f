"""Which digit is this: residual blocks.

Title:   MNIST, two 5x5 convolutions (16, 32 channels), each followed by a residual block
Paper:   He et al. 2016, "Deep Residual Learning for Image Recognition", figure 2 and equation 1
Data:    MNIST, 60,000 + 10,000 images (CC BY-SA 3.0), or scikit-learn's digits (CC BY 4.0); see data/mnist.py
Metric:  accuracy on the test split 0.994 (MNIST, seed 0), 0.927 (embedded, mean of 3 seeds); expected 0.987 and 0.90
Time:    71 s (MNIST), 2 s (embedded) on one core of an AMD EPYC

Note 000 says that a block keeps its input's shape, so that F(x) + x can be formed; block and net are pictures that are
not part of the text. The sizes here are those of the course that the note follows (Liu, "PyTorch深度学习实践", lecture
11), pooling before the activation as in the note's other networks. The notes give no settings of training; the preset
``notes`` takes those of the same data elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from slipway.recipes._mnist import digits
from slipway.recipes._recipe import Dataset, Training


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        channels: Channels after each of the two 5x5 convolutions, and of the block behind it.
    """

    channels: tuple[int, int] = (16, 32)


class ResidualBlock(nn.Module):
    """ReLU(F(x) + x), where F is 3x3 convolution, ReLU, 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.activate = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, H, W] to the same shape."""
        y: Tensor = self.activate(x + self.conv2(self.activate(self.conv1(x))))
        return y


class ResidualNet(nn.Module):
    """Convolution, pooling, ReLU, residual block, twice; 28x28 shrinks to 4x4."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        first, second = config.channels
        self.conv1 = nn.Conv2d(1, first, kernel_size=5)
        self.block1 = ResidualBlock(first)
        self.conv2 = nn.Conv2d(first, second, kernel_size=5)
        self.block2 = ResidualBlock(second)
        self.pooling = nn.MaxPool2d(kernel_size=2)
        self.activate = nn.ReLU()
        self.linear = nn.Linear(second * 4 * 4, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 1, 28, 28] to logits [N, classes]."""
        x = self.block1(self.activate(self.pooling(self.conv1(image))))  # [N, 16, 12, 12]
        x = self.block2(self.activate(self.pooling(self.conv2(x))))  # [N, 32, 4, 4]
        logits: Tensor = self.linear(x.flatten(1))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return ResidualNet(config, len(dataset.labels))


RECIPE = digits(
    name="mnist-resnet",
    title="MNIST digits, residual blocks",
    notes='000, "CNN 高阶知识: Residual net"',
    config=Config(),
    build=build,
    expected={"path": 0.987, "download": 0.987, "embedded": 0.90},
    training=Training(
        epochs=4, batch_size=64, lr=4e-3, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 10, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "momentum": 0.5, "schedule": "constant",
        },
        "smoke": {"epochs": 2, "channels": (6, 8)},
    },
)  # fmt: skip
