"""What the recipes on MNIST's digits share: the signature, and all of a recipe but its network and training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from slipway.data import mnist
from slipway.recipes._recipe import Dataset, Recipe, Training
from slipway.recipes._scores import accuracy
from slipway.signature import ClassOutput, ImageInput, InputPort, OutputPort, Signature


def signature(config: object, dataset: Dataset) -> Signature:
    """Grey images of 28x28 in, scaled by MNIST's mean and deviation; one score per class out."""
    image = ImageInput(channels=1, height=28, width=28, mean=(0.1307,), std=(0.3081,))
    return Signature(
        inputs=(InputPort("image", "float32", ("N", 1, 28, 28), image),),
        outputs=(OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        labels=dataset.labels,
    )


def digits(
    name: str,
    title: str,
    notes: str,
    config: Any,
    build: Callable[[Any, Dataset], nn.Module],
    expected: Mapping[str, float],
    training: Training,
    presets: Mapping[str, Mapping[str, object]],
) -> Recipe:
    """Return the recipe of a network that maps images [N, 1, 28, 28] to logits [N, classes]."""
    return Recipe(
        name=name,
        title=title,
        task="classification",
        notes=notes,
        datasets=("MNIST",),
        config=config,
        data=lambda request, config: mnist.load(request),
        signature=signature,
        build=build,
        loss=nn.functional.cross_entropy,
        score=accuracy,
        score_name="accuracy",
        expected=expected,
        training=training,
        presets=presets,
    )
