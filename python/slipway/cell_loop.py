"""A recurrent cell run over time by a plain Python loop, in a form that can also be exported.

``torch.export`` unrolls or refuses a Python loop whose length varies. :class:`CellLoop` is that loop as a module:
eager PyTorch and TorchScript run the loop as it stands here, and the export stage replaces the whole module by one
ONNX RNN, GRU or LSTM with the cell's weights, so that time stays dynamic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CellLoop(nn.Module):
    """Runs an ``nn.RNNCell`` or ``nn.GRUCell`` over the time axis.

    Args:
        cell: The cell; its parameters keep their names under ``cell.``.

    Example:
        >>> loop = CellLoop(nn.RNNCell(4, 4))
        >>> outputs, last = loop(torch.zeros(5, 1, 4))   # [T, N, D] -> [T, N, H], [N, H]
    """

    def __init__(self, cell: nn.RNNCell | nn.GRUCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the hidden state after every step, [T, N, H], and the last one, [N, H].

        Args:
            x: float [T, N, D], T at least 1.
            hidden: The state before the first step, float [N, H]; None means zeros.
        """
        if hidden is None:
            hidden = torch.zeros(x.size(1), self.cell.hidden_size, dtype=x.dtype, device=x.device)
        outputs: list[Tensor] = []
        for step in range(x.size(0)):
            hidden = self.cell(x[step], hidden)
            outputs.append(hidden)
        return torch.stack(outputs), hidden


class LSTMCellLoop(nn.Module):
    """Runs an ``nn.LSTMCell`` over the time axis.

    Args:
        cell: The cell; its parameters keep their names under ``cell.``.
    """

    def __init__(self, cell: nn.LSTMCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the hidden state after every step, [T, N, H], and the last hidden and cell state, [N, H] each.

        Args:
            x: float [T, N, D], T at least 1.
            state: Hidden and cell state before the first step; None means zeros.
        """
        if state is None:
            zeros = torch.zeros(x.size(1), self.cell.hidden_size, dtype=x.dtype, device=x.device)
            state = (zeros, zeros)
        hidden, memory = state
        outputs: list[Tensor] = []
        for step in range(x.size(0)):
            hidden, memory = self.cell(x[step], (hidden, memory))
            outputs.append(hidden)
        return torch.stack(outputs), (hidden, memory)
