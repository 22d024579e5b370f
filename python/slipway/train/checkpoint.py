"""Checkpoints: one file per run, whole or absent, that continues the run to the same bits; and its end result."""

from __future__ import annotations

import io
import random
import shlex
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_origin, get_type_hints

import numpy as np
import torch

from slipway._files import sweep_partial, write_atomically
from slipway.errors import BundleError, SlipwayError, UsageError
from slipway.recipes import is_own, load_builtin, load_recipe, recipe_names
from slipway.recipes._recipe import Recipe, Result, Training
from slipway.train._trained import Trained
from slipway.train.metrics import Metrics

FORMAT = 2


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after a step. All fields are plain values and tensors, loadable as weights only.

    Args:
        recipe: The recipe's name, or a user's ``FILE.py:NAME``.
        config: The config's fields.
        training: The training settings' fields.
        data: The data request (``auto``, ``embedded`` or a path).
        source: The data source's fields.
        seed: The seed of the run.
        epoch: Epochs done.
        steps: Steps done of the next epoch.
        sums: Loss and score of those steps, as the loop sums them.
        module: State of the module.
        optimizers: States of the optimisers.
        schedules: States of their learning-rate schedules.
        rng: States of the random number generators.
        history: One row of numbers per epoch.
        seconds: Training time so far.
        score: Score on the test split; None until all epochs are done.
        metrics: The other metrics of the test split, as ``Metrics.state`` gives them.
    """

    recipe: str
    config: dict[str, Any]
    training: dict[str, Any]
    data: str
    source: dict[str, Any]
    seed: int
    epoch: int
    steps: int
    sums: list[float]
    module: dict[str, Any]
    optimizers: list[dict[str, Any]]
    schedules: list[dict[str, Any]]
    rng: dict[str, Any]
    history: list[dict[str, float]]
    seconds: float
    score: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the checkpoint; a kill at any moment leaves the previous one."""
        content = io.BytesIO()
        torch.save({"format": FORMAT} | {f.name: getattr(self, f.name) for f in fields(self)}, content)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint, without running any code from it.

        Raises:
            UsageError: There is no such file.
            BundleError: It is damaged, or of another format.
        """
        if not path.is_file():
            raise UsageError(f"there is no checkpoint {path}")
        sweep_partial(path)
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            version = content.pop("format")
            checkpoint = cls(**content) if version == FORMAT else None
            _check_types(checkpoint)
        except Exception as error:  # torch.load has no error type of its own
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise BundleError(f"checkpoint {path} is damaged ({reason}); remove it and train again") from error
        if checkpoint is None:
            raise BundleError(f"checkpoint {path} has format {version}, expected {FORMAT}; remove it and train again")
        return checkpoint


def _check_types(checkpoint: Checkpoint | None) -> None:
    """Refuse fields of another type than declared, as far as a file of a stranger may have them.

    Raises:
        TypeError: There are such fields.
    """
    for name, hint in get_type_hints(Checkpoint).items() if checkpoint is not None else ():
        kind = hint if isinstance(hint, UnionType) else get_origin(hint) or hint
        if not isinstance(getattr(checkpoint, name), kind):
            raise TypeError(f"{name} is of type {type(getattr(checkpoint, name)).__name__}")


def rng_states() -> dict[str, Any]:
    """Return the states of torch's, numpy's and Python's generators."""
    numpy_name, keys, *rest = np.random.get_state()  # noqa: NPY002 - a user's recipe may use the global generator
    version, internal, gauss = random.getstate()
    states: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": [str(numpy_name), [int(key) for key in keys], *rest],
        "python": [version, list(internal), gauss],
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_rng_states(states: dict[str, Any]) -> None:
    """Put generators back to what ``rng_states`` returned."""
    torch.set_rng_state(states["torch"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002 - as above
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    if "cuda" in states and torch.cuda.device_count() == len(states["cuda"]):
        torch.cuda.set_rng_state_all(states["cuda"])


def load_trained(path: Path, own: str | None = None) -> Trained:
    """Rebuild what training returned, from the checkpoint of a finished run; the data set is loaded again.

    Args:
        path: The checkpoint. It never decides which file is run as code: its own note of that is only compared.
        own: Of a recipe of the user's own: ``FILE.py:NAME``, which runs that file.

    Raises:
        UsageError: There is no such file, the run is not finished, or ``own`` is not the recipe that was trained.
        BundleError: The checkpoint is damaged, or does not fit its recipe.
    """
    checkpoint = Checkpoint.load(path)
    if checkpoint.score is None:
        epochs = checkpoint.training["epochs"]
        raise UsageError(f"the run of {path} stands at epoch {checkpoint.epoch} of {epochs}; finish it with --resume")
    recipe = _recipe_of(checkpoint, path, own)
    # Settings of a stranger may make a built-in recipe raise anything; what an own file raises is told by its line.
    misfits = Exception if own is None else (TypeError, RuntimeError)
    try:
        config, training = type(recipe.config)(**checkpoint.config), Training(**checkpoint.training)
        dataset = recipe.data(checkpoint.data, config)
        module = recipe.build(config, dataset)
        module.load_state_dict(checkpoint.module)
        metrics = Metrics.of(checkpoint.metrics)
    except SlipwayError:
        raise
    except misfits as error:
        reason = (str(error) or type(error).__name__).splitlines()[-1].strip()
        raise BundleError(f"checkpoint {path} does not fit recipe {recipe.name}: {reason}") from error
    if asdict(dataset.source)["rows"] != checkpoint.source.get("rows"):
        was, now = checkpoint.source.get("name"), dataset.source.name
        rows = checkpoint.source.get("rows")
        raise BundleError(f"checkpoint {path} was trained on {was}, {rows}, now there is {now}")
    signature = recipe.signature(config, dataset)
    result = Result(config, training, dataset, signature, module.eval(), checkpoint.seed, checkpoint.history)
    return Trained.of(recipe, result, checkpoint.score, metrics, checkpoint.seconds, own)


def _recipe_of(checkpoint: Checkpoint, path: Path, own: str | None) -> Recipe:
    """Return a built-in recipe by the name in a checkpoint, or the one that the user names: only that may run code."""
    noted = checkpoint.recipe
    if own is None:
        if is_own(noted):
            again = f"slipway export {shlex.quote(str(path))} --recipe {shlex.quote(noted)}"
            raise UsageError(
                f"checkpoint {path} notes that {noted} trained it; a checkpoint never runs a file: if you trust that "
                f"one, name it yourself: {again}"
            )
        if noted not in recipe_names():
            raise BundleError(f"checkpoint {path} was trained by recipe {noted!r}, which is not built in; train again")
        return load_builtin(noted)
    if _file_and_name(own) != _file_and_name(noted):
        raise UsageError(f"checkpoint {path} was trained by {noted}, got --recipe {own}")
    return load_recipe(own)


def _file_and_name(recipe: str) -> tuple[str, str]:
    """Return what must be the same of a recipe of the user's own wherever its file lies."""
    place, _, name = recipe.partition(":")
    file = Path(place).name if place.endswith(".py") else f"{place.rpartition('.')[2]}.py"
    return file, name or "RECIPE"
