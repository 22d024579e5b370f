"""A line through three points, learned by each of the eight optimisers that the notes compare.

Title:   nn.Linear(1, 1) on y = 2 x
Paper:   Legendre 1805, "Nouvelles méthodes pour la détermination des orbites des comètes" (least squares)
Data:    the notes' three points (1, 2), (2, 4), (3, 6); see data/points.py
Metric:  R2 on 0, 1.5, 2.5 and 4 0.9994 (five seeds: 0.9994 to 1.0000); expected 0.999
Time:    2 s, and 7 s for the picture, on one core of an AMD EPYC

``--set optimizer=...`` trains with SGD, Adagrad, Adam, Adamax, ASGD, L-BFGS, RMSprop or Rprop. Whichever it is, the
picture ``optimisers`` shows all eight from the same weights. Note 004 sums the squared errors where note 000 averages
them: three times the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import ASGD, LBFGS, SGD, Adagrad, Adam, Adamax, Optimizer, RMSprop, Rprop

from slipway._figures import new_figure, png
from slipway.data import points
from slipway.preprocess import encode
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.recipes._scores import r2
from slipway.signature import InputPort, OutputPort, Signature, TableInput, TensorOutput

#: The notes' optimisers, in their order.
OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, Adagrad, Adam, Adamax, ASGD, LBFGS, RMSprop, Rprop)


@dataclass(frozen=True)
class Config:
    """Nothing to choose: one number in, one number out."""


class Line(nn.Module):
    """One linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers [N, 1] to numbers [N, 1]."""
        y: Tensor = self.linear(x)
        return y


def signature(config: Config, dataset: Dataset) -> Signature:
    """A number in, a number out."""
    return Signature(
        inputs=(InputPort("x", "float32", ("N", 1), TableInput(("x",))),),
        outputs=(OutputPort("y", ("N", 1), TensorOutput()),),
    )


def learn(kind: type[Optimizer], lr: float, steps: int, seed: int, x: Tensor, y: Tensor) -> tuple[Line, list[float]]:
    """Train a line from the weights of ``seed`` on all points at once; return it and the loss before each step."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = Line()
    optimizer = kind(module.parameters(), lr=lr)  # type: ignore[call-arg]  # every kind takes lr
    losses: list[float] = []

    def look() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(module(x), y)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        looks.append(float(loss.detach()))
        return loss

    for _ in range(steps):
        looks: list[float] = []
        optimizer.step(look)  # type: ignore[arg-type]  # L-BFGS itself calls float() on the loss
        losses.append(looks[0])
    return module, losses


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw the loss by step of the eight optimisers, all from the run's first weights and with its learning rate."""
    x, y = torch.from_numpy(encode(result.signature, result.dataset.train.raws)["x"]), result.dataset.train.targets
    training = result.training
    figure, grid = new_figure(size=(9, 4.5))
    axes = grid[0, 0]
    for number, kind in enumerate(OPTIMIZERS):
        module, losses = learn(kind, training.lr, training.epochs, result.seed, x, y)
        with torch.no_grad():
            four = module(torch.tensor([[4.0]])).item()
        style = "-" if number % 2 == 0 else "--"
        axes.plot(range(1, len(losses) + 1), losses, style, label=f"{kind.__name__}: {four:.3f} for 4")
    axes.set_yscale("log")
    axes.set_ylim(bottom=1e-13)
    axes.set_xlabel("step")
    axes.set_ylabel("mean squared error")
    axes.set_title(f"eight optimisers, learning rate {training.lr:g}")
    axes.grid(alpha=0.3)
    axes.legend(ncols=2)
    return {"optimisers": png(figure)}


RECIPE = Recipe(
    name="linear",
    title="y = 2 x from three points, nn.Linear(1, 1) and eight optimisers",
    task="regression",
    notes='000, "线性模型"; 004, "一、线性回归"',
    datasets=("points",),
    config=Config(),
    data=lambda request, config: points.line(request),
    signature=signature,
    build=lambda config, dataset: Line(),
    loss=nn.functional.mse_loss,
    score=r2,
    score_name="R2",
    expected={"embedded": 0.999},
    training=Training(epochs=1000, batch_size=3, lr=0.01, optimizer="sgd", validation=0.0),
    presets={"notes": {"optimizer": "rprop"}, "smoke": {"epochs": 200, "lr": 0.05}},
    pictures=pictures,
)
