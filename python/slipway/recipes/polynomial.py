"""Fit a parabola by steps written by hand: no optimiser of the library, the weights move by lr times the gradient.

Title:   Dot product of weights with [x, x^2, 1], gradient steps by hand
Paper:   Legendre 1805, "Nouvelles méthodes pour la détermination des orbites des comètes" (least squares)
Data:    64 noisy points of 1.5 x^2 - 2 x + 0.5 (synthetic), or the notes' three; see data/curves.py, data/points.py
Metric:  R2 against the curve without noise 0.9999 or more from each of three seeds; expected 0.99
Time:    1 s on one core of an AMD EPYC

The notes take one point per step and 1000 epochs at 0.001, over three points of a line; that is the preset ``notes``.
Here a step takes all points, so that the picture can lay the loss of the same descent without autograd, from
``gradient``, over that of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from slipway._figures import new_figure, png
from slipway.data import curves, points
from slipway.errors import UsageError
from slipway.preprocess import encode
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.recipes._scores import r2
from slipway.signature import InputPort, OutputPort, Signature, TableInput, TensorOutput


@dataclass(frozen=True)
class Config:
    """What to fit.

    Args:
        points: The noisy parabola, or the notes' three points of a line.
    """

    points: Literal["parabola", "line"] = "parabola"


class Polynomial(nn.Module):
    """The notes' ``w . [x, x^2, 1]``."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.rand(3))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers [N, 1] to values of the polynomial [N, 1]."""
        return features(x) @ self.w.unsqueeze(1)


def features(x: Tensor) -> Tensor:
    """Map numbers [N, 1] to rows [x, x^2, 1], [N, 3]."""
    return torch.cat((x, x * x, torch.ones_like(x)), dim=1)


def gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the derivative of the mean of (w . [x, x^2, 1] - y)^2 by w, [3], for x and y [N, 1]; by hand.

    d/dw (w . f - y)^2 = 2 (w . f - y) f, averaged over the rows.
    """
    f = features(x)
    return 2 * f.t().mv(f.mv(w) - y[:, 0]) / len(x)


class GradientStep(Optimizer):
    """The notes' ``w.data = w.data - lr * w.grad.data``, and nothing else."""

    def __init__(self, module: nn.Module, lr: float) -> None:
        super().__init__(module.parameters(), {"lr": lr})

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # one form
        """Take a step; ``closure`` computes loss and gradients first."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data = parameter.data - group["lr"] * parameter.grad.data
        return loss


def optimizers(module: nn.Module, training: Training) -> Sequence[Optimizer]:
    """Return the step by hand.

    Raises:
        UsageError: The settings ask for something else.
    """
    if training.optimizer != "sgd":
        raise UsageError(f"polynomial takes its steps by hand: optimizer is {training.optimizer}, expected sgd")
    return [GradientStep(module, training.lr)]


def signature(config: Config, dataset: Dataset) -> Signature:
    """A number in, the value of the curve out."""
    return Signature(
        inputs=(InputPort("x", "float32", ("N", 1), TableInput(("x",))),),
        outputs=(OutputPort("y", ("N", 1), TensorOutput()),),
    )


def descend(w: Tensor, x: Tensor, y: Tensor, lr: float, steps: int) -> tuple[Tensor, list[float]]:
    """Take steps against ``gradient`` on all points; return the weights [3] and the loss before each step."""
    losses = []
    for _ in range(steps):
        losses.append(float(((features(x).mv(w) - y[:, 0]) ** 2).mean()))
        w = w - lr * gradient(w, x, y)
    return w, losses


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw points and curve, and the loss by epoch beside that of a descent without autograd."""
    train, test = result.dataset.train, result.dataset.test
    x = torch.from_numpy(encode(result.signature, train.raws)["x"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(result.seed)
        start = torch.rand(3)  # the weights that the run began with
    _, by_hand = descend(start, x, train.targets, result.training.lr, result.training.epochs)
    figure, grid = new_figure(1, 2)
    left, right = grid[0]
    left.scatter(np.concatenate(train.raws), train.targets[:, 0], s=8, label="training points")
    line = torch.linspace(float(x.min()), float(np.max(test.raws)), 200).unsqueeze(1)
    with torch.no_grad():
        left.plot(line[:, 0], result.module(line)[:, 0], color="C1", label="w . [x, x$^2$, 1]")
    left.set_xlabel("x")
    left.set_ylabel("y")
    right.plot([row["epoch"] for row in result.history], [row["loss"] for row in result.history], label="this run")
    right.plot(range(1, len(by_hand) + 1), by_hand, "--", label="all points per step, gradient by hand")
    right.set_yscale("log")
    right.set_xlabel("epoch")
    right.set_ylabel("mean squared error")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    return {"fit": png(figure)}


RECIPE = Recipe(
    name="polynomial",
    title="w . [x, x^2, 1] fitted by gradient steps written by hand",
    task="regression",
    notes='000, "Tensor"',
    datasets=("curves", "points"),
    config=Config(),
    data=lambda request, config: curves.quadratic(request) if config.points == "parabola" else points.line(request),
    signature=signature,
    build=lambda config, dataset: Polynomial(),
    loss=nn.functional.mse_loss,
    score=r2,
    score_name="R2",
    expected={"embedded": 0.99},
    training=Training(epochs=300, batch_size=64, lr=0.1, optimizer="sgd", validation=0.0),
    presets={
        "notes": {"points": "line", "epochs": 1000, "batch_size": 1, "lr": 0.001},
        "smoke": {"epochs": 100},
    },
    optimizers=optimizers,
    pictures=pictures,
)
