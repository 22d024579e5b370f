"""The errors of slipway and the exit codes they lead to.

Every error that slipway raises on purpose is a :class:`SlipwayError`; its ``exit_code`` is what the commands
end with. The engine's error codes (``cpp/base/error.h``) are mirrored by the subclasses here.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every slipway command."""

    OK = 0
    ERROR = 1
    USAGE = 2
    MISMATCH = 3
    UNAVAILABLE = 4
    SLOWER = 5
    DAMAGED = 6
    INTERRUPTED = 130


class SlipwayError(Exception):
    """Something that slipway refuses; the message says what was got, expected, where, and what to do."""

    exit_code: ExitCode = ExitCode.ERROR


class UsageError(SlipwayError):
    """The call itself is wrong: an unknown recipe, option or value."""

    exit_code = ExitCode.USAGE


class MismatchError(SlipwayError):
    """A runtime's outputs differ from eager PyTorch beyond tolerance."""

    exit_code = ExitCode.MISMATCH


class UnavailableError(SlipwayError):
    """A requested device, engine or runtime is not available here; the message says why."""

    exit_code = ExitCode.UNAVAILABLE


class BundleError(SlipwayError):
    """A bundle is damaged, incomplete or newer than this program."""

    exit_code = ExitCode.DAMAGED


class DataError(SlipwayError):
    """A data set is missing, damaged or not laid out as expected."""


class ExportError(SlipwayError):
    """A model cannot be exported; the message names the module or operator."""


class InputError(SlipwayError):
    """An input of a model does not have the name, type, shape or content that the model asks for."""


class ModelError(SlipwayError):
    """A model file is malformed, or breaks a rule of ONNX."""


class UnsupportedError(ModelError):
    """A model file asks for an operator, attribute or type that the engine does not have."""


class RuntimeFault(SlipwayError):
    """A run met a value that the operator forbids, for example an index out of range."""


class LimitError(SlipwayError):
    """A size in a model or input is above a limit of the engine."""


class FileError(SlipwayError):
    """A file cannot be read or written; the message names it."""
