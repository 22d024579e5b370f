"""Checkpoints: one file per run, whole or absent, that continues the run to the same bits; and its end result."""

from __future__ import annotations

import io
import random
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slipway._files import sweep_partial, write_atomically
from slipway.errors import BundleError, UsageError
from slipway.recipes import is_own, load_recipe
from slipway.recipes._recipe import Result, Training
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
        except Exception as error:  # torch.load has no error type of its own
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise BundleError(f"checkpoint {path} is damaged ({reason}); remove it and train again") from error
        if checkpoint is None:
            raise BundleError(f"checkpoint {path} has format {version}, expected {FORMAT}; remove it and train again")
        return checkpoint


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


def load_trained(path: Path) -> Trained:
    """Rebuild what training returned, from the checkpoint of a finished run; the data set is loaded again.

    Raises:
        UsageError: There is no such file, or the run is not finished.
        BundleError: The checkpoint is damaged, or does not fit its recipe.
    """
    checkpoint = Checkpoint.load(path)
    if checkpoint.score is None:
        epochs = checkpoint.training["epochs"]
        raise UsageError(f"the run of {path} stands at epoch {checkpoint.epoch} of {epochs}; finish it with --resume")
    recipe = load_recipe(checkpoint.recipe)
    try:
        config, training = type(recipe.config)(**checkpoint.config), Training(**checkpoint.training)
        dataset = recipe.data(checkpoint.data, config)
        module = recipe.build(config, dataset)
        module.load_state_dict(checkpoint.module)
    except (TypeError, RuntimeError) as error:
        raise BundleError(f"checkpoint {path} does not fit recipe {checkpoint.recipe}: {error}") from error
    if asdict(dataset.source)["rows"] != checkpoint.source["rows"]:
        was, now = checkpoint.source["name"], dataset.source.name
        raise BundleError(f"checkpoint {path} was trained on {was}, {checkpoint.source['rows']}, now there is {now}")
    signature = recipe.signature(config, dataset)
    result = Result(config, training, dataset, signature, module.eval(), checkpoint.seed, checkpoint.history)
    own = checkpoint.recipe if is_own(checkpoint.recipe) else None
    return Trained.of(recipe, result, checkpoint.score, Metrics.of(checkpoint.metrics), checkpoint.seconds, own)
