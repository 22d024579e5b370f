"""Does the hypothesis follow from the premise: the notes' own recurrent cell reads both, word by word.

Title:   Natural language inference, the notes' RNN cell with ReLU, merged as [p, h, p - h, p * h]
Paper:   Bowman et al. 2015, "A large annotated corpus for learning natural language inference" (the task)
Data:    SNLI or a subset of it (CC BY-SA 4.0), or synthetic pairs of sentences; see data/snli.py
Metric:  accuracy on the test split 0.441 (subset, 983 pairs: chance 0.34), 0.557 (embedded); expected 0.40 and 0.45
Time:    5 s (subset), 9 s (embedded) on one core of an AMD EPYC
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipway.recipes._snli import recurrent


class NotesCell(nn.Module):
    """The notes' RNNCell: one linear layer over the word and the hidden state side by side, then ReLU."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.hidden_size = hidden
        self.input2hidden = nn.Linear(features + hidden, hidden)

    def forward(self, word: Tensor, hidden: Tensor) -> Tensor:
        """Map a word [N, features] and the hidden state [N, hidden] to the next hidden state [N, hidden]."""
        return torch.relu(self.input2hidden(torch.cat((word, hidden), dim=1)))

    def init_hidden(self, batch: int) -> Tensor:
        """Return the state before the first word, zeros [batch, hidden]."""
        return torch.zeros(batch, self.hidden_size)


class NotesEncoder(nn.Module):
    """The notes' Encoder, a Python loop over the words; the packed RNN of the recipe computes the same."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = NotesCell(features, hidden)

    @classmethod
    def from_rnn(cls, rnn: nn.RNN) -> NotesEncoder:
        """Take over the weights of a one-layer RNN with ReLU: its two matrices are the columns of the notes' one."""
        encoder = cls(rnn.input_size, rnn.hidden_size)
        with torch.no_grad():
            encoder.rnn.input2hidden.weight.copy_(
                torch.cat((rnn.get_parameter("weight_ih_l0"), rnn.get_parameter("weight_hh_l0")), dim=1)
            )
            encoder.rnn.input2hidden.bias.copy_(rnn.get_parameter("bias_ih_l0") + rnn.get_parameter("bias_hh_l0"))
        return encoder

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Map words [T, N, features] and lengths int64 [N] to the state after each text's last word, [N, hidden]."""
        state = self.rnn.init_hidden(words.size(1))
        for step, word in enumerate(words):
            state = torch.where((step < lengths).unsqueeze(1), self.rnn(word, state), state)
        return state


RECIPE = recurrent(
    "rnn",
    "Natural language inference, the notes' RNN cell over both sentences",
    notes='003, "RNNCell"',
    expected={"path": 0.40, "embedded": 0.45},
)
