"""Several processes at one place at the same time: nothing is mixed; a second one waits, or says who is there."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import CHANGES, Action, Commands, Done, Fault, Program
from scenarios import Replace, Train, leftovers

from slipway._files import alone, write_atomically
from slipway.bundle import Bundle

Figure = Callable[[str, float | str], None]
Rounds = Callable[..., int]

#: Starts the same command several times at once, and prints the exit codes.
AT_ONCE = """
import json, os, sys
from slipway.cli import run_command, slipway_app, train_and_export_app
count, name, *arguments = sys.argv[1:]
app = slipway_app if name == "slipway" else train_and_export_app
children = []
for _ in range(int(count)):
    child = os.fork()
    if child == 0:
        os._exit(run_command(app, name, arguments))
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(json.dumps(codes))
"""


def at_once(commands: Commands, count: int, *command: object) -> tuple[list[int], Done]:
    done = commands("python", AT_ONCE, count, *command)
    assert done.code == 0, done
    assert "Traceback" not in done.err
    return json.loads(done.out.splitlines()[-1]), done


def check_told(done: Done, codes: list[int]) -> None:
    """Whoever did not get in says who is there and how to go on; somebody got in."""
    assert 0 in codes
    assert set(codes) <= {0, 1}
    refused = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(refused) == codes.count(1), done.err
    for line in refused:
        assert "is being made by" in line, line
        assert "wait until it ends, or choose another place" in line, line


@pytest.fixture(scope="module")
def train(commands: Commands, infer: Program, tmp_path_factory: pytest.TempPathFactory) -> Train:
    return Train(commands, infer, tmp_path_factory.mktemp("shared"))


def test_trainings_into_one_folder_do_not_mix(
    train: Train, commands: Commands, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    """All with --resume, some on the checkpoint of a killed one: the end is that of a single run."""
    rounds = effort(short=1, long=20)
    for place in range(rounds):
        folder = tmp_path / str(place)
        if place % 2 == 0:
            train.run(folder, fault=Fault(folder, CHANGES, 40, Action.KILL))
        command = ("slipway", "train", *train.arguments(folder))
        codes, done = at_once(commands, 3, *command)
        check_told(done, codes)
        train.finished(folder)
    figure("trainings at once", 3 * rounds)


def test_exports_of_one_bundle_do_not_mix(
    commands: Commands, infer: Program, tmp_path: Path, effort: Rounds, figure: Figure
) -> None:
    replace = Replace(commands, infer, tmp_path)
    rounds = effort(short=1, long=10)
    for place in range(rounds):
        folder = tmp_path / str(place)
        replace.prepare(folder)
        # The checkpoint that is there is finished, so that all come to the export at the same time.
        command = ("slipway", "export", "hello-rnn", "--formats", "onnx", "--force", "--out", folder)
        codes, done = at_once(commands, 3, *command)
        check_told(done, codes)
        Bundle.open(folder / "hello-rnn")
        assert leftovers(folder) == []
    figure("exports at once", 3 * rounds)


def test_a_first_export_that_is_overtaken_replaces_nothing(commands: Commands, tmp_path: Path) -> None:
    """Without --force, a bundle that another process has sealed in between stays."""
    command = ("hello-rnn", "--preset", "smoke", "--formats", "onnx", "--data", "embedded", "--out", tmp_path)
    with alone(tmp_path / "hello-rnn", "export"):
        done = commands("train-and-export", *command)
        done.check_told(1)
        assert "hello-rnn is being made by process" in done.err
    assert not (tmp_path / "hello-rnn").exists()


def test_writers_of_one_file_do_not_mix(commands: Commands, tmp_path: Path, effort: Rounds, figure: Figure) -> None:
    """All of them succeed, and the file is that of one of them."""
    path = tmp_path / "ops.json"
    rounds = effort(short=1, long=50)
    for _ in range(rounds):
        codes, _done = at_once(commands, 4, "slipway", "ops", "--json", path)
        assert codes == [0] * 4
        assert len(json.loads(path.read_text())) > 50
        assert [file.name for file in tmp_path.iterdir()] == ["ops.json"]
    figure("writers of one file at once", 4 * rounds)


def test_a_process_number_that_lives_again_protects_no_leftover(commands: Commands, tmp_path: Path) -> None:
    """What counts is the lock of a leftover: the number of its dead writer may be anybody's, on any machine."""
    killed = commands("slipway", "ops", "--json", tmp_path / "x", fault=Fault(tmp_path, CHANGES, 24, Action.KILL))
    assert killed.code == -signal.SIGKILL
    assert leftovers(tmp_path)
    assert not any(character.isdigit() for name in leftovers(tmp_path) for character in name.replace(".0.part", ""))
    write_atomically(tmp_path / "x", b"whole")
    assert leftovers(tmp_path) == []
