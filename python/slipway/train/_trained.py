"""What training hands to export: the trained module and everything needed to tell where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.signature import Signature
from slipway.train.metrics import Metrics
from slipway.train.pictures import draw_confusion, draw_curves


@dataclass(frozen=True)
class Trained:
    """A trained model with its recipe, settings, data and learning history.

    Args:
        recipe: The recipe that was trained.
        config: The config it was trained with, an instance of the recipe's config dataclass.
        training: The training settings it was trained with.
        dataset: The data it learned from and was judged by.
        signature: ``recipe.signature(config, dataset)``.
        module: The trained module; export takes a copy and leaves it as it is.
        seed: The seed of the run.
        score: The score on the test split, in the recipe's ``score_name``; None of a module that came trained.
        history: One row of named numbers per epoch, at least ``epoch`` and ``loss``.
        seconds: How long training took.
        recipe_path: The user's file for a recipe that is not built in (``FILE.py:NAME``), else None.
        curves: PNG bytes of the loss and score curves, if they were drawn.
        metrics: Other metrics of the test split.
        pictures: The recipe's own pictures and the confusion matrix, PNG bytes by name.
    """

    recipe: Recipe
    config: object
    training: Training
    dataset: Dataset
    signature: Signature
    module: nn.Module
    seed: int
    score: float | None
    history: Sequence[Mapping[str, float]]
    seconds: float
    recipe_path: str | None = None
    curves: bytes | None = field(default=None, repr=False)
    metrics: Metrics = field(default_factory=Metrics)
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(
        recipe: Recipe, result: Result, score: float, metrics: Metrics, seconds: float, recipe_path: str | None
    ) -> Trained:
        """Put a finished run together, and draw its pictures."""
        pictures = {} if recipe.pictures is None else dict(recipe.pictures(result))
        if metrics.confusion:
            pictures["confusion"] = draw_confusion(recipe.title, metrics.confusion, metrics.labels)
        return Trained(
            recipe=recipe,
            config=result.config,
            training=result.training,
            dataset=result.dataset,
            signature=result.signature,
            module=result.module,
            seed=result.seed,
            score=score,
            history=result.history,
            seconds=seconds,
            recipe_path=recipe_path,
            curves=draw_curves(recipe.title, recipe.score_name, result.history),
            metrics=metrics,
            pictures=pictures,
        )
