"""Checks the inputs of a model against its signature, before any runtime sees them.

Some runtimes crash on what is refused here (onnxruntime ends the process on a sequence of length 0), others compute
something that eager PyTorch would have refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from slipway.errors import InputError
from slipway.signature import InputPort, LengthInput, OutputPort, Signature, TensorInput, TextInput, is_time


def time_axis(port: InputPort | OutputPort) -> int | None:
    """Return the axis of time, or None."""
    return next((axis for axis, dim in enumerate(port.dims) if is_time(dim)), None)


def batch_axis(port: InputPort | OutputPort) -> int | None:
    """Return the axis of the batch, the dimension ``N``, or None."""
    return port.dims.index("N") if "N" in port.dims else None


def check_inputs(
    signature: Signature, inputs: Mapping[str, NDArray[np.generic]], *, takes_none: bool = False
) -> dict[str, NDArray[np.generic]]:
    """Return the inputs in the ports' order, contiguous.

    Args:
        signature: The model's ports.
        inputs: An array for each port.
        takes_none: Whether the runtime answers a batch of no items, N = 0, with outputs of none.

    Raises:
        InputError: A port is missing or unknown, or an array has the wrong type or shape, is empty, or holds a whole
            number outside the range that its port declares; the message lists every fault.
    """
    faults = [f'unknown input "{name}"' for name in inputs if name not in {p.name for p in signature.inputs}]
    sizes: dict[str, tuple[int, str]] = {}
    checked: dict[str, NDArray[np.generic]] = {}
    for port in signature.inputs:
        if port.name not in inputs:
            faults.append(f'input "{port.name}" is missing')
            continue
        array = np.asarray(inputs[port.name])
        faults += _port_faults(port, array, sizes, takes_none=takes_none)
        checked[port.name] = np.require(array, requirements="C")  # ascontiguousarray would give a number an axis
    if faults:
        expected = ", ".join(f"{p.name} {p.dtype} {list(p.dims)}" for p in signature.inputs)
        raise InputError(f"{'; '.join(faults)}; expected {expected}")
    faults = [fault for port in signature.inputs if (fault := _range_fault(signature, port, checked))]
    if faults:
        raise InputError("; ".join(faults))
    return checked


def _port_faults(
    port: InputPort, array: NDArray[np.generic], sizes: dict[str, tuple[int, str]], *, takes_none: bool
) -> list[str]:
    if array.dtype != np.dtype(port.dtype):
        return [f'input "{port.name}" is {array.dtype}, expected {port.dtype}']
    if array.ndim != len(port.dims):
        return [f'input "{port.name}" has shape {list(array.shape)}, expected {list(port.dims)}']
    faults = []
    for dim, size in zip(port.dims, array.shape, strict=True):
        if size == 0 and not (dim == "N" and takes_none):
            faults.append(f'input "{port.name}" is empty: shape {list(array.shape)}')
        elif isinstance(dim, int) and size != dim:
            faults.append(f'input "{port.name}" has shape {list(array.shape)}, expected {list(port.dims)}')
        elif isinstance(dim, str):
            known, where = sizes.setdefault(dim, (size, port.name))
            if known != size:
                faults.append(f'{dim} is {known} in input "{where}" and {size} in "{port.name}"')
    return faults


def _range_fault(signature: Signature, port: InputPort, inputs: Mapping[str, NDArray[np.generic]]) -> str | None:
    """Say where a number is outside its range, as ``cpp/infer/ranges.cc`` does, or None."""
    values, spec = inputs[port.name], port.spec
    if port.dtype not in ("int64", "int32") or values.size == 0:
        return None
    if isinstance(spec, LengthInput):
        low, high = 1, _steps(signature, spec, inputs)
    elif isinstance(spec, TextInput):
        low, high = 0, spec.limit - 1
    elif isinstance(spec, TensorInput) and spec.below is not None:
        low, high = 0, spec.below - 1
    else:
        return None
    if low <= values.min() and values.max() <= high:
        return None
    wrong = np.less(values, low) | np.greater(values, high)
    if isinstance(spec, TextInput):  # texts are encoded to these two, wherever they lie
        wrong &= ~np.isin(values, [number for number in (spec.unknown, spec.pad) if number is not None])
    if not wrong.any():
        return None
    place = np.argwhere(wrong)[0].tolist()
    return f'input "{port.name}" holds {values[tuple(place)]} at place {place}, expected {low} to {high}'


def _steps(signature: Signature, spec: LengthInput, inputs: Mapping[str, NDArray[np.generic]]) -> int:
    source = next(port for port in signature.inputs if port.name == spec.of)
    axis = time_axis(source)
    return inputs[source.name].shape[axis] if axis is not None else 0
