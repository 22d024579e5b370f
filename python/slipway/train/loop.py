"""The training loop, on pytorch-ignite: epochs, checkpoints, the score on the test split."""

from __future__ import annotations

import math
import random
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn

from slipway._files import alone
from slipway.errors import BundleError, SlipwayError, UsageError
from slipway.recipes._own import place_in_own_file
from slipway.recipes._recipe import Recipe, Result, Split, Training
from slipway.signature import Signature
from slipway.train._engine import engine_of
from slipway.train._returned import build_module, check_config, counts_of, load_data, loss_of
from slipway.train._trained import Trained
from slipway.train.batches import Batch, Batches
from slipway.train.checkpoint import Checkpoint, rng_states, set_rng_states
from slipway.train.metrics import Metrics, measure, score_of
from slipway.train.optimizers import make_optimizers, make_schedule
from slipway.train.profile import check_steps, profiled
from slipway.train.progress import Progress, Silent

#: Epochs shorter than this share a checkpoint: writing must not cost more than learning.
CHECKPOINT_SECONDS = 1.0

#: What may not learn from one item alone, which has no deviation.
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


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
        profile: File for torch's profile of some steps, as a Chrome trace; a table of the operators that took longest
            goes beside it, with the ending ``.txt``. None means no profile.
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
    profile: Path | None = None


def train(run: Run, progress: Progress | None = None) -> Trained:
    """Train a recipe and score it on the test split, which nothing but that score depends on.

    On the CPU the result depends on the run alone, bit for bit, also when the run was killed and resumed: a checkpoint
    holds everything that the next epoch depends on, and the number of threads is one of the settings.

    Raises:
        UsageError: ``resume`` finds the checkpoint of a run with other settings; the message names them. Or a built-in
            recipe fails with settings other than its own, or what a user's own gives is not what it should be.
        BundleError: The checkpoint to resume from does not hold the state of this run.
        FileError: The checkpoint cannot be written, or another process trains to it.
        DataError: The data cannot be loaded.
        SlipwayError: The loss, or what the trained module gives, is no longer a number.
        KeyboardInterrupt: On Ctrl-C; the last checkpoint stays.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(run.training.threads)
    try:
        with alone(run.checkpoint, "training") if run.checkpoint else nullcontext():
            session = _Session(run, progress or Silent())
            session.learn()
            return session.finish()
    except (SlipwayError, OSError):
        raise
    except Exception as error:
        changed = _changed(run)
        reason = (str(error) or type(error).__name__).partition("\n")[0]
        if run.recipe_path is not None:
            if place_in_own_file(error) or isinstance(error, MemoryError | ImportError):
                raise
            raise UsageError(f"recipe {run.recipe_path} fails: {type(error).__name__}: {reason}") from error
        if not changed:
            raise
        raise UsageError(f"recipe {run.recipe.name} fails with {', '.join(changed)}: {reason}") from error
    finally:
        torch.set_num_threads(before)


def _changed(run: Run) -> list[str]:
    """Return the settings that are not the recipe's own, ``name=value``."""
    pairs = ((run.config, run.recipe.config), (run.training, run.recipe.training))
    return [
        f"{key}={value}"
        for settings, usual in pairs
        for key, value in asdict(settings).items()
        if value != getattr(usual, key)
    ]


def evaluate(recipe: Recipe, module: nn.Module, batches: Batches) -> tuple[float, float]:
    """Return mean loss and score of a module over batches, in eval mode; the module's mode is put back."""
    was_training = module.training
    module.eval()
    total_loss = correct = total = items = 0.0
    with torch.no_grad():
        for batch in batches:
            outputs = module(*batch.inputs)
            total_loss += float(loss_of(recipe, outputs, batch.targets)) * len(batch.targets)
            right, counted = counts_of(recipe, outputs, batch.targets)
            correct, total, items = correct + right, total + counted, items + len(batch.targets)
    module.train(was_training)
    return total_loss / items, score_of(correct, total)


