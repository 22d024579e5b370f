"""What is wrong with a port's description that a stranger wrote; the ranges are those of ``cpp/infer/signature.cc``."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from slipway.signature import (
    ClassOutput,
    ImageInput,
    InputPort,
    LengthInput,
    OutputPort,
    SegmentationOutput,
    Signature,
    TableInput,
    TextInput,
    is_time,
)

_WHOLE = 1 << 53  # what a double holds exactly
#: Smallest and largest value of fields that are whole numbers.
_RANGES = {
    "limit": (1, 1 << 31),
    "unknown": (-_WHOLE, _WHOLE),
    "pad": (-_WHOLE, _WHOLE),
    "channels": (1, 3),
    "height": (0, 1 << 14),
    "width": (0, 1 << 14),
    "below": (1, (1 << 63) - 1),
}


def fault_of_field(spec: object, name: str) -> str | None:
    """Say what is wrong with one field of a spec, or None: its type as declared, and its range."""
    value = getattr(spec, name)
    hint = get_type_hints(type(spec))[name]
    if not _fits(value, hint):
        return f"{name} is {value!r:.80}, expected {_told(hint)}"
    low, high = _RANGES.get(name, (None, None))
    if isinstance(value, int) and low is not None and high is not None and not low <= value <= high:
        return f"{name} is {value}, expected {low} to {high}"
    return None


def fault_of_input(signature: Signature, port: InputPort) -> str | None:
    """Say why an input's description cannot be followed, or None; its fields have their declared types."""
    spec, rank, is_float = port.spec, len(port.dims), port.dtype == "float32"
    is_timed = "N" in port.dims[:2] and any(map(is_time, port.dims[:2]))
    if isinstance(spec, TextInput):
        return _text_fault(port, spec, is_timed)
    if isinstance(spec, LengthInput):
        of = next((other for other in signature.inputs if other.name == spec.of), None)
        if of is None or isinstance(of.spec, LengthInput) or not any(map(is_time, of.dims)):
            return f"of is {spec.of!r}, expected the name of an input that has a time"
        return None if rank == 1 and not is_float else f"lengths are whole numbers [N], got {_port(port)}"
    if isinstance(spec, ImageInput):
        if rank != 4 or not is_float:
            return f"an image is float32 [N, C, H, W], got {_port(port)}"
        few = min(len(spec.mean), len(spec.std)) < spec.channels
        return f"mean and std need {spec.channels} numbers each" if few else None
    if isinstance(spec, TableInput):
        if rank != 2 or not is_float or not isinstance(port.dims[1], int):
            return f"a table is float32 [N, number], got {_port(port)}"
        if len(spec.mean) != len(spec.std) or (spec.mean and len(spec.mean) != port.dims[1]):
            return f"mean and std have {len(spec.mean)} and {len(spec.std)} numbers, expected {port.dims[1]} or none"
    return None


def fault_of_output(port: OutputPort) -> str | None:
    """Say why an output's description cannot be followed, or None."""
    if isinstance(port.spec, ClassOutput) and port.spec.per_step and len(port.dims) != 3:
        return f"one label per step needs [T, N, K], got {_port(port)}"
    if isinstance(port.spec, SegmentationOutput) and len(port.dims) != 4:
        return f"a segmentation is [N, K, H, W], got {_port(port)}"
    return None


def _text_fault(port: InputPort, spec: TextInput, is_timed: bool) -> str | None:
    kind, last = ("float32", [spec.limit]) if spec.one_hot else ("int64 or int32", [])
    if not is_timed or port.dtype not in kind or list(port.dims[2:]) != last:
        return f"a text is {kind} with dims {', '.join(['T', 'N', *map(str, last)])}, got {_port(port)}"
    if spec.one_hot and spec.unknown is not None and not 0 <= spec.unknown < spec.limit:
        return f"unknown is {spec.unknown}, expected 0 to {spec.limit - 1}"
    wrong = next((key for key in spec.fold if len(key) != 1), None)
    return None if wrong is None else f"fold replaces {wrong!r:.80}, expected keys of one character"


def _port(port: InputPort | OutputPort) -> str:
    return f"{port.dtype} [{', '.join(map(str, port.dims))}]"


def _fits(value: object, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin is Sequence:
        return isinstance(value, tuple) and all(_fits(item, parts[0]) for item in value)
    if origin is Mapping:
        pairs = value.items() if isinstance(value, dict) else [(None, None)]
        return all(_fits(key, parts[0]) and _fits(item, parts[1]) for key, item in pairs)
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint


def _told(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_told(part) for part in parts)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (Sequence, Mapping):
        return f"{'a list' if origin is Sequence else 'an object'} of {_told(parts[-1])}"
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    return words.get(hint, str(hint))
