"""What counts as slower than an earlier run, in ``slipway.bench.compare`` and benchmarks/compare.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slipway.bench.compare import compare as compare_rows
from slipway.bench.compare import differences, missing, read_result, rows_of
from slipway.errors import ExitCode, InputError


@pytest.fixture(scope="module")
def compare(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("compare")


def write(path: Path, us: float, rounds: list[float], runtime: str = "native-cpu", **more: Any) -> Path:
    row = {"bundle": "m", "runtime": runtime, "batch": 1, "threads": 1, "p50_us": us, "round_p50_us": rounds}
    path.write_text(json.dumps({"machine": {"processor": "p"}, "rows": [row], **more}))
    return path


@pytest.mark.parametrize(
    ("new", "rounds", "verdict"),
    [
        (10.2, [10.2] * 5, "same"),
        (11.0, [11.0] * 5, "slower"),
        (11.0, [9.0, 10.0, 11.0, 12.0, 13.0], "same"),
        (9.0, [9.0] * 5, "faster"),
    ],
)
def test_slower_is_what_grew_beyond_the_noise_of_the_rounds(
    compare: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    new: float,
    rounds: list[float],
    verdict: str,
) -> None:
    files = [write(tmp_path / "old", 10.0, [10.0] * 5), write(tmp_path / "new", new, rounds)]
    code = compare.main([*map(str, files), "--json", "-"])
    result = json.loads(capsys.readouterr().out)
    assert result["cells"][0]["verdict"] == verdict
    assert result["cells"][0]["times"] == pytest.approx(new / 10)
    assert code == (ExitCode.SLOWER if verdict == "slower" else ExitCode.OK)
    assert result["slower"] == (verdict == "slower")


def test_a_rivals_time_counts_only_where_it_is_asked_for(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(write(tmp_path / str(us), us, [us] * 5, "eager")) for us in (1.0, 2.0)]
    assert compare.main(files) == ExitCode.ERROR
    assert "no cell in common" in capsys.readouterr().err
    assert compare.main([*files, "--runtimes", "all"]) == ExitCode.SLOWER
    assert "slower" in capsys.readouterr().out


def test_a_machine_that_was_not_quiet_is_told(tmp_path: Path) -> None:
    peaks = [{"peaks": {"1": {"flops_per_s": flops}, "cache_bytes": {}}} for flops in (1e11, 1.2e11)]
    old, new = (read_result(write(tmp_path / str(i), 1.0, [1.0] * 5, **p)) for i, p in enumerate(peaks))
    assert "20%" in differences(old, new)[0]
    assert differences(old, old) == []
    assert "processors" in differences(old, {**old, "machine": {"processor": "q"}})[0]


def test_what_is_allowed_raises_the_limit_and_never_lowers_it_below_the_noise(tmp_path: Path) -> None:
    old = rows_of(read_result(write(tmp_path / "old", 10.0, [10.0] * 5)))
    steady = rows_of(read_result(write(tmp_path / "steady", 10.8, [10.8] * 5)))
    noisy = rows_of(read_result(write(tmp_path / "noisy", 10.8, [9.0, 10.0, 10.8, 12.0, 13.0])))
    assert [compare_rows(old, steady, allowed)[0]["verdict"] for allowed in (0.05, 0.10)] == ["slower", "same"]
    assert compare_rows(old, noisy, 0.01)[0]["verdict"] == "same"


def test_what_is_no_longer_measured_is_told(tmp_path: Path) -> None:
    old = rows_of(read_result(write(tmp_path / "old", 1.0, [1.0], "eager")))
    new = rows_of(read_result(write(tmp_path / "new", 1.0, [1.0])))
    assert missing(old, new) == ["m, eager, batch 1, threads 1"]
    assert missing(new, new) == []


@pytest.mark.parametrize(("us", "rounds"), [(0.0, [1.0]), (1.0, []), (float("nan"), [1.0]), (1.0, ["1"])])
def test_a_row_that_no_clock_wrote_is_refused(tmp_path: Path, us: float, rounds: list[float]) -> None:
    with pytest.raises(InputError, match="row 0: p50_us and round_p50_us are not all numbers above 0"):
        read_result(write(tmp_path / "bad", us, rounds))


def test_two_rows_of_one_place_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "twice", 1.0, [1.0] * 5)
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "rows": content["rows"] * 2}))
    with pytest.raises(InputError, match="several rows are of m, native-cpu, batch 1, threads 1"):
        read_result(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{"p50_us": 1}]}', '{"rows": 3}'])
def test_what_is_no_result_is_refused(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "bad").write_text(text)
    good = write(tmp_path / "good", 1.0, [1.0] * 5)
    assert compare.main([str(tmp_path / "bad"), str(good)]) == ExitCode.ERROR
    assert "bad" in capsys.readouterr().err
    assert compare.main([str(tmp_path / "none"), str(good)]) == ExitCode.ERROR
