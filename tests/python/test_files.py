"""Files that are whole or absent, and what is left of writers."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway._files import alone, sweep_partial, write_atomically
from slipway.errors import FileError

KILLED = """
import os, signal, sys
from pathlib import Path
from slipway._files import write_atomically
def blocks():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]), blocks())
"""


def kill_a_writer(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)])
    assert done.returncode == -signal.SIGKILL


def test_a_sweep_takes_the_files_of_dead_writers_only(tmp_path: Path) -> None:
    path, other = tmp_path / "x[1].pt", tmp_path / "y.pt"
    kill_a_writer(other)
    kill_a_writer(path)
    assert len(list(tmp_path.iterdir())) == 2

    def content() -> Iterator[bytes]:
        assert len(list(tmp_path.iterdir())) == 2, "the next writer has not removed the leftover"
        sweep_partial(path)
        yield b"whole"

    write_atomically(path, content())
    assert path.read_bytes() == b"whole"
    sweep_partial(other)
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_file_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def outer() -> Iterator[bytes]:
        yield b"o" * 100_000
        write_atomically(path, b"inner")
        assert path.read_bytes() == b"inner"
        yield b"o"

    write_atomically(path, outer())
    assert path.read_bytes() == b"o" * 100_001
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_in_place_and_a_link_is_followed(tmp_path: Path) -> None:
    """With the rights of root, a rename would put a plain file where /dev/null was."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"content")
    assert os.read(reader, 100) == b"content"
    os.close(reader)
    assert pipe.is_fifo()
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_place_is_for_one_process_and_the_next_is_told_which(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with alone(path, "training") as is_certain:
        assert is_certain
        with pytest.raises(FileError, match=rf"x is being made by process {os.getpid()} on \S+ \(training\); wait"):
            alone(path, "training").__enter__()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".x.lock").write_text("process 1 on here (killed)")
    with alone(path, "training"):
        pass
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_disk_that_stays_full_is_told_with_the_name(tmp_path: Path, size: int) -> None:
    """What a failed write leaves in the buffer fails once more when the file is closed."""
    path = tmp_path / "x"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(FileError, match=f"cannot write {path}: File too large"):
            write_atomically(path, b"x" * size)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
