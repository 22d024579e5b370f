"""What is in this picture: the notes' simple convolutional network on CIFAR-10.

Title:   CIFAR-10, two 5x5 convolutions and three linear layers
Paper:   Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"
Data:    CIFAR-10 or its 5,000-image subset (no licence stated), or tiles of three photographs (CC BY 2.0, public
         domain); see data/cifar10.py
Metric:  accuracy on the test split 0.51 (the subset; two seeds within 0.004), 0.90 (embedded); expected 0.45 and 0.80
Time:    13 s (the subset), 3 s (embedded) on one core of an AMD EPYC
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from slipway.data import cifar10
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, ImageInput, InputPort, OutputPort, Signature


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Args:
        channels: Channels after each of the two convolutions.
        hidden: Units of the two hidden linear layers.
    """

    channels: tuple[int, int] = (6, 16)
    hidden: tuple[int, int] = (120, 84)


class SimpleCNNModel(nn.Module):
    """Convolution, ReLU, pooling, twice; then three linear layers: 32x32 shrinks to 14x14 and to 5x5.

    Args:
        config: The sizes.
        classes: Number of classes.
        conv: Makes a convolution of (in channels, out channels, kernel size); torch's, or the loops of ``_teaching``.
        pool: Makes a max pooling of (kernel size); torch's, or the loops of ``_teaching``.
    """

    def __init__(
        self,
        config: Config,
        classes: int = 10,
        conv: Callable[[int, int, int], nn.Module] = nn.Conv2d,
        pool: Callable[[int], nn.Module] = nn.MaxPool2d,
    ) -> None:
        super().__init__()
        first, second = config.channels
        self.conv1 = conv(3, first, 5)
        self.pool = pool(2)
        self.conv2 = conv(first, second, 5)
        self.relu = nn.ReLU()
        self.fc1 = nn.Linear(second * 5 * 5, config.hidden[0])
        self.fc2 = nn.Linear(config.hidden[0], config.hidden[1])
        self.fc3 = nn.Linear(config.hidden[1], classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 3, 32, 32] to logits [N, classes]."""
        x = self.pool(self.relu(self.conv1(image)))  # [N, 6, 14, 14]
        x = self.pool(self.relu(self.conv2(x)))  # [N, 16, 5, 5]
        x = self.relu(self.fc1(x.flatten(1)))
        x = self.relu(self.fc2(x))
        logits: Tensor = self.fc3(x)
        return logits


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network of torch's own layers."""
    return SimpleCNNModel(config, len(dataset.labels))


def signature(config: Config, dataset: Dataset) -> Signature:
    """Colour images of 32x32 in, scaled to -1..1 as in the notes; one score per class out."""
    image = ImageInput(channels=3, height=cifar10.SIDE, width=cifar10.SIDE, mean=(0.5,) * 3, std=(0.5,) * 3)
    return Signature(
        inputs=(InputPort("image", "float32", ("N", 3, cifar10.SIDE, cifar10.SIDE), image),),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


RECIPE = Recipe(
    name="cifar-cnn",
    title="CIFAR-10, the notes' simple convolutional network",
    task="classification",
    notes='003, "简单 CNN"',
    datasets=("CIFAR-10",),
    config=Config(),
    data=lambda request, config: cifar10.load(request),
    signature=signature,
    build=build,
    loss=nn.functional.cross_entropy,
    score=accuracy,
    score_name="accuracy",
    expected={"path": 0.45, "embedded": 0.80},
    training=Training(
        epochs=12, batch_size=32, lr=2e-3, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {
            "epochs": 2, "batch_size": 100, "lr": 0.001, "optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.0,
            "schedule": "constant",
        },
        "smoke": {"epochs": 4},
    },
)  # fmt: skip
