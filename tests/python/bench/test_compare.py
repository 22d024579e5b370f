"""benchmarks/compare.py: what counts as slower."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slipway.errors import ExitCode


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


def test_a_machine_that_was_not_quiet_is_told(compare: ModuleType, tmp_path: Path) -> None:
    peaks = [{"peaks": {"1": {"flops_per_s": flops}, "cache_bytes": {}}} for flops in (1e11, 1.2e11)]
    old, new = (compare.read(write(tmp_path / str(i), 1.0, [1.0] * 5, **p)) for i, p in enumerate(peaks))
    assert "20%" in compare.differences(old, new)[0]
    assert compare.differences(old, old) == []
    assert "processors" in compare.differences(old, {**old, "machine": {"processor": "q"}})[0]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{"p50_us": 1}]}', '{"rows": 3}'])
def test_what_is_no_result_is_refused(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "bad").write_text(text)
    good = write(tmp_path / "good", 1.0, [1.0] * 5)
    assert compare.main([str(tmp_path / "bad"), str(good)]) == ExitCode.ERROR
    assert "bad" in capsys.readouterr().err
    assert compare.main([str(tmp_path / "none"), str(good)]) == ExitCode.ERROR
