"""``slipway bench``: its files, its comparison with an earlier run, and its exit codes."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.cli import run_command, slipway_app
from slipway.cli._bench import numbers
from slipway.errors import ExitCode

Bench = Callable[..., tuple[int, str, str]]


SHORT = ("--runtimes", "native-cpu", "--batch", "2", "--duration", "0.05")


@pytest.fixture
def bench(zoo: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Run the verb for a moment; gives exit code, stdout and stderr."""

    def run(*options: object) -> tuple[int, str, str]:
        code = run_command(slipway_app, "slipway", ["bench", str(zoo / "breast-cancer"), *SHORT, *map(str, options)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def old(folder: Path, times: float, measured: dict[str, Any], **changes: Any) -> Path:
    """Write the result of an earlier run that took so many times as long, its rounds alike."""
    rows = []
    for row in measured["rows"]:
        us = row["p50_us"] * times
        rows.append({**row, "p50_us": us, "round_p50_us": [us] * 7, **changes})
    path = folder / "old.json"
    path.write_text(json.dumps({**measured, "rows": rows}))
    return path


@pytest.fixture(scope="module")
def measured(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of one run."""
    file = tmp_path_factory.mktemp("measured") / "bench.json"
    arguments = ["bench", str(zoo / "breast-cancer"), *SHORT, "--json", str(file)]
    assert run_command(slipway_app, "slipway", arguments) == ExitCode.OK
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_csv_holds_the_rows(bench: Bench, tmp_path: Path) -> None:
    code, out, _ = bench("--csv", tmp_path / "rows.csv", "--json", tmp_path / "rows.json")
    assert code == ExitCode.OK
    wanted = json.loads((tmp_path / "rows.json").read_text())["rows"]
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["p999_us"]) for row in rows] == [row["p999_us"] for row in wanted]
    assert set(rows[0]) == set(wanted[0]) - {"round_p50_us"}
    assert "p999_us" in out
    assert "session.run of breast-cancer" in out
    assert "warm-up: " in out


@pytest.mark.parametrize(
    ("times", "verdict", "code"), [(0.01, "slower", ExitCode.SLOWER), (100.0, "faster", ExitCode.OK)]
)
def test_a_slower_run_fails_where_that_was_asked_for(
    bench: Bench, tmp_path: Path, measured: dict[str, Any], times: float, verdict: str, code: ExitCode
) -> None:
    before = old(tmp_path, times, measured)
    got, out, _ = bench("--compare", before, "--fail-slower", "5%", "--json", "-", "--html", tmp_path / "page.html")
    comparison = json.loads(out)["comparison"]
    assert got == code
    assert [cell["verdict"] for cell in comparison["cells"]] == [verdict]
    assert comparison["slower"] == (verdict == "slower")
    assert "Against the earlier run" in (tmp_path / "page.html").read_text()
    got, out, _ = bench("--compare", before)
    assert (got, verdict in out) == (ExitCode.OK, True)


def test_as_slow_as_allowed_is_not_slower(bench: Bench, tmp_path: Path, measured: dict[str, Any]) -> None:
    before = old(tmp_path, 0.2, measured)
    assert bench("--compare", before, "--fail-slower", "1000")[0] == ExitCode.OK


def test_rows_that_are_not_measured_now_are_told(bench: Bench, tmp_path: Path, measured: dict[str, Any]) -> None:
    before = old(tmp_path, 1.0, measured)
    content = json.loads(before.read_text())
    content["rows"].append({**content["rows"][0], "batch": 7})
    before.write_text(json.dumps(content))
    code, out, err = bench("--compare", before, "--json", "-")
    assert code == ExitCode.OK
    assert json.loads(out)["comparison"]["missing"] == ["breast-cancer, native-cpu, batch 7, threads 1"]
    assert "1 of 2 earlier rows" in err


def test_what_cannot_be_compared_is_refused_before_anything_is_measured(
    bench: Bench, tmp_path: Path, measured: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = old(tmp_path, 1.0, measured, bundle="other")
    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(other.read_bytes()[:100])
    monkeypatch.setattr("slipway.bench.survey.measure_cell", lambda *a, **k: pytest.fail("it was measured"))
    target = tmp_path / "new.json"
    for before, said in ((other, "no cell in common"), (damaged, "damaged.json"), (tmp_path / "none", "none")):
        code, out, err = bench("--compare", before, "--json", target)
        assert (code, out, said in err, target.exists()) == (ExitCode.ERROR, "", True, False)


@pytest.mark.parametrize("batch", ["0", "", "x", "1,", "-1", "1048577", "\N{FULLWIDTH DIGIT ONE}", "9" * 5000])
def test_a_batch_that_is_no_number_is_a_usage_error(bench: Bench, batch: str) -> None:
    code, out, err = bench("--batch", batch)
    assert (code, out, err.count("\n")) == (ExitCode.USAGE, "", 1)
    assert "is not a list of numbers of 1 to 1048576" in err


def test_zeros_before_a_number_do_not_count() -> None:
    assert numbers("--batch", f"{'0' * 5000}12,0000000016") == [12, 16]


@pytest.mark.parametrize("options", [("--fail-slower", "5%"), ("--compare", "x", "--fail-slower", "much")])
def test_a_limit_without_sense_is_a_usage_error(bench: Bench, options: tuple[str, ...]) -> None:
    assert bench(*options)[0] == ExitCode.USAGE


def test_bundles_of_one_name_are_told_apart_and_what_comes_again_is_measured_once(
    bench: Bench, zoo: Path, tmp_path: Path
) -> None:
    shutil.copytree(zoo / "breast-cancer", tmp_path / "breast-cancer")
    again = (zoo / "breast-cancer", zoo / ".." / zoo.name / "breast-cancer", tmp_path / "breast-cancer")
    code, out, _ = bench(*again, "--batch", "2,2, 2", "--threads", "1,1", "--json", "-")
    assert code == ExitCode.OK
    names = [str(zoo / "breast-cancer"), str(tmp_path / "breast-cancer")]
    for part in ("rows", "cells", "waterfalls"):
        assert [(row["bundle"], row["batch"]) for row in json.loads(out)[part]] == [(name, 2) for name in names]


def test_a_slower_bundle_is_not_hidden_by_one_of_the_same_name(
    bench: Bench, zoo: Path, tmp_path: Path, measured: dict[str, Any]
) -> None:
    shutil.copytree(zoo / "breast-cancer", tmp_path / "breast-cancer")
    rows = [
        {**row, "bundle": str(folder / "breast-cancer"), "p50_us": us, "round_p50_us": [us] * 7}
        for row in measured["rows"]
        for folder, us in ((zoo, row["p50_us"] / 100), (tmp_path, row["p50_us"] * 100))
    ]
    before = tmp_path / "old.json"
    before.write_text(json.dumps({**measured, "rows": rows}))
    options = ("--compare", before, "--fail-slower", "5%", "--json", "-")
    code, out, _ = bench(tmp_path / "breast-cancer", *options)
    assert code == ExitCode.SLOWER
    assert [cell["verdict"] for cell in json.loads(out)["comparison"]["cells"]] == ["slower", "faster"]
