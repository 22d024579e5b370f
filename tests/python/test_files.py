"""Files that are whole or absent, and what is left of writers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway._files import sweep_partial, write_atomically


def test_a_sweep_takes_the_files_of_dead_writers_only(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = tmp_path / "x[1].pt"
    left = {pid: tmp_path / f".{path.name}.{pid}.0a1b.part" for pid in (dead.pid, os.getppid())}
    other = tmp_path / f".y.pt.{dead.pid}.0a1b.part"
    for file in (*left.values(), other):
        file.write_bytes(b"half")
    sweep_partial(path)
    assert not left[dead.pid].exists()
    assert left[os.getppid()].exists()
    assert other.exists()


def broken() -> Iterator[bytes]:
    yield b"new"
    raise OSError("no more")


def test_a_file_whose_content_fails_to_come_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")
    with pytest.raises(OSError, match="no more"):
        write_atomically(path, broken())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