class _Session:
    """One run: its module, optimiser, data and history, and the ignite engine over them."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.run, self.progress = run, progress
        _seed_all(run.seed)
        check_config(run.recipe, run.config)
        self.dataset = load_data(run.recipe, run.data, run.config)
        self.signature: Signature = run.recipe.signature(run.config, self.dataset)
        kept, held = _carve(self.dataset.train, run.training, run.seed)
        self.module = build_module(run.recipe, run.config, self.dataset).to(run.device)
        join = any(isinstance(part, _BATCH_NORMS) for part in self.module.modules())
        self.batches = Batches(self.signature, kept, run.training.batch_size, run.device, run.seed, join)
        self.held = None if held is None else Batches(self.signature, held, 256, run.device)
        self.optimizers = make_optimizers(run.recipe, self.module, run.training)
        self.schedules = [make_schedule(optimizer, run.training, len(self.batches)) for optimizer in self.optimizers]
        self.history: list[dict[str, float]] = []
        self.seconds_before = 0.0
        self.score: float | None = None
        self.metrics = Metrics()
        self.began = self.saved = time.monotonic()
        self.sums = _Sums()

    def learn(self) -> None:
        """Run the epochs that are still to be done."""
        run, engine = self.run, engine_of(self._step)
        engine.add_event_handler(Events.EPOCH_STARTED, self._epoch_started)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.progress.batch_done)
        if run.training.checkpoint_every is not None:
            every = Events.ITERATION_COMPLETED(every=run.training.checkpoint_every)
            engine.add_event_handler(every, self._iteration_to_keep)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch_completed)
        done, epochs, length = self._resume(), run.training.epochs, len(self.batches)
        if self.score is not None:
            check_steps(run.profile, 0)
            return
        self.progress.started(run.recipe, self.dataset, epochs, length, done)
        for _ in range(self.batches.skip):
            self.progress.batch_done()
        self.began = self.saved = time.monotonic()
        if done < epochs:
            steps = done * length + self.batches.skip
            check_steps(run.profile, epochs * length - steps)
            engine.load_state_dict({"iteration": steps, "max_epochs": epochs, "epoch_length": length})
            with profiled(run.profile) as profile_step:
                engine.add_event_handler(Events.ITERATION_COMPLETED, profile_step)
                engine.run(self.batches)

    def finish(self) -> Trained:
        """Score the module on the test split, keep the last checkpoint, and hand everything over."""
        run = self.run
        seconds = self._seconds()
        if self.score is None:
            test = Batches(self.signature, self.dataset.test, 256, run.device)
            self.score, self.metrics = measure(run.recipe, self.signature, self.module, test)
            self._save(seconds)
        result = Result(
            run.config, run.training, self.dataset, self.signature, self.module.cpu().eval(), run.seed, self.history
        )
        return Trained.of(run.recipe, result, self.score, self.metrics, seconds, run.recipe_path)

    def _step(self, engine: Engine, batch: Batch) -> None:
        """Make one step; an optimiser that looks several times (L-BFGS) has its first look counted."""
        recipe, self.batches.skip = self.run.recipe, 0
        looks: list[tuple[Tensor, tuple[float, float]]] = []
        self.module.train()

        def look() -> Tensor:
            self.module.zero_grad()
            outputs = self.module(*batch.inputs)
            loss = loss_of(recipe, outputs, batch.targets)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            if self.run.training.gradient_clip is not None:
                nn.utils.clip_grad_norm_(self.module.parameters(), self.run.training.gradient_clip)
            looks.append((loss.detach(), counts_of(recipe, _detached(outputs), batch.targets)))
            return looks[-1][0]

        if len(self.optimizers) == 1:
            self.optimizers[0].step(look)  # type: ignore[arg-type]  # L-BFGS itself calls float() on the loss
        else:
            look()
            for optimizer in self.optimizers:
                optimizer.step()
        for schedule in self.schedules:
            schedule.step()
        self.sums.add(*looks[0], len(batch.targets))

    def _epoch_started(self, engine: Engine) -> None:
        self.batches.epoch = engine.state.epoch
        if not self.batches.skip:
            self.sums = _Sums()

    def _iteration_to_keep(self, engine: Engine) -> None:
        steps = engine.state.iteration % len(self.batches)
        if steps:  # the end of an epoch is kept with its line of the history
            self._save(self._seconds(), steps)

    def _epoch_completed(self, engine: Engine) -> None:
        loss, score = self.sums.means()
        if not math.isfinite(loss):
            name, epoch = self.run.recipe.name, engine.state.epoch
            raise SlipwayError(f"recipe {name}: the loss of epoch {epoch} is {loss}; a lower --lr may help")
        row = {"epoch": float(engine.state.epoch), "loss": loss, "score": score}
        if self.held is not None:
            row["validation_loss"], row["validation_score"] = evaluate(self.run.recipe, self.module, self.held)
        row |= {"lr": float(self.optimizers[0].param_groups[0]["lr"]), "seconds": self._seconds()}
        self.history.append(row)
        if time.monotonic() - self.saved >= CHECKPOINT_SECONDS:
            self._save(row["seconds"])
        self.progress.epoch_done(row)

    def _seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def _save(self, seconds: float, steps: int = 0) -> None:
        run = self.run
        if run.checkpoint is None:
            return
        Checkpoint(
            **_identity(run),
            source=asdict(self.dataset.source),
            epoch=len(self.history),
            steps=steps,
            sums=self.sums.state() if steps else [],
            module=self.module.state_dict(),
            optimizers=[optimizer.state_dict() for optimizer in self.optimizers],
            schedules=[schedule.state_dict() for schedule in self.schedules],
            rng=rng_states(),
            history=self.history,
            seconds=seconds,
            score=self.score,
            metrics=self.metrics.state(),
        ).save(run.checkpoint)
        self.saved = time.monotonic()

    def _resume(self) -> int:
        """Take over the checkpoint's state, and return the epochs that it has done."""
        run = self.run
        if not run.resume or run.checkpoint is None or not run.checkpoint.is_file():
            return 0
        kept = Checkpoint.load(run.checkpoint)
        differing = [_difference(key, getattr(kept, key), value) for key, value in _identity(run).items()]
        differing.append(_difference("source", _data_of(kept.source), _data_of(asdict(self.dataset.source))))
        if any(differing):
            raise UsageError(f"checkpoint {run.checkpoint} is of another run: {'; '.join(filter(None, differing))}")
        try:
            self._take_over(kept)
        except Exception as error:  # torch has no error type of its own for states that do not fit
            reason = (str(error) or type(error).__name__).partition("\n")[0]
            raise BundleError(
                f"checkpoint {run.checkpoint} does not hold the state of this run ({reason}); remove it and train again"
            ) from error
        return kept.epoch

    def _take_over(self, kept: Checkpoint) -> None:
        self.module.load_state_dict(kept.module)
        for optimizer, state in zip(self.optimizers, kept.optimizers, strict=True):
            optimizer.load_state_dict(state)
        for schedule, state in zip(self.schedules, kept.schedules, strict=True):
            schedule.load_state_dict(state)
        set_rng_states(kept.rng)
        self.history, self.seconds_before, self.score = list(kept.history), kept.seconds, kept.score
        self.metrics = Metrics.of(kept.metrics)
        self.batches.skip = kept.steps
        if kept.steps:
            self.sums = _Sums(*kept.sums)


