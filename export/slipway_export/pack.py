"""Writes a bundle so that it is whole or absent: a temporary folder beside it, synced, then renamed.

A kill may leave a temporary folder behind; the next pack to the same place removes it. An old bundle and its successor
change places in one step; where the file system cannot do that, the old one is moved aside first, and brought back if
the new one cannot take its place.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway._files import alone, sync
from slipway.bundle import ONNX, SUMS, hash_file
from slipway.errors import FileError, UsageError

#: Linux's renameat2: names relative to the current folder, and the flag that swaps them (linux/fcntl.h, linux/fs.h).
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check_target(out: Path, *, force: bool) -> None:
    """Refuse a place where the bundle cannot go, before any work is done.

    Raises:
        UsageError: Something is there: a bundle without ``force``, or anything that is not a bundle.
    """
    if not out.exists() and not out.is_symlink():
        return
    if out.is_dir() and not out.is_symlink() and not any(out.iterdir()):
        return
    if not (out / SUMS).is_file() or not (out / ONNX).is_file() or out.is_symlink():
        raise UsageError(f"{out} exists and is not a bundle; choose another place with --out")
    if not force:
        raise UsageError(f"bundle {out} exists; replace it with --force, or choose another place with --out")


@contextmanager
def staging(out: Path, *, force: bool = True) -> Iterator[Path]:
    """Yield an empty folder beside ``out``, removed at the end unless :func:`seal` has moved it.

    Leftovers of killed packs to the same place are swept first, and an old bundle that a killed replacement had
    moved aside is brought back.

    Raises:
        FileError: Another process packs to the same place, or the folder or a file in it cannot be written.
        UsageError: As :func:`check_target`, now that no other pack can come in between.
    """
    with alone(out, "export") as is_certain:
        folder = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
        try:
            if is_certain:
                _sweep(out)
            check_target(out, force=force)
            folder.mkdir()
            yield folder
        except OSError as error:
            raise FileError(f"bundle {out} cannot be written: {error}") from error
        finally:
            with _interrupts_later():
                shutil.rmtree(folder, ignore_errors=True)


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` for every other file of the folder."""
    names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file() and f.name != SUMS)
    lines = [f"{hash_file(folder / name)}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def seal(folder: Path, out: Path) -> None:
    """Sync the staging folder to disk and rename it to ``out``, replacing a bundle that is there.

    Raises:
        OSError: The file system refuses; ``out`` is then as it was.
        UsageError: Something that is no bundle has come to stand at ``out``.
    """
    for path in [*folder.rglob("*"), folder]:
        sync(path)
    check_target(out, force=True)
    with _interrupts_later():
        _replace(folder, out)
    sync(out.parent)


def _replace(folder: Path, out: Path) -> None:
    if not out.exists():
        folder.rename(out)
        return
    if _exchange(folder, out):
        return
    aside = out.with_name(f".{out.name}.{secrets.token_hex(4)}.old")
    out.rename(aside)
    try:
        folder.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sweep(out: Path) -> None:
    """Remove what killed packs left; only for a process that knows that it is alone."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.\w+\.(?:part|old)")
    for left in out.parent.iterdir():
        if pattern.fullmatch(left.name) is None or not left.is_dir():
            continue
        if left.suffix == ".old" and not out.exists():
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back for a few calls: a bundle is never left aside, nor half of what is removed."""
    if threading.current_thread() is not threading.main_thread():  # no other thread gets signals
        yield
        return
    held: list[int] = []
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not None]  # None: C's own handler
    before = [signal.signal(number, lambda number, frame: held.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
