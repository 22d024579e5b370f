"""Four optimisers race: the same small network learns the same noisy parabola with each of them.

Title:   Four perceptrons 1-20-1 on x^2, by SGD, SGD with momentum, RMSprop and Adam
Paper:   Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization" (the youngest of the four)
Data:    1000 points of x^2 with noise (synthetic, as in the notes); see data/curves.py
Metric:  R2 against the curve without noise, mean of the four networks 0.759 (seeds 1, 2: 0.828, 0.853); expected 0.70
Time:    2 s on one core of an AMD EPYC

One module holds the four networks and has four outputs, so all four leave in one bundle. The one loss is the sum of
theirs, which share no weights: each optimiser sees the gradient that it would see alone. In the notes each network
begins with weights of its own; here all begin with the same, so that only the optimisers differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

from slipway._figures import new_figure, png
from slipway.data import curves
from slipway.preprocess import encode
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.recipes._scores import r2
from slipway.signature import InputPort, OutputPort, Signature, TableInput, TensorOutput

#: The racers, which are also the names of the outputs.
RACERS = ("sgd", "momentum", "rmsprop", "adam")


@dataclass(frozen=True)
class Config:
    """Sizes of the networks.

    Args:
        hidden: Hidden units of each.
    """

    hidden: int = 20


class Net(nn.Module):
    """The notes' network: one hidden layer with ReLU."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, config.hidden)
        self.predict = nn.Linear(config.hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers [N, 1] to numbers [N, 1]."""
        y: Tensor = self.predict(torch.relu(self.hidden(x)))
        return y


class Race(nn.Module):
    """Four networks that begin with the same weights."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        net = Net(config)
        self.nets = nn.ModuleDict({name: deepcopy(net) for name in RACERS})

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map numbers [N, 1] to the four networks' numbers, [N, 1] each, in the order of ``RACERS``."""
        return tuple(net(x) for net in self.nets.values())


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the four networks."""
    return Race(config)


def optimizers(module: nn.Module, training: Training) -> Sequence[Optimizer]:
    """Return each network's own optimiser, with the notes' settings and the learning rate of ``training``."""
    assert isinstance(module, Race)
    sgd, momentum, rmsprop, adam = (net.parameters() for net in module.nets.values())
    return [
        torch.optim.SGD(sgd, lr=training.lr),
        torch.optim.SGD(momentum, lr=training.lr, momentum=0.8),
        torch.optim.RMSprop(rmsprop, lr=training.lr, alpha=0.9),
        torch.optim.Adam(adam, lr=training.lr, betas=(0.9, 0.99)),
    ]


def signature(config: Config, dataset: Dataset) -> Signature:
    """A number in, four numbers out."""
    return Signature(
        inputs=(InputPort("x", "float32", ("N", 1), TableInput(("x",))),),
        outputs=tuple(OutputPort(name, ("N", 1), TensorOutput()) for name in RACERS),
    )


def loss(outputs: Sequence[Tensor], targets: Tensor) -> Tensor:
    """Sum of the mean squared errors of four outputs [N, 1] against targets [N, 1]."""
    return torch.stack([nn.functional.mse_loss(output, targets) for output in outputs]).sum()


def score(outputs: Sequence[Tensor], targets: Tensor) -> tuple[float, float]:
    """Sum the four networks' sums of R2, so that the ratio is their mean."""
    sums = [r2(output, targets) for output in outputs]
    return sum(explained for explained, _ in sums), sum(total for _, total in sums)


def run_again(result: Result) -> dict[str, list[float]]:
    """Race once more as in the notes, with a DataLoader, from the run's first weights; return the losses by step.

    The batches are others than those of the run: their order is the loader's.
    """
    inputs = torch.from_numpy(encode(result.signature, result.dataset.train.raws)["x"])
    data = TensorDataset(inputs, result.dataset.train.targets)
    losses: dict[str, list[float]] = {name: [] for name in RACERS}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(result.seed)
        module = Race(result.config)
        steps = optimizers(module, result.training)
        loader = DataLoader(data, batch_size=result.training.batch_size, shuffle=True)
        for _ in range(result.training.epochs):
            for x, y in loader:
                for (name, net), optimizer in zip(module.nets.items(), steps, strict=True):
                    error = nn.functional.mse_loss(net(x), y)
                    optimizer.zero_grad()
                    error.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
                    optimizer.step()
                    losses[name].append(error.item())
    return losses


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw the points with the four curves, and the loss of each optimiser by step."""
    train = result.dataset.train
    x = torch.linspace(-1, 1, 200).unsqueeze(1)
    with torch.no_grad():
        outputs = result.module(x)
    figure, grid = new_figure(1, 2, size=(11, 4.5))
    left, right = grid[0]
    left.scatter(np.concatenate(train.raws), train.targets[:, 0], s=3, color="lightgrey", label="training points")
    for name, output in zip(RACERS, outputs, strict=True):
        left.plot(x[:, 0], output[:, 0], label=name)
    left.set_xlabel("x")
    left.set_ylabel("y")
    for name, losses in run_again(result).items():
        right.plot(range(1, len(losses) + 1), losses, label=name, linewidth=1)
    right.set_ylim(0, 0.2)
    right.set_xlabel("step")
    right.set_ylabel("mean squared error of the batch")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    return {"race": png(figure)}


RECIPE = Recipe(
    name="optimizer-race",
    title="SGD, momentum, RMSprop and Adam learn the same noisy parabola",
    task="regression",
    notes='002, "PyTorch 优化: SGD, Momentum, RMSprop, Adam"',
    datasets=("curves",),
    config=Config(),
    data=lambda request, config: curves.square(request),
    signature=signature,
    build=build,
    loss=loss,
    score=score,
    score_name="mean R2",
    expected={"embedded": 0.70},
    training=Training(epochs=12, batch_size=32, lr=0.01, optimizer="sgd", validation=0.0),
    presets={"notes": {}, "smoke": {"epochs": 3}},
    optimizers=optimizers,
    pictures=pictures,
)
