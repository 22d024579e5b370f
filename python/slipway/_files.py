"""Files that are whole or absent: written under a temporary name in the same folder, synced, then renamed."""

from __future__ import annotations

import glob
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Create or replace ``path`` with ``content``; if its iteration raises, nothing is replaced.

    An exception, a Ctrl-C or a kill leaves the old file, or none; a kill may leave a ``.part`` file, which
    ``sweep_partial`` removes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder; its rename is already durable enough
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
