"""What an error is for people and for a shell: one line, and an exit code."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from slipway.cli._console import ReaderGoneError, fail
from slipway.errors import ExitCode, SlipwayError

T = TypeVar("T")

#: Whether ``--debug`` was given: each error is told with where it comes from.
debugging = ContextVar("debugging", default=False)

#: Of several faults, the first one here names the exit code: what is wrong before what could not be done.
_WORST_FIRST = (ExitCode.DAMAGED, ExitCode.MISMATCH, ExitCode.ERROR, ExitCode.UNAVAILABLE, ExitCode.USAGE)


@dataclass(frozen=True)
class Fault:
    """An error as it is told."""

    message: str
    exit_code: ExitCode


def fault_of(error: Exception) -> Fault:
    """Return what is told of an error; what nobody foresaw names whose fault it is."""
    from slipway.recipes._own import place_in_own_file

    if debugging.get():
        traceback.print_exception(error)
    if isinstance(error, SlipwayError):
        return Fault(str(error), error.exit_code)
    if isinstance(error, OSError):
        return Fault(str(error), ExitCode.ERROR)
    if isinstance(error, MemoryError):
        told = f"there is not enough memory: {str(error) or 'none is left'}; give fewer or smaller items"
        return Fault(told, ExitCode.ERROR)
    place = place_in_own_file(error)
    if isinstance(error, ImportError) and not place and not (error.name or "").startswith("slipway"):
        told = f"a package that this needs cannot be imported: {error}; slipway doctor tells which one, and its cure"
        return Fault(told, ExitCode.UNAVAILABLE)
    whose = f"{place}: " if place else "a fault of slipway: "  # the line of the user's own file, or nobody's but ours
    return Fault(f"{whose}{type(error).__name__}: {error} (--debug shows more)", ExitCode.ERROR)


def attempt(name: str, work: Callable[[], T]) -> T | Fault:
    """Work on one of several things; where that fails, tell it with the thing's name and return it."""
    try:
        return work()
    except ReaderGoneError:
        raise
    except Exception as error:  # whatever it is, it must not take the results of the others with it
        fault = fault_of(error)
        fail(f"{name}: {fault.message}")
        return fault


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code of a command from those of its parts."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), ExitCode.OK)
