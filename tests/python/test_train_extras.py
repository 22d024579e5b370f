"""Training beyond the plain run: optimisers, checkpoints within an epoch, metrics, pictures and profiles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from sklearn import metrics as judged
from torch import Tensor, nn

from slipway.errors import UsageError
from slipway.recipes import load_recipe
from slipway.recipes._recipe import Dataset, Recipe, Result, Source, Split, Training
from slipway.recipes._scores import r2
from slipway.signature import ClassOutput, InputPort, OutputPort, Signature, TableInput
from slipway.train import Checkpoint, Run, load_trained, resolve, train
from slipway.train.batches import Batches
from slipway.train.metrics import Metrics, measure
from slipway.train.optimizers import make_optimizer, make_optimizers, make_schedule
from slipway.train.profile import RECORDED_STEPS
from slipway.train.progress import Silent

OPTIMIZERS = get_args(get_type_hints(Training)["optimizer"])


class StopAfter(Silent):
    """Raises after a number of steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def batch_done(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def names_run(path: Path | None = None, *, resume: bool = False) -> Run:
    recipe = load_recipe("names-gru")
    changes = {"hidden": 12, "limit": 300, "epochs": 3, "checkpoint_every": 2}
    config, training = resolve(recipe, "default", changes)
    return Run(recipe, config, training, "embedded", 3, checkpoint=path, resume=resume)


STOPPED = """
from contextlib import suppress
from slipway.train import loop, metrics
def step(engine, batch):
    raise KeyboardInterrupt
for module in (loop, metrics):
    with suppress(KeyboardInterrupt):
        module.engine_of(step).run([1])
"""


def test_an_interrupt_within_a_step_is_told_by_nobody_else() -> None:
    """In a process of its own: pytest takes what is logged."""
    told = subprocess.run([sys.executable, "-c", STOPPED], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("", "")


@pytest.mark.parametrize("steps", [1, 2, 5, 12, 20])
def test_a_run_stopped_within_an_epoch_resumes_to_the_same_bits(tmp_path: Path, steps: int) -> None:
    whole = train(names_run())
    with pytest.raises(KeyboardInterrupt):
        train(names_run(tmp_path / "x.pt"), StopAfter(steps))
    if (tmp_path / "x.pt").is_file():
        kept = Checkpoint.load(tmp_path / "x.pt")
        assert kept.steps % 2 == 0
        assert kept.steps <= steps <= kept.epoch * 10 + kept.steps + 2
    torch.manual_seed(99)
    resumed = train(names_run(tmp_path / "x.pt", resume=True))
    pairs = zip(whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    timeless = [[{k: v for k, v in row.items() if k != "seconds"} for row in t.history] for t in (whole, resumed)]
    assert timeless[0] == timeless[1]
    assert whole.score == resumed.score


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss_and_has_every_schedule(name: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    for schedule in ("constant", "cosine", "one_cycle"):
        module = nn.Linear(3, 1)
        training = Training(epochs=20, batch_size=32, lr=0.05, optimizer=name, schedule=schedule)  # type: ignore[arg-type]
        optimizer = make_optimizer(module, training)
        steps = make_schedule(optimizer, training, 1)

        def look(module: nn.Module = module, optimizer: torch.optim.Optimizer = optimizer) -> Tensor:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(module(x), y)
            loss.backward()
            return loss.detach()

        first = float(look())
        for _ in range(20):
            optimizer.step(look)  # type: ignore[arg-type]
            steps.step()
        assert float(look()) < first


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_momentum_is_what_the_settings_say_whatever_the_schedule(name: str) -> None:
    for schedule in ("constant", "cosine", "one_cycle"):
        training = Training(epochs=8, batch_size=1, lr=0.1, optimizer=name, momentum=0.5, schedule=schedule)  # type: ignore[arg-type]
        optimizer = make_optimizer(nn.Linear(1, 1), training)
        steps = make_schedule(optimizer, training, 1)
        for _ in range(8):
            assert optimizer.param_groups[0]["momentum"] == 0.5
            optimizer.step()
            steps.step()


def test_lbfgs_trains_through_the_loop_and_resumes(tmp_path: Path) -> None:
    recipe = load_recipe("breast-cancer")
    config, training = resolve(
        recipe, "default", {"optimizer": "lbfgs", "epochs": 3, "schedule": "constant", "batch_size": 455}
    )
    run = Run(recipe, config, training, "embedded", 1, checkpoint=tmp_path / "x.pt")
    trained = train(run)
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert load_trained(tmp_path / "x.pt").score == trained.score


def test_a_split_of_which_r2_cannot_be_formed_scores_0() -> None:
    recipe = load_recipe("linear")
    config, training = resolve(recipe, "default", {"validation": 0.5, "epochs": 2})
    run = Run(recipe, config, training, "embedded")
    trained = train(run)
    assert [row["validation_score"] for row in trained.history] == [0.0, 0.0]  # of the one row that is held out
    assert all(row["validation_loss"] > 0 for row in trained.history)
    row = Split(trained.dataset.test.raws[:1], trained.dataset.test.targets[:1])
    batches = Batches(trained.signature, row, 256, run.device)
    score, metrics = measure(recipe, trained.signature, trained.module, batches)
    assert score == metrics.values["R2"] == 0.0
    assert metrics.values["mean absolute error"] > 0


# --- a recipe of two parts with an optimiser each ---------------------------------------------------------------------


class Pair(nn.Module):
    """Two linear models of one input."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.a(x), self.b(x)


def pair_recipe(pictures: bool = False) -> Recipe:
    rng = np.random.default_rng(0)
    rows = list(rng.standard_normal((40, 2)))
    split = Split(rows, torch.tensor([int(row[0] > row[1]) for row in rows]))
    dataset = Dataset(split, split, ("left", "right"), Source("embedded", "rows", "here", "none", {"train": 40}))

    def optimizers(module: nn.Module, training: Training) -> Sequence[torch.optim.Optimizer]:
        assert isinstance(module, Pair)
        return [torch.optim.SGD(module.a.parameters(), 0.0), torch.optim.Adam(module.b.parameters(), training.lr)]

    def draw(result: Result) -> Mapping[str, bytes]:
        assert not result.module.training
        assert len(result.history) == 2
        return {"mine": b"\x89PNG of " + str(result.seed).encode()}

    return Recipe(
        name="pair",
        title="Two models",
        task="classification",
        notes="000",
        datasets=("rows",),
        config=Training(1, 1, 1),  # any dataclass will do
        data=lambda request, config: dataset,
        signature=lambda config, dataset: Signature(
            (InputPort("x", "float32", ("N", 2), TableInput()),),
            (OutputPort("a", ("N", 2), ClassOutput()), OutputPort("b", ("N", 2), ClassOutput())),
            dataset.labels,
        ),
        build=lambda config, dataset: Pair(),
        loss=lambda outputs, y: sum(nn.functional.cross_entropy(o, y) for o in outputs),
        score=lambda outputs, y: (float((outputs[1].argmax(1) == y).sum()), float(len(y))),
        score_name="accuracy",
        expected={"embedded": 0.9},
        training=Training(epochs=2, batch_size=10, lr=0.05),
        optimizers=optimizers,
        pictures=draw if pictures else None,
    )


def test_parts_of_a_model_learn_with_their_own_optimisers() -> None:
    recipe = pair_recipe(pictures=True)
    trained = train(Run(recipe, recipe.config, recipe.training, "embedded", 5))
    torch.manual_seed(5)
    start = Pair()
    module = trained.module
    assert isinstance(module, Pair)
    assert torch.equal(module.a.weight, start.a.weight)  # its optimiser has a learning rate of 0
    assert not torch.equal(module.b.weight, start.b.weight)
    assert trained.pictures["mine"] == b"\x89PNG of 5"
    assert len(make_optimizers(recipe, module, recipe.training)) == 2


# --- metrics ----------------------------------------------------------------------------------------------------------


def test_the_metrics_of_a_classifier_are_those_of_scikit_learn() -> None:
    recipe = load_recipe("mnist-cnn")
    config, _ = resolve(recipe)
    dataset = recipe.data("embedded", config)
    signature = recipe.signature(config, dataset)
    torch.manual_seed(1)
    module = recipe.build(config, dataset).eval()
    batches = Batches(signature, dataset.test, 100, torch.device("cpu"))
    score, metrics = measure(recipe, signature, module, batches)
    with torch.no_grad():
        guesses = torch.cat([module(*batch.inputs).argmax(1) for batch in batches])
    true = dataset.test.targets
    assert np.array_equal(np.array(metrics.confusion), judged.confusion_matrix(true, guesses, labels=range(10)))
    macro = {"average": "macro", "zero_division": 0}
    assert metrics.values["accuracy"] == pytest.approx(judged.accuracy_score(true, guesses)) == pytest.approx(score)
    assert metrics.values["precision (macro)"] == pytest.approx(judged.precision_score(true, guesses, **macro))
    assert metrics.values["recall (macro)"] == pytest.approx(judged.recall_score(true, guesses, **macro))
    assert metrics.values["F1 (macro)"] == pytest.approx(judged.f1_score(true, guesses, **macro))
    mean_iou = judged.jaccard_score(true, guesses, **macro)
    assert metrics.values["intersection over union (mean)"] == pytest.approx(mean_iou)
    assert Metrics.of(metrics.state()).state() == metrics.state()


@pytest.mark.parametrize("name", ["breast-cancer", "hello-rnn"])
def test_probabilities_and_steps_have_a_confusion_matrix_too(name: str) -> None:
    recipe = load_recipe(name)
    config, training = resolve(recipe, "smoke")
    trained = train(Run(recipe, config, training, "embedded", 0))
    counts = np.array(trained.metrics.confusion)
    assert counts.shape == (len(trained.dataset.labels),) * 2
    assert counts.sum() == trained.dataset.test.targets.numel()
    assert counts.trace() / counts.sum() == pytest.approx(trained.score)
    assert trained.pictures["confusion"].startswith(b"\x89PNG")


def test_r2_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    y, guess = rng.standard_normal((50, 1)), rng.standard_normal((50, 1))
    explained, total = r2(torch.from_numpy(guess), torch.from_numpy(y))
    assert explained / total == pytest.approx(judged.r2_score(y, guess))


# --- the profile ------------------------------------------------------------------------------------------------------


def test_a_profile_holds_the_steps_and_the_table_their_operators(tmp_path: Path) -> None:
    recipe = load_recipe("breast-cancer")
    config, training = resolve(recipe, "smoke")
    run = Run(recipe, config, training, "embedded", 0, profile=tmp_path / "new" / "x.profile.json")
    plain = train(replace(run, profile=None))
    profiled = train(run)
    assert plain.history[-1]["loss"] == profiled.history[-1]["loss"]
    events = json.loads((tmp_path / "new" / "x.profile.json").read_text())["traceEvents"]
    steps = {event["name"] for event in events if event.get("name", "").startswith("ProfilerStep#")}
    assert len(steps) == RECORDED_STEPS
    assert "aten::addmm" in (tmp_path / "new" / "x.profile.txt").read_text()


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_profile_of_too_few_steps_is_refused(tmp_path: Path, epochs: int) -> None:
    recipe = load_recipe("linear")  # one step an epoch
    config, training = resolve(recipe, "default", {"epochs": epochs})
    run = Run(recipe, config, training, "embedded", 0, checkpoint=tmp_path / "x.pt", profile=tmp_path / "x.json")
    with pytest.raises(UsageError, match=f"after the first 2, the run has {epochs} to go; give more --epochs"):
        train(run)
    train(replace(run, profile=None))
    with pytest.raises(UsageError, match="the run has 0 to go"):
        train(replace(run, resume=True))
