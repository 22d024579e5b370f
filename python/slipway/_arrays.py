"""Between the caller's arrays and NumPy's: views of the same memory, in both directions.

An array is a NumPy array, or anything on the CPU that speaks DLPack (``__dlpack__``), as torch tensors do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol, TypeGuard, cast, runtime_checkable

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


def speaks_dlpack(array: object) -> TypeGuard[SupportsDLPack]:
    """Return True for an array of another library, False for its class."""
    return isinstance(array, SupportsDLPack) and not isinstance(array, type)


def device_of(array: SupportsDLPack, what: str) -> tuple[int, int]:
    """Return the kind (DLDeviceType) and number of the device where ``array`` lies.

    Args:
        array: An array that speaks DLPack.
        what: How a message names it, for example ``input "x"``.

    Raises:
        InputError: The array does not say it; whatever another library raises becomes this.
    """
    try:
        kind, number = array.__dlpack_device__()
        return int(kind), int(number)
    except Exception as error:
        raise InputError(f"{what}: {type(array).__name__} does not say where it lies: {error}") from error


def refuse_negated(array: object, what: str) -> None:
    """Raise InputError for a torch view whose values are minus its memory: DLPack has no word for it, and lends it."""
    is_negated = getattr(array, "is_neg", None)
    if callable(is_negated) and is_negated():
        raise InputError(f"{what} is a negated view of other memory; give its own values (x.resolve_neg())")


def view(array: object, what: str) -> NDArray[np.generic]:
    """Return a NumPy array that shares the memory of ``array``.

    Args:
        array: A NumPy array or scalar, or an array on the CPU that speaks DLPack.
        what: How a message names it, for example ``input "x"``.

    Raises:
        InputError: It is no array, has masked elements, or does not give its memory away (a tensor that requires a
            gradient).
        UnavailableError: It lies on another device; nothing is moved silently.
    """
    if type(array) is np.ndarray:
        return array
    if isinstance(array, np.ndarray):
        if np.ma.is_masked(array):
            raise InputError(f"{what} has masked elements, and a model reads every one; fill them first (x.filled(0))")
        return array
    if isinstance(array, np.generic):
        return np.asarray(array)
    if not speaks_dlpack(array):
        raise InputError(
            f"{what}: got {type(array).__name__}, expected a NumPy array, or one that speaks DLPack (a torch tensor)"
        )
    if device_of(array, what)[0] != _CPU:
        raise UnavailableError(f"{what} lies on another device than the session's, cpu; move it there first")
    refuse_negated(array, what)
    try:
        # NumPy's stub asks for a capsule type that Python 3.11 has no name for.
        return cast("NDArray[np.generic]", np.from_dlpack(array))  # type: ignore[arg-type]
    except Exception as error:  # of another library, which may raise what it likes
        raise InputError(f"{what}: {type(array).__name__} does not share its memory: {error}") from error


def contiguous(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return ``array`` itself where it is C-contiguous and aligned, else a copy."""
    return np.require(array, requirements=["C", "A"])


def library_of(arrays: Sequence[object]) -> ModuleType | None:
    """Return the library that makes arrays like the first that is not NumPy's, or None.

    It is where the array's class, or a class that it extends, comes from, provided that it has ``from_dlpack``.
    """
    for array in arrays:
        if isinstance(array, np.ndarray | np.generic):
            continue
        modules = (sys.modules.get(kind.__module__.partition(".")[0]) for kind in type(array).__mro__)
        return next((module for module in modules if hasattr(module, "from_dlpack")), None)
    return None


def as_kind(array: SupportsDLPack, library: ModuleType | None) -> SupportsDLPack:
    """Return ``array`` as an array of ``library`` over the same memory; None leaves it as it is."""
    if library is None:
        return array
    return cast("SupportsDLPack", library.from_dlpack(array))
