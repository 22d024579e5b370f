"""Files that a command is to write: refused before the work where they cannot be, else told after the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway._files import check_writable
from slipway.errors import ExitCode, FileError

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")

BENCH = ("--runtimes", "native-cpu", "--batch", "1", "--duration", "0.02")


@pytest.fixture
def targets(tmp_path: Path) -> dict[str, str]:
    """Targets of every kind that cannot be written."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    return {
        "folder": str(tmp_path / "folder"),
        "below a file": str(tmp_path / "file" / "x"),
        "further below a file": str(tmp_path / "file" / "x" / "y"),
        "proc": "/proc/x.json",
        "too long": str(tmp_path / ("x" * 300)),
        "none": "",
    }


@pytest.mark.parametrize("kind", ["folder", "below a file", "further below a file", "proc", "too long", "none"])
@pytest.mark.parametrize(
    ("verb", "option"),
    [("bench", "--json"), ("bench", "--csv"), ("bench", "--html"), ("inspect", "--svg"), ("run", "--output-dir")],
)
def test_a_target_that_cannot_be_written_is_refused_before_the_work(
    slipway: Say,
    hello_rnn: Path,
    targets: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    option: str,
    kind: str,
) -> None:
    if verb == "run" and kind in ("folder", "too long", "none"):
        pytest.skip("a folder is a folder")
    monkeypatch.setattr("slipway.bundle.Bundle.open", lambda *a, **k: pytest.fail("the work began"))
    code, out, err = slipway(verb, hello_rnn, option, targets[kind])
    assert (code, out, err.count("\n")) == (ExitCode.ERROR, "", 1)
    assert err.startswith("error: cannot write ")


@pytest.mark.parametrize(("verb", "option"), [("bench", "--csv"), ("bench", "--html"), ("inspect", "--svg")])
def test_a_dash_is_no_file(
    slipway: Say, hello_rnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = slipway(verb, hello_rnn, option, "-")
    assert (code, "give the name of a file" in err) == (ExitCode.USAGE, True)
    assert not any(tmp_path.iterdir())


def test_a_result_is_shown_and_other_files_are_written_where_one_fails_after_the_work(
    slipway: Say, hello_rnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slipway.cli import _console

    write = _console.write_atomically

    def fail(path: Path, content: bytes) -> None:
        if path.suffix == ".csv":
            raise FileError(f"cannot write {path}: the disk is full")
        write(path, content)

    monkeypatch.setattr(_console, "write_atomically", fail)
    files = ("--csv", tmp_path / "x.csv", "--json", tmp_path / "x.json")
    code, out, err = slipway("bench", hello_rnn, *BENCH, *files)
    assert (code, err) == (ExitCode.ERROR, f"error: cannot write {tmp_path / 'x.csv'}: the disk is full\n")
    assert "native-cpu" in out
    assert (tmp_path / "x.json").is_file()


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for name in ("there", "link", "new", "deep/er/new"):
        check_writable(tmp_path / name)
    check_writable(Path("/dev/null"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]
    assert (tmp_path / "there").read_text() == "kept"


def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        (tmp_path / "x").touch()
    except PermissionError:
        with pytest.raises(FileError, match="Permission denied"):
            check_writable(tmp_path / "new")
    else:
        pytest.skip("root may write anywhere")
    finally:
        tmp_path.chmod(0o700)
