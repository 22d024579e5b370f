"""The engine's kernels alone, without a model: on NumPy arrays, or torch tensors on the CPU or a CUDA device.

    y = slipway.ops.conv2d(x, weight, bias, padding=1)

Every function is one ONNX operator of opset 20; arrays are read where they lie (a non-contiguous one is copied), and
the result is a new array of the same kind as the first argument that is not NumPy's, else of NumPy. On a CUDA device
the work goes to the library's current stream. Errors are those
of ``Session.run``. ``call`` reaches every operator of ``slipway ops``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import numpy as np

from slipway import _engine, _on_cuda
from slipway._arrays import SupportsDLPack, as_kind, contiguous, library_of, view
from slipway.errors import UsageError

T = TypeVar("T", bound=SupportsDLPack)
Direction = Literal["forward", "reverse", "bidirectional"]
Attribute = int | float | str | Sequence[int] | Sequence[float] | Sequence[str] | None


def call(
    op: str,
    inputs: Sequence[T | None],
    attributes: Mapping[str, Attribute] | None = None,
    outputs: int = 1,
    *,
    opset: int = 20,
    domain: str = "",
    isa: str = "",
) -> list[T]:
    """Run one operator.

    Args:
        op: Its ONNX name, for example ``"Conv"``.
        inputs: Arrays in ONNX's order; None where an optional one is absent.
        attributes: By ONNX name; None leaves one out.
        outputs: How many outputs are wanted.
        opset: Version of the operator set, 13 to 24.
        domain: ``""``, or ``"slipway"`` for the fused operators.
        isa: Kernel to use: one of ``slipway._engine.isas()``, or ``"cuda"``, which takes NumPy arrays there and back.
            Empty is the best of the processor, or of the CUDA device where the arrays lie on one.

    Raises:
        UsageError: An attribute's number does not fit into 64 bits.
        UnavailableError: The arrays lie on a device that is not there for slipway, or not on one device.
        UnsupportedError: The operator, an attribute or a type is not there.
        ModelError: An attribute or shape breaks a rule of the operator.
        InputError: An input is no array.
        RuntimeFault: A value is one that the operator forbids.
    """
    given = {name: _plain(op, name, value) for name, value in (attributes or {}).items() if value is not None}
    on_cuda = next((array for array in inputs if _on_cuda.is_on_cuda(array)), None)
    if on_cuda is not None and not isa:
        number = _on_cuda.device_number(on_cuda)
        return cast("list[T]", _on_cuda.run_op(op, inputs, given, outputs, opset, domain, number))
    arrays = [None if array is None else contiguous(view(array, f"{op}: input {i}")) for i, array in enumerate(inputs)]
    results = _engine.run_op(op, arrays, given, outputs, opset, domain, isa)
    library = library_of([array for array in inputs if array is not None])
    return [_same_kind(result, library) for result in results]


def _same_kind(result: Any, library: Any) -> Any:
    """Return the result as an array of the caller's library (the type variable of the callers says which)."""
    return as_kind(result, library)


def _plain(op: str, name: str, value: Any) -> Any:
    """Return an attribute as Python's own types: numbers may be NumPy's, lists arrays."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(op, name, item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(f"{op}: attribute {name} is {value}, expected a number of 64 bits")
    return value


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int | np.integer) else list(value)


def relu(x: T) -> T:
    """Return max(x, 0)."""
    return call("Relu", [x])[0]


def sigmoid(x: T) -> T:
    """Return 1 / (1 + exp(-x))."""
    return call("Sigmoid", [x])[0]


def tanh(x: T) -> T:
    """Return the hyperbolic tangent."""
    return call("Tanh", [x])[0]


def softmax(x: T, axis: int = -1) -> T:
    """Return exp(x) / sum(exp(x)) along ``axis``."""
    return call("Softmax", [x], {"axis": axis})[0]


def log_softmax(x: T, axis: int = -1) -> T:
    """Return the logarithm of ``softmax``."""
    return call("LogSoftmax", [x], {"axis": axis})[0]


def matmul(a: T, b: T) -> T:
    """Return the matrix product [..., M, K] x [..., K, N] -> [..., M, N], batch axes broadcast."""
    return call("MatMul", [a, b])[0]


def linear(x: T, weight: T, bias: T | None = None) -> T:
    """Return ``x @ weight.T + bias``: [N, D] x [K, D] -> [N, K], weights as torch lays them out."""
    return call("Gemm", [x, weight, bias] if bias is not None else [x, weight], {"transB": 1})[0]


def conv2d(
    x: T,
    weight: T,
    bias: T | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> T:
    """Convolve: x [N, C, H, W], weight [K, C / groups, h, w], bias [K] -> [N, K, H', W'].

    ``stride``, ``padding`` (on both sides) and ``dilation`` are one number or one for H and one for W.
    """
    attributes: dict[str, Attribute] = {
        "strides": _pair(stride),
        "pads": _pair(padding) * 2,
        "dilations": _pair(dilation),
        "group": groups,
    }
    return call("Conv", [x, weight, bias] if bias is not None else [x, weight], attributes)[0]


def conv_transpose2d(
    x: T,
    weight: T,
    bias: T | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> T:
    """Convolve with the transpose: x [N, C, H, W], weight [C, K / groups, h, w], bias [K] -> [N, K, H', W']."""
    attributes: dict[str, Attribute] = {
        "strides": _pair(stride),
        "pads": _pair(padding) * 2,
        "output_padding": _pair(output_padding),
        "dilations": _pair(dilation),
        "group": groups,
    }
    return call("ConvTranspose", [x, weight, bias] if bias is not None else [x, weight], attributes)[0]


def max_pool2d(
    x: T,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> T:
    """Return the largest value under each window of x [N, C, H, W]; ``stride`` None is the kernel's size."""
    attributes: dict[str, Attribute] = {
        "kernel_shape": _pair(kernel),
        "strides": _pair(kernel if stride is None else stride),
        "pads": _pair(padding) * 2,
        "dilations": _pair(dilation),
        "ceil_mode": int(ceil_mode),
    }
    return call("MaxPool", [x], attributes)[0]


