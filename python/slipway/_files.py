"""Files in and out: read up to a limit and without waiting for anybody; written whole or not at all.

What is written has a temporary name in the same folder, is synced, then renamed. A writer holds a lock on its temporary
file: what can be locked was left by a dead one. Unlike a process number, a lock means the same on every machine that
shares the folder, and no later process can be taken for its holder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from slipway.errors import FileError

#: Largest file of a user that is read, as in ``cpp/infer/files.h``.
MAX_BYTES = 1 << 31
#: How many processes may write one file at a time; the last to finish wins.
_WRITERS = 8
#: Seconds between two looks at a lock that another process holds.
_LOOK_SECONDS = 0.05
#: Longest name on Linux's file systems, less what a temporary name adds.
_LONGEST_NAME = 255 - len("..0.part")


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

    An exception, a Ctrl-C or a kill leaves the old file, or none; a kill may leave a ``.part`` file, which the next
    writer of ``path`` and ``sweep_partial`` remove. A device or pipe is written in place, a link is followed.

    Raises:
        FileError: The file cannot be written; the message names it.
    """
    blocks = [content] if isinstance(content, bytes) else content
    with _faults_of(path):
        if path.exists() and not path.is_file():
            _write_in_place(path, blocks)
            return
        if path.is_symlink():
            path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary, handle = _claim(path)
        except BaseException:  # a Ctrl-C may come when the file is made and its number not yet here
            sweep_partial(path)
            raise
    try:
        file = os.fdopen(handle, "wb", closefd=False)
        try:
            for block in blocks:  # an error of the iteration itself is not about this file
                with _faults_of(path):
                    file.write(block)
            with _faults_of(path):
                file.flush()
                os.fsync(handle)
                temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):  # of what a failed write has left in the buffer
                file.close()
    except BaseException:
        with contextlib.suppress(OSError):
            if _is_at(handle, temporary):  # once it is renamed, the name may be another writer's
                temporary.unlink()
        raise
    finally:
        os.close(handle)  # only now the lock is gone
    with _faults_of(path):
        sync(path.parent)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path: Path) -> None:
    """Refuse before the work what ``write_atomically`` would refuse after it; nothing is left behind.

    Raises:
        FileError: The file cannot be written; the message names it.
    """
    with _faults_of(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        if path.exists() and not path.is_file():  # a device, or a pipe whose reader may still come
            return
        target = path.resolve() if path.is_symlink() else path.absolute()
        place = next(parent for parent in target.parents if parent.exists()) / target.name
        try:
            temporary, handle = _claim(place)
        except BaseException:  # a Ctrl-C may come when the file is made and its number not yet here
            sweep_partial(place)
            raise
        try:
            temporary.unlink()
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)


def sweep_partial(path: Path) -> None:
    """Remove what killed writers of ``path`` left behind; the files of writers that live stay."""
    for temporary in (*_temporaries(path), _beside(path, "lock")):
        _remove_unless_held(temporary)


@contextmanager
def alone(path: Path, doing: str, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Be the only process that makes ``path``, by a locked file beside it.

    Args:
        path: What is made.
        doing: The word that other processes are told.
        wait_seconds: How long to wait for another process to end.

    Yields:
        Whether it is certain: a file system without locks lets everybody in.

    Raises:
        FileError: Another process is at it; the message says which.
    """
    lock = _beside(path, "lock")
    made = [folder for folder in path.parents if not folder.exists()]
    with _faults_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle, is_certain = _take(lock, path, time.monotonic() + wait_seconds)
        except BaseException:
            _remove_unless_held(lock)
            raise
    try:
        with contextlib.suppress(OSError):  # a name is a courtesy: a full disk stops the work itself
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {os.uname().nodename} ({doing})".encode(), 0)
        yield is_certain
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()  # before the lock is gone
        os.close(handle)
        with contextlib.suppress(OSError):  # of work that came to nothing
            for folder in made:
                folder.rmdir()


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    if os.name != "posix" and path.is_dir():  # Windows cannot open a folder; its rename is already durable enough
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_all(file: FileIO, path: Path, limit: int) -> bytes:
    """Read to the end in pieces; a pipe does not say how much will come."""
    pieces, size = [], 0
    while piece := file.read(1 << 20):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(path))
    return b"".join(pieces)


def _write_in_place(path: Path, blocks: Iterable[bytes]) -> None:
    # Not to wait here: a pipe that nobody reads from would never open; so it is an error (ENXIO).
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with FileIO(handle, "w") as file:
        os.set_blocking(handle, True)
        for piece in blocks:
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]


def _take(lock: Path, path: Path, deadline: float) -> tuple[int, bool]:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        is_ours = False
        try:
            is_certain = _lock(handle)
            is_ours = not is_certain or _is_at(handle, lock)  # else its holder ended and removed it in between
        except BlockingIOError:
            who = os.pread(handle, 300, 0).decode("utf-8", "replace") or "another process"
            if time.monotonic() > deadline:
                raise FileError(f"{path} is being made by {who}; wait until it ends, or choose another place") from None
            time.sleep(_LOOK_SECONDS)
        finally:
            if not is_ours:
                os.close(handle)
        if is_ours:
            return handle, is_certain


def _claim(path: Path) -> tuple[Path, int]:
    """Create a locked temporary file for ``path``."""
    sweep_partial(path)
    for temporary in _temporaries(path):
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        is_ours = False
        try:
            with contextlib.suppress(BlockingIOError):  # a sweep found it before it was locked, and removes it
                is_ours = not _lock(handle) or _is_at(handle, temporary)
        finally:
            if not is_ours:
                os.close(handle)
        if is_ours:
            return temporary, handle
    raise FileError(f"{_WRITERS} processes are writing {path} already; if none is, remove {_temporaries(path)[0]} ...")


def _lock(handle: int) -> bool:
    """Take the lock on an open file; False where the file system has no locks, so that no sweep can take it either.

    Raises:
        BlockingIOError: Another process has it.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _remove_unless_held(path: Path) -> None:
    with contextlib.suppress(OSError):  # most often: there is none; or it is locked, or cannot be
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if _lock(handle) and _is_at(handle, path):
                path.unlink()
        finally:
            os.close(handle)


def _temporaries(path: Path) -> list[Path]:
    return [_beside(path, f"{number}.part") for number in range(_WRITERS)]


def _beside(path: Path, ending: str) -> Path:
    name = os.fsencode(path.name)
    stem = path.name if len(name) <= _LONGEST_NAME else hashlib.sha256(name).hexdigest()
    return path.with_name(f".{stem}.{ending}")


def _is_at(handle: int, path: Path) -> bool:
    try:
        named = path.lstat()
    except FileNotFoundError:
        return False
    opened = os.fstat(handle)
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Let errors of the operating system say which file they are about."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
