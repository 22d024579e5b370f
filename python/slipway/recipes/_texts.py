"""What recipes that read words share: the text port of a vocabulary, and an encoder of packed sequences."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from slipway.data._dataset import Dataset
from slipway.signature import InputPort, LengthInput, TextInput

Kind = Literal["rnn", "lstm", "gru"]

_LAYERS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def text_ports(name: str, time: str, dataset: Dataset) -> tuple[InputPort, InputPort]:
    """Return the ports of one text: its words int64 [T, N] under ``name``, and their number int64 [N].

    Args:
        name: The tokens' port; the lengths' port is ``<name>_lengths``.
        time: The name of the time axis, ``T`` or one that starts with it.
        dataset: Its ``facts`` hold ``vocabulary``, ``unknown`` and ``fold``.
    """
    facts = dataset.facts
    words = TextInput(
        unit="word", vocabulary=facts["vocabulary"], limit=len(facts["vocabulary"]), unknown=facts["unknown"],
        fold=facts["fold"], lowercase=True,
    )  # fmt: skip
    lengths = InputPort(f"{name}_lengths", "int64", ("N",), LengthInput(of=name))
    return InputPort(name, "int64", (time, "N"), words), lengths


class PackedEncoder(nn.Module):
    """A recurrent network over packed sequences; a text becomes its last hidden states, both directions joined.

    Args:
        kind: ``rnn`` (with ReLU), ``lstm`` or ``gru``.
        features: Size of a word's vector.
        hidden: Size of each direction.
        layers: Number of layers.
        bidirectional: Read in both directions.
        dropout: Share of values dropped between layers.
    """

    def __init__(
        self, kind: Kind, features: int, hidden: int, layers: int = 1, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.bidirectional = bidirectional
        self.out_features = hidden * (2 if bidirectional else 1)
        between = dropout if layers > 1 else 0.0
        more = {"nonlinearity": "relu"} if kind == "rnn" else {}
        self.rnn = _LAYERS[kind](features, hidden, layers, dropout=between, bidirectional=bidirectional, **more)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Map words' vectors float [T, N, features] and lengths int64 [N] (on the CPU) to float [N, out_features]."""
        _, last = self.rnn(pack_padded_sequence(words, lengths, enforce_sorted=False))
        if isinstance(last, tuple):
            last = last[0]  # of an LSTM: hidden and cell states
        return torch.cat((last[-2], last[-1]), dim=1) if self.bidirectional else last[-1]
