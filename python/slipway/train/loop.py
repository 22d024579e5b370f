"""The training loop, on pytorch-ignite: epochs, checkpoints, the score on the test split."""

from __future__ import annotations

import logging
import math
import random
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn

from slipway.errors import SlipwayError, UsageError
from slipway.recipes._recipe import Recipe, Split, Training
from slipway.signature import Signature
from slipway.train._trained import Trained
from slipway.train.batches import Batch, Batches
from slipway.train.checkpoint import Checkpoint, rng_states, set_rng_states
from slipway.train.curves import draw_curves
from slipway.train.optimizers import make_optimizer, make_schedule
from slipway.train.progress import Progress, Silent

#: Epochs shorter than this share a checkpoint: writing must not cost more than learning.
CHECKPOINT_SECONDS = 1.0


@dataclass(frozen=True)
class Run:
    """What to train and how.

    Args:
        recipe: The recipe.
        config: Its config, from ``resolve``.
        training: Its training settings, from ``resolve``.
        data: ``auto``, ``embedded`` or a path.
        seed: Seed of weights, order and dropout.
        device: Where to train.
        checkpoint: File to keep the state in; None keeps none.
        resume: Continue from the checkpoint, if there is one.
        recipe_path: How a user's own recipe was named on the command line.
    """

    recipe: Recipe
    config: Any
    training: Training
    data: str = "auto"
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    checkpoint: Path | None = None
    resume: bool = False
    recipe_path: str | None = None


def train(run: Run, progress: Progress | None = None) -> Trained:
    """Train a recipe and score it on the test split, which nothing but that score depends on.

    On the CPU the result depends on the run alone, bit for bit, also when the run was killed and resumed: a checkpoint
    holds everything that the next epoch depends on, and the number of threads is one of the settings.

    Raises:
        UsageError: ``resume`` finds the checkpoint of a run with other settings; the message names them.
        DataError: The data cannot be loaded.
        SlipwayError: The loss is no longer a number.
        KeyboardInterrupt: On Ctrl-C; the last checkpoint stays.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(run.training.threads)
    try:
        session = _Session(run, progress or Silent())
        session.learn()
        return session.finish()
    finally:
        torch.set_num_threads(before)


def evaluate(recipe: Recipe, module: nn.Module, batches: Batches) -> tuple[float, float]:
    """Return mean loss and score of a module over batches, in eval mode; the module's mode is put back."""
    was_training = module.training
    module.eval()
    total_loss = correct = total = items = 0.0
    with torch.no_grad():
        for batch in batches:
            outputs = module(*batch.inputs)
            total_loss += float(recipe.loss(outputs, batch.targets)) * len(batch.targets)
            right, counted = recipe.score(outputs, batch.targets)
            correct, total, items = correct + right, total + counted, items + len(batch.targets)
    module.train(was_training)
    return total_loss / items, correct / total


