"""Files that a person has, as raw items and arrays: images, CSV tables, .npy. Nothing is scaled or folded here.

Whatever a file holds, the answer is its content or an InputError: nothing in it is run, no pipe is waited for that
nobody writes to, and sizes that a header announces are believed only where the bytes are there.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slipway._files import read_file
from slipway.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

#: An image of more pixels is refused before it is decoded: a small file can ask for gigabytes.
MAX_PIXELS = 64 * 1024 * 1024
#: Largest table and longest line of one, as in ``cpp/infer/csv.h``: cells in memory take many times their text.
MAX_TABLE_BYTES = 64 << 20
MAX_LINE_BYTES = 1 << 20

#: What Pillow may decode: its other readers are rarely used, and that of EPS starts another program.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
_PNG_BEGIN = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3  # PNG's type of colour
#: Pillow's modes that decode to 8 bits per channel without losing anything, and what they are decoded to.
_MODES = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "P": "RGB", "PA": "RGBA"}
#: Numbers as ``cpp/infer/csv.cc`` takes them; ``float`` would also take 1_000 and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE)
_SPACE = " \t\n\r\v\f"


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode an image file to uint8 [H, W] (grey) or [H, W, 2 to 4] (with alpha, RGB, RGBA).

    Raises:
        InputError: The file is missing, not an image, too large, truncated, animated, or not 8 bits per channel.
    """
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    content = _content(path, "image")
    if content.startswith(_PNG_BEGIN) and (fault := _png_fault(content)):
        raise InputError(f"cannot read image {path}: it is a broken PNG: {fault}")
    try:
        with pillow.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check_image(path, image, content)
            mode = "RGBA" if image.mode == "P" and "transparency" in image.info else _MODES[image.mode]
            return np.asarray(image.convert(mode))
    except InputError:
        raise
    except UnidentifiedImageError as error:
        kinds = ", ".join(_FORMATS)
        raise InputError(f"cannot read image {path}: it is none of {kinds}; it starts with {content[:8]!r}") from error
    except Exception as error:  # broken files make Pillow's decoders raise whatever their code raises
        raise InputError(f"cannot read image {path}: {str(error) or type(error).__name__}") from error


def _check_image(path: Path, image: Image, content: bytes) -> None:
    # The further pictures of an MPO (of a depth, of a gain) are no frames of the one that every viewer shows.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    (width, height), mode = image.size, image.mode
    if width * height > MAX_PIXELS:
        raise InputError(f"image {path} has {width} x {height} pixels, the limit is {MAX_PIXELS}")
    if frames > 1:
        raise InputError(f"image {path} is animated ({frames} frames); give a single picture")
    if mode not in _MODES:
        raise InputError(f"image {path} has pixels of kind {mode}; grey, RGB or palette with 8 bits is supported")


def _png_fault(content: bytes) -> str | None:
    """Say what is wrong with the chunks of a PNG, or None; Pillow overlooks most of it, as libpng does other things."""
    at, colour, palette = len(_PNG_BEGIN), 0, 0
    seen: set[bytes] = set()
    while at + 12 <= len(content) and b"IEND" not in seen:
        size, kind = struct.unpack_from(">I4s", content, at)
        data, end = content[at + 8 : at + 8 + size], at + 12 + size
        if end > len(content):
            return "the file is cut off"
        if zlib.crc32(kind + data) != struct.unpack_from(">I", content, end - 4)[0]:
            return f"{kind!a:.20} has a wrong checksum"
        if (kind == b"IHDR") != (not seen) or (kind == b"IHDR" and (size != 13 or data[10:12] != bytes(2))):
            return "its header is not one"
        colour = data[9] if kind == b"IHDR" else colour
        if kind == b"PLTE" and colour == _PALETTE:
            if kind in seen or b"IDAT" in seen or size % 3 or not 3 <= size <= 768:
                return "its palette is not one"
            palette = size // 3
        if kind == b"tRNS" and (kind in seen or b"IDAT" in seen or (colour == _PALETTE and size > palette)):
            return "its transparency stands twice, out of place, or for more colours than its palette has"
        if not kind[0] & 0x20 and kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            return f"{kind!a:.20} is a chunk that has to be understood, and is not known"
        seen.add(kind)
        at = end
    if b"IEND" not in seen:
        return "the file is cut off"
    return "it has no palette" if colour == _PALETTE and not palette else None


