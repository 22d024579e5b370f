"""Inputs drawn at random: for one seed the same on every machine, and those that ``slipway-infer --random`` draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway._limits import MOST_INPUT_BYTES
from slipway.errors import InputError, UsageError
from slipway.runtime._inputs import time_axis
from slipway.signature import InputPort, LengthInput, Signature, TensorInput, TextInput

Array = NDArray[Any]

_TIME = 16


class _Generator:
    """SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = np.uint64(seed)

    def next(self, count: int) -> NDArray[np.uint64]:
        """Return the next numbers of the sequence."""
        step = np.uint64(0x9E3779B97F4A7C15)
        with np.errstate(over="ignore"):  # arithmetic modulo 2**64
            z = self._state + step * np.arange(1, count + 1, dtype=np.uint64)
            self._state = z[-1] if count else self._state
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        result: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
        return result

    def reals(self, count: int) -> NDArray[np.float64]:
        """Return numbers in [-1, 1) that float32 holds exactly."""
        return (self.next(count) >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1.0

    def whole(self, low: int, high: int, count: int) -> NDArray[np.int64]:
        """Return numbers in [low, high]."""
        return low + (self.next(count) % np.uint64(high - low + 1)).astype(np.int64)


def random_arrays(signature: Signature, shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, Array]:
    """Return an array per input: floats in [-1, 1), tokens and whole numbers in their range, lengths of 1 to T.

    Args:
        signature: The model's ports.
        shapes: Shapes of some inputs; inputs that share a dimension's name share its size. What is open is 1, T 16.
        seed: 0 to 2**63 - 1.

    Raises:
        UsageError: A shape names no input, has another rank or size than the model says, or another size than another
            shape has under the same name.
        InputError: An array would be larger than 4 GiB.
    """
    sizes, time = _sizes(signature, shapes)
    generator = _Generator(seed)
    drawn = {port.name: _shape(port, sizes, time) for port in signature.inputs}
    arrays: dict[str, Array] = {}
    for port in signature.inputs:
        shape = drawn[port.name]
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if count * np.dtype(port.dtype).itemsize > MOST_INPUT_BYTES:
            raise InputError(f'input "{port.name}" of shape {shape} is too large to be drawn, at most 4 GiB are')
        arrays[port.name] = _drawn(port, generator, shape, count, _steps(signature, port, drawn))
    return arrays


def _sizes(signature: Signature, shapes: Mapping[str, Sequence[int]]) -> tuple[dict[str, int], int]:
    """Return sizes by the names of dimensions, and that of a time whose name has none."""
    sizes: dict[str, int] = {}
    where: dict[str, str] = {}
    time = _TIME
    ports = {port.name: port for port in signature.inputs}
    for name, shape in shapes.items():
        if name not in ports:
            raise UsageError(f"--shapes: there is no input {name!r}; the inputs are {', '.join(ports)}")
        dims = ports[name].dims
        if len(dims) != len(shape) or any(isinstance(d, int) and d != s for d, s in zip(dims, shape, strict=True)):
            raise UsageError(f'--shapes: input "{name}" has shape {list(dims)}, got {list(shape)}')
        for axis, (dim, size) in enumerate(zip(map(str, dims), shape, strict=True)):
            first = where.setdefault(dim, name)
            if sizes.setdefault(dim, size) != size:
                raise UsageError(f'--shapes: {dim} is {sizes[dim]} in input "{first}" and {size} in "{name}"')
            time = size if _is_time(ports[name], axis) else time
    return sizes, time


def _shape(port: InputPort, sizes: Mapping[str, int], time: int) -> list[int]:
    """Return the shape to draw: a size that nobody gives is 1."""
    return [
        dim if isinstance(dim, int) else sizes.get(dim, time if _is_time(port, axis) else 1)
        for axis, dim in enumerate(port.dims)
    ]


def _is_time(port: InputPort, axis: int) -> bool:
    return port.dims[axis] == "T" or (axis == time_axis(port) and "N" in port.dims)


def _steps(signature: Signature, port: InputPort, drawn: Mapping[str, Sequence[int]]) -> int:
    """Return the steps of what a port of lengths belongs to; 0 for another port."""
    if not isinstance(port.spec, LengthInput):
        return 0
    source = next(other for other in signature.inputs if other.name == port.spec.of)
    axis = time_axis(source)
    return drawn[source.name][axis] if axis is not None else 0


def _drawn(port: InputPort, generator: _Generator, shape: Sequence[int], count: int, steps: int) -> Array:
    spec = port.spec
    if isinstance(spec, TextInput) and spec.one_hot:
        rows = generator.whole(0, spec.limit - 1, count // spec.limit)
        return np.eye(spec.limit, dtype=port.dtype)[rows].reshape(shape)
    if np.issubdtype(np.dtype(port.dtype), np.floating):
        return generator.reals(count).astype(port.dtype).reshape(shape)
    low, high = 0, 1
    if isinstance(spec, TextInput):
        high = (spec.limit if spec.vocabulary is None else min(spec.limit, len(spec.vocabulary))) - 1
    elif isinstance(spec, LengthInput):
        low, high = min(1, steps), steps
    elif isinstance(spec, TensorInput) and spec.below is not None:
        high = spec.below - 1
    return generator.whole(low, high, count).astype(port.dtype).reshape(shape)