class _Session:
    """One run: its module, optimiser, data and history, and the ignite engine over them."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.run, self.progress = run, progress
        _seed_all(run.seed)
        self.dataset = run.recipe.data(run.data, run.config)
        self.signature: Signature = run.recipe.signature(run.config, self.dataset)
        kept, held = _carve(self.dataset.train, run.training, run.seed)
        self.batches = Batches(self.signature, kept, run.training.batch_size, run.device, run.seed)
        self.held = None if held is None else Batches(self.signature, held, 256, run.device)
        self.module = run.recipe.build(run.config, self.dataset).to(run.device)
        self.optimizer = make_optimizer(self.module, run.training)
        self.schedule = make_schedule(self.optimizer, run.training, len(self.batches))
        self.history: list[dict[str, float]] = []
        self.seconds_before = 0.0
        self.score: float | None = None
        self.began = self.saved = time.monotonic()
        self.sums = _Sums()

    def learn(self) -> None:
        """Run the epochs that are still to be done."""
        run, engine = self.run, Engine(self._step)
        engine.logger = logging.getLogger("slipway.train")
        engine.add_event_handler(Events.EPOCH_STARTED, self._epoch_started)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.progress.batch_done)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch_completed)
        done, epochs, length = self._resume(), run.training.epochs, len(self.batches)
        if self.score is not None:
            return
        self.progress.started(run.recipe, self.dataset, epochs, length, done)
        self.began = self.saved = time.monotonic()
        if done < epochs:
            engine.load_state_dict({"epoch": done, "max_epochs": epochs, "epoch_length": length})
            engine.run(self.batches)

    def finish(self) -> Trained:
        """Score the module on the test split, keep the last checkpoint, and hand everything over."""
        run = self.run
        seconds = self._seconds()
        if self.score is None:
            test = Batches(self.signature, self.dataset.test, 256, run.device)
            self.score = evaluate(run.recipe, self.module, test)[1]
            self._save(seconds)
        return Trained(
            recipe=run.recipe,
            config=run.config,
            training=run.training,
            dataset=self.dataset,
            signature=self.signature,
            module=self.module.eval(),
            seed=run.seed,
            score=self.score,
            history=self.history,
            seconds=seconds,
            recipe_path=run.recipe_path,
            curves=draw_curves(run.recipe.title, run.recipe.score_name, self.history),
        )

    def _step(self, engine: Engine, batch: Batch) -> None:
        self.module.train()
        self.optimizer.zero_grad()
        outputs = self.module(*batch.inputs)
        loss = self.run.recipe.loss(outputs, batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        if self.run.training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.run.training.gradient_clip)
        self.optimizer.step()
        self.schedule.step()
        self.sums.add(loss.detach(), self.run.recipe.score(outputs.detach(), batch.targets), len(batch.targets))

    def _epoch_started(self, engine: Engine) -> None:
        self.batches.epoch = engine.state.epoch
        self.sums = _Sums()

    def _epoch_completed(self, engine: Engine) -> None:
        loss, score = self.sums.means()
        if not math.isfinite(loss):
            name, epoch = self.run.recipe.name, engine.state.epoch
            raise SlipwayError(f"recipe {name}: the loss of epoch {epoch} is {loss}; a lower --lr may help")
        row = {"epoch": float(engine.state.epoch), "loss": loss, "score": score}
        if self.held is not None:
            row["validation_loss"], row["validation_score"] = evaluate(self.run.recipe, self.module, self.held)
        row |= {"lr": float(self.optimizer.param_groups[0]["lr"]), "seconds": self._seconds()}
        self.history.append(row)
        if time.monotonic() - self.saved >= CHECKPOINT_SECONDS:
            self._save(row["seconds"])
        self.progress.epoch_done(row)

    def _seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def _save(self, seconds: float) -> None:
        run = self.run
        if run.checkpoint is None:
            return
        Checkpoint(
            **_identity(run),
            source=asdict(self.dataset.source),
            epoch=len(self.history),
            module=self.module.state_dict(),
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
            rng=rng_states(),
            history=self.history,
            seconds=seconds,
            score=self.score,
        ).save(run.checkpoint)
        self.saved = time.monotonic()

    def _resume(self) -> int:
        """Take over the checkpoint's state, and return the epochs that it has done."""
        run = self.run
        if not run.resume or run.checkpoint is None or not run.checkpoint.is_file():
            return 0
        kept = Checkpoint.load(run.checkpoint)
        wanted = _identity(run) | {"source": asdict(self.dataset.source)}
        differing = [_difference(key, getattr(kept, key), value) for key, value in wanted.items()]
        if any(differing):
            raise UsageError(f"checkpoint {run.checkpoint} is of another run: {'; '.join(filter(None, differing))}")
        self.module.load_state_dict(kept.module)
        self.optimizer.load_state_dict(kept.optimizer)
        self.schedule.load_state_dict(kept.schedule)
        set_rng_states(kept.rng)
        self.history, self.seconds_before, self.score = list(kept.history), kept.seconds, kept.score
        return kept.epoch


class _Sums:
    """Loss and score of an epoch, summed on the device so that no step waits for it."""

    def __init__(self) -> None:
        self.loss: Tensor | float = 0.0
        self.items = self.correct = self.total = 0.0

    def add(self, loss: Tensor, score: tuple[float, float], items: int) -> None:
        self.loss = self.loss + loss.double() * items
        self.items += items
        self.correct, self.total = self.correct + score[0], self.total + score[1]

    def means(self) -> tuple[float, float]:
        return float(self.loss) / self.items, self.correct / self.total


def _identity(run: Run) -> dict[str, Any]:
    """Return what makes a run this run; a checkpoint of any other is not continued."""
    return {
        "recipe": run.recipe_path or run.recipe.name,
        "config": asdict(run.config),
        "training": asdict(run.training),
        "data": run.data,
        "seed": run.seed,
    }


def _difference(key: str, kept: Any, wanted: Any) -> str:
    if kept == wanted:
        return ""
    if isinstance(kept, dict) and isinstance(wanted, dict):
        keys = sorted(k for k in kept.keys() | wanted.keys() if kept.get(k) != wanted.get(k))
        return ", ".join(f"{k} was {kept.get(k)}, is {wanted.get(k)}" for k in keys)
    return f"{key} was {kept}, is {wanted}"


def _seed_all(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - a user's recipe may use the global generator


def _carve(split: Split, training: Training, seed: int) -> tuple[Split, Split | None]:
    """Keep aside a share of the training items to draw the validation curve, and limit the rest; by seed."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed)).tolist()
    cut = int(len(order) * training.validation)
    held, kept = sorted(order[:cut]), sorted(order[cut:][: training.limit])
    return _pick(split, kept), _pick(split, held) if held else None


def _pick(split: Split, indices: list[int]) -> Split:
    return replace(split, raws=[split.raws[i] for i in indices], targets=split.targets[indices])
