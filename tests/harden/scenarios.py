"""What the pipeline does with files, as small commands: what was there, what must be whole after, and the next run.

Whatever happens to a command, ``check`` must hold after it, and after ``again`` all is as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import CHANGES, Action, Call, Commands, Done, Fault, Program

from slipway.bundle import Bundle

#: A command's keyword arguments: ``fault``, ``signals`` and so on.
Options = dict[str, object]

_EXPORT = "--preset smoke --data embedded --formats onnx --quiet"
_TRAIN = "--data embedded --set limit=60 --batch-size 20 --epochs 2 --set checkpoint_every=1 --quiet"


def snapshot(folder: Path, *, hidden: bool = False) -> dict[str, str]:
    """Return the sums of a folder's files by name; of those with a dot in front only if they are asked for."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    chosen = {name: path for name, path in names.items() if hidden or not _is_hidden(name)}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in chosen.items()}


def leftovers(folder: Path) -> list[str]:
    """Return the files and folders with a dot in front."""
    return [path.name for path in folder.rglob(".*")]


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


class Scenario(ABC):
    """One command in a folder of its own."""

    #: How many points of time the short form of a test takes.
    short = 4
    #: Whether one run takes a second or more; the short form then leaves the points that are drawn by chance out.
    is_slow = False

    def __init__(self, commands: Commands, infer: Program, shared: Path) -> None:
        self.commands, self.infer, self.shared = commands, infer, shared
        self.old: dict[str, str] = {}
        self.counts: dict[Call, int] = {}

    def prepare(self, folder: Path) -> None:
        """Put what an earlier run left into the folder."""
        folder.mkdir(exist_ok=True)
        self.old = snapshot(folder)

    @abstractmethod
    def run(self, folder: Path, **options: object) -> Done:
        """Run the command."""

    @abstractmethod
    def check(self, folder: Path) -> None:
        """Every file under a final name is whole: the old or the new one."""

    def finished(self, folder: Path) -> None:
        """The new state, and nothing beside it."""
        self.check(folder)
        assert leftovers(folder) == []

    def again(self, folder: Path) -> None:
        """Run it once more, undisturbed: it succeeds, and nothing is left of the run before."""
        done = self.run(folder)
        assert done.code == 0, done
        self.finished(folder)

    def count(self, folder: Path, calls: Call) -> int:
        """Return how many calls an undisturbed run makes."""
        done = self.run(folder, fault=self.fault(folder, calls, 0, Action.NOTHING))
        assert done.code == 0, done
        return done.seen

    def fault(self, folder: Path, *fields: object) -> Fault:
        return Fault(folder, *fields)  # type: ignore[arg-type]  # passed on


class Files(Scenario):
    """A command that writes files of which each is the old or the new one; both are known."""

    def __init__(self, commands: Commands, infer: Program, shared: Path) -> None:
        super().__init__(commands, infer, shared)
        reference = shared / f"reference-{type(self).__name__}"
        reference.mkdir()
        done = self.run(reference)
        assert done.code == 0, done
        self.new = snapshot(reference)

    def check(self, folder: Path) -> None:
        for name, digest in snapshot(folder).items():
            assert digest in (self.old.get(name), self.new.get(name)), name

    def finished(self, folder: Path) -> None:
        super().finished(folder)
        assert snapshot(folder) == self.new


class Train(Scenario):
    """Training with a checkpoint at every step; the end is that of a run that was never stopped."""

    short = 2
    is_slow = True

    def __init__(self, commands: Commands, infer: Program, shared: Path) -> None:
        super().__init__(commands, infer, shared)
        self.run(shared / "unbroken")
        self.weights = self._weights(shared / "unbroken")

    def run(self, folder: Path, **options: object) -> Done:
        return self.commands("slipway", "train", *self.arguments(folder), **options)  # type: ignore[arg-type]

    @staticmethod
    def arguments(folder: Path) -> tuple[object, ...]:
        return ("breast-cancer", *_TRAIN.split(), "--resume", "--out", folder)

    def check(self, folder: Path) -> None:
        if (folder / "breast-cancer.checkpoint.pt").exists():
            self._weights(folder)

    def finished(self, folder: Path) -> None:
        super().finished(folder)
        assert self._weights(folder) == self.weights

    def _weights(self, folder: Path) -> dict[str, bytes]:
        from slipway.train.checkpoint import Checkpoint

        kept = Checkpoint.load(folder / "breast-cancer.checkpoint.pt")
        loss = str([(row["epoch"], row["loss"], row["score"]) for row in kept.history]).encode()
        return {name: value.numpy().tobytes() for name, value in kept.module.items()} | {"loss": loss}


class Replace(Scenario):
    """``train-and-export --force`` over a good bundle: the old one to the bit, or a new whole one."""

    short = 1
    is_slow = True

    def prepare(self, folder: Path) -> None:
        template = self.shared / "old-bundle"
        if not template.exists():
            assert self.run(template).code == 0
        shutil.copytree(template, folder)
        super().prepare(folder)

    def run(self, folder: Path, **options: object) -> Done:
        arguments = ("hello-rnn", *_EXPORT.split(), "--force", "--out", folder)
        return self.commands("train-and-export", *arguments, **options)  # type: ignore[arg-type]

    def check(self, folder: Path) -> None:
        Bundle.open(folder / "hello-rnn")
        listed = snapshot(folder / "hello-rnn")
        old = {name.removeprefix("hello-rnn/"): digest for name, digest in self.old.items() if "/" in name}
        # Seconds that were measured differ from run to run: a report of its own marks the new one.
        assert listed == old or listed["report.json"] != old["report.json"]


