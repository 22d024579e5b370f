"""Ports of a module that no recipe describes: inputs from texts such as ``ids:int64[T,N]<5000``, outputs from runs.

``N`` is the batch, names that begin with ``T`` are time; every other name is a size that may vary, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from slipway.errors import ExportError, UsageError
from slipway.runtime._inputs import time_axis
from slipway.signature import (
    ClassOutput,
    DTypeName,
    InputPort,
    LengthInput,
    OutputPort,
    OutputSpec,
    SegmentationOutput,
    TensorInput,
    TensorOutput,
    is_time,
)

Arrays = Mapping[str, NDArray[np.generic]]

_INPUT = re.compile(r"(?P<name>[A-Za-z_]\w*):(?P<dtype>\w+)\[(?P<dims>[^\]]*)\](?P<bound><=?)?(?P<limit>\w+)?")
_DIM = re.compile(r"[1-9]\d*|[A-Za-z]\w*")
#: Of one item: runs at three sizes are made of it to tell the outputs.
_MOST_NUMBERS = 1 << 28
_FORM = "NAME:TYPE[SIZE,...], such as x:float32[N,3,32,32], ids:int64[T,N]<5000 or lengths:int64[N]<=T"


def parse_inputs(texts: Sequence[str]) -> tuple[InputPort, ...]:
    """Read the inputs of ``forward``, in order.

    A whole number's range is ``<5000`` (0 to 4999). ``<=T`` says that an input holds lengths: how much of the first
    input with ``T`` is real in each item; int64 ``[N]`` without a range means the same where there is time.

    Raises:
        UsageError: A text is of another form, a name comes twice, an input has no batch, or whole numbers no range.
    """
    matches = [_match(text) for text in texts]
    names = [match["name"] for match in matches]
    if len(set(names)) < len(names):
        raise UsageError(f"--inputs: each input needs a name of its own, got {', '.join(names)}")
    dims = [_dims(match) for match in matches]
    timed = [(str(dim), name) for name, of_one in zip(names, dims, strict=True) for dim in of_one if is_time(dim)]
    return tuple(_port(match, of_one, timed) for match, of_one in zip(matches, dims, strict=True))


def output_ports(
    ports: Sequence[InputPort], runs: Sequence[tuple[Arrays, Sequence[NDArray[np.generic]]]], labels: Sequence[str]
) -> tuple[OutputPort, ...]:
    """Tell the outputs from runs at sizes that all differ.

    Args:
        ports: The inputs.
        runs: Inputs by name, and what ``forward`` gave for them, in order; at least two.
        labels: Class names; the first output that has a score for each of them gives the label.

    Raises:
        ExportError: An output changes its rank or has a type that slipway has no port for.
        UsageError: There are labels, and no output that could have them.
    """
    sizes = [_sizes(ports, inputs) for inputs, _ in runs]
    first = runs[0][1]
    outputs = []
    for place, array in enumerate(first):
        name = "output" if len(first) == 1 else f"output_{place}"
        shapes = [outputs_of_run[place].shape for _, outputs_of_run in runs]
        if len({len(shape) for shape in shapes}) > 1:
            raise ExportError(f"{name} has shapes {' and '.join(str(list(s)) for s in shapes)}: its rank must not vary")
        if str(array.dtype) not in get_args(DTypeName):
            raise ExportError(f"{name} has type {array.dtype}, expected one of {', '.join(get_args(DTypeName))}")
        dims = tuple(_dim(name, axis, sizes, [shape[axis] for shape in shapes]) for axis in range(array.ndim))
        outputs.append(OutputPort(name, dims, TensorOutput(), str(array.dtype)))  # type: ignore[arg-type]  # just checked
    return tuple(_labelled(outputs, first, labels) if labels else outputs)


def _match(text: str) -> re.Match[str]:
    match = _INPUT.fullmatch(text.replace(" ", ""))
    if match is None or (match["bound"] is None) != (match["limit"] is None):
        raise UsageError(f"--inputs {text!r} is not of the form {_FORM}")
    if match["dtype"] not in get_args(DTypeName):
        raise UsageError(f"--inputs {text!r}: got type {match['dtype']}, expected {', '.join(get_args(DTypeName))}")
    return match


def _dims(match: re.Match[str]) -> tuple[int | str, ...]:
    dims = match["dims"].split(",")
    if not all(_DIM.fullmatch(dim) for dim in dims):
        raise UsageError(f"--inputs {match[0]!r}: a size is a number of 1 or more, or a name; expected {_FORM}")
    if dims.count("N") != 1:
        raise UsageError(f"--inputs {match[0]!r}: the batch is called N, and stands once in every input")
    if prod(int(dim) for dim in dims if dim.isdecimal()) > _MOST_NUMBERS:
        raise UsageError(f"--inputs {match[0]!r}: one item has more than {_MOST_NUMBERS} numbers, the limit")
    return tuple(int(dim) if dim.isdecimal() else dim for dim in dims)


def _port(match: re.Match[str], dims: tuple[int | str, ...], timed: Sequence[tuple[str, str]]) -> InputPort:
    name, dtype, text = match["name"], match["dtype"], match[0]
    whole = dtype.startswith("int")
    if match["bound"] and not whole:
        raise UsageError(f"--inputs {text!r}: only whole numbers have a range")
    could_be_lengths = dtype == "int64" and dims == ("N",)
    if match["bound"] == "<=" or (could_be_lengths and not match["bound"] and timed):
        of = next((port for dim, port in timed if match["limit"] in (None, dim)), None)
        if of is None or not could_be_lengths:
            raise UsageError(f"--inputs {text!r}: lengths are int64[N]<=T where another input has the size T")
        return InputPort(name, "int64", dims, LengthInput(of))
    if not whole:
        return InputPort(name, dtype, dims, TensorInput())  # type: ignore[arg-type]  # checked by _match
    below = int(match["limit"]) if match["limit"] and match["limit"].isdecimal() else 0
    if not 0 < below < 1 << (31 if dtype == "int32" else 63):
        raise UsageError(f"--inputs {text!r}: say which whole numbers may come, such as {name}:{dtype}[...]<5000")
    return InputPort(name, dtype, dims, TensorInput(below=below))  # type: ignore[arg-type]  # as above


def _sizes(ports: Sequence[InputPort], inputs: Arrays) -> dict[str, int]:
    """Return the size that each name has in a run."""
    return {
        dim: size
        for port in ports
        for dim, size in zip(port.dims, inputs[port.name].shape, strict=True)
        if isinstance(dim, str)
    }


def _dim(name: str, axis: int, sizes: Sequence[Mapping[str, int]], got: Sequence[int]) -> int | str:
    """Return a fixed size, the input's name for it, or a name of its own where it is computed from several."""
    if len(set(got)) == 1:
        return got[0]
    same = (dim for dim in sizes[0] if all(size[dim] == value for size, value in zip(sizes, got, strict=True)))
    return next(same, f"{name}_{axis}")


