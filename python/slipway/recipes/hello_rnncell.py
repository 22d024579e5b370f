"""Teach a network one word, step by step: the loop over an RNNCell that the notes begin with.

Title:   hello -> ohlol, nn.RNNCell in a loop over time
Paper:   Elman 1990, "Finding Structure in Time"
Data:    the notes' word, in data/hello.py
Metric:  share of right letters 1.0
Time:    1 s on one core of an AMD EPYC

The loop over the cell is ``slipway.cell_loop.CellLoop``: eager PyTorch runs the Python loop, the exported file has one
RNN operator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from slipway.cell_loop import CellLoop
from slipway.data import hello
from slipway.recipes import hello_rnn
from slipway.recipes._recipe import Dataset


@dataclass(frozen=True)
class Config:
    """Nothing to choose: the sizes are those of the alphabet."""


class HelloRNNCell(nn.Module):
    """The loop ``hidden = cell(x[t], hidden)``; the hidden states are the answer."""

    def __init__(self) -> None:
        super().__init__()
        letters = len(hello.LETTERS)
        self.loop = CellLoop(nn.RNNCell(letters, letters))

    def forward(self, x: Tensor) -> Tensor:
        """Map one-hot letters [T, N, 4] to scores of letters [T, N, 4]."""
        scores: Tensor = self.loop(x)[0]
        return scores


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return HelloRNNCell()


RECIPE = replace(
    hello_rnn.RECIPE,
    name="hello-rnncell",
    title='"hello" becomes "ohlol", nn.RNNCell in a loop',
    notes='000, "循环神经网络 RNN Basic: RNNCELL 模型学习 hello 序列预测 ohlol序列"; 001, "Example: Using RNNCell"',
    config=Config(),
    build=build,
)
