"""Lets unmodified modules with packed sequences and recurrent layers pass through ``torch.export``.

Inside :func:`packed_sequences`, and only there:

- ``pack_padded_sequence`` keeps the padded tensor; the token :class:`BatchSizes` travels in place of ``batch_sizes``
  and remembers lengths, T and N. ``enforce_sorted=False`` does not sort: every operator here takes lengths in any
  order, so sorting and undoing it would cancel; the token :class:`Order` stands for both permutations.
- GRU, LSTM and RNN calls, packed or not, become the operators of ``recurrent.py``, and so does a
  :class:`~slipway.cell_loop.CellLoop` instead of being unrolled.
- a :class:`~slipway.loops.TimeLoop` becomes ``while_loop``, which is a Loop in ONNX.
- ``pad_packed_sequence`` becomes ``slipway::unpack``.

What cannot be expressed is refused by name: lengths as a list, ``proj_size``, train mode, a Python loop over a
dynamic axis, anything else that reads ``batch_sizes`` or ``sorted_indices``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import torch
from torch import SymInt, Tensor, nn
from torch._higher_order_ops import while_loop
from torch.overrides import TorchFunctionMode

from slipway.cell_loop import CellLoop, LSTMCellLoop
from slipway.errors import ExportError
from slipway.loops import TimeLoop
from slipway_export import recurrent as _registers_operators  # noqa: F401

#: What a Python loop over time is written with.
LOOPS = "slipway.cell_loop.CellLoop or LSTMCellLoop (a cell of torch's), or slipway.loops.TimeLoop (any other step)"

_RNN_SOURCES = frozenset({nn.utils.rnn.__file__, nn.modules.rnn.__file__})
_ops = torch.ops.slipway


class _Token:
    """Something that torch's rnn code passes around as if it were a tensor."""

    device = torch.device("cpu")
    called: str

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: object, args: object = (), kwargs: object = None
    ) -> NoReturn:
        raise ExportError(
            f"the model calls {getattr(func, '__name__', func)} on the {cls.called} of a PackedSequence, which has no "
            "ONNX form; use the padded tensor and the lengths instead"
        )


class _Longest(int):
    """max(lengths), on its way from torch's pad_packed_sequence to ours.

    It is an int because torch's argument parser asks for one; its value means nothing.
    """

    def __gt__(self, total_length: object) -> bool:
        """Pass torch's check ``total_length < longest``: whether it holds is known only when the model runs."""
        return False

    def _refuse(self, *_: object) -> NoReturn:
        raise ExportError("the model computes with batch_sizes.size(0); use lengths.max() instead")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __index__ = _refuse


class BatchSizes(_Token):
    """Stands for the number of sequences at each step, and remembers what it follows from."""

    called = "batch_sizes"

    def __init__(self, lengths: Tensor, steps: int | SymInt, batch: int | SymInt) -> None:
        self.lengths, self.steps, self.batch = lengths, steps, batch

    def __getitem__(self, index: int) -> int | SymInt:
        if index != 0:
            raise ExportError("the model reads batch_sizes, which has no ONNX form; use the lengths instead")
        return self.batch

    def size(self, dim: int) -> _Longest:
        """Return the number of steps."""
        return _Longest(0)


class Order(_Token):
    """Stands for ``sorted_indices`` and ``unsorted_indices``, of sequences that keep their places."""

    called = "sorted_indices"

    def to(self, *_: object, **__: object) -> Order:
        """Stay where it is."""
        return self

    def cpu(self) -> Order:
        """Stay where it is."""
        return self

    def numel(self) -> int:
        """Return 0: torch makes a range of this size to invert the order, and an empty one costs nothing."""
        return 0

    def scatter_(self, *_: object) -> Order:
        """Return the inverse order, which is the same."""
        return self


