"""Between the caller's arrays and NumPy's: views of the same memory, in both directions.

An array is a NumPy array, or anything on the CPU that speaks DLPack (``__dlpack__``), as torch tensors do.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from slipway.errors import InputError, UnavailableError

_CPU = 1  # DLDeviceType kDLCPU of dlpack.h


@runtime_checkable
class SupportsDLPack(Protocol):
    """An array of another library: a torch tensor, for example."""

    def __dlpack__(self, *, stream: object = None) -> object:
        """Return a capsule that shares the memory."""
        ...

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return (kind, number) of the device."""
        ...


def view(array: object, what: str) -> NDArray[np.generic]:
    """Return a NumPy array that shares the memory of ``array``.

    Args:
        array: A NumPy array or scalar, or an array on the CPU that speaks DLPack.
        what: How a message names it, for example ``input "x"``.

    Raises:
        InputError: It is no array, or does not give its memory away (a tensor that requires a gradient).
        UnavailableError: It lies on another device; nothing is moved silently.
    """
    if isinstance(array, np.ndarray):
        return array
    if isinstance(array, np.generic):
        return np.asarray(array)
    if not isinstance(array, SupportsDLPack):
        raise InputError(
            f"{what}: got {type(array).__name__}, expected a NumPy array, or one that speaks DLPack (a torch tensor)"
        )
    kind, _ = array.__dlpack_device__()
    if int(kind) != _CPU:
        raise UnavailableError(f"{what} lies on another device than the session's, cpu; move it there first")
    try:
        # NumPy's stub asks for a capsule type that Python 3.11 has no name for.
        return cast("NDArray[np.generic]", np.from_dlpack(array))  # type: ignore[arg-type]
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{what}: {type(array).__name__} does not share its memory: {error}") from error


def contiguous(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return ``array`` itself where it is C-contiguous and aligned, else a copy."""
    return np.require(array, requirements=["C", "A"])


def library_of(arrays: list[object]) -> ModuleType | None:
    """Return the library of the first array that is not NumPy's, or None."""
    for array in arrays:
        if not isinstance(array, np.ndarray | np.generic):
            return sys.modules[type(array).__module__.partition(".")[0]]
    return None


def as_kind(array: SupportsDLPack, library: ModuleType | None) -> SupportsDLPack:
    """Return ``array`` as an array of ``library`` over the same memory; None leaves it as it is."""
    if library is None:
        return array
    return cast("SupportsDLPack", library.from_dlpack(array))
