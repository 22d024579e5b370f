"""How the recurrent operators of an exported program become ONNX: one RNN, GRU or LSTM per layer.

The functions are written against opset 18, the oldest that the exporter targets; a newer operator inside them would
make an invalid model for ``--opset 18``. Weights are rearranged by ONNX operators on constants here, which
``clean.py`` folds into new constants.

torch and ONNX differ in the order of gates (GRU r,z,n -> z,r,h; LSTM i,f,g,o -> i,o,f,c), in where the candidate's
bias of a GRU is added (torch's is ``linear_before_reset=1``), and in the bias, which ONNX wants as [Wb, Rb].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnx
import torch
from onnxscript import opset18

from slipway_export import recurrent as _registers_operators  # noqa: F401

op: Any = opset18  # its type stubs know no optional inputs given as None, nor values yet to be computed

# For each mode: the ONNX operator, and which of torch's gates stands at each place in ONNX.
_ONNX_FORM: dict[str, tuple[str, tuple[int, ...]]] = {
    "gru": ("GRU", (1, 0, 2)),
    "lstm": ("LSTM", (0, 3, 1, 2)),
    "rnn_tanh": ("RNN", (0,)),
    "rnn_relu": ("RNN", (0,)),
}


def _recurrent(
    x: Any, lengths: Any, h0: Any, weights: Any, mode: str, has_biases: bool, layers: int, bidirectional: bool
) -> Any:
    return _stack(mode, x, lengths, (h0,), weights, has_biases, layers, bidirectional)


def _lstm(
    x: Any, lengths: Any, h0: Any, c0: Any, weights: Any, has_biases: bool, layers: int, bidirectional: bool
) -> Any:
    return _stack("lstm", x, lengths, (h0, c0), weights, has_biases, layers, bidirectional)


def _unpack(y: Any, lengths: Any, padding_value: float, total_length: Any = None) -> Any:
    """Take the wanted steps, then write the padding value beyond each sequence's length."""
    if total_length is None:
        steps = op.ReduceMax(lengths, keepdims=0)
        wanted = op.Slice(y, _list(0), op.Unsqueeze(steps, _list(0)), _list(0))
    else:
        steps = _scalar(total_length)
        last = op.Sub(op.Squeeze(op.Shape(y, start=0, end=1), _list(0)), _scalar(1))
        time = op.Range(_scalar(0), steps, _scalar(1))
        wanted = op.Gather(y, op.Where(op.Less(time, last), time, last), axis=0)
    time = op.Range(_scalar(0), steps, _scalar(1))
    inside = op.Less(op.Unsqueeze(time, _list(1)), op.Unsqueeze(lengths, _list(0)))
    features = list(range(2, len(y.shape)))
    inside = op.Unsqueeze(inside, _list(*features)) if features else inside
    return op.Where(inside, wanted, op.CastLike(op.Constant(value_float=float(padding_value)), y))


#: For ``torch.onnx.export(custom_translation_table=...)``.
TRANSLATION_TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.ops.slipway.recurrent.default: _recurrent,
    torch.ops.slipway.lstm.default: _lstm,
    torch.ops.slipway.unpack.default: _unpack,
}


def _stack(
    mode: str,
    x: Any,
    lengths: Any,
    states: Sequence[Any],
    weights: Sequence[Any],
    has_biases: bool,
    layers: int,
    bidirectional: bool,
) -> tuple[Any, ...]:
    """Chain the layers; gives y [T, N, directions * H] and each last state [layers * directions, N, H]."""
    operator, gates = _ONNX_FORM[mode]
    directions = 2 if bidirectional else 1
    attributes = _attributes(mode, operator, int(weights[1].shape[1]), directions)
    sequence_lens = None if lengths is None else op.Cast(lengths, to=onnx.TensorProto.INT32)
    ends: list[tuple[Any, ...]] = []
    per_direction = 4 if has_biases else 2
    for layer in range(layers):
        first = layer * directions
        mine = [weights[i * per_direction : (i + 1) * per_direction] for i in range(first, first + directions)]
        initial = [None if s is None else _rows(s, first, first + directions, layers) for s in states]
        y, *end = getattr(op, operator)(x, *_onnx_weights(mine, gates), sequence_lens, *initial, **attributes)
        ends.append(tuple(end))
        x = _join_directions(y, directions)
    return (x, *(e[0] if layers == 1 else op.Concat(*e, axis=0) for e in zip(*ends, strict=True)))


def _attributes(mode: str, operator: str, hidden: int, directions: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {"hidden_size": hidden}
    if directions == 2:
        attributes["direction"] = "bidirectional"
    if mode == "gru":
        attributes["linear_before_reset"] = 1
    if operator == "RNN":  # onnxscript would write the default, two names, for one direction too
        attributes["activations"] = [mode.removeprefix("rnn_").capitalize()] * directions
    return attributes


def _onnx_weights(directions: Sequence[Sequence[Any]], gates: Sequence[int]) -> tuple[Any, Any, Any]:
    """W [directions, gates * H, D], R [directions, gates * H, H] and B [directions, 2 * gates * H] or None."""
    w, r, *biases = (
        _join([op.Unsqueeze(_reorder(one, gates), _list(0)) for one in same], axis=0)
        for same in zip(*directions, strict=True)
    )
    return w, r, _join(biases, axis=1) if biases else None


def _reorder(weight: Any, gates: Sequence[int]) -> Any:
    """Put the blocks of rows that belong to the gates into ONNX's order; works on weights and biases."""
    if len(gates) == 1:
        return weight
    hidden = int(weight.shape[0]) // len(gates)
    rows = [row for gate in gates for row in range(gate * hidden, (gate + 1) * hidden)]
    return op.Gather(weight, _list(*rows), axis=0)


def _rows(state: Any, first: int, end: int, layers: int) -> Any:
    return state if layers == 1 else op.Slice(state, _list(first), _list(end), _list(0))


def _join_directions(y: Any, directions: int) -> Any:
    """[T, directions, N, H] -> [T, N, directions * H]."""
    if directions == 1:
        return op.Squeeze(y, _list(1))
    return op.Reshape(op.Transpose(y, perm=[0, 2, 1, 3]), _list(0, 0, -1))


def _join(values: Sequence[Any], axis: int) -> Any:
    return values[0] if len(values) == 1 else op.Concat(*values, axis=axis)


def _scalar(value: Any) -> Any:
    return op.Constant(value_int=value) if isinstance(value, int) else op.Squeeze(value)


def _list(*values: int) -> Any:
    return op.Constant(value_ints=list(values))
