"""Which digit is written somewhere on a tall strip: the notes' stack of convolutions with uneven strides.

Title:   Digits on tall strips, five convolutions and three poolings of strides (3, 2), (4, 2), (3, 2)
Paper:   LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", section VII (digits anywhere)
Data:    MNIST (CC BY-SA 3.0) or scikit-learn's digits (CC BY 4.0), each set at a random place of an empty strip
Metric:  accuracy on the test split 0.967 (MNIST), 0.943 (embedded); expected 0.95 and 0.80
Time:    160 s (MNIST), 45 s (embedded) on one core of an AMD EPYC

Note 002 lists the stack as ``lower_layers``, all parameters of which are kept, and trains nothing with it. It divides
the height by 72 and the width by 16, so its input is tall. The note's first comment, 500x20x32, is right for an input
of 1000x40, the second, 1000x25x64, for one of 2000x50, and no layer has the 192 channels of the others. From 1000x40
the layers give 500x20x32, 500x20x64, 167x10x64, 167x10x128, 42x5x128, 42x5x256, 14x3x256 and 14x3x256 (height, width,
channels), as the note's formula says.

The task fits the shape: one event somewhere in a long recording, here a handwritten digit on a strip of 144x28, which
the largest response over all places decides. The weights begin as the note's section on Kaiming's initialisation
says: from torch's default the signal fades on its way through five layers, and a small net stays at chance. The
digits are real, their places are drawn from a fixed seed. The preset ``notes`` has strips of 1000x40, which cost ten
times as much; the note gives no settings of training. Pictures in a folder of your own are read as they are, resized
to the strip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from slipway.data import mnist
from slipway.errors import UsageError
from slipway.recipes._recipe import Dataset, Recipe, Split, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, ImageInput, InputPort, OutputPort, Signature

#: Height and width of a digit.
SIDE = 28
#: A digit to learn from stands on up to so many strips: a small data set needs them to be read at every height.
PLACES = 4


@dataclass(frozen=True)
class Config:
    """Sizes of the network and of the strips.

    Args:
        channels: Channels after each of the five convolutions.
        height: Height of a strip, at least 28.
        width: Width of a strip, at least 28.
        strips: Most strips to learn from, and most to be judged by.
    """

    channels: tuple[int, int, int, int, int] = (32, 64, 128, 256, 256)
    height: int = 144
    width: int = 28
    strips: int = 12_000


def lower_layers(config: Config) -> list[nn.Module]:
    """Return the note's layers in order; joined by ``nn.Sequential(*layers)``."""
    a, b, c, d, e = config.channels
    layers: list[nn.Module] = []
    layers += [nn.Conv2d(1, a, 7, 2, 3), nn.ReLU(True)]
    layers += [nn.Conv2d(a, b, 3, 1, 1), nn.ReLU(True), nn.MaxPool2d(3, (3, 2), 1)]
    layers += [nn.Conv2d(b, c, 3, 1, 1), nn.ReLU(True), nn.MaxPool2d(3, (4, 2), 1)]
    layers += [nn.Conv2d(c, d, 3, 1, 1), nn.ReLU(True), nn.MaxPool2d(3, (3, 2), 1)]
    layers += [nn.Conv2d(d, e, 3, 1, 1), nn.ReLU(True)]
    return layers


class StripReader(nn.Module):
    """The stack, the largest response of each channel over all places, and one linear layer."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.lower = nn.Sequential(*lower_layers(config))
        for layer in self.lower:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # there is one
        self.linear = nn.Linear(config.channels[-1], classes)

    def forward(self, image: Tensor) -> Tensor:
        """Map strips [N, 1, H, W] to logits [N, classes]; 144x28 shrinks to 2x2."""
        x = self.lower(image).amax(dim=(2, 3))  # [N, 256]
        logits: Tensor = self.linear(x)
        return logits


def data(request: str, config: Config) -> Dataset:
    """Load the digits and set each on strips of its own; places come from fixed seeds, one for each split.

    Raises:
        UsageError: A strip is smaller than a digit.
        DataError: The digits are not where ``request`` says, or damaged.
    """
    if min(config.height, config.width) < SIDE:
        raise UsageError(f"strips of {config.height}x{config.width} cannot hold digits of {SIDE}x{SIDE}")
    dataset = mnist.load(request)
    if dataset.source.kind == "folder":
        return dataset
    train, test = _strips(dataset.train, config, seed=0, places=PLACES), _strips(dataset.test, config, seed=1)
    name = f"{dataset.source.name}, on strips of {config.height}x{config.width}"
    source = replace(dataset.source, name=name, rows={"train": len(train), "test": len(test)})
    return replace(dataset, train=train, test=test, source=source)


def _strips(split: Split, config: Config, seed: int, places: int = 1) -> Split:
    """Set each digit of a split on ``places`` strips, as long as there are no more than ``config.strips``."""
    rng = np.random.default_rng(seed)
    count = min(len(split) * places, config.strips)
    chosen = [n % len(split) for n in range(count)]
    tops = rng.integers(0, config.height - SIDE, size=count, endpoint=True)
    lefts = rng.integers(0, config.width - SIDE, size=count, endpoint=True)
    strips = [_strip(split.raws[n], config, top, left) for n, top, left in zip(chosen, tops, lefts, strict=True)]
    return Split(strips, split.targets[chosen])


def _strip(digit: NDArray[np.uint8], config: Config, top: int, left: int) -> NDArray[np.uint8]:
    strip = np.zeros((config.height, config.width), dtype=np.uint8)
    strip[top : top + SIDE, left : left + SIDE] = digit
    return strip


def signature(config: Config, dataset: Dataset) -> Signature:
    """Grey strips in, scaled by MNIST's mean and deviation; one score per class out."""
    image = ImageInput(channels=1, height=config.height, width=config.width, mean=(0.1307,), std=(0.3081,))
    return Signature(
        inputs=(InputPort("image", "float32", ("N", 1, config.height, config.width), image),),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return StripReader(config, len(dataset.labels))


RECIPE = Recipe(
    name="conv-stack",
    title="digits on tall strips, convolutions with uneven strides",
    task="classification",
    notes='002, "nn.Conv2d: lower_layers"',
    datasets=("MNIST",),
    config=Config(),
    data=data,
    signature=signature,
    build=build,
    loss=nn.functional.cross_entropy,
    score=accuracy,
    score_name="accuracy",
    expected={"path": 0.95, "download": 0.95, "embedded": 0.80},
    training=Training(
        epochs=3, batch_size=32, lr=1e-3, optimizer="adamw", weight_decay=0.05, schedule="one_cycle"
    ),
    presets={
        "notes": {"height": 1000, "width": 40, "strips": 4000},
        "smoke": {"epochs": 3, "batch_size": 16, "lr": 5e-3, "channels": (8, 12, 16, 24, 24), "strips": 1198},
    },
)  # fmt: skip
