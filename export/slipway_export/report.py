"""Writes ``report.json`` and ``report.html``: where a bundle came from and how well its forms agree."""

from __future__ import annotations

import dataclasses
import html
import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import slipway
from slipway._metadata import FORMAT
from slipway.train._trained import Trained
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
        "recipe_path": trained.recipe_path,
    }


def make_report(
    trained: Trained, opset: int, missing: Mapping[str, str], verification: Verification, seconds: Mapping[str, float]
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
    }


def pictures_of(trained: Trained) -> dict[str, bytes]:
    """Return every picture of a run by its file name in the bundle."""
    curves = {} if trained.curves is None else {"curves.png": trained.curves}
    return curves | {f"pictures/{name}.png": picture for name, picture in trained.pictures.items()}


def report_html(report: Mapping[str, Any], pictures: Sequence[str]) -> str:
    """Return the report as one page without scripts; it shows the pictures that lie beside it."""
    facts = {
        "Recipe": report["recipe"],
        "Place in the notes": report["notes"],
        report["score"]["name"].capitalize(): _score(report["score"]["value"]),
        **{name.capitalize(): f"{value:.4f}" for name, value in report["metrics"]["values"].items()},
        "Data": f"{report['data']['name']} ({report['data']['kind']}, {report['data']['licence']})",
        "Config": json.dumps(report["config"]),
        "Seed": report["seed"],
        "Seconds": ", ".join(f"{name} {value:.1f}" for name, value in report["seconds"].items()),
        "Versions": ", ".join(f"{name} {value}" for name, value in report["versions"].items()),
        "Not in this bundle": "; ".join(f"{name}: {reason}" for name, reason in report["missing"].items()) or "nothing",
    }
    columns = ("runtime", "case", "output", "max_abs", "fp64_ratio", "argmax_agreement", "ok", "skipped")
    rows = [[row[column] for column in columns] for row in report["verify"]["rows"]]
    shown = "".join(f'<p><img src="{_text(name)}" alt="{_text(name)}" style="max-width:100%"></p>' for name in pictures)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(report["recipe"])}</title>'
        "<style>body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}"
        "td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}</style>"
        f"<h1>{_text(report['title'])}</h1>{_table((), [[name, value] for name, value in facts.items()])}{shown}"
        f"<h2>Verification against eager PyTorch</h2>{_table(columns, rows)}</html>\n"
    )


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: mappings, lists, texts, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no infinity
    if isinstance(value, str) or not isinstance(value, Sequence):
        return value
    return [plain(item) for item in value]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_text(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{_text(_short(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>" if columns else f"<table>{body}</table>"


def _score(value: float | None) -> str:
    return "none: the module came trained" if value is None else f"{value:.4f}"


def _short(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def _text(value: object) -> str:
    return html.escape(str(value))