def read_csv(path: Path, columns: Sequence[str]) -> list[list[float]]:
    """Read rows of numbers; a first line that equals ``columns`` is a header and is skipped.

    Raises:
        InputError: The file is missing, empty, not UTF-8, too large, has the header of another table, or a cell is not
            a number; the message names line and column.
    """
    content = _content(path, "table", MAX_TABLE_BYTES)
    try:
        # Like csv.h: a byte order mark is not part of the text, and rows end at \n, \r or \r\n outside quotes.
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        reader = csv.reader(_lines(path, text), strict=True)
        rows = [(reader.line_num, row) for row in reader if row not in ([], [""])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read table {path}: {error}") from error
    if rows and _is_header(path, *rows[0], columns):
        rows = rows[1:]
    if not rows:
        raise InputError(f"table {path} has no rows")
    return [[_number(path, line, place, cell) for place, cell in enumerate(row, 1)] for line, row in rows]


def _is_header(path: Path, line: int, row: Sequence[str], columns: Sequence[str]) -> bool:
    """Say whether a table's first row names the columns; one without any number names others."""
    cells = [cell.strip(_SPACE) for cell in row]
    if cells == list(columns):
        return True
    if any(map(_NUMBER.fullmatch, cells)):
        return False
    expected = f"the model's columns, {', '.join(columns)}, in this order" if columns else "numbers alone"
    raise InputError(f"table {path}, line {line}: the header is {', '.join(cells)[:200]!r}, expected {expected}")


def _lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: text.readline(MAX_LINE_BYTES + 1), ""), 1):
        if len(line) > MAX_LINE_BYTES:
            raise InputError(f"table {path}, line {number}: it is longer than {MAX_LINE_BYTES} bytes")
        yield line


def _number(path: Path, line: int, place: int, cell: str) -> float:
    if _NUMBER.fullmatch(cell.strip(_SPACE)) is None:
        raise InputError(f"table {path}, line {line}, cell {place}: {cell[:80]!r} is not a number")
    return float(cell)


def read_npy(path: Path) -> NDArray[np.generic]:
    """Read a .npy file: a new array.

    Raises:
        InputError: The file is missing, damaged or truncated, or holds Python objects (which are never unpickled) or
            several arrays.
    """
    content = _content(path, "array")
    if content.startswith(b"PK"):
        raise InputError(f"{path} holds several arrays; give a .npy file")
    try:
        return parse_npy(content)
    except ValueError as error:
        raise InputError(f"cannot read array {path}: {error}") from error


def parse_npy(content: bytes) -> NDArray[np.generic]:
    """Return the array of the bytes of a .npy file, new.

    Raises:
        ValueError: They are none; the message says what is wrong.
    """
    shape, is_fortran, dtype, data = _npy_header(content)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled; an array of plain numbers is supported")
    if any(type(size) is not int for size in shape):
        raise ValueError(f"its shape {shape} is not one of whole numbers")
    expected = prod(shape) * dtype.itemsize
    if len(data) != expected or any(size < 0 for size in shape):
        raise ValueError(f"it has {len(data)} bytes of data, its shape {list(shape)} of {dtype} needs {expected}")
    return np.ndarray(shape, dtype, data, order="F" if is_fortran else "C").copy(order="K")


def _npy_header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], memoryview]:
    file = io.BytesIO(content)
    try:
        version, _ = np.lib.format.read_magic(file)
        shape, is_fortran, dtype = _header_reader(version)(file)
    except Exception as error:  # the header is read by Python's own parser, which raises whatever it raises
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"it is not a .npy file, or its header is damaged: {reason}") from error
    return shape, is_fortran, dtype, memoryview(content)[file.tell() :]


def _header_reader(version: int) -> Callable[[io.BytesIO], Any]:
    if version not in (1, 2, 3):
        raise ValueError(f"its format version is {version}, supported are 1 to 3")
    # The header of 3 differs from that of 2 in the alphabet of field names alone.
    return np.lib.format.read_array_header_1_0 if version == 1 else np.lib.format.read_array_header_2_0


def _content(path: Path, what: str, limit: int | None = None) -> bytes:
    try:
        return read_file(path) if limit is None else read_file(path, limit)
    except (OSError, ValueError) as error:  # a ValueError is a name with a NUL in it
        raise InputError(f"cannot read {what} {path}: {getattr(error, 'strerror', None) or error}") from error