class Images(Files):
    """``slipway images`` into an empty folder."""

    short = 1
    is_slow = True

    def run(self, folder: Path, **options: object) -> Done:
        bundle = self.shared / "mnist" / "mnist-mlp"
        if not bundle.exists():
            arguments = ("mnist-mlp", *_EXPORT.split(), "--set", "limit=64", "--out", bundle.parent)
            assert self.commands("train-and-export", *arguments).code == 0
        arguments = ("images", bundle, "--out", folder, "--count", 3, "--data", "embedded")
        return self.commands("slipway", *arguments, **options)  # type: ignore[arg-type]


class Json(Files):
    """A result as JSON over an older file."""

    def prepare(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "ops.json").write_text(json.dumps({"old": True}))
        super().prepare(folder)

    def run(self, folder: Path, **options: object) -> Done:
        return self.commands("slipway", "ops", "--json", folder / "ops.json", **options)  # type: ignore[arg-type]


class Bench(Scenario):
    """``slipway bench``: three files, each the old one or a new whole one; what it measures differs from run to run."""

    short = 1
    is_slow = True

    def prepare(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name in ("b.json", "b.csv", "b.html"):
            (folder / name).write_text("old")
        super().prepare(folder)

    def run(self, folder: Path, **options: object) -> Done:
        model = self.shared / "b"
        if not model.exists():
            assert self.commands("train-and-export", "hello-rnn", *_EXPORT.split(), "--out", model).code == 0
        files = ("--json", folder / "b.json", "--csv", folder / "b.csv", "--html", folder / "b.html")
        settings = ("--runtimes", "native-cpu", "--batch", 1, "--threads", 1, "--duration", 0.01)
        return self.commands("slipway", "bench", model / "hello-rnn", *settings, *files, **options)  # type: ignore[arg-type]

    def check(self, folder: Path) -> None:
        text = {name: (folder / name).read_text() for name in ("b.json", "b.csv", "b.html")}
        assert text["b.json"] == "old" or json.loads(text["b.json"])["rows"]
        assert text["b.csv"] == "old" or (text["b.csv"].count("\n") > 1 and text["b.csv"].endswith("\n"))
        assert text["b.html"] == "old" or text["b.html"].rstrip().endswith("</html>")

    def finished(self, folder: Path) -> None:
        super().finished(folder)
        assert "old" not in [path.read_text() for path in folder.iterdir()]


class Infer(Files):
    """The C++ program's outputs, over older ones."""

    short = 30

    def prepare(self, folder: Path) -> None:
        (folder / "out").mkdir(parents=True, exist_ok=True)
        (folder / "out" / "y.npy").write_bytes(b"old")
        super().prepare(folder)

    def run(self, folder: Path, **options: object) -> Done:
        model = self.shared / "infer.onnx"
        if not model.exists():
            _save_model(model)
        return self.infer(model, "--random", "--output-dir", folder / "out", **options)  # type: ignore[arg-type]

    def count(self, folder: Path, calls: Call) -> int:
        """Find the first call that is not made: the program's own counter ends with it."""
        for at in range(1, 1000):
            shutil.rmtree(folder)  # a leftover would be a change more
            self.prepare(folder)
            if self.run(folder, fault=self.fault(folder, calls, at, Action.KILL)).code == 0:
                return at - 1
        raise AssertionError("the program changes the disk without end")


def _save_model(path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [64, 64]) for name in ("x", "y", "z")]
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    graph = helper.make_graph(nodes, "two", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)


SCENARIOS: tuple[type[Scenario], ...] = (Train, Replace, Images, Bench, Json, Infer)


def points(count: int, rounds: int) -> list[int]:
    """Calls from the 1st to the last: all of them, or so many that are spread over them, and the last but one."""
    if rounds >= count:
        return list(range(1, count + 1))
    return sorted({round((k + 0.5) * count / rounds) for k in range(rounds)} | {count - 1})


def count_of(scenario: Scenario, tmp_path: Path, calls: Call = CHANGES) -> int:
    """Return how many changes an undisturbed run makes."""
    if calls not in scenario.counts:
        folder = tmp_path / "counted"
        scenario.prepare(folder)
        scenario.counts[calls] = scenario.count(folder, calls)
    assert scenario.counts[calls] > 0
    return scenario.counts[calls]


def skip_slow_ones(scenario: Scenario, effort: Callable[..., int]) -> None:
    """Skip a slow scenario in the short form."""
    if scenario.is_slow and not effort(short=0, long=1):
        pytest.skip("the long form does this")


def skip_without_random_times(scenario: Scenario, effort: Callable[..., int]) -> None:
    """Skip a scenario that ends too soon to be met at a random time, and a slow one in the short form."""
    if isinstance(scenario, Infer):
        pytest.skip("the program ends within milliseconds: every change of the disk is met above")
    skip_slow_ones(scenario, effort)