class _PackedMode(TorchFunctionMode):
    """Answers the calls that torch's rnn code makes; everything else passes through."""

    def __init__(self) -> None:
        super().__init__()
        # Flat data by identity -> (that data, so that it stays alive; the padded tensor it was flattened from).
        self._padded: dict[int, tuple[Tensor, Tensor]] = {}
        self._answers: dict[Any, Callable[..., Any]] = {
            torch._pack_padded_sequence: self._pack,
            torch._pad_packed_sequence: self._unpack,
            torch.gru: lambda *args: self._recurrent("gru", *args),
            torch.rnn_tanh: lambda *args: self._recurrent("rnn_tanh", *args),
            torch.rnn_relu: lambda *args: self._recurrent("rnn_relu", *args),
            torch.lstm: self._lstm,
            Tensor.tolist: _refuse_list,
            Tensor.unbind: _unbind,
        }

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        answer = self._answers.get(func)
        if answer is not None:
            return answer(*args, **kwargs)
        if func is torch.sort and _called_by_torch_rnn():
            return args[0], Order()
        if func is torch.as_tensor and _called_by_torch_rnn():
            _refuse_list()
        if func is torch.empty_like and isinstance(args[0], Order):
            return args[0]
        if func in (Tensor.index_select, Tensor.__getitem__) and isinstance(args[-1], Order) and _called_by_torch_rnn():
            return args[0]
        return func(*args, **kwargs)

    def _flatten(self, padded: Tensor) -> Tensor:
        flat = padded.flatten(0, 1)
        self._padded[id(flat)] = (flat, padded)
        return flat

    def _unflatten(self, flat: Tensor, batch_sizes: BatchSizes) -> Tensor:
        known = self._padded.get(id(flat))
        return known[1] if known else flat.reshape((batch_sizes.steps, batch_sizes.batch, *flat.shape[1:]))

    def _pack(self, padded: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, BatchSizes]:
        padded = padded.transpose(0, 1) if batch_first else padded
        return self._flatten(padded), BatchSizes(lengths, padded.size(0), padded.size(1))

    def _unpack(
        self, data: Tensor, batch_sizes: BatchSizes, batch_first: bool, padding_value: float, total_length: int
    ) -> tuple[Tensor, Tensor]:
        steps = None if isinstance(total_length, _Longest) else total_length
        y = _ops.unpack(self._unflatten(data, batch_sizes), batch_sizes.lengths, float(padding_value), steps)
        return (y.transpose(0, 1) if batch_first else y), batch_sizes.lengths

    def _recurrent(self, mode: str, x: Tensor, *args: Any) -> tuple[Any, ...]:
        if isinstance(args[0], BatchSizes):
            batch_sizes, h0, *rest = args
            weights, *options = _options(*rest)
            x = self._unflatten(x, batch_sizes)
            y, hn = _ops.recurrent(x, batch_sizes.lengths, h0, weights, mode, *options)
            return self._flatten(y), hn
        h0, *rest, batch_first = args
        weights, *options = _options(*rest)
        y, hn = _ops.recurrent(_time_first(x, batch_first), None, h0, weights, mode, *options)
        return _time_first(y, batch_first), hn

    def _lstm(self, x: Tensor, *args: Any) -> tuple[Any, ...]:
        if isinstance(args[0], BatchSizes):
            batch_sizes, (h0, c0), *rest = args
            x = self._unflatten(x, batch_sizes)
            y, hn, cn = _ops.lstm(x, batch_sizes.lengths, h0, c0, *_options(*rest))
            return self._flatten(y), hn, cn
        (h0, c0), *rest, batch_first = args
        y, hn, cn = _ops.lstm(_time_first(x, batch_first), None, h0, c0, *_options(*rest))
        return _time_first(y, batch_first), hn, cn


def _time_first(x: Tensor, batch_first: bool) -> Tensor:
    return x.transpose(0, 1) if batch_first else x


def _options(
    weights: Sequence[Tensor], has_biases: bool, layers: int, dropout: float, train: bool, bidirectional: bool
) -> tuple[list[Tensor], bool, int, bool]:
    """Check the arguments that every recurrent call shares, and leave out dropout, which eval mode ignores."""
    if train:
        raise ExportError("a recurrent layer is in train mode during export; call eval() on the whole model")
    expected = layers * (2 if bidirectional else 1) * (4 if has_biases else 2)
    if len(weights) != expected:
        raise ExportError(
            f"an LSTM has {len(weights)} weights, expected {expected}: proj_size is not supported, because ONNX LSTM "
            "has no projection; follow the LSTM by a Linear layer instead"
        )
    return list(weights), has_biases, layers, bidirectional


