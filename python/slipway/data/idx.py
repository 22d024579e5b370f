"""The idx file format of MNIST: a magic number, the sizes, then unsigned bytes in row-major order.

Format: http://yann.lecun.com/exdb/mnist, "FILE FORMATS". Only type 0x08 (unsigned byte) is read, plain or gzip.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slipway._files import read_file
from slipway.errors import DataError

#: MNIST's largest file holds 47 MB; a header that asks for more than this is not believed.
MAX_BYTES = 1 << 28


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Read an idx file of ``ndim`` dimensions; a name that ends in ``.gz`` is unpacked while reading.

    Returns:
        uint8, shape as in the file, a new array.

    Raises:
        DataError: The file is missing, damaged, truncated, longer than its sizes say, or of another kind.
    """
    try:
        packed = io.BytesIO(read_file(path, MAX_BYTES + 16))
        with gzip.open(packed) if path.suffix == ".gz" else packed as file:
            header = file.read(4 + 4 * ndim)
            if len(header) < 4 + 4 * ndim:
                raise DataError(f"{path}: {len(header)} bytes are too few for the header of an idx file")
            magic, *shape = struct.unpack(f">{1 + ndim}I", header)
            if magic != 0x0800 + ndim:
                raise DataError(f"{path}: magic number is 0x{magic:08x}, expected 0x{0x0800 + ndim:08x}")
            size = prod(shape)
            if size > MAX_BYTES:
                raise DataError(f"{path}: asks for {shape}, {size} bytes; the limit is {MAX_BYTES}")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(content) != size:
        got = "more" if len(content) > size else f"only {len(content)}"
        raise DataError(f"{path}: sizes {shape} need {size} bytes, the file has {got}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape).copy()
