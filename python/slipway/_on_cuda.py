"""Arrays on a CUDA device: they speak DLPack (torch, CuPy, JAX) or have CUDA's array interface. Nothing is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from slipway import _arrays, _engine
from slipway._arrays import SupportsDLPack
from slipway.errors import InputError, UnavailableError

_CUDA = 2  # DLDeviceType kDLCUDA of dlpack.h
_DEFAULT_STREAM = 1  # how DLPack writes the default stream

T = TypeVar("T", bound=SupportsDLPack)


@dataclass(frozen=True)
class InterfaceArray:
    """An array that has CUDA's array interface alone, in the words of DLPack.

    Source: https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html, versions 2 and 3.

    Args:
        array: Whose memory it is.
        entries: What its ``__cuda_array_interface__`` says.
    """

    array: object
    entries: Mapping[str, Any]

    @property
    def is_readonly(self) -> bool:
        """True where nobody may write to the memory."""
        data = self.entries.get("data")
        return isinstance(data, tuple) and len(data) == 2 and bool(data[1])

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return where the memory lies, as the driver knows it."""
        return _CUDA, _engine.interface_device(dict(self.entries))

    def __dlpack__(self, *, stream: object = None) -> object:
        """Return a capsule that keeps the array; ``stream`` waits for the array's own."""
        number = _DEFAULT_STREAM if stream is None else int(cast("int", stream))
        return _engine.interface_capsule(dict(self.entries), self.array, number)


def speaking(array: object) -> object:
    """Return ``array``, or its words of DLPack where it has only CUDA's array interface."""
    if isinstance(array, np.ndarray | type) or _arrays.speaks_dlpack(array):
        return array
    entries = getattr(array, "__cuda_array_interface__", None)
    return InterfaceArray(array, entries) if isinstance(entries, Mapping) else array


def is_on_cuda(array: object) -> bool:
    """Return True for an array on a CUDA device."""
    array = speaking(array)
    if isinstance(array, np.ndarray) or not _arrays.speaks_dlpack(array):
        return False
    return _arrays.device_of(array, "an array")[0] == _CUDA


def device_number(array: object) -> int:
    """Return the number of the CUDA device that ``array`` lies on."""
    return _arrays.device_of(cast("SupportsDLPack", speaking(array)), "an array")[1]


def current_stream(library: ModuleType | None, number: int) -> int:
    """Return the stream that ``library`` works on now: torch's or CuPy's current one, else the default stream (0)."""
    name = "" if library is None else library.__name__
    if library is not None and name == "torch":
        return int(library.cuda.current_stream(number).cuda_stream)
    if library is not None and name == "cupy":
        return int(library.cuda.get_current_stream().ptr)
    return 0


def capsule(array: object, what: str, number: int, stream: int, *, is_written: bool = False) -> object:
    """Return the array's DLPack capsule, made ready for work on ``stream``.

    Raises:
        InputError: It is no array, or does not give its memory away.
        UnavailableError: It lies on another device; nothing is moved silently.
    """
    given, array = array, speaking(array)
    if not _arrays.speaks_dlpack(array):
        raise InputError(f"{what}: got {type(given).__name__}, expected an array that speaks DLPack (a torch tensor)")
    if is_written and isinstance(array, InterfaceArray) and array.is_readonly:
        raise InputError(f"{what} is read-only; give memory that may be written to")
    if _arrays.device_of(array, what) != (_CUDA, number):
        raise UnavailableError(f"{what} lies on another device than the session's, cuda:{number}; move it there first")
    _arrays.refuse_negated(array, what)
    try:
        return array.__dlpack__(stream=stream or _DEFAULT_STREAM)
    except Exception as error:  # of another library, which may raise what it likes
        raise InputError(f"{what}: {type(given).__name__} does not share its memory: {error}") from error


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
