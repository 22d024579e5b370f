"""Training: settings, batches, checkpoints, and that a killed run continues to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from slipway.data import _root
from slipway.errors import BundleError, DataError, SlipwayError, UnavailableError, UsageError
from slipway.recipes import load_recipe
from slipway.recipes._recipe import Split
from slipway.train import Checkpoint, Run, Trained, load_trained, loop, resolve, resolve_device, train
from slipway.train.batches import Batches
from slipway.train.loop import evaluate
from slipway.train.progress import Silent


def run_of(name: str, checkpoint: Path | None = None, *, resume: bool = False, seed: int = 3, **changes: object) -> Run:
    recipe = load_recipe(name)
    config, training = resolve(recipe, "default", changes)
    return Run(recipe, config, training, "embedded", seed, checkpoint=checkpoint, resume=resume)


@pytest.fixture(autouse=True)
def checkpoint_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)


NAMES = {"hidden": 12, "limit": 300, "epochs": 4}  # with dropout, so that the random state matters


def same(a: Trained, b: Trained) -> bool:
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in t.history] for t in (a, b)]
    states = [t.module.state_dict().values() for t in (a, b)]
    weights = all(torch.equal(x, y) for x, y in zip(*states, strict=True))
    return weights and rows[0] == rows[1] and a.score == b.score


# --- settings -------------------------------------------------------------------------------------------------------


def test_texts_become_what_the_fields_are() -> None:
    changes = {"bidirectional": "true", "hidden": "7", "lr": "1e-2", "gradient_clip": "none", "limit": "5"}
    config, training = resolve(load_recipe("names-gru"), "notes", changes)
    assert (config.bidirectional, config.hidden, training.lr) == (True, 7, 0.01)
    assert (training.gradient_clip, training.limit, training.optimizer) == (None, 5, "sgd")
    assert resolve(load_recipe("mnist-cnn"), changes={"channels": "1,2,3"})[0].channels == (1, 2, 3)


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("best", {}, "has no preset 'best'; it has default, notes, smoke"),
        ("default", {"hiden": "1"}, "has no setting 'hiden'; it has .*hidden"),
        ("default", {"hidden": "x"}, "hidden='x' does not fit"),
        ("default", {"optimizer": "lion"}, "expected one of sgd, adagrad, adam"),
        ("default", {"bidirectional": "1"}, "expected true or false"),
        ("default", {"epochs": "0"}, "epochs is 0"),
        ("default", {"validation": "1"}, "validation is 1"),
        ("default", {"gradient_clip": "-1"}, "gradient_clip is -1.0, expected a finite number of more than 0, or none"),
        ("default", {"gradient_clip": "0"}, "gradient_clip is 0.0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(preset: str, changes: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(load_recipe("names-gru"), preset, changes)


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cpu:0", "cuda:-1", "cuda:99999", ""])
def test_a_device_of_another_form_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="none of auto, cpu, cuda"):
        resolve_device(text)


def test_a_device_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="was asked for"):
        resolve_device("cuda:9")
    assert resolve_device("cpu").type == "cpu"


# --- batches --------------------------------------------------------------------------------------------------------


def test_an_epoch_holds_every_item_once_and_differs_from_the_next() -> None:
    run = run_of("names-gru")
    dataset = run.recipe.data("embedded", run.config)
    split = replace(dataset.test, raws=dataset.test.raws[:1000], targets=torch.arange(1000))
    batches = Batches(run.recipe.signature(run.config, dataset), split, 32, torch.device("cpu"), seed=1)
    epochs = []
    for batches.epoch in (1, 2, 1):
        found = list(batches)
        assert len(found) == len(batches) == 32
        assert sorted(torch.cat([b.targets for b in found]).tolist()) == list(range(1000))
        epochs.append(torch.cat([b.targets for b in found]))
    assert torch.equal(epochs[0], epochs[2])
    assert not torch.equal(epochs[0], epochs[1])


def test_texts_of_like_length_share_a_batch() -> None:
    run = run_of("names-gru")
    dataset = run.recipe.data("embedded", run.config)
    batches = Batches(run.recipe.signature(run.config, dataset), dataset.train, 32, torch.device("cpu"), seed=1)
    tokens = padding = 0
    for batch in batches:
        tokens += int(batch.inputs[1].sum())
        padding += batch.inputs[0].numel() - int(batch.inputs[1].sum())
    assert padding < 0.1 * tokens


@pytest.mark.parametrize("count", [2, 64, 65, 512, 513, 1025])
@pytest.mark.parametrize("name", ["names-gru", "fizzbuzz"])
def test_no_item_is_a_batch_alone_where_batches_are_joined(name: str, count: int) -> None:
    run = run_of(name)
    dataset = run.recipe.data("embedded", run.config)
    split = Split((list(dataset.train.raws) * 2)[:count], torch.arange(count))
    batches = Batches(run.recipe.signature(run.config, dataset), split, 32, torch.device("cpu"), seed=1, join=True)
    found = [batch.targets.tolist() for batch in batches]
    assert len(found) == len(batches)
    assert sorted(item for batch in found for item in batch) == list(range(count))
    assert min(map(len, found)) > 1
    assert max(map(len, found)) <= 33


def test_batch_normalisation_learns_whatever_the_last_batch_would_be() -> None:
    assert train(run_of("snli-gru", limit=33, epochs=1, embedding=4, hidden=4)).history[0]["loss"] > 0


# --- runs -----------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first = train(run_of("names-gru", **NAMES))
    assert same(first, train(run_of("names-gru", **NAMES)))
    assert not same(first, train(run_of("names-gru", seed=4, **NAMES)))


class Stop(Silent):
    """Raises when an epoch of the given number has ended."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def epoch_done(self, row: dict[str, float]) -> None:
        if row["epoch"] == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["names-gru", "breast-cancer"])
