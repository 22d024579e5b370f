"""What the fuzz targets have done is read from the logs of their drivers, and nothing is lost or made up."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

OURS = """#1\tread: 1 run: 1
#262144\tread: 100 run: 90
load: 300000 inputs in 12.5 s (24000 a second), 120 read, 110 run, seed 1
"""
LIBFUZZER = """INFO: Running with entropic power schedule (0xFF, 100).
#2\tINITED cov: 500 ft: 501 corp: 1/4b exec/s: 0 rss: 70Mb
#4096\tpulse  cov: 1234 ft: 2000 corp: 20/4Kb lim: 8 exec/s: 2048 rss: 80Mb
#5000\tDONE   cov: 1240 ft: 2001 corp: 20/4Kb lim: 8 exec/s: 2500 rss: 80Mb
Done 5000 runs in 2 second(s)
stat::number_of_executed_units: 5000
load: 40 inputs read, 30 run
"""

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_log_of_the_trees_driver_is_read(tool: ModuleType) -> None:
    row = tool.row_of("load", OURS)
    assert row == {
        "target": "load", "runs": 1, "executions": 300_000, "seconds": 12.5, "read": 120, "ran": 110, "findings": 0
    }  # fmt: skip


def test_a_log_of_libfuzzer_is_read(tool: ModuleType) -> None:
    row = tool.row_of("load", LIBFUZZER)
    assert (row["executions"], row["seconds"], row["edges"], row["read"], row["ran"]) == (5000, 2.0, 1240, 40, 30)
    assert row["findings"] == 0


@pytest.mark.parametrize(("log", "read", "ran"), [(OURS, 100, 90), (LIBFUZZER, 0, 0)])
def test_a_run_under_way_counts_what_it_has_said(tool: ModuleType, log: str, read: int, ran: int) -> None:
    begun = "\n".join(line for line in log.splitlines() if line.startswith("#")) + "\n"
    last = int(begun.strip().splitlines()[-1].split("\t")[0].lstrip("#"))
    row = tool.row_of("load", begun)
    assert (row["executions"], row["read"], row["ran"]) == (last, read, ran)


@pytest.mark.parametrize(
    "end",
    [
        "load: crashed; the input is kept, repeat with: fuzz_load ./crash-load-1\n",
        "SUMMARY: AddressSanitizer: heap-buffer-overflow in f\nartifact_prefix='./'; Test unit written to ./crash-1\n",
    ],
)
def test_a_finding_is_counted(tool: ModuleType, end: str) -> None:
    assert tool.row_of("load", OURS.splitlines()[0] + "\n" + end)["findings"] == 1


def test_the_logs_of_a_target_are_added_up(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "load.log").write_text(OURS)
    (tmp_path / "load-2.log").write_text(LIBFUZZER)
    (tmp_path / "run.log").write_text(OURS.replace("load", "run"))
    out = tmp_path / "fuzz.json"
    out.write_text('[{"target": "wire", "executions": 7}, {"target": "load", "executions": 9}]')
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--summary", str(out), "--logs", str(tmp_path)])
    assert tool.main() == 0
    rows = {row["target"]: row for row in json.loads(out.read_text())}
    assert rows.keys() == {"load", "run", "wire"}
    assert rows["wire"] == {"target": "wire", "executions": 7}
    assert rows["load"]["executions"] == 305_000
    assert rows["load"]["edges"] == 1240


def test_logs_of_further_runs_are_added_to_what_stands(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = {"runs": 2, "executions": 1_000, "seconds": 0.1, "read": 80, "ran": 70, "findings": 0}
    out = tmp_path / "fuzz.json"
    out.write_text(json.dumps([{"target": "load", **former}, {"target": "wire", **former}]))
    (tmp_path / "load.log").write_text(OURS)
    (tmp_path / "run.log").write_text(OURS.replace("load", "run"))
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--summary", str(out), "--logs", str(tmp_path), "--add"])
    assert tool.main() == 0
    rows = {row.pop("target"): row for row in json.loads(out.read_text())}
    assert rows["load"] == {
        "runs": 3, "executions": 301_000, "seconds": 12.6, "read": 200, "ran": 180, "findings": 0
    }  # fmt: skip
    assert rows["wire"] == former
    assert rows["run"]["executions"] == 300_000


def test_two_runs_that_begin_at_once_have_a_log_each(tool: ModuleType, tmp_path: Path) -> None:
    made = [tool.new_log(tmp_path, "load") for _ in range(3)]
    assert [(number, log.name) for number, log in made] == [(1, "load.log"), (2, "load-2.log"), (3, "load-3.log")]
    assert tool.new_log(tmp_path, "run")[1] == tmp_path / "run.log"
