"""Optimisers and learning-rate schedules by the names of the training settings."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR

from slipway.recipes._recipe import Training


def make_optimizer(module: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Return the optimiser of the settings over all parameters of a module."""
    parameters, lr, decay = module.parameters(), training.lr, training.weight_decay
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr, momentum=training.momentum, weight_decay=decay)
    if training.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, momentum=training.momentum, weight_decay=decay)
    kind = torch.optim.Adam if training.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr, weight_decay=decay)


def make_schedule(optimizer: torch.optim.Optimizer, training: Training, batches: int) -> LRScheduler:
    """Return a schedule that steps after every batch."""
    steps = training.epochs * batches
    if training.schedule == "one_cycle":
        return OneCycleLR(optimizer, training.lr, total_steps=max(steps, 2))
    if training.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    return LambdaLR(optimizer, lambda step: 1.0)