def test_a_stopped_run_resumes_to_the_same_bits(tmp_path: Path, name: str) -> None:
    changes = NAMES if name == "names-gru" else {"epochs": 4}
    whole = train(run_of(name, **changes))
    with pytest.raises(KeyboardInterrupt):
        train(run_of(name, tmp_path / "x.pt", **changes), Stop(2))
    assert Checkpoint.load(tmp_path / "x.pt").epoch == 2
    torch.manual_seed(99)
    resumed = train(run_of(name, tmp_path / "x.pt", resume=True, **changes))
    assert same(whole, resumed)
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_train import NAMES, run_of
from slipway.train import loop, train
loop.CHECKPOINT_SECONDS = 0.0
train(run_of("names-gru", Path({path!r}), **NAMES | {{"epochs": 400}}))
"""


def test_a_run_killed_at_any_moment_leaves_a_checkpoint_that_resumes_to_the_same_bits(tmp_path: Path) -> None:
    """Kills the run without warning once a few epochs are done, then continues in this process.

    The killed run has 400 epochs; what is compared is epoch 12 of it, reached once by the resumed run and once by an
    unbroken one.
    """
    path = tmp_path / "x.pt"
    script = KILLED.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while not (path.is_file() and Checkpoint.load(path).epoch >= 2) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stood = Checkpoint.load(path).epoch
    assert 2 <= stood < 400
    ends = []
    for start in (path, tmp_path / "other.pt"):
        run = run_of("names-gru", start, resume=True, **NAMES | {"epochs": 400})
        with pytest.raises(KeyboardInterrupt):
            train(run, Stop(stood + 3))
        ends.append(Checkpoint.load(start))
    assert ends[0].epoch == ends[1].epoch == stood + 3
    assert all(torch.equal(ends[0].module[key], ends[1].module[key]) for key in ends[0].module)
    assert not list(tmp_path.glob("*.part"))


def test_a_finished_run_is_rebuilt_from_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    trained = train(run_of("hello-rnncell", path, epochs=5))
    assert same(trained, load_trained(path))
    again = train(run_of("hello-rnncell", path, resume=True, epochs=5))
    assert same(trained, again)
    assert trained.curves is not None
    assert trained.curves.startswith(b"\x89PNG")


def test_a_checkpoint_of_another_run_is_refused_by_name(tmp_path: Path) -> None:
    train(run_of("hello-rnn", tmp_path / "x.pt", epochs=2))
    with pytest.raises(UsageError, match=r"epochs was 2, is 3; seed was 3, is 4"):
        train(run_of("hello-rnn", tmp_path / "x.pt", resume=True, epochs=3, seed=4))


def test_why_the_data_was_chosen_does_not_part_a_run_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network, what a mirror answers differs from one try to the next; the embedded data does not."""
    reasons = iter(["no answer after 5 s", "Temporary failure in name resolution"])

    def offline(*_: object) -> None:
        raise DataError(f"download failed: {next(reasons)}")

    monkeypatch.setattr(_root, "download", offline)
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)
    run = replace(run_of("mnist-mlp", tmp_path / "x.pt", hidden=(4,), epochs=3), data="auto")
    with pytest.raises(KeyboardInterrupt):
        train(run, Stop(2))
    assert train(replace(run, resume=True)).dataset.source.reason.endswith("name resolution")


def test_an_unfinished_run_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(run_of("hello-rnn", tmp_path / "x.pt", epochs=4), Stop(2))
    with pytest.raises(UsageError, match="stands at epoch 2 of 4"):
        load_trained(tmp_path / "x.pt")


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "pickle"])
def test_a_damaged_checkpoint_is_refused_and_runs_no_code(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.pt"
    train(run_of("hello-rnn", path, epochs=1))
    content = path.read_bytes()
    evil = b"cos\nsystem\n(S'touch " + str(tmp_path / "pwned").encode() + b"'\ntR."
    path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "text": b"hello", "pickle": evil}[damage])
    with pytest.raises(BundleError, match="is damaged"):
        Checkpoint.load(path)
    assert not (tmp_path / "pwned").exists()


def test_a_checkpoint_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no checkpoint"):
        load_trained(tmp_path / "x.pt")


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    with pytest.raises(SlipwayError, match=r"the loss of epoch .* a lower --lr may help"):
        train(run_of("names-gru", **NAMES | {"lr": 1e30, "gradient_clip": None, "optimizer": "sgd"}))


def test_a_last_step_to_what_is_no_number_stops_the_run(tmp_path: Path) -> None:
    """The loss is that before the step, and an argmax of NaN is a class like any other."""
    settings = {
        "lr": 1e30,
        "optimizer": "sgd",
        "schedule": "constant",
        "epochs": 1,
        "batch_size": 2000,
        "hidden": (8, 8),
    }
    with pytest.raises(SlipwayError, match=r"mnist-mlp: the trained module gives NaN; a lower --lr may help"):
        train(run_of("mnist-mlp", tmp_path / "x.pt", **settings, validation=0.0))
    if (tmp_path / "x.pt").is_file():
        assert Checkpoint.load(tmp_path / "x.pt").score is None


def test_the_score_does_not_depend_on_how_the_test_split_is_batched() -> None:
    trained = train(run_of("names-gru", **NAMES))
    for size in (7, 1000):
        batches = Batches(trained.signature, trained.dataset.test, size, torch.device("cpu"))
        assert evaluate(trained.recipe, trained.module, batches)[1] == pytest.approx(trained.score, abs=2e-3)
