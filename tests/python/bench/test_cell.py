"""One cell: who is admitted to it, and what its verdict is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.bench.accuracy import Judge
from slipway.bench.cell import admit, measure_cell
from slipway.bench.competitor import Competitor, Job, Prepared
from slipway.bench.competitors import NATIVE, NATIVE_ALONE, NATIVE_BOUND, ON_CPU, find_competitors
from slipway.bench.inputs import bench_inputs
from slipway.bench.protocol import Call, Settings
from slipway.bench.verdict import judge_cell, slower_with_threads, summarise
from slipway.bundle import Bundle
from slipway.errors import MismatchError, UnavailableError, UsageError

SHORT = Settings(rounds=3, turn_seconds=1e-4, sample_seconds=1e-6, rest_seconds=0)


@dataclass(frozen=True)
class Off:
    """The engine, with its outputs moved by a share of the largest."""

    share: float
    name: str = "off"

    def unavailable(self) -> str | None:
        return None

    def prepare(self, job: Job) -> Prepared:
        honest = find_competitors(NATIVE)[0].prepare(job)

        def outputs() -> dict[str, Any]:
            return {name: array + self.share * np.abs(array).max() for name, array in honest.outputs().items()}

        return Prepared(honest.call, outputs)


@dataclass(frozen=True)
class Unable:
    """Refuses every model."""

    name: str = "unable"

    def unavailable(self) -> str | None:
        return None

    def prepare(self, job: Job) -> Prepared:
        raise UnavailableError("it cannot")


@pytest.fixture
def job(names_gru: Bundle, tmp_path: Path) -> Job:
    return Job(names_gru, bench_inputs(names_gru, 3), 1, tmp_path)


def test_inputs_are_items_of_the_goldens_and_fill_any_batch(names_gru: Bundle) -> None:
    inputs = bench_inputs(names_gru, 40)
    known = {length for golden in names_gru.goldens for length in golden.inputs["lengths"].tolist()}
    assert inputs["lengths"].shape == (40,)
    assert set(inputs["lengths"].tolist()) <= known
    assert all(np.array_equal(bench_inputs(names_gru, 40)[name], array) for name, array in inputs.items())


@pytest.mark.parametrize(("share", "word"), [(1e-4, "not float32-accurate"), (0.5, "wrong")])
def test_a_wrong_rival_is_refused_before_the_clock_and_its_error_told(job: Job, share: float, word: str) -> None:
    cell = measure_cell(job, [*find_competitors(NATIVE), Off(share), Unable()], SHORT)
    assert [row["runtime"] for row in cell["rows"]] == [NATIVE]
    unable, off = cell["left_out"]
    assert (off["runtime"], off["reason"].startswith(word)) == ("off", True)
    assert off["error"] == pytest.approx(share, rel=0.1)
    assert unable == {"runtime": "unable", "reason": "it cannot", "error": None}


def test_a_wrong_answer_of_a_runtime_that_must_be_right_is_an_error(job: Job) -> None:
    with pytest.raises(MismatchError, match=r"names-gru, off: .* not measured"):
        measure_cell(job, [Off(0.5)], SHORT, must_be_right=["off"])


def test_an_error_as_small_as_eagers_own_is_accurate(job: Job) -> None:
    judge = Judge.of(job.bundle, job.inputs)
    assert 0 < judge.own_error < 2e-6
    assert judge.accepts(judge.own_error)
    assert not judge.accepts(1e-4)
    assert judge.error({}) == math.inf


@pytest.mark.parametrize("competitor", ON_CPU, ids=lambda c: c.name)
def test_every_rival_at_hand_answers_or_says_why_not(job: Job, competitor: Competitor) -> None:
    if competitor.name in {"torch-compile", "aot-inductor"}:
        pytest.skip("compiling takes too long for a test of every run")
    reason = competitor.unavailable()
    if reason is not None:
        pytest.skip(reason)
    admitted = admit(job, [competitor], must_be_right=())
    assert (competitor.name in admitted.errors) != (competitor.name in {left.runtime for left in admitted.left_out})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch-compile", "aot-inductor"])
def test_what_torchs_compiler_makes_is_right(breast_cancer: Bundle, tmp_path: Path, name: str) -> None:
    job = Job(breast_cancer, bench_inputs(breast_cancer, 2), 1, tmp_path)
    assert admit(job, find_competitors(name), must_be_right=[name]).errors.keys() == {name}


def test_the_engine_and_its_nearest_rivals_are_admitted(job: Job) -> None:
    names = f"{NATIVE},{NATIVE_BOUND},eager,torchscript-frozen,onnxruntime,onnxruntime-cpu-bound"
    admitted = admit(job, find_competitors(names), must_be_right=())
    assert len(admitted.errors) == 6
    assert admitted.left_out == ()


def test_a_rival_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="native-cpu-bound"):
        find_competitors("native-cpu,nothing")


# --- the verdict ----------------------------------------------------------------------------------------------------


def rows(**times: float) -> list[dict[str, Any]]:
    return [{"runtime": name.replace("_", "-"), "p50_us": us, "round_p50_us": [us] * 5} for name, us in times.items()]


@pytest.mark.parametrize(
    ("floor", "target", "met"),
    [(None, 5.0, True), (3.0, 5.0, True), (4.9, 5.0, True), (6.0, 7.5, True), (5.1, 6.375, True)],
)
def test_the_target_is_half_the_best_rival_or_near_the_floor(floor: float | None, target: float, met: bool) -> None:
    verdict = judge_cell(rows(native_cpu=5.0, native_cpu_bound=1.0, eager=20.0, openvino=10.0), floor)
    assert verdict is not None
    assert (verdict["best_peer"], verdict["times_faster"]) == ("openvino", 2.0)
    assert (verdict["target_us"], verdict["met"], verdict["missed_by"]) == (pytest.approx(target), met, 1.0)


def test_a_cell_without_a_rival_is_not_judged() -> None:
    assert judge_cell(rows(native_cpu=5.0, native_cpu_bound=1.0), 1.0) is None
    assert judge_cell(rows(eager=5.0), 1.0) is None


def cell(threads: int, native: float, rival: float, alone: float | None = None, **more: Any) -> Mapping[str, Any]:
    found = rows(native_cpu=native, eager=rival) + rows(**{NATIVE_ALONE.name: alone} if alone else {})
    place = {"bundle": "m", "batch": 1, "threads": threads, "rows": found, "verdict": judge_cell(found, 0.01)}
    return {**place, **more}


def test_the_summary_tells_means_losses_and_threads_that_do_not_pay() -> None:
    cells = [cell(1, 0.6, 2.4, floor={"us": 0.01}), cell(2, 0.7, 0.6, alone=0.5)]
    summary = summarise(cells)
    assert summary["geometric_mean"] == pytest.approx(math.sqrt(4 * 0.6 / 0.7))
    assert (summary["cells"], summary["met"]) == (2, 1)
    assert summary["slower_than_a_peer"] == ["m, batch 1, 2 threads"]
    assert summary["worst"] == [["m, batch 1, 2 threads", 2.33]]
    assert summary["slower_with_more_threads"] == ["m, batch 1: 0.7 us, alone 0.5 us"]
    assert summary["tiny"] == [{"bundle": "m", "runtime": NATIVE, "us": 0.6, "met": False}]


def test_noise_is_not_taken_for_threads_that_do_not_pay() -> None:
    assert slower_with_threads([cell(1, 0.5, 2.0), cell(2, 1.02, 2.0, alone=1.0), cell(2, 9.0, 20.0)]) == []


def test_a_call_is_timed_as_it_stands(job: Job) -> None:
    call = find_competitors(NATIVE_BOUND)[0].prepare(job).call
    assert isinstance(call, Call)
    assert call.function() is None
