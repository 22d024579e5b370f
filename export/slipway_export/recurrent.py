"""The recurrent operators that an exported program holds, as runnable ``torch.library`` operators.

``torch.export`` cannot express packed sequences, and unrolls or freezes some unpacked ones. These operators take the
padded tensor and the lengths instead, so the same program runs in PyTorch (the kernels here), and turns into ONNX
RNN, GRU and LSTM with ``sequence_lens`` (``translate.py``). Importing this module registers them; a ``.pt2`` file
that holds one can be loaded only where this module has been imported.

All tensors are time first: x [T, N, D], lengths int64 [N] in 1..T in any order or None where every sequence has
length T, states [layers * directions, N, H] or None for zeros. Outputs beyond a sequence's length are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_OPTIONS = "bool has_biases, int layers, bool bidirectional"
_RECURRENT_SCHEMA = (
    f"(Tensor x, Tensor? lengths, Tensor? h0, Tensor[] weights, str mode, {_OPTIONS}) -> (Tensor, Tensor)"
)
_LSTM_SCHEMA = (
    f"(Tensor x, Tensor? lengths, Tensor? h0, Tensor? c0, Tensor[] weights, {_OPTIONS}) -> (Tensor, Tensor, Tensor)"
)
_UNPACK_SCHEMA = "(Tensor y, Tensor lengths, float padding_value, SymInt? total_length) -> Tensor"

_KERNELS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    "gru": torch.gru,
    "rnn_tanh": torch.rnn_tanh,
    "rnn_relu": torch.rnn_relu,
}


def _run(
    kernel: Callable[..., Sequence[Tensor]],
    x: Tensor,
    lengths: Tensor | None,
    states: Sequence[Tensor],
    rest: tuple[object, ...],
) -> list[Tensor]:
    """Run one of torch's kernels; packed where there are lengths. Dropout does not exist here: eval mode only."""
    state: object = states[0] if len(states) == 1 else tuple(states)
    if lengths is None:
        return list(kernel(x, state, *rest, False))
    longest_first, order = torch.sort(lengths, descending=True)
    state = states[0][:, order] if len(states) == 1 else tuple(s[:, order] for s in states)
    data, batch_sizes = torch._pack_padded_sequence(x[:, order], longest_first, False)
    y, *last = kernel(data, batch_sizes, state, *rest)
    y, _ = torch._pad_packed_sequence(y, batch_sizes, False, 0.0, x.size(0))
    back = torch.argsort(order)
    return [y[:, back].contiguous(), *(s[:, back].contiguous() for s in last)]


def _zero_state(x: Tensor, weights: Sequence[Tensor], layers: int, bidirectional: bool) -> Tensor:
    return x.new_zeros(layers * (2 if bidirectional else 1), x.size(1), weights[1].size(1))


@torch.library.custom_op("slipway::recurrent", mutates_args=(), schema=_RECURRENT_SCHEMA)
def recurrent(
    x: Tensor,
    lengths: Tensor | None,
    h0: Tensor | None,
    weights: Sequence[Tensor],
    mode: str,
    has_biases: bool,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor]:
    """Run a GRU or RNN stack; ``mode`` is ``gru``, ``rnn_tanh`` or ``rnn_relu``, weights are in torch's flat order."""
    h0 = _zero_state(x, weights, layers, bidirectional) if h0 is None else h0
    rest = (list(weights), has_biases, layers, 0.0, False, bidirectional)
    y, hn = _run(_KERNELS[mode], x, lengths, (h0,), rest)
    return y, hn


@recurrent.register_fake
def _(
    x: Tensor,
    lengths: Tensor | None,
    h0: Tensor | None,
    weights: Sequence[Tensor],
    mode: str,
    has_biases: bool,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor]:
    directions, hidden = (2 if bidirectional else 1), weights[1].size(1)
    return (
        x.new_empty(x.size(0), x.size(1), directions * hidden),
        x.new_empty(layers * directions, x.size(1), hidden),
    )


@torch.library.custom_op("slipway::lstm", mutates_args=(), schema=_LSTM_SCHEMA)
def lstm(
    x: Tensor,
    lengths: Tensor | None,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    has_biases: bool,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM stack without projections; weights are in torch's flat order."""
    h0 = _zero_state(x, weights, layers, bidirectional) if h0 is None else h0
    c0 = _zero_state(x, weights, layers, bidirectional) if c0 is None else c0
    rest = (list(weights), has_biases, layers, 0.0, False, bidirectional)
    y, hn, cn = _run(torch.lstm, x, lengths, (h0, c0), rest)
    return y, hn, cn


@lstm.register_fake
def _(
    x: Tensor,
    lengths: Tensor | None,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    has_biases: bool,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    directions, hidden = (2 if bidirectional else 1), weights[1].size(1)
    state = x.new_empty(layers * directions, x.size(1), hidden)
    return x.new_empty(x.size(0), x.size(1), directions * hidden), state, torch.empty_like(state)


@torch.library.custom_op("slipway::unpack", mutates_args=(), schema=_UNPACK_SCHEMA)
def unpack(y: Tensor, lengths: Tensor, padding_value: float, total_length: int | None) -> Tensor:
    """Write ``padding_value`` beyond each sequence's end and cut or extend time, as ``pad_packed_sequence`` does.

    Args:
        y: [T, N, ...].
        lengths: int64 [N].
        padding_value: What padding holds afterwards.
        total_length: Steps of the result; None means the longest of ``lengths``.
    """
    steps = int(lengths.max()) if total_length is None else total_length
    time = torch.arange(steps, device=y.device)
    inside = time[:, None] < lengths[None, :]
    inside = inside.reshape(inside.shape + (1,) * (y.dim() - 2))
    return torch.where(inside, y[time.clamp(max=y.size(0) - 1)], torch.full((), padding_value, dtype=y.dtype))


@unpack.register_fake
def _(y: Tensor, lengths: Tensor, padding_value: float, total_length: int | None) -> Tensor:
    steps = torch.library.get_ctx().new_dynamic_size(min=1) if total_length is None else total_length
    return y.new_empty((steps, *y.shape[1:]))
