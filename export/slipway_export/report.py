"""What ``report.json`` says: where a bundle came from and how well its forms agree."""

from __future__ import annotations

import dataclasses
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import slipway
from slipway._metadata import FORMAT
from slipway.train._trained import Trained
from slipway_export.precision import PrecisionError
from slipway_export.verify import RATIO_LIMIT, Verification

_PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime-gpu", "onnxruntime", "numpy")


def provenance(trained: Trained, opset: int) -> dict[str, Any]:
    """Return what ``model.onnx`` says of its own origin; enough to rebuild the eager model with the weights."""
    return {
        "slipway": slipway.__version__,
        "torch": version("torch"),
        "config": plain(dataclasses.asdict(trained.config)),  # type: ignore[call-overload]  # a recipe's dataclass
        "seed": trained.seed,
        "data": plain(dataclasses.asdict(trained.dataset.source)),
        "facts": plain(trained.dataset.facts),
        "opset": opset,
        "recipe_path": plain(trained.recipe_path),
    }


def make_report(
    trained: Trained,
    opset: int,
    missing: Mapping[str, str],
    verification: Verification,
    seconds: Mapping[str, float],
    latency: Sequence[Mapping[str, Any]],
    precisions: Sequence[PrecisionError],
) -> dict[str, Any]:
    """Return the content of ``report.json``."""
    recipe = trained.recipe
    return {
        "format": FORMAT,
        "recipe": recipe.name,
        "title": recipe.title,
        "task": recipe.task,
        "notes": recipe.notes,
        **provenance(trained, opset),
        "training": plain(dataclasses.asdict(trained.training)),
        "history": plain(trained.history),
        "score": {"name": recipe.score_name, "value": trained.score},
        "expected": dict(recipe.expected),
        "metrics": plain(trained.metrics.state()),
        "missing": dict(missing),
        "seconds": {"train": trained.seconds, **seconds},
        "versions": _versions(),
        "verify": {"fp64_ratio_limit": RATIO_LIMIT, **verification.as_json()},
        "precision": [dataclasses.asdict(error) for error in precisions],
        "latency": list(latency),
    }


def pictures_of(trained: Trained) -> dict[str, bytes]:
    """Return every picture of a run by its file name in the bundle."""
    curves = {} if trained.curves is None else {"curves.png": trained.curves}
    return curves | {f"pictures/{name}.png": picture for name, picture in trained.pictures.items()}


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: mappings, lists, texts, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {_utf8(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no infinity
    if isinstance(value, str):
        return _utf8(value)
    if not isinstance(value, Sequence):
        return value
    return [plain(item) for item in value]


def _utf8(text: str) -> str:
    """Return a text with the bytes of file names that are not UTF-8 as backslash escapes: JSON of a bundle has none."""
    return text.encode("utf-8", "backslashreplace").decode()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
