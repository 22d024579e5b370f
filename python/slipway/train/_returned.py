"""What the functions of a recipe return, held against what ``Recipe`` says of them: those of the user's own may err."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from slipway.errors import UsageError
from slipway.recipes._recipe import Dataset, Recipe


def check_config(recipe: Recipe, config: Any) -> None:
    """Refuse what no checkpoint could give back: it holds plain values, for nothing in it is ever run.

    Raises:
        UsageError: A field is of another type.
    """
    for name, value in asdict(config).items():
        if not _is_plain(value):
            _refuse(
                recipe, f"config, {name}", value, "a number, a text, a bool, None, or a tuple, list or dict of those"
            )


def load_data(recipe: Recipe, request: str, config: Any) -> Dataset:
    """Return the recipe's data, both splits of which hold items with a target each.

    Raises:
        UsageError: They do not.
    """
    dataset: object = recipe.data(request, config)
    if not isinstance(dataset, Dataset):
        _refuse(recipe, "data", dataset, "a Dataset")
    for part, split in (("train", dataset.train), ("test", dataset.test)):
        if not isinstance(split.targets, Tensor):
            _refuse(recipe, f"data, {part}.targets", split.targets, "a tensor")
        items, targets = len(split), len(split.targets)
        if items != targets or items == 0:
            got = f"{items} items and {targets} targets"
            raise UsageError(f"recipe {recipe.name}: data, {part}: got {got}, expected as many of both, and at least 1")
    return dataset


def build_module(recipe: Recipe, config: Any, dataset: Dataset) -> nn.Module:
    """Return a new module with something to learn.

    Raises:
        UsageError: The recipe returns anything else.
    """
    module: object = recipe.build(config, dataset)
    if not isinstance(module, nn.Module) or next(module.parameters(), None) is None:
        _refuse(recipe, "build", module, "a torch.nn.Module with parameters")
    return module


def loss_of(recipe: Recipe, outputs: Any, targets: Tensor) -> Tensor:
    """Return the loss of a batch, one number.

    Raises:
        UsageError: The recipe returns anything else, or a number that no parameter had a part in.
    """
    loss: object = recipe.loss(outputs, targets)
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        _refuse(recipe, "loss", loss, "a tensor of one number, the mean over the batch")
    if torch.is_grad_enabled() and not loss.requires_grad:
        _refuse(recipe, "loss", loss, "a tensor that was computed from the module's outputs, with their gradients")
    return loss


def counts_of(recipe: Recipe, outputs: Any, targets: Tensor) -> tuple[float, float]:
    """Return what is right of a batch and out of how much, as plain numbers, which a checkpoint can hold.

    Raises:
        UsageError: The recipe returns anything else.
    """
    counts: Any = recipe.score(outputs, targets)
    try:
        correct, total = counts
        return float(correct), float(total)
    except (TypeError, ValueError, RuntimeError):
        _refuse(recipe, "score", counts, "two numbers, (correct, total)")


def _refuse(recipe: Recipe, what: str, got: object, expected: str) -> NoReturn:
    told = f"{got.dtype} {list(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
    raise UsageError(f"recipe {recipe.name}: {what} gave {told}, expected {expected}")


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)
