"""``report.html`` of a bundle: data, learning curves, answers, verification, latency and origin, on one page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from slipway import _html
from slipway.bundle import Bundle
from slipway_export.curves import draw_curves
from slipway_export.examples import show_examples

Report = Mapping[str, Any]

_VERIFY = ("runtime", "case", "output", "max_abs", "fp64_ratio", "argmax_agreement", "ok", "skipped")
_PRECISION = ("precision", "max_abs", "relative", "same_labels")
_LATENCY = ("runtime", "batch", "threads", "p50_us", "p90_us", "samples")
_MARKS = {"no": "bad", "yes": "good"}
#: History column -> what the legend calls it.
_LINES = {"": "training", "validation_": "validation"}
_SHORT = "A short look when the bundle was made: one item, one thread, microseconds. slipway bench measures properly."
#: Names of more letters stand upright above a confusion matrix.
_LYING = 3


def report_page(bundle: Bundle, report: Report) -> str:
    """Return the page.

    Args:
        bundle: The bundle's models, goldens and pictures; it need not be sealed yet.
        report: What ``report.json`` says, or will say.
    """
    sections = [
        _html.section("Data", _html.facts(dict(_data(report)))),
        _curves(report),
        _html.section(
            "Answers", show_examples(bundle), note="Items of the test split, and what eager PyTorch answers."
        ),
        _confusion(report["metrics"]),
        _pictures(bundle),
        _verification(report),
        _precision(report),
        _latency(report),
        _html.section("Origin", _html.facts(dict(_origin(report)))),
    ]
    lead = f'<p class="lead">{_html.text(report["recipe"])}: {_html.text(report["notes"])}</p>'
    return _html.page(report["title"], f"{lead}\n{_tiles(report)}\n" + "\n".join(part for part in sections if part))


def _tiles(report: Report) -> str:
    rows = [row for row in report["verify"]["rows"] if row["skipped"] is None]
    agreeing = sum(row["ok"] for row in rows)
    was_trained_here = report["data"]["kind"] != "random"
    figures: dict[str, object] = {}
    if was_trained_here:
        figures[report["score"]["name"]] = _known(report["score"]["value"])
    expected = report["expected"].get(report["data"]["kind"])
    if expected is not None:
        figures["expected at least"] = float(expected)
    figures[f"of {len(rows)} comparisons agree"] = agreeing
    for row in report.get("latency", ())[:1]:
        figures[f"{row['runtime']}, median"] = f"{_html.number(float(row['p50_us']))} µs"
    return _html.tiles(figures)


def _data(report: Report) -> Iterator[tuple[str, object]]:
    data = report["data"]
    kinds = {
        "embedded": "inside the packages",
        "download": "downloaded from the publisher",
        "path": "given as a folder",
    }
    yield "data set", data["name"]
    yield "source", kinds.get(data["kind"], data["kind"])
    yield "where", data["where"]
    yield "licence", data["licence"]
    for split, count in data["rows"].items():
        yield f"rows, {split}", count
    if data["reason"]:
        yield "why this source", data["reason"]


def _curves(report: Report) -> str:
    names = {"loss": "loss", "score": report["score"]["name"]}
    drawn = []
    for column, name in names.items():
        series = {
            label: [(row["epoch"], row[prefix + column]) for row in report["history"] if _has(row, prefix + column)]
            for prefix, label in _LINES.items()
        }
        drawn.append(draw_curves(name, series))
    plots = "".join(drawn)
    return _html.section("Learning", f'<div class="plots">{plots}</div>') if plots else ""


def _known(value: float | None) -> float | str:
    return "not finite" if value is None else float(value)  # JSON has no infinity: None stands for it


def _has(row: Mapping[str, Any], column: str) -> bool:
    return row.get(column) is not None


def _confusion(metrics: Mapping[str, Any]) -> str:
    values = _html.facts({name: _known(value) for name, value in metrics["values"].items()})
    if not metrics["confusion"]:
        return _html.section("Test split", values) if metrics["values"] else ""
    labels: Sequence[str] = metrics["labels"]
    kind = ' class="up"' if len(labels) > _LYING and max(map(len, labels)) > _LYING else ""
    head = "".join(f"<th{kind}><span>{_html.text(label)}</span></th>" for label in labels)
    lines = []
    for label, row in zip(labels, metrics["confusion"], strict=True):
        cells = "".join(_heat(count, sum(row)) for count in row)
        lines.append(f"<tr><th>{_html.text(label)}</th>{cells}</tr>")
    table = f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    told = "True classes down, predicted ones across; a shade is a share of its row."
    below = f'<h3>Confusion</h3><p class="note">{told}</p>'
    return _html.section("Test split", f'{values}{below}<div class="wide heat">{table}</div>')


def _heat(count: int, total: int) -> str:
    share = count / total if total else 0.0
    kind = ' class="full"' if share > 0.5 else ""
    return f'<td{kind} style="background:rgba(var(--heat),{share:.2f})">{count or ""}</td>'


def _pictures(bundle: Bundle) -> str:
    """Return the recipe's own pictures; the confusion matrix stands on the page as a table."""
    names = [name for name in bundle.sums if name.startswith("pictures/") and name != "pictures/confusion.png"]
    shown = "".join(_html.picture(bundle.read(name), PurePosixPath(name).stem) for name in names)
    return _html.section("Pictures", shown) if shown else ""


def _verification(report: Report) -> str:
    rows = [[row[column] for column in _VERIFY] for row in report["verify"]["rows"]]
    limit = _html.number(report["verify"]["fp64_ratio_limit"])
    note = (
        f"Every form against eager PyTorch in double; fp64_ratio is its error over eager float32's own, {limit} at "
        "most where the difference matters."
    )
    return _html.section("Verification", _html.table(_VERIFY, rows, marks=_MARKS), note=note)


def _precision(report: Report) -> str:
    rows = [[row[column] for column in _PRECISION] for row in report.get("precision", ())]
    note = (
        "What the engine answers with weights of fewer bits, when asked for it, against eager PyTorch on the goldens."
    )
    return _html.section("Reduced precision", _html.table(_PRECISION, rows), note=note) if rows else ""


def _latency(report: Report) -> str:
    rows = [[row[column] for column in _LATENCY] for row in report.get("latency", ())]
    return _html.section("Latency", _html.table(_LATENCY, rows), note=_SHORT) if rows else ""


def _origin(report: Report) -> Iterator[tuple[str, object]]:
    yield "recipe", report["recipe_path"] or report["recipe"]
    yield "config", _settings(report["config"])
    yield "training", _settings(report["training"])
    yield "seed", report["seed"]
    yield "ONNX opset", report["opset"]
    yield "seconds", ", ".join(f"{name} {value:.1f}" for name, value in report["seconds"].items())
    yield "slipway", report["slipway"]
    yield "versions", ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    yield "not in this bundle", "; ".join(f"{name}: {why}" for name, why in report["missing"].items()) or "nothing"


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