class _Sums:
    """Loss and score of an epoch, summed on the device so that no step waits for it."""

    def __init__(self, loss: float = 0.0, items: float = 0.0, correct: float = 0.0, total: float = 0.0) -> None:
        self.loss: Tensor | float = loss
        self.items, self.correct, self.total = items, correct, total

    def add(self, loss: Tensor, score: tuple[float, float], items: int) -> None:
        self.loss = self.loss + loss.double() * items
        self.items += items
        self.correct, self.total = self.correct + score[0], self.total + score[1]

    def state(self) -> list[float]:
        return [float(self.loss), self.items, self.correct, self.total]

    def means(self) -> tuple[float, float]:
        """Return the mean loss, and the score."""
        return float(self.loss) / self.items, score_of(self.correct, self.total)


def _identity(run: Run) -> dict[str, Any]:
    """Return what makes a run this run; a checkpoint of any other is not continued."""
    return {
        "recipe": run.recipe_path or run.recipe.name,
        "config": asdict(run.config),
        "training": asdict(run.training),
        "data": run.data,
        "seed": run.seed,
    }


def _data_of(source: dict[str, Any]) -> dict[str, Any]:
    """Return what data a source is; why it was chosen may differ by the day (what a server answered)."""
    return {key: value for key, value in source.items() if key != "reason"}


def _difference(key: str, kept: Any, wanted: Any) -> str:
    if kept == wanted:
        return ""
    if isinstance(kept, dict) and isinstance(wanted, dict):
        keys = sorted(k for k in kept.keys() | wanted.keys() if kept.get(k) != wanted.get(k))
        return ", ".join(f"{k} was {kept.get(k)}, is {wanted.get(k)}" for k in keys)
    return f"{key} was {kept}, is {wanted}"


def _detached(outputs: Any) -> Any:
    return tuple(_detached(o) for o in outputs) if isinstance(outputs, tuple) else outputs.detach()


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
    if len(indices) == len(split):
        return split  # all of it, in order; raw items that are made when asked for are not made here
    return replace(split, raws=[split.raws[i] for i in indices], targets=split.targets[indices])
