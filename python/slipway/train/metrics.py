"""What is measured on the test split besides a recipe's score, with pytorch-ignite's metrics.

Classes and segmentation: accuracy, precision, recall and F1 averaged over the classes, intersection over union, and the
confusion matrix they all follow from; for classes also the accuracy's 95 % interval, and what chance gives. Numbers:
mean squared and absolute error, R2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from ignite.engine import Engine
from ignite.metrics import ConfusionMatrix, MeanAbsoluteError, MeanSquaredError, Metric
from ignite.metrics.regression.r2_score import R2Score
from torch import Tensor, nn

from slipway.errors import SlipwayError
from slipway.recipes._recipe import Recipe
from slipway.signature import BinaryOutput, ClassOutput, Signature
from slipway.train._engine import engine_of
from slipway.train._returned import counts_of
from slipway.train.batches import Batches

#: What ignite's metrics take: predictions and targets.
Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Metrics:
    """Named values, and the confusion matrix [K][K] of classifiers (true classes down, predicted ones across)."""

    values: Mapping[str, float] = field(default_factory=dict)
    confusion: Sequence[Sequence[int]] = ()
    labels: Sequence[str] = ()

    def state(self) -> dict[str, Any]:
        """Return plain values, as a checkpoint and a report hold them."""
        return {
            "values": dict(self.values),
            "confusion": [list(row) for row in self.confusion],
            "labels": list(self.labels),
        }

    @staticmethod
    def of(state: Mapping[str, Any]) -> Metrics:
        """Rebuild what :meth:`state` returned."""
        return Metrics(**state)


def measure(recipe: Recipe, signature: Signature, module: nn.Module, batches: Batches) -> tuple[float, Metrics]:
    """Return the score of a module in eval mode over batches, and its metrics; the module's mode is put back.

    Raises:
        SlipwayError: The module gives NaN, which no score would show.
    """
    correct = total = 0.0

    def step(engine: Engine, batch: Any) -> tuple[Any, Tensor]:
        nonlocal correct, total
        outputs = module(*batch.inputs)
        if _has_nan(outputs):
            raise SlipwayError(f"recipe {recipe.name}: the trained module gives NaN; a lower --lr may help")
        right, counted = counts_of(recipe, outputs, batch.targets)
        correct, total = correct + right, total + counted
        return outputs, batch.targets

    evaluator = engine_of(step)
    chosen = _metrics(recipe, signature)
    for name, metric in chosen.items():
        metric.attach(evaluator, name)
    was_training = module.training
    module.eval()
    with torch.no_grad():
        results = evaluator.run(batches).metrics
    module.train(was_training)
    if "confusion" in chosen:
        metrics = _of_confusion(results["confusion"], signature.labels)
        if recipe.task == "classification":
            metrics = replace(metrics, values={**metrics.values, **_against_chance(results["confusion"])})
        return score_of(correct, total), metrics
    return score_of(correct, total), Metrics({name: float(results[name]) for name in chosen})


def _has_nan(outputs: Any) -> bool:
    if isinstance(outputs, tuple):
        return any(map(_has_nan, outputs))
    return bool(outputs.isnan().any())


def score_of(correct: float, total: float) -> float:
    """Return what was right as a share of what was counted; 0 where nothing could be (R2 of batches of one row)."""
    return correct / total if total else 0.0


def _metrics(recipe: Recipe, signature: Signature) -> dict[str, Metric]:
    port = signature.outputs[0]
    if len(signature.outputs) == 1 and isinstance(port.spec, (ClassOutput, BinaryOutput)):
        count = 2 if isinstance(port.spec, BinaryOutput) else port.dims[-1]
        pair = _of_probability if isinstance(port.spec, BinaryOutput) else _of_scores
        if isinstance(port.spec, BinaryOutput) and port.spec.scores == "logits":
            pair = _of_logit
        if isinstance(port.spec, ClassOutput) and port.spec.per_step:
            pair = _of_steps
    elif len(signature.outputs) == 1 and recipe.task == "segmentation":
        count, pair = port.dims[1], _of_pixels
    elif len(signature.outputs) == 1 and recipe.task == "regression":
        errors: dict[str, type[Metric]] = {
            "mean squared error": MeanSquaredError, "mean absolute error": MeanAbsoluteError, "R2": _R2,
        }  # fmt: skip
        return {name: kind(output_transform=_of_numbers) for name, kind in errors.items()}
    else:
        return {}
    if not isinstance(count, int) or count != len(signature.labels) or count < 2:  # one class confuses nothing
        return {}
    return {"confusion": ConfusionMatrix(count, output_transform=_without_void(pair, count))}


class _R2(R2Score):
    """R2 of a split, 0 like its score where the targets do not vary."""

    def compute(self) -> float:
        try:
            return float(super().compute())
        except ZeroDivisionError:
            return 0.0


def _of_scores(output: tuple[Tensor, Tensor]) -> Pair:
    return output


def _of_probability(output: tuple[Tensor, Tensor]) -> Pair:
    """One probability per item, [N, 1], becomes two."""
    probability, targets = output
    return torch.cat((1 - probability, probability), dim=1), targets.flatten().long()


def _of_logit(output: tuple[Tensor, Tensor]) -> Pair:
    logits, targets = output
    return _of_probability((logits.sigmoid(), targets))


def _of_steps(output: tuple[Tensor, Tensor]) -> Pair:
    """[T, N, K] and [N, T] become [N * T, K] and [N * T]."""
    scores, targets = output
    return scores.transpose(0, 1).flatten(0, 1), targets.flatten()


def _of_pixels(output: tuple[Tensor, Tensor]) -> Pair:
    """[N, K, H, W] and [N, H, W] become [pixels, K] and [pixels]."""
    scores, targets = output
    return scores.permute(0, 2, 3, 1).flatten(0, 2), targets.flatten().long()


def _of_numbers(output: tuple[Tensor, Tensor]) -> Pair:
    predictions, targets = output
    return predictions.flatten().double(), targets.flatten().double()


def _without_void(pair: Callable[[tuple[Tensor, Tensor]], Pair], count: int) -> Callable[[tuple[Tensor, Tensor]], Pair]:
    """Leave out items whose target is no class (the unlabelled pixels of a segmentation)."""

    def transform(output: tuple[Tensor, Tensor]) -> Pair:
        scores, targets = pair(output)
        kept = (targets >= 0) & (targets < count)
        return scores[kept], targets[kept]

    return transform


def _of_confusion(matrix: Tensor, labels: Sequence[str]) -> Metrics:
    """Averages over the classes leave out those that neither occur nor are predicted."""
    counts = matrix.double()
    right, true, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    seen = (true + predicted) > 0
    precision, recall = right / predicted.clamp(min=1), right / true.clamp(min=1)
    values = {
        "accuracy": float(right.sum() / counts.sum().clamp(min=1)),
        "precision (macro)": float(precision[seen].mean()),
        "recall (macro)": float(recall[seen].mean()),
        "F1 (macro)": float((2 * right / (true + predicted).clamp(min=1))[seen].mean()),
        "intersection over union (mean)": float((right / (true + predicted - right).clamp(min=1))[seen].mean()),
    }
    return Metrics(values, counts.long().tolist(), tuple(labels))


def _against_chance(matrix: Tensor) -> dict[str, float]:
    """Say how sure the accuracy is, and what always answering the most frequent class would give."""
    low, high = wilson(float(matrix.diagonal().sum()), float(matrix.sum()))
    chance = float(matrix.sum(1).max() / matrix.sum().clamp(min=1))
    return {"accuracy, 95 % from": low, "accuracy, 95 % to": high, "accuracy by chance": chance}


def wilson(correct: float, total: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share; (0, 1) where nothing was counted.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if total == 0:
        return 0.0, 1.0
    z, share = 1.959964, correct / total  # the normal distribution's 97.5 % point
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    return (middle - half) / scale, (middle + half) / scale