def _refuse_list(*_: object, **__: object) -> NoReturn:
    raise ExportError(
        "the model turns a tensor into a Python list (lengths.tolist(), or a list given to pack_padded_sequence): its "
        "values would be frozen into the exported file; pass lengths as an int64 tensor"
    )


def _unbind(x: Tensor, dim: int = 0) -> Sequence[Tensor]:
    if isinstance(x.size(dim), SymInt):
        if x.dim() == 1 and not x.is_floating_point():
            _refuse_list()  # torch.export itself turns tolist() into this
        raise ExportError(
            f"the model loops in Python over axis {dim} of a tensor of shape {tuple(x.shape)}, whose size varies; a "
            f"Python loop over time is written with {LOOPS}"
        )
    return torch.unbind(x, dim)


def _called_by_torch_rnn() -> bool:
    """Tell whether the torch function at hand was called by torch's own rnn code and not by the user's module."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_name == "__torch_function__":
        frame = frame.f_back
    return frame.f_code.co_filename in _RNN_SOURCES


def _check_forward_args(original: Callable[..., None]) -> Callable[..., None]:
    """Replace torch's own check, which calls ``int(batch_sizes[0])``, which would freeze the batch size."""

    def check(self: nn.RNNBase, x: Tensor, hidden: Any, batch_sizes: object) -> None:
        if not isinstance(batch_sizes, BatchSizes):
            original(self, x, hidden, batch_sizes)

    return check


def _run_cell_loop(self: CellLoop, x: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
    mode = "gru" if isinstance(self.cell, nn.GRUCell) else f"rnn_{self.cell.nonlinearity}"
    h0 = None if hidden is None else hidden.unsqueeze(0)
    y, hn = _ops.recurrent(x, None, h0, _cell_weights(self.cell), mode, self.cell.bias, 1, False)
    return y, hn.squeeze(0)


def _run_lstm_cell_loop(
    self: LSTMCellLoop, x: Tensor, state: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    h0, c0 = (None, None) if state is None else (state[0].unsqueeze(0), state[1].unsqueeze(0))
    y, hn, cn = _ops.lstm(x, None, h0, c0, _cell_weights(self.cell), self.cell.bias, 1, False)
    return y, (hn.squeeze(0), cn.squeeze(0))


def _run_time_loop(self: TimeLoop, x: Tensor, steps: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
    def goes_on(t: Tensor, *state: Tensor) -> Tensor:
        return t < steps

    def body(t: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        row = x.index_select(0, t.reshape(1)).squeeze(0)
        return (t + 1, *self.step(row, list(state), fixed))

    start = torch.zeros((), dtype=torch.int64)
    after: tuple[Tensor, ...] = while_loop(goes_on, body, (start, *state))  # type: ignore[no-untyped-call]  # torch's
    return list(after[1:])


def _cell_weights(cell: nn.RNNCellBase) -> list[Tensor]:
    biases = [cell.bias_ih, cell.bias_hh] if cell.bias else []
    return [cell.weight_ih, cell.weight_hh, *biases]


@contextmanager
def _replaced(owner: type, name: str, value: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def packed_sequences() -> Iterator[None]:
    """Make packed sequences, recurrent layers and loops over time exportable until the context ends.

    Raises:
        ExportError: Inside, where a module does something with a packed sequence that has no exported form.
    """
    with ExitStack() as stack:
        for owner in (nn.RNNBase, nn.LSTM):
            stack.enter_context(_replaced(owner, "check_forward_args", _check_forward_args(owner.check_forward_args)))
        stack.enter_context(_replaced(CellLoop, "forward", _run_cell_loop))
        stack.enter_context(_replaced(LSTMCellLoop, "forward", _run_lstm_cell_loop))
        stack.enter_context(_replaced(TimeLoop, "forward", _run_time_loop))
        stack.enter_context(_PackedMode())
        yield
