"""Which digit is this: bottlenecks of convolution, batch norm and ReLU, wired in three equal ways.

Title:   MNIST, a 3x3 convolution and two bottlenecks of 1x1, 3x3 and 1x1 convolutions (32, 64, 128 channels)
Paper:   He et al. 2016, "Deep Residual Learning for Image Recognition", figure 5 right, without the shortcut
Data:    MNIST, 60,000 + 10,000 images (CC BY-SA 3.0), or scikit-learn's digits (CC BY 4.0); see data/mnist.py
Metric:  accuracy on the test split 0.992 (MNIST), 0.933 (embedded); expected 0.98 and 0.85
Time:    130 s (MNIST), 4 s (embedded) on one core of an AMD EPYC

Note 002 shows the bottleneck as three ``Sequential`` layers. As printed it does not run: ``in_channel / 4`` is no
whole number in Python 3, and the middle convolution has no kernel size; here it is ``// 4``, and 3x3 with padding 1, as
in the paper. ``--set form=...`` wires the layers as ``Sequential``, as ``Sequential`` over an ``OrderedDict``, or as a
``ModuleList`` called one by one: the same function of the same weights. The note trains nothing; the net around the
blocks is the smallest that reads digits, and the preset ``notes`` has the notes' settings for this data elsewhere.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from slipway.recipes._mnist import digits
from slipway.recipes._recipe import Dataset, Training

Form = Literal["sequential", "ordered_dict", "module_list"]


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        channels: Channels after the first convolution and after each of the two bottlenecks; the first two are
            multiples of 4.
        form: How the layers of a bottleneck are held together.
    """

    channels: tuple[int, int, int] = (32, 64, 128)
    form: Form = "sequential"


def layers(in_channels: int, out_channels: int) -> list[tuple[str, nn.Module]]:
    """Return the bottleneck's layers in order, by name: in -> in/4 (1x1) -> in/4 (3x3) -> out (1x1)."""
    narrow = in_channels // 4
    return [
        ("conv1", nn.Conv2d(in_channels, narrow, kernel_size=1)),
        ("norm1", nn.BatchNorm2d(narrow)),
        ("relu1", nn.ReLU()),
        ("conv2", nn.Conv2d(narrow, narrow, kernel_size=3, padding=1)),
        ("norm2", nn.BatchNorm2d(narrow)),
        ("relu2", nn.ReLU()),
        ("conv3", nn.Conv2d(narrow, out_channels, kernel_size=1)),
        ("norm3", nn.BatchNorm2d(out_channels)),
        ("relu3", nn.ReLU()),
    ]


class Bottleneck(nn.Module):
    """The note's block: three ``Sequential`` layers, each convolution, batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        parts = [layer for _, layer in layers(in_channels, out_channels)]
        self.layer1 = nn.Sequential(*parts[:3])
        self.layer2 = nn.Sequential(*parts[3:6])
        self.layer3 = nn.Sequential(*parts[6:])

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in, H, W] to [N, out, H, W]."""
        y: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return y


class ListBottleneck(nn.Module):
    """The same block as a ``ModuleList``, which knows no order of calls: ``forward`` gives it."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer for _, layer in layers(in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, in, H, W] to [N, out, H, W]."""
        for layer in self.layers:
            x = layer(x)
        return x


def bottleneck(form: Form, in_channels: int, out_channels: int) -> nn.Module:
    """Return a bottleneck in one of the three forms; all take their parameters in the same order."""
    if form == "module_list":
        return ListBottleneck(in_channels, out_channels)
    if form == "ordered_dict":
        return nn.Sequential(OrderedDict(layers(in_channels, out_channels)))
    return Bottleneck(in_channels, out_channels)


class BottleneckNet(nn.Module):
    """Convolution with batch norm and ReLU, then pooling and bottleneck, twice; the mean over all places is read."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        first, second, third = config.channels
        stem = nn.Conv2d(1, first, kernel_size=3, padding=1)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(first), nn.ReLU())
        self.block1 = bottleneck(config.form, first, second)
        self.block2 = bottleneck(config.form, second, third)
        self.pooling = nn.MaxPool2d(kernel_size=2)
        self.linear = nn.Linear(third, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 1, 28, 28] to logits [N, classes]."""
        x = self.pooling(self.stem(image))  # [N, 32, 14, 14]
        x = self.pooling(self.block1(x))  # [N, 64, 7, 7]
        x = self.block2(x)  # [N, 128, 7, 7]
        logits: Tensor = self.linear(x.mean(dim=(2, 3)))
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return BottleneckNet(config, len(dataset.labels))


RECIPE = digits(
    name="bottleneck",
    title="MNIST digits, bottlenecks of convolution, batch norm and ReLU",
    notes='002, "nn.Sequential和nn.Module"',
    config=Config(),
    build=build,
    expected={"path": 0.98, "download": 0.98, "embedded": 0.85},
    training=Training(
        epochs=4, batch_size=64, lr=1e-2, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 10, "lr": 0.01, "optimizer": "sgd", "weight_decay": 0.0, "momentum": 0.5, "schedule": "constant",
        },
        "smoke": {"epochs": 3, "batch_size": 16, "channels": (8, 16, 32)},
    },
)  # fmt: skip
