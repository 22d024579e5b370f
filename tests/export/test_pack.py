"""Pack: a bundle is whole or absent, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.bundle import ONNX, SUMS
from slipway.errors import FileError, UsageError
from slipway_export import pack as pack_room
from slipway_export.pack import check_target, seal, staging, write_sums


def pack(out: Path, content: str) -> None:
    with staging(out) as folder:
        (folder / "goldens").mkdir()
        (folder / ONNX).write_text(content)
        (folder / "goldens" / "index.json").write_text("{}")
        write_sums(folder)
        seal(folder, out)


@pytest.fixture
def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot swap two names."""
    monkeypatch.setattr(pack_room, "_exchange", lambda one, other: False)


def test_a_sealed_folder_holds_what_was_staged_and_nothing_is_left(tmp_path: Path) -> None:
    pack(tmp_path / "deep" / "b", "one")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["b"]
    result = subprocess.run(
        ["sha256sum", "--strict", "-c", SUMS], cwd=tmp_path / "deep" / "b", capture_output=True, text=True
    )
    assert result.stdout.splitlines() == ["goldens/index.json: OK", "model.onnx: OK"]
    assert result.returncode == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_pack_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with staging(tmp_path / "b") as folder:
            (folder / ONNX).write_text("half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_exchange")
def test_an_interrupted_replacement_keeps_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "b", "old")
    rename, calls = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError("disk")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(FileError, match=r"bundle .*b cannot be written: disk"):
        pack(tmp_path / "b", "new")
    assert (tmp_path / "b" / ONNX).read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


@pytest.mark.usefixtures("without_exchange")
def test_a_ctrl_c_during_the_renames_comes_after_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "b", "old")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path / "b", "new")
    assert (tmp_path / "b" / ONNX).read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_the_old_bundle_is_removed_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The two have changed places: what is removed is the old one."""
    pack(tmp_path / "b", "old")
    unlink = os.unlink

    def interrupted(path: str, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None:  # in a folder that is removed, not the lock beside it
            signal.raise_signal(number)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", interrupted)
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            pack(tmp_path / "b", "new")
    finally:
        signal.signal(number, before)
    assert (tmp_path / "b" / ONNX).read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_force_replaces_a_bundle_and_only_a_bundle(tmp_path: Path) -> None:
    out = tmp_path / "b"
    check_target(out, force=False)
    pack(out, "old")
    with pytest.raises(UsageError, match="--force"):
        check_target(out, force=False)
    check_target(out, force=True)
    pack(out, "new")
    assert (out / ONNX).read_text() == "new"
    (tmp_path / "home").mkdir()
    check_target(tmp_path / "home", force=False)
    (tmp_path / "home" / "letter").write_text("dear")
    with pytest.raises(UsageError, match="not a bundle"):
        check_target(tmp_path / "home", force=True)
    (tmp_path / "link").symlink_to(out)
    with pytest.raises(UsageError, match="not a bundle"):
        check_target(tmp_path / "link", force=True)


def test_leftovers_of_killed_packs_are_swept_and_others_are_not(tmp_path: Path) -> None:
    for name in (".b.abc_12.part", ".bb.abc.part"):
        (tmp_path / name).mkdir()
    (tmp_path / ".b.letter.part").write_text("no folder of ours")
    pack(tmp_path / "b", "one")
    assert {p.name for p in tmp_path.iterdir()} == {"b", ".b.letter.part", ".bb.abc.part"}


def test_a_second_pack_to_the_same_place_is_told_who_is_there(tmp_path: Path) -> None:
    told = rf"b is being made by process {os.getpid()} on \S+ \(export\)"
    with staging(tmp_path / "b"), pytest.raises(FileError, match=told):
        pack(tmp_path / "b", "second")
    assert list(tmp_path.iterdir()) == []


def test_what_came_to_stand_at_the_place_during_a_pack_is_not_replaced(tmp_path: Path) -> None:
    def overtaken() -> None:
        with staging(tmp_path / "b") as folder:
            (folder / ONNX).write_text("new")
            (tmp_path / "b").mkdir()
            (tmp_path / "b" / "letter").write_text("dear")
            seal(folder, tmp_path / "b")

    with pytest.raises(UsageError, match="not a bundle"):
        overtaken()
    assert (tmp_path / "b" / "letter").read_text() == "dear"
    pack(tmp_path / "c", "one")
    with pytest.raises(UsageError, match="--force"):
        staging(tmp_path / "c", force=False).__enter__()


def test_a_bundle_that_a_killed_replacement_moved_aside_comes_back(tmp_path: Path) -> None:
    pack(tmp_path / "b", "old")
    (tmp_path / "b").rename(tmp_path / ".b.0123abcd.old")
    with staging(tmp_path / "b"):
        pass
    assert (tmp_path / "b" / ONNX).read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_whole_bundle_or_none(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom slipway_export.pack import *\nout = Path(sys.argv[1])\n"
        "print('ready', flush=True)\nn = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    with staging(out) as folder:\n"
        "        (folder / 'model.onnx').write_text(str(n) * 9999); (folder / 'report.json').write_text(str(n))\n"
        "        write_sums(folder); seal(folder, out)\n"
    )
    out = tmp_path / "b"
    for milliseconds in (1, 3, 7, 12, 20):
        process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(timeout=milliseconds / 1000)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        with staging(out):
            pass
        if out.exists():
            subprocess.run(["sha256sum", "--quiet", "-c", SUMS], cwd=out, check=True)
        assert len(list(tmp_path.iterdir())) == int(out.exists())
