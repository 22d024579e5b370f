"""Files in and out: read up to a limit and without waiting for anybody; written whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import secrets
import stat
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

#: Largest file of a user that is read, as in ``cpp/infer/files.h``.
MAX_BYTES = 1 << 31


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, or of a pipe that somebody writes to.

    Raises:
        OSError: There is no such file, or it is a folder, a device, a socket, a pipe without a writer, or larger
            than ``limit`` bytes; ``strerror`` says which.
    """
    # Not to wait here: a pipe that nobody writes to would never open.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with FileIO(handle, "r") as file:
        kind = os.fstat(handle)
        if stat.S_ISDIR(kind.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        if not stat.S_ISREG(kind.st_mode) and not stat.S_ISFIFO(kind.st_mode):
            raise OSError(errno.EINVAL, "it is a device, expected a file or a pipe", str(path))
        if kind.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {kind.st_size} bytes, the limit is {limit}", str(path))
        os.set_blocking(handle, True)
        content = _read_all(file, path, limit)
    if not content and stat.S_ISFIFO(kind.st_mode):
        raise OSError(errno.ENODATA, "it is a pipe, and nobody writes to it", str(path))
    return content


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Create or replace ``path`` with ``content``; if its iteration raises, nothing is replaced.

    An exception, a Ctrl-C or a kill leaves the old file, or none; a kill may leave a ``.part`` file, which
    ``sweep_partial`` removes. A device or a pipe is written to, not replaced, and so is what a link leads to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file() and not path.is_dir():
        _write_in_place(path, content)
        return
    if path.is_symlink() and path.exists():
        path = path.resolve()
    temporary = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part"
    try:
        with temporary.open("xb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def sweep_partial(path: Path) -> None:
    """Remove what killed writers of ``path`` left behind; the files of writers that live stay."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.\w+\.part")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        match = name.fullmatch(left.name)
        if match is not None and not is_running(int(match[1])):
            left.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Say whether another process of this number lives; this process does not count, it left nothing behind."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_all(file: FileIO, path: Path, limit: int) -> bytes:
    """Read to the end in pieces; a pipe does not say how much will come."""
    pieces, size = [], 0
    while piece := file.read(1 << 20):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(path))
    return b"".join(pieces)


def _write_in_place(path: Path, content: bytes | Iterable[bytes]) -> None:
    # Not to wait here: a pipe that nobody reads from would never open; so it is an error (ENXIO).
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with FileIO(handle, "w") as file:
        os.set_blocking(handle, True)
        for piece in [content] if isinstance(content, bytes) else content:
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder; its rename is already durable enough
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
