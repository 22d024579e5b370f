"""Which digit is this: the notes' first convolutional network.

Title:   MNIST, three 3x3 convolutions (10, 20, 30 channels) and one linear layer
Paper:   LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition"
Data:    MNIST, 60,000 + 10,000 images (CC BY-SA 3.0), or scikit-learn's digits (CC BY 4.0); see data/mnist.py
Metric:  accuracy on the test split 0.989 (MNIST; three seeds within 0.001), 0.937 (embedded); expected 0.985 and 0.90
Time:    85 s (MNIST), 3 s (embedded) on one core of an AMD EPYC

The notes' class calls a layer ``liner3`` that it has not made; ``linear`` here. Pooling comes before ReLU, as in the
notes. Their text shows no optimiser for this model and 100 epochs; the preset ``notes`` takes SGD 0.01 with momentum
0.5. The default is AdamW, one cycle, 10 epochs.
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
        channels: Channels after each of the three convolutions.
    """

    channels: tuple[int, int, int] = (10, 20, 30)


class FirstCNN(nn.Module):
    """Convolution, pooling, ReLU, three times, in the notes' order; 28x28 shrinks to 1x1."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        first, second, third = config.channels
        self.conv1 = nn.Conv2d(1, first, kernel_size=3)
        self.conv2 = nn.Conv2d(first, second, kernel_size=3)
        self.conv3 = nn.Conv2d(second, third, kernel_size=3)
        self.pooling = nn.MaxPool2d(kernel_size=2)
        self.activate = nn.ReLU()
        self.linear = nn.Linear(third, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 1, 28, 28] to logits [N, classes]."""
        x = self.activate(self.pooling(self.conv1(image)))  # [N, 10, 13, 13]
        x = self.activate(self.pooling(self.conv2(x)))  # [N, 20, 5, 5]
        x = self.activate(self.pooling(self.conv3(x)))  # [N, 30, 1, 1]
        logits: Tensor = self.linear(x.flatten(1))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return FirstCNN(config, len(dataset.labels))


RECIPE = digits(
    name="mnist-cnn",
    title="MNIST digits, the notes' first convolutional network",
    notes='000, "CNN Basic: MNIST第一个CNN模型"',
    config=Config(),
    build=build,
    expected={"path": 0.985, "download": 0.985, "embedded": 0.90},
    training=Training(
        epochs=10, batch_size=64, lr=1e-2, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 100, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "momentum": 0.5, "schedule": "constant",
        },
        "smoke": {"epochs": 1, "limit": 2000},
    },
)  # fmt: skip
