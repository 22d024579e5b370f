"""The page of ``slipway bench --html``: charts, every number, the protocol and the machine, in one file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway import _html
from slipway.bench import compare
from slipway.bench.survey import COLUMNS
from slipway.bench.verdict import name_of

_CHOICES = '<div class="choices" id="choices"></div>'
_MARKS = {"slower": "bad", "faster": "good"}


def bench_page(result: Mapping[str, Any]) -> str:
    """Return the page of a result of :func:`slipway.bench.survey.measure_survey`."""
    shown = {key: result[key] for key in ("rows", "cells", "waterfalls")}
    sections = [_latency(), _rivals(), _waterfall(result), _comparison(result), _table(result), _ground(result)]
    machine = result["machine"]
    lead = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    body = f'<p class="lead">{_html.text(lead)}</p>\n' + _tiles(result) + "".join(part for part in sections if part)
    script = _html.own_file(Path(__file__), "charts.js")
    return _html.page("slipway bench", body, scripts=(script,), data=shown)


def _tiles(result: Mapping[str, Any]) -> str:
    cells = [cell for cell in result["cells"] if cell["times_faster"]]
    figures: dict[str, object] = {"rows measured": len(result["rows"])}
    if cells:
        logs = [math.log(cell["times_faster"]) for cell in cells]
        slowest = min(cells, key=lambda cell: float(cell["times_faster"]))
        figures |= {
            "times faster than the best rival, geometric mean": f"{math.exp(sum(logs) / len(logs)):.2f}x",
            f"at worst: {name_of(slowest)}": f"{slowest['times_faster']:.2f}x",
        }
    if "comparison" in result:
        figures["cells slower than before"] = result["comparison"]["slower"]
    return _html.tiles(figures)


def _latency() -> str:
    legend = "Dot: median. Line: to the 99.9th percentile. Ring: after a pause. Diamond: the first call after loading."
    without = "<noscript><p>Charts need scripts; the tables do not.</p></noscript>"
    chart = f'{_CHOICES}<div id="latency"><svg></svg></div>\n{without}'
    return _html.section("Latency", chart, note=f"Microseconds, logarithmic. {legend} Point at a line, or tap it.")


def _rivals() -> str:
    note = "How many times faster session.run is than the best accurate rival of its cell; left of 1 it is slower."
    return _html.section("Against the best rival", '<div id="rivals"></div>', note=note)


def _waterfall(result: Mapping[str, Any]) -> str:
    note = f"One session.run of the native engine, from left to right. {_sentence(result['protocol']['waterfall'])}"
    return _html.section("Where the time goes", '<div id="waterfall"></div>', note=note)


def _comparison(result: Mapping[str, Any]) -> str:
    if "comparison" not in result:
        return ""
    cells, gone = result["comparison"]["cells"], result["comparison"]["missing"]
    table = _html.table(compare.COLUMNS, [[cell[column] for column in compare.COLUMNS] for cell in cells], marks=_MARKS)
    below = _html.folded(f"Earlier rows that were not measured now: {len(gone)}", gone) if gone else ""
    return _html.section("Against the earlier run", table + below)


def _table(result: Mapping[str, Any]) -> str:
    rows = [[row[column] for column in COLUMNS] for row in result["rows"]]
    left = {
        f"{cell['bundle']}, {gone['runtime']}": gone["reason"] for cell in result["cells"] for gone in cell["left_out"]
    }
    below = f"<h3>Left out</h3>{_html.facts(left)}" if left else ""
    return _html.section("Every number", _html.table(COLUMNS, rows) + below, note="A heading sorts by its column.")


def _ground(result: Mapping[str, Any]) -> str:
    machine = dict(result["machine"])
    packages = machine.pop("packages", {})
    machine |= {"cuda": ", ".join(machine.get("cuda", ())) or "none"} | dict(packages)
    protocol = {subject: _sentence(sentence) for subject, sentence in result["protocol"].items()}
    return _html.section("Protocol", _html.facts(protocol)) + _html.section("Machine", _html.facts(machine))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
