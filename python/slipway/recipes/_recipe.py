"""What a recipe is: data, model, loss, optimiser and expected score of one system of the notes.

A recipe is one file in this folder that ends in ``RECIPE = Recipe(...)``; the registry finds it by itself.
Training, export, verification and the commands know recipes only through this class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer

from slipway.data._dataset import Dataset as Dataset
from slipway.data._dataset import Raw as Raw
from slipway.data._dataset import Source as Source
from slipway.data._dataset import Split as Split
from slipway.signature import Signature


@dataclass(frozen=True)
class Training:
    """How to train; every field can be set on the command line or by a preset."""

    epochs: int
    batch_size: int
    lr: float
    optimizer: Literal["sgd", "adagrad", "adam", "adamw", "adamax", "asgd", "lbfgs", "rmsprop", "rprop"] = "adam"
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    gradient_clip: float | None = None
    #: Share of the training items kept aside to draw the validation curve; nothing is chosen by it.
    validation: float = 0.05
    #: Threads on the CPU. The bits of the result depend on their number, and small networks are slower with several.
    threads: int = 1
    #: Use at most this many training items (the smoke preset); None means all.
    limit: int | None = None
    #: Keep a checkpoint after this many iterations too, not only after epochs; None means after epochs.
    checkpoint_every: int | None = None


@dataclass(frozen=True)
class Result:
    """What a recipe draws its pictures from; ``module`` is in eval mode on the CPU.

    ``history`` holds one row of named numbers per epoch, as in ``Trained``.
    """

    config: Any
    training: Training
    dataset: Dataset
    signature: Signature
    module: nn.Module
    seed: int
    history: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Recipe:
    """One trainable, exportable system.

    Args:
        name: The command-line name, for example ``names-gru``.
        title: One sentence.
        task: ``classification``, ``regression``, ``segmentation`` or ``sequence``.
        notes: Note and section where the system stands, for example ``000, "RNN Advanced"``.
        datasets: Names of the data sets that ``data`` may use.
        config: A frozen dataclass with a default for each size of the model; ``--set field=value`` changes one.
        data: ``(request, config) -> Dataset``; ``request`` is ``auto``, ``embedded`` or a path.
        signature: ``(config, dataset) -> Signature``.
        build: ``(config, dataset) -> nn.Module`` whose ``forward`` takes the signature's inputs in order and returns a
            tensor, or a tuple where there are several output ports.
        loss: ``(outputs, targets) -> scalar``; outputs as ``forward`` returns them.
        score: ``(outputs, targets) -> (correct, total)`` summed over batches, higher is better.
        score_name: For example ``accuracy``.
        expected: Lowest score that a default run must reach, by kind of data source.
        training: Default training settings.
        presets: Preset name -> changes to config and training fields (``notes``, ``smoke``).
        optimizers: ``(module, training) -> optimisers`` for a model whose parts learn with optimisers of their own; all
            step on the gradients of the one loss. None means the one that the training settings name.
        pictures: ``(result) -> PNG by name``, drawn after training; the bundle holds them under ``pictures/``.
    """

    name: str
    title: str
    task: Literal["classification", "regression", "segmentation", "sequence"]
    notes: str
    datasets: tuple[str, ...]
    config: Any
    data: Callable[[str, Any], Dataset]
    signature: Callable[[Any, Dataset], Signature]
    build: Callable[[Any, Dataset], nn.Module]
    loss: Callable[[Any, torch.Tensor], torch.Tensor]
    score: Callable[[Any, torch.Tensor], tuple[float, float]]
    score_name: str
    expected: Mapping[str, float]
    training: Training
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    optimizers: Callable[[nn.Module, Training], Sequence[Optimizer]] | None = None
    pictures: Callable[[Result], Mapping[str, bytes]] | None = None
