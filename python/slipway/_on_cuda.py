"""Arrays on a CUDA device: torch tensors, CuPy and JAX arrays, and whatever else speaks DLPack. Nothing is copied."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from slipway import _arrays, _engine
from slipway._arrays import SupportsDLPack
from slipway.errors import InputError, UnavailableError

_CUDA = 2  # DLDeviceType kDLCUDA of dlpack.h
_DEFAULT_STREAM = 1  # how DLPack writes the default stream

T = TypeVar("T", bound=SupportsDLPack)


def is_on_cuda(array: object) -> bool:
    """Return True for an array on a CUDA device."""
    if isinstance(array, np.ndarray) or not _arrays.speaks_dlpack(array):
        return False
    return _arrays.device_of(array, "an array")[0] == _CUDA


def current_stream(library: ModuleType | None, number: int) -> int:
    """Return the stream that ``library`` works on now: torch's or CuPy's current one, else the default stream (0)."""
    name = "" if library is None else library.__name__
    if library is not None and name == "torch":
        return int(library.cuda.current_stream(number).cuda_stream)
    if library is not None and name == "cupy":
        return int(library.cuda.get_current_stream().ptr)
    return 0


def capsule(array: object, what: str, number: int, stream: int) -> object:
    """Return the array's DLPack capsule, made ready for work on ``stream``.

    Raises:
        InputError: It is no array, or does not give its memory away.
        UnavailableError: It lies on another device; nothing is moved silently.
    """
    if not _arrays.speaks_dlpack(array):
        raise InputError(f"{what}: got {type(array).__name__}, expected an array that speaks DLPack (a torch tensor)")
    if _arrays.device_of(array, what) != (_CUDA, number):
        raise UnavailableError(f"{what} lies on another device than the session's, cuda:{number}; move it there first")
    _arrays.refuse_negated(array, what)
    try:
        return array.__dlpack__(stream=stream or _DEFAULT_STREAM)
    except Exception as error:  # of another library, which may raise what it likes
        raise InputError(f"{what}: {type(array).__name__} does not share its memory: {error}") from error


def contiguous(array: T) -> T:
    """Return ``array``, or a contiguous copy where its library has a way to make one."""
    make = getattr(array, "contiguous", None)
    return cast("T", make()) if callable(make) else array


def run_op(
    op: str, inputs: Sequence[object], attributes: dict[str, Any], outputs: int, opset: int, domain: str, number: int
) -> list[SupportsDLPack]:
    """Run one operator on arrays of device ``number``; the results belong to the library of the first array."""
    arrays = [array for array in inputs if array is not None]
    library = _arrays.library_of(arrays[:1])
    stream = current_stream(library, number)
    capsules = [
        None
        if array is None
        else capsule(contiguous(cast("SupportsDLPack", array)), f"{op}: input {i}", number, stream)
        for i, array in enumerate(inputs)
    ]
    results = _engine.run_op_on(number, stream, op, capsules, attributes, outputs, opset, domain)
    return [_arrays.as_kind(result, library) for result in results]
