"""Optimisers and learning-rate schedules by the names of the training settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR

from slipway.recipes._recipe import Recipe, Training

#: Class of each name, and the settings beside the learning rate that it takes.
_OPTIMIZERS: dict[str, tuple[type[Optimizer], tuple[str, ...]]] = {
    "sgd": (torch.optim.SGD, ("momentum", "weight_decay")),
    "adagrad": (torch.optim.Adagrad, ("weight_decay",)),
    "adam": (torch.optim.Adam, ("weight_decay",)),
    "adamw": (torch.optim.AdamW, ("weight_decay",)),
    "adamax": (torch.optim.Adamax, ("weight_decay",)),
    "asgd": (torch.optim.ASGD, ("weight_decay",)),
    "lbfgs": (torch.optim.LBFGS, ()),
    "rmsprop": (torch.optim.RMSprop, ("momentum", "weight_decay")),
    "rprop": (torch.optim.Rprop, ()),
}


def make_optimizer(module: nn.Module, training: Training) -> Optimizer:
    """Return the optimiser of the settings over all parameters of a module; a setting that it lacks is not used."""
    kind, settings = _OPTIMIZERS[training.optimizer]
    make: Any = kind
    optimizer: Optimizer = make(
        module.parameters(), lr=training.lr, **{name: getattr(training, name) for name in settings}
    )
    return optimizer


def make_optimizers(recipe: Recipe, module: nn.Module, training: Training) -> Sequence[Optimizer]:
    """Return the recipe's own optimisers, or the one that the settings name."""
    return [make_optimizer(module, training)] if recipe.optimizers is None else recipe.optimizers(module, training)


def make_schedule(optimizer: Optimizer, training: Training, batches: int) -> LRScheduler:
    """Return a schedule that steps after every batch."""
    steps = training.epochs * batches
    if training.schedule == "one_cycle":
        cycles = "betas" in optimizer.defaults  # a momentum is what the settings say
        return OneCycleLR(optimizer, training.lr, total_steps=max(steps, 2), cycle_momentum=cycles)
    if training.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    return LambdaLR(optimizer, lambda step: 1.0)