def avg_pool2d(
    x: T,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> T:
    """Return the mean under each window of x [N, C, H, W]; ``stride`` None is the kernel's size."""
    attributes: dict[str, Attribute] = {
        "kernel_shape": _pair(kernel),
        "strides": _pair(kernel if stride is None else stride),
        "pads": _pair(padding) * 2,
        "count_include_pad": int(count_include_pad),
        "ceil_mode": int(ceil_mode),
    }
    return call("AveragePool", [x], attributes)[0]


def batch_norm(x: T, scale: T, shift: T, mean: T, variance: T, *, epsilon: float = 1e-5) -> T:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + shift`` per channel of x [N, C, ...]."""
    return call("BatchNormalization", [x, scale, shift, mean, variance], {"epsilon": epsilon})[0]


def gru(
    x: T,
    w: T,
    r: T,
    b: T | None = None,
    lengths: T | None = None,
    initial: T | None = None,
    *,
    direction: Direction = "forward",
    linear_before_reset: bool = True,
) -> tuple[T, T]:
    """Run a gated recurrent unit over time, in ONNX's layout: gates update, reset, hidden.

    Args:
        x: [T, N, D], float32.
        w: [directions, 3H, D].
        r: [directions, 3H, H].
        b: [directions, 6H]: biases of w, then of r.
        lengths: int32 [N], steps of each row; later ones are neither computed nor change the state.
        initial: [directions, N, H], zeros where absent.
        direction: Over time, against it, or both.
        linear_before_reset: True is what torch computes; False is ONNX's default.

    Returns:
        y [T, directions, N, H] (zero beyond a row's length) and the last state [directions, N, H].
    """
    attributes: dict[str, Attribute] = {
        "hidden_size": _hidden(r),
        "direction": direction,
        "linear_before_reset": int(linear_before_reset),
    }
    y, y_h = call("GRU", _trimmed([x, w, r, b, lengths, initial]), attributes, 2)
    return y, y_h


def lstm(
    x: T,
    w: T,
    r: T,
    b: T | None = None,
    lengths: T | None = None,
    initial_h: T | None = None,
    initial_c: T | None = None,
    *,
    direction: Direction = "forward",
) -> tuple[T, T, T]:
    """Run a long short-term memory over time, in ONNX's layout: gates input, output, forget, cell.

    Arguments as for ``gru`` with 4H and 8H in place of 3H and 6H.

    Returns:
        y [T, directions, N, H], the last state and the last cell, each [directions, N, H].
    """
    attributes: dict[str, Attribute] = {"hidden_size": _hidden(r), "direction": direction}
    y, y_h, y_c = call("LSTM", _trimmed([x, w, r, b, lengths, initial_h, initial_c]), attributes, 3)
    return y, y_h, y_c


def rnn(
    x: T,
    w: T,
    r: T,
    b: T | None = None,
    lengths: T | None = None,
    initial: T | None = None,
    *,
    direction: Direction = "forward",
    activation: Literal["Tanh", "Relu"] = "Tanh",
) -> tuple[T, T]:
    """Run a plain recurrent network over time; arguments and results as for ``gru`` with H and 2H."""
    count = 2 if direction == "bidirectional" else 1
    attributes: dict[str, Attribute] = {
        "hidden_size": _hidden(r),
        "direction": direction,
        "activations": [activation] * count,
    }
    y, y_h = call("RNN", _trimmed([x, w, r, b, lengths, initial]), attributes, 2)
    return y, y_h


def _hidden(r: SupportsDLPack) -> int:
    return int(view(r, "r").shape[-1])


def _trimmed(inputs: list[T | None]) -> list[T | None]:
    """Drop absent inputs at the end: an operator counts what it is given."""
    while inputs and inputs[-1] is None:
        inputs.pop()
    return inputs
