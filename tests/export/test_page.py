"""``report.html``: what it shows of any bundle, and that it is one safe file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_models import TEXTS

from slipway.bundle import REPORT_PAGE, SUMS, Bundle, Golden
from slipway.runtime import find_runtimes
from slipway.signature import ImageInput, InputPort, OutputPort, SegmentationOutput, Signature, TableInput, TensorOutput
from slipway_export.curves import draw_curves
from slipway_export.examples import show_examples
from slipway_export.latency import measure_latency
from slipway_export.page import report_page

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def report(sealed: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(Bundle.open(sealed).report))
    return found


def with_learning(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report with a history, a confusion matrix and a latency."""
    history = [{"epoch": float(n), "loss": 1 / n, "score": 1 - 1 / n, "validation_loss": 2 / n} for n in range(1, 6)]
    metrics = {"values": {"accuracy": 0.75}, "confusion": [[3, 1], [0, 4321]], "labels": ["yes", "certainly"]}
    latency = [{"runtime": "native-cpu", "batch": 1, "threads": 1, "p50_us": 1.25, "p90_us": 2.5, "samples": 9}]
    return {**report, "history": history, "metrics": metrics, "latency": latency}


def test_a_sealed_bundle_has_a_page_of_its_own_numbers(sealed: Path) -> None:
    bundle = Bundle.open(sealed)
    page = bundle.read(REPORT_PAGE).decode()
    assert page == report_page(bundle, bundle.report)
    for heading in ("Data", "Learning", "Answers", "Verification", "Latency", "Origin"):
        assert f"<h2>{heading}</h2>" in page
    assert any(f"<td>{text}</td>" in page for text in TEXTS)
    assert [row["runtime"] for row in bundle.report["latency"]] == ["onnxruntime-cpu"]
    numbers = [row[key] for row in bundle.report["verify"]["rows"] for key in ("max_abs", "fp64_ratio")]
    assert all(f'data-order="{value!r}"' in page for value in numbers if value is not None)


def test_a_page_is_one_file_without_an_address(sealed: Path, report: dict[str, Any]) -> None:
    page = report_page(Bundle.open(sealed), with_learning(report))
    assert re.findall(r"https?:|<link|@import|url\(|<iframe|src=\"(?!data:)", page) == []
    assert "default-src 'none'" in page
    assert "4321" in page
    assert page.count("<polyline") == 3
    assert "native-cpu, median" in page


def test_names_from_elsewhere_stay_texts(sealed: Path, report: dict[str, Any]) -> None:
    changed = with_learning(report)
    changed |= {"title": HOSTILE, "recipe": HOSTILE, "notes": HOSTILE, "config": {HOSTILE: HOSTILE}}
    changed["data"] = {**report["data"], "name": HOSTILE, "where": HOSTILE, "licence": HOSTILE, "reason": HOSTILE}
    changed["metrics"]["labels"] = [HOSTILE, "b"]
    changed["score"] = {"name": HOSTILE, "value": 0.5}
    changed["missing"] = {"model.pt2": HOSTILE}
    page = report_page(Bundle.open(sealed), changed)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") >= 9


def test_a_bundle_of_before_still_opens_and_can_be_shown(copied: Path, report: dict[str, Any]) -> None:
    del report["latency"]
    (copied / REPORT_PAGE).unlink()
    lines = [line for line in (copied / SUMS).read_text().splitlines() if not line.endswith(REPORT_PAGE)]
    (copied / SUMS).write_text("\n".join(lines) + "\n")
    bundle = Bundle.open(copied)
    assert REPORT_PAGE not in bundle.sums
    assert "<h2>Latency</h2>" not in report_page(bundle, report)


def test_a_training_that_diverged_has_a_page_too(sealed: Path, report: dict[str, Any]) -> None:
    changed = with_learning(report)
    changed["history"] = [{"epoch": 1.0, "loss": None}]
    changed["score"]["value"] = changed["metrics"]["values"]["accuracy"] = None
    page = report_page(Bundle.open(sealed), changed)
    assert page.count("not finite") == 2
    assert "<h2>Learning</h2>" not in page


def test_a_page_stands_in_a_browser(
    browse: Callable[[Path], tuple[str, list[str]]], sealed: Path, report: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_page(Bundle.open(sealed), with_learning(report)), encoding="utf-8")
    dom, console = browse(file)
    assert console == []
    assert dom.count("<polyline") == 3
    assert "4321" in dom


def test_the_latency_is_that_of_runtimes_that_can_run_the_model(sealed: Path) -> None:
    rows = measure_latency(Bundle.open(sealed), find_runtimes("eager,native-cpu,onnxruntime-cpu"))
    assert [row["runtime"] for row in rows] == ["native-cpu", "onnxruntime-cpu"]
    assert all(0 < row["p50_us"] <= row["p90_us"] and row["samples"] >= 50 for row in rows)


# --- curves and examples --------------------------------------------------------------------------------------------


def test_a_curve_leaves_out_what_is_not_finite_and_needs_a_point() -> None:
    drawn = draw_curves("loss", {"training": [(1, 2.0), (2, float("nan")), (3, 1.0)], "validation": []})
    assert drawn.count("<circle") == 2
    assert "validation" not in drawn
    assert "nan" not in drawn
    assert draw_curves("loss", {"training": []}) == ""


@pytest.mark.parametrize("points", [[(1, 1.0)], [(1, 0.0), (2, 0.0)], [(1, 1e-9), (2, 1e9)]])
def test_any_curve_has_a_few_ticks(points: list[tuple[float, float]]) -> None:
    drawn = draw_curves("loss", {"training": points})
    assert 3 <= drawn.count('class="grid"') <= 8
    assert "inf" not in drawn


class Shown:
    """Stands for a bundle of one golden."""

    def __init__(self, path: Path, signature: Signature, golden: Golden) -> None:
        self.path, self.signature, self.goldens = path, signature, (golden,)

    def golden_file(self, name: str) -> Path:
        return self.path / "goldens" / name


def test_a_segmentation_is_laid_over_its_image(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "goldens").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "goldens" / "0.png")
    scores = np.zeros((1, 2, 8, 8), np.float32)
    scores[0, 1, :4] = 1
    signature = Signature(
        (InputPort("x", "float32", ("N", 3, "H", "W"), ImageInput(channels=3, height=None, width=None)),),
        (OutputPort("y", ("N", 2, "H", "W"), SegmentationOutput()),),
        ("ground", "road & rail"),
    )
    golden = Golden("batch_1", {"images": ["0.png"]}, {}, {"y": scores}, ("ground",))
    shown = show_examples(Shown(tmp_path, signature, golden))  # type: ignore[arg-type]
    assert shown.count("data:image/png;base64,") == 2
    assert "coloured: road &amp; rail" in shown
    assert "50.0%" in shown


def test_rows_of_numbers_stand_beside_what_is_predicted(tmp_path: Path) -> None:
    (tmp_path / "goldens").mkdir()
    (tmp_path / "goldens" / "rows.csv").write_text("1.5\n2.5\n")
    signature = Signature(
        (InputPort("x", "float32", ("N", 1), TableInput()),), (OutputPort("y", ("N", 1), TensorOutput()),)
    )
    golden = Golden("batch_2", {"csv": "rows.csv"}, {}, {"y": np.array([[3.0], [5.0]], np.float32)}, ())
    shown = show_examples(Shown(tmp_path, signature, golden))  # type: ignore[arg-type]
    assert "<td>5</td>" in shown
    assert 'data-order="2.5"' in shown
