"""The page of ``slipway bench``: whole, safe, and alive in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.bench.charts import bench_page
from slipway.bench.cold import ColdSettings
from slipway.bench.competitors import find_competitors
from slipway.bench.protocol import Settings
from slipway.bench.survey import COLUMNS, Survey, measure_survey
from slipway.bundle import Bundle

HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)>&"\''


@pytest.fixture(scope="module")
def result(breast_cancer: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    survey = Survey(
        bundles=[breast_cancer],
        batches=[1, 3],
        threads=[1],
        competitors=find_competitors("native-cpu,onnxruntime-cpu"),
        settings=Settings(rounds=3, turn_seconds=1e-3, rest_seconds=0),
        folder=tmp_path_factory.mktemp("compiled"),
        cold=ColdSettings(loads=1, pauses=1, pause_seconds=0),
    )
    return measure_survey(survey, lambda what: None)


def renamed(result: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the result of a bundle of another name, compared with itself."""
    found: dict[str, Any] = json.loads(json.dumps(result))
    for row in [*found["rows"], *found["cells"], *found["waterfalls"]]:
        row["bundle"] = name
    numbers = {"batch": 1, "threads": 1, "old_us": 1.0, "new_us": 2.0, "times": 2.0, "noise": 0.03}
    cell = {"bundle": name, "runtime": "native-cpu", **numbers, "verdict": "slower"}
    found["comparison"] = {"slower": 1, "cells": [cell], "missing": [name]}
    found["cells"][0]["left_out"] = [{"runtime": name, "reason": name, "error": None}]
    return found


def test_a_survey_states_its_protocol_and_measures_the_beginnings(result: dict[str, Any]) -> None:
    assert {"timed", "transfers", "turns", "warm-up", "checks", "cold", "idle", "memory"} <= set(result["protocol"])
    assert [(row["runtime"], row["batch"]) for row in result["rows"]] == [
        (runtime, batch) for batch in (1, 3) for runtime in ("native-cpu", "onnxruntime-cpu")
    ]
    for row in result["rows"]:
        assert set(COLUMNS) <= set(row)
        assert 0 < row["p50_us"] <= row["p90_us"] <= row["p99_us"] <= row["p999_us"]
        assert all(row[key] > 0 for key in ("load_us", "cold_us", "idle_us"))
    assert [cell["best_peer"] for cell in result["cells"]] == ["onnxruntime-cpu"] * 2


def test_the_parts_of_a_waterfall_make_the_run(result: dict[str, Any]) -> None:
    for found in result["waterfalls"]:
        parts = found["parts"]
        assert sum(part["us"] for part in parts) == pytest.approx(found["run_us"])
        kinds = [part["kind"] for part in parts]
        assert (kinds[:2], kinds[-1], set(kinds[2:-1])) == (["call", "inputs"], "outputs", {"node"})


def test_the_page_names_no_address_and_holds_every_number(result: dict[str, Any]) -> None:
    page = bench_page(result)
    assert re.findall(r"https?:|//[\w.-]+\.\w|<link|@import|url\(|<iframe|src=(?!\"data:)", page) == []
    assert "default-src 'none'" in page
    for row in result["rows"]:
        numbers = [value for key in COLUMNS if isinstance(value := row[key], int | float) and value is not True]
        assert all(f'data-order="{value!r}"' in page for value in numbers)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["rows"] == result["rows"]


def test_a_hostile_name_stays_a_text(result: dict[str, Any]) -> None:
    page = bench_page(renamed(result, HOSTILE))
    assert page.count("<script") == bench_page(result).count("<script")
    assert "<img" not in page
    assert "&lt;/script&gt;" in page


def test_the_charts_stand_in_a_browser(
    browse: Callable[[Path], tuple[str, list[str]]], result: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "bench.html"
    file.write_text(bench_page(renamed(result, HOSTILE)), encoding="utf-8")
    dom, console = browse(file)
    assert console == []
    for chart in ("latency", "rivals", "waterfall"):
        drawn = dom.partition(f'id="{chart}"')[2].partition("</section>")[0]
        assert "<svg" in drawn
        assert drawn.count("<text") > 4
    latency = dom.partition('id="latency"')[2].partition("</section>")[0]
    assert re.findall(r">(native-cpu|onnxruntime-cpu)</text>", latency) == ["native-cpu", "onnxruntime-cpu"]
    assert latency.count("<circle") == 4
    assert f"{result['waterfalls'][0]['run_us']:.3g} µs" in dom.partition('id="waterfall"')[2]
    assert dom.count("<option") == 1 + 2 + 1
    assert "<img" not in re.sub(r'"[^"]*"', "", dom)


def test_a_click_on_a_heading_sorts_by_its_numbers(
    browse: Callable[[Path], tuple[str, list[str]]], result: dict[str, Any], tmp_path: Path
) -> None:
    place = COLUMNS.index("cold_us")
    click = f"document.querySelectorAll('table.sorted button')[{place}].click();"
    shown = []
    for clicks in (1, 2):
        file = tmp_path / f"sorted_{clicks}.html"
        file.write_text(bench_page(result) + f"<script>{click * clicks}</script>", encoding="utf-8")
        rows = re.findall(
            r"<tr>(.*?)</tr>", browse(file)[0].partition("<tbody>")[2].partition("</tbody>")[0], re.DOTALL
        )
        cells = [re.findall(r"<td.*?</td>", row)[place] for row in rows]
        shown.append([float(cell.partition('data-order="')[2].partition('"')[0]) for cell in cells])
    wanted = sorted(row["cold_us"] for row in result["rows"])
    assert shown == [wanted, wanted[::-1]]
