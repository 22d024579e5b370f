"""How a network begins decides how it learns: the notes' initialisations, one picture of all of them.

Title:   Perceptron 10-64-32-16-1 with ReLU on diabetes progression, initialised by one of eight schemes
Paper:   He et al. 2015, "Delving Deep into Rectifiers"; Glorot and Bengio 2010, "Understanding the difficulty ..."
Data:    442 patients in scikit-learn, 354 to train and 88 to test in file order; see data/progression.py
Metric:  R2 on the test split 0.512 (kaiming_uniform; seeds 1, 2: 0.457, 0.491); expected 0.35
Time:    3 s on one core of an AMD EPYC

The notes' ``dnn_generator`` also calls ``xavier_uniform_`` on the biases, which raises a ValueError (a vector has no
fan in and fan out); the call stands commented out there, so it is not seen. Here a scheme fills the weights, and biases
are zero. Three schemes cannot learn much: with ``zeros`` only the last bias moves, with ``constant`` and ``ones`` all
units of a layer stay alike.
``--set scheme=...`` trains with one scheme; the picture ``schemes`` shows all of them, from the run's seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from slipway._figures import new_figure, png
from slipway.data import progression
from slipway.preprocess import encode
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.recipes._scores import r2
from slipway.signature import InputPort, OutputPort, Signature, TableInput, TensorOutput

Scheme = Literal["uniform", "normal", "constant", "ones", "zeros", "xavier_uniform", "xavier_normal", "kaiming_uniform"]

#: How each scheme fills a weight [out, in], with the notes' arguments; they name no constant.
SCHEMES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "uniform": lambda weight: nn.init.uniform_(weight, a=0, b=1),
    "normal": lambda weight: nn.init.normal_(weight, mean=0, std=1),
    "constant": lambda weight: nn.init.constant_(weight, 0.1),
    "ones": nn.init.ones_,
    "zeros": nn.init.zeros_,
    "xavier_uniform": lambda weight: nn.init.xavier_uniform_(weight, gain=1.0),
    "xavier_normal": lambda weight: nn.init.xavier_normal_(weight, gain=1.0),
    "kaiming_uniform": lambda weight: nn.init.kaiming_uniform_(weight, a=0, mode="fan_in", nonlinearity="leaky_relu"),
}


@dataclass(frozen=True)
class Config:
    """Sizes of the network, and how it begins.

    Args:
        scheme: What fills the weights.
        hidden: Widths of the three hidden layers.
    """

    scheme: Scheme = "kaiming_uniform"
    hidden: tuple[int, int, int] = (64, 32, 16)


class Generator(nn.Module):
    """The notes' ``dnn_generator``: three linear layers with ReLU, and one without."""

    def __init__(self, config: Config, columns: int) -> None:
        super().__init__()
        widths = (columns, *config.hidden)
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise(widths))
        self.out = nn.Linear(widths[-1], 1)
        for layer in (*self.layers, self.out):
            assert isinstance(layer, nn.Linear)
            SCHEMES[config.scheme](layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map standardised rows [N, 10] to the standardised progression, [N, 1]."""
        y: Tensor = self.out(self.activations(x)[-1])
        return y

    def activations(self, x: Tensor) -> list[Tensor]:
        """Return what each hidden layer gives for rows [N, 10]: [N, width] each."""
        outputs = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            outputs.append(x)
        return outputs


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network and fill its weights by the scheme."""
    return Generator(config, len(dataset.facts["columns"]))


def signature(config: Config, dataset: Dataset) -> Signature:
    """Ten measurements in, standardised; the progression out, in deviations from its mean."""
    facts = dataset.facts
    table = TableInput(facts["columns"], facts["mean"], facts["std"])
    return Signature(
        inputs=(InputPort("x", "float32", ("N", len(facts["columns"])), table),),
        outputs=(OutputPort("progression", ("N", 1), TensorOutput()),),
    )


@dataclass(frozen=True)
class Trial:
    """One scheme from the run's seed: activations [N, width] of each layer in the first epoch, loss by epoch."""

    activations: list[Tensor]
    losses: list[float]


def try_scheme(result: Result, scheme: Scheme, epochs: int) -> Trial:
    """Train a new network by a scheme, with Adam: plain SGD diverges where weights begin large.

    The activations are those of all training rows at the end of the first epoch.
    """
    x = torch.from_numpy(encode(result.signature, result.dataset.train.raws)["x"])
    y = result.dataset.train.targets
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(result.seed)
        module = Generator(replace(result.config, scheme=scheme), x.shape[1])
        optimizer = torch.optim.Adam(module.parameters(), lr=result.training.lr)
        losses, activations = [], []
        for epoch in range(epochs):
            for rows, targets in DataLoader(TensorDataset(x, y), result.training.batch_size, shuffle=True):
                optimizer.zero_grad()
                nn.functional.mse_loss(module(rows), targets).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            with torch.no_grad():
                if epoch == 0:
                    activations = module.activations(x)
                losses.append(nn.functional.mse_loss(module(x), y).item())
    return Trial(activations, losses)


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw each scheme's deviation of the activations after the first epoch, by layer, and its loss by epoch."""
    figure, grid = new_figure(1, 2, size=(12, 4.8))
    left, right = grid[0]
    for number, scheme in enumerate(get_args(Scheme)):
        trial = try_scheme(result, scheme, min(result.training.epochs, 20))
        deviations = [activation.std().item() for activation in trial.activations]
        style = {"marker": "o^sv"[number % 4], "linestyle": "-" if number < 4 else "--", "markersize": 4}
        left.plot(range(1, len(deviations) + 1), deviations, label=scheme, **style)
        right.plot(range(1, len(trial.losses) + 1), trial.losses, label=scheme, **style)
    left.set_xticks(range(1, 4))
    left.set_xlabel("hidden layer")
    left.set_ylabel("deviation of the activations after the first epoch")
    right.set_xlabel("epoch")
    right.set_ylabel(f"mean squared error on the training rows (Adam {result.training.lr:g})")
    left.set_yscale("symlog", linthresh=0.01)
    left.set_ylim(bottom=-0.002)
    right.set_yscale("log")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return {"schemes": png(figure)}


RECIPE = Recipe(
    name="init-study",
    title="Diabetes progression by a perceptron, initialised in eight ways",
    task="regression",
    notes='002, "参数初始化"',
    datasets=("progression",),
    config=Config(),
    data=lambda request, config: progression.load(request),
    signature=signature,
    build=build,
    loss=nn.functional.mse_loss,
    score=r2,
    score_name="R2",
    expected={"embedded": 0.35},
    training=Training(
        epochs=40, batch_size=32, lr=3e-3, optimizer="adamw", weight_decay=0.1, schedule="one_cycle", validation=0.0
    ),
    presets={
        "notes": {"epochs": 12, "lr": 0.01, "optimizer": "adam", "weight_decay": 0.0, "schedule": "constant"},
        "smoke": {"epochs": 5},
    },
    pictures=pictures,
)