def _labelled(
    outputs: Sequence[OutputPort], arrays: Sequence[NDArray[np.generic]], labels: Sequence[str]
) -> list[OutputPort]:
    for place, (port, array) in enumerate(zip(outputs, arrays, strict=True)):
        spec = _label_spec(port, array, len(labels))
        if spec is not None:
            named = OutputPort(port.name, port.dims, spec, port.dtype)
            return [*outputs[:place], named, *outputs[place + 1 :]]
    shapes = ", ".join(f"{port.name} {list(port.dims)}" for port in outputs)
    expected = f"[N, {len(labels)}], [T, N, {len(labels)}] or [N, {len(labels)}, H, W]"
    raise UsageError(f"--labels holds {len(labels)} names, expected one output of shape {expected}; there are {shapes}")


def _label_spec(port: OutputPort, array: NDArray[np.generic], count: int) -> OutputSpec | None:
    if port.dtype != "float32":
        return None
    if len(port.dims) == 4 and port.dims[:2] == ("N", count):
        return SegmentationOutput()
    per_step = len(port.dims) == 3 and time_axis(port) == 0 and port.dims[1] == "N"
    if port.dims[-1:] != (count,) or not (per_step or port.dims == ("N", count)):
        return None
    scores = array.astype(np.float64)
    is_share = bool((scores >= 0).all() and np.allclose(scores.sum(axis=-1), 1.0, atol=1e-5))
    return ClassOutput(scores="probabilities" if is_share else "logits", per_step=per_step, join=" " * per_step)
