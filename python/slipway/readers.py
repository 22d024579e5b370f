"""Files that a person has, as raw items: images and CSV tables. Nothing is scaled or folded here."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slipway.errors import InputError

#: An image of more pixels is refused before it is decoded: a small file can ask for gigabytes.
MAX_PIXELS = 64 * 1024 * 1024

#: Pillow's modes that decode to 8 bits per channel without losing anything, and what they are decoded to.
_MODES = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "P": "RGB", "PA": "RGBA"}


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image file to uint8 [H, W] (grey) or [H, W, 2 to 4] (with alpha, RGB, RGBA).

    Raises:
        InputError: The file is missing, not an image, too large, truncated, animated, or not 8 bits per channel.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            _check_image(path, image.size, image.mode, getattr(image, "n_frames", 1))
            mode = "RGBA" if image.mode == "P" and "transparency" in image.info else _MODES[image.mode]
            return np.asarray(image.convert(mode))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read image {path}: {error}") from error


def _check_image(path: Path, size: tuple[int, int], mode: str, frames: int) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(f"image {path} has {width} x {height} pixels, the limit is {MAX_PIXELS}")
    if frames > 1:
        raise InputError(f"image {path} is animated ({frames} frames); give a single picture")
    if mode not in _MODES:
        raise InputError(f"image {path} has pixels of kind {mode}; grey, RGB or palette with 8 bits is supported")


def read_csv(path: Path, columns: Sequence[str]) -> list[list[float]]:
    """Read rows of numbers; a first line that equals ``columns`` is a header and is skipped.

    Raises:
        InputError: The file is missing, empty, or a cell is not a number; the message names line and column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read table {path}: {error}") from error
    if lines and [cell.strip() for cell in lines[0][1]] == list(columns):
        lines = lines[1:]
    if not lines:
        raise InputError(f"table {path} has no rows")
    return [[_number(path, line, place, cell) for place, cell in enumerate(row, 1)] for line, row in lines]


def _number(path: Path, line: int, place: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"table {path}, line {line}, cell {place}: {cell!r} is not a number") from None
