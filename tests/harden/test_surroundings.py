"""Odd surroundings: folders that are missing or locked, names of any bytes, modes of files, a clock that goes back."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from commands import Commands, Program
from onnx import helper
from scenarios import Infer, leftovers

from slipway._files import write_atomically
from slipway.bundle import Bundle
from slipway.errors import FileError


@pytest.mark.parametrize(
    "changes",
    [
        {"HOME": "/nonexistent", "XDG_CACHE_HOME": ""},
        {"HOME": "", "XDG_CACHE_HOME": "relative"},
        {"TMPDIR": "/nonexistent"},
    ],
    ids=["no home", "empty home", "no TMPDIR"],
)
def test_a_missing_home_or_temporary_folder_stops_nothing(
    changes: dict[str, str], commands: Commands, bundle: Path, tmp_path: Path
) -> None:
    for arguments in (("selftest", bundle), ("selftest",) if "TMPDIR" in changes else ("inspect", bundle)):
        done = commands("slipway", *arguments, environment=changes, folder=tmp_path)
        assert done.code == 0, done
    assert list(tmp_path.iterdir()) == []


def test_a_current_folder_that_was_removed_is_one_sentence(bundle: Path, infer: Program, tmp_path: Path) -> None:
    """Libraries that torch loads end the process there without a word about it."""
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    command = [sys.executable, "-P", "-m", "slipway", "inspect", str(bundle)]
    done = subprocess.run(["sh", "-c", script, "sh", *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the current folder cannot be used")
    assert done.stderr.count("\n") == 1
    command = [str(infer.path), str(bundle), "--random", "--output", "y.npy"]
    done = subprocess.run(["sh", "-c", script, "sh", *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'slipway-infer: cannot write "y.npy": No such file or directory\n'


@pytest.mark.parametrize("umask", [0o077, 0o000], ids=oct)
def test_modes_are_those_that_the_umask_allows(umask: int, commands: Commands, tmp_path: Path) -> None:
    arguments = ("hello-rnn", "--preset", "smoke", "--formats", "onnx", "--out", tmp_path / "b")
    assert commands("train-and-export", *arguments, umask=umask).code == 0
    assert commands("slipway", "ops", "--json", tmp_path / "ops.json", umask=umask).code == 0
    for path in [*(tmp_path / "b").rglob("*"), tmp_path / "ops.json"]:
        full = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == full & ~umask, path


@pytest.mark.parametrize(
    "name", [b"with space,\ntwo lines", b"\xff\xfe", "größer 名".encode() + b"n" * 200], ids=["lines", "bytes", "long"]
)
def test_names_of_any_bytes_hold_bundles_and_outputs(
    name: bytes, bundle: Path, commands: Commands, infer: Program, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(name)
    shutil.copytree(bundle, folder)
    done = commands("slipway", "selftest", folder, "--json", tmp_path / "result.json")
    assert done.code == 0, done
    assert os.fsencode(json.loads((tmp_path / "result.json").read_text())["bundles"][0]["bundle"]) == bytes(folder)
    assert all(line.isprintable() for line in done.out.splitlines()), done.out
    assert infer(folder, "--selftest").code == 0
    out = tmp_path / os.fsdecode(name + b"-out")
    shutil.rmtree(folder)
    done = commands("train-and-export", "hello-rnn", "--preset", "smoke", "--formats", "onnx", "--out", folder)
    assert done.code == 0, done
    Bundle.open(folder / "hello-rnn")
    assert infer(folder / "hello-rnn", "--random", "--output-dir", out).code == 0
    assert [file.name for file in out.iterdir()] == ["scores.npy"]


def test_the_longest_names_are_written_and_longer_ones_refused(
    tmp_path: Path, commands: Commands, infer: Program
) -> None:
    write_atomically(tmp_path / ("x" * 255), b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 255]
    with pytest.raises(FileError, match=r"cannot write .*File name too long"):
        write_atomically(tmp_path / ("x" * 256), b"content")
    long = tmp_path / "/".join(["y" * 250] * 20)
    done = commands("slipway", "ops", "--json", long)
    done.check_told(1)
    model = Infer(commands, infer, tmp_path).shared / "infer.onnx"
    infer(model, "--random", "--output-dir", long).check_told(1)
    only = tmp_path / "only"
    only.mkdir()
    infer(model, "--random", "--output-dir", only / ("z" * 255)).check_told(0)


def test_names_that_differ_in_case_only_are_two(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"small")
    try:
        write_atomically(tmp_path / "A", b"large")
    finally:
        assert leftovers(tmp_path) == []
    assert (tmp_path / "A").read_bytes() == b"large"


#: Each look at the clock on the wall is a day before the one before it.
BACKWARDS = """
import sys, time
from itertools import count
from unittest import mock
from slipway.cli import run_command, train_and_export_app
days = count(20000, -1)
with mock.patch("time.time", lambda: next(days) * 86400.0):
    code = run_command(train_and_export_app, "train-and-export", sys.argv[1:])
"""


def test_a_clock_that_goes_back_is_not_believed(commands: Commands, tmp_path: Path) -> None:
    """What is measured comes from a clock that only goes forward."""
    arguments = f"hello-rnn --preset smoke --data embedded --formats onnx --json - --out {tmp_path}".split()
    done = commands("python", BACKWARDS, *arguments)
    assert done.code == 0, done
    assert all(0 <= seconds < 600 for seconds in json.loads(done.out)["seconds"].values())


#: What the engine says of a model, where numbers are written with a comma.
DECIMAL_COMMA = """
import locale, sys
import slipway
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.str(0.5) == "0,5"
print(slipway.Session(sys.argv[1]).stage_text("onnx"))
"""


def test_the_texts_of_the_engine_are_those_of_every_locale(commands: Commands, tmp_path: Path) -> None:
    source = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")]
    if shutil.which("localedef") is None or subprocess.run(source, capture_output=True).returncode != 0:
        pytest.skip("no German locale can be made here")
    value = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2])
    node = helper.make_node("LeakyRelu", ["c"], ["y"], alpha=0.25)
    weights = onnx.numpy_helper.from_array(np.float32([0.5, -1.5]), "c")
    graph = helper.make_graph([node], "g", [], [value], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "model.onnx")
    done = commands("python", DECIMAL_COMMA, tmp_path / "model.onnx", environment={"LOCPATH": str(tmp_path)})
    assert done.code == 0, done
    assert "[0.5, -1.5]" in done.out
    assert "0.25" in done.out


def test_a_device_stays_a_device(commands: Commands) -> None:
    """With the rights of root, a rename would put a plain file where /dev/null was."""
    assert commands("slipway", "ops", "--json", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()
    commands("slipway", "ops", "--json", "/dev/full").check_told(1)
    assert Path("/dev/full").is_char_device()
