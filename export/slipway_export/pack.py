"""Writes a bundle so that it is whole or absent: a temporary folder beside it, synced, then renamed.

A kill may leave a temporary folder behind; the next pack to the same place removes it. Replacing an old bundle moves
it aside first, and brings it back if the new one cannot take its place.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway._files import is_running
from slipway.bundle import ONNX, SUMS, hash_file
from slipway.errors import UsageError


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
def staging(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``out``, removed at the end unless :func:`seal` has moved it.

    Leftovers of killed packs to the same place are swept first, and an old bundle that a killed replacement had
    moved aside is brought back.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.{os.getpid()}.", suffix=".part", dir=out.parent))
    try:
        folder.chmod(0o755)  # mkdtemp's 0o700 would stay with the sealed bundle
        yield folder
    finally:
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
    """
    for path in [*folder.rglob("*"), folder]:
        _sync(path)
    with _interrupts_later():
        _replace(folder, out)
    _sync(out.parent)


def _replace(folder: Path, out: Path) -> None:
    if not out.exists():
        folder.rename(out)
        return
    aside = out.with_name(f".{out.name}.{os.getpid()}.old")
    out.rename(aside)
    try:
        folder.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(out: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(out.name)}\.(\d+)\.(?:\w+\.part|old)")
    for left in out.parent.iterdir():
        match = pattern.fullmatch(left.name)
        if match is None or is_running(int(match[1])):
            continue
        if left.suffix == ".old" and not out.exists():
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold a Ctrl-C back for the few renames: a bundle is never left aside."""
    held: list[int] = []
    try:
        before = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    except ValueError:  # only the main thread gets signals, so no other one can be interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(held[0])


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():  # Windows cannot open a folder
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
