"""Arrays and lines that a command line names by their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slipway._files import read_file
from slipway.errors import InputError, UsageError
from slipway.readers import read_npy

_MAX_LABEL_BYTES = 16 << 20


def read_arrays(option: str, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Read arrays given as NAME=FILE.npy.

    Raises:
        UsageError: A text is of another form, or a name comes twice.
        InputError: A file cannot be read, or holds no single array of plain values.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for text in texts:
        name, separator, path = text.partition("=")
        if not separator or not name:
            raise UsageError(f"{option} {text!r} is not of the form NAME=FILE.npy")
        if name in arrays:
            raise UsageError(f"{option} {text!r}: {name} is given twice")
        arrays[name] = read_npy(Path(path))
    return arrays


def read_labels(path: Path) -> list[str]:
    """Read class names, one per line.

    Raises:
        InputError: The file cannot be read, is not UTF-8, or has an empty line between names.
    """
    try:
        lines = read_file(path, _MAX_LABEL_BYTES).decode("utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read labels {path}: {getattr(error, 'strerror', None) or error}") from error
    empty = [number for number, line in enumerate(lines, 1) if not line.strip()]
    if empty or not lines:
        raise InputError(f"labels {path}: expected one name per line, got an empty line {empty[0] if empty else 1}")
    return [line.strip() for line in lines]
