"""What ``slipway bench`` measures: bundles at batches and threads, with the protocol that the numbers stand on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from slipway.bench.accuracy import ALWAYS_ALLOWED, TIMES_EAGER
from slipway.bench.cell import measure_cell
from slipway.bench.cold import ColdSettings
from slipway.bench.compare import Place
from slipway.bench.competitor import Competitor, Job
from slipway.bench.competitors import NATIVE
from slipway.bench.inputs import bench_inputs
from slipway.bench.machine import describe_machine
from slipway.bench.protocol import Settings
from slipway.bench.verdict import judge_cell
from slipway.bench.waterfall import measure_waterfall
from slipway.bundle import Bundle

#: What a cell says of the best rival.
_BEST = ("native_us", "best_peer", "best_peer_us", "times_faster")

#: Columns of a row that hold one value each, in the order of files.
COLUMNS = (
    "bundle", "runtime", "device", "batch", "threads", "p50_us", "p90_us", "p99_us", "p999_us", "mean_us", "samples",
    "calls_per_sample", "throughput_per_s", "transfers_included", "load_us", "cold_us", "idle_us", "resident_bytes",
    "error",
)  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """What to measure.

    Args:
        bundles: Opened, each once.
        batches: Items per run.
        threads: Numbers of threads.
        competitors: Who; all are available.
        settings: How long.
        folder: Where competitors keep what they compile.
        must_be_right: Names whose wrong answer ends the run.
        cold: How often the beginnings are repeated.
    """

    bundles: Sequence[Bundle]
    batches: Sequence[int]
    threads: Sequence[int]
    competitors: Sequence[Competitor]
    settings: Settings
    folder: Path
    must_be_right: Sequence[str] = ()
    cold: ColdSettings = field(default_factory=ColdSettings)

    def places(self) -> set[Place]:
        """Return every row that may come out, by its place in a comparison."""
        names = [competitor.name for competitor in self.competitors]
        return set(product(self.names(), names, self.batches, self.threads))

    def names(self) -> list[str]:
        """Return what results call each bundle: its folder's name, or its path where several have that name."""
        counts = Counter(bundle.name for bundle in self.bundles)
        return [bundle.name if counts[bundle.name] == 1 else str(bundle.path) for bundle in self.bundles]


def measure_survey(survey: Survey, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything, one cell after the other.

    Args:
        survey: What.
        tell: Is told what begins.

    Returns:
        A result file: ``protocol``, ``machine``, ``rows``, ``cells`` (with the best rival of each, and who was left
        out), ``waterfalls`` of the native engine.

    Raises:
        MismatchError: One of ``must_be_right`` answers wrongly.
    """
    cells: list[dict[str, Any]] = []
    waterfalls: list[dict[str, Any]] = []
    for (bundle, name), size in product(zip(survey.bundles, survey.names(), strict=True), survey.batches):
        inputs = bench_inputs(bundle, size)
        for count in survey.threads:
            tell(f"{name}, batch {size}, threads {count}")
            job = Job(bundle, inputs, count, survey.folder, name)
            cell = measure_cell(
                job, survey.competitors, survey.settings, must_be_right=survey.must_be_right, cold=survey.cold
            )
            cells.append(cell)
            if any(row["runtime"] == NATIVE for row in cell["rows"]):
                place = {"bundle": name, "batch": size, "threads": count}
                waterfalls.append(place | measure_waterfall(job, survey.settings))
    return {
        "protocol": protocol_facts(survey.settings, survey.cold),
        "machine": describe_machine(),
        "rows": [row for cell in cells for row in cell["rows"]],
        "cells": [_summary(cell) for cell in cells],
        "waterfalls": waterfalls,
    }


def protocol_facts(settings: Settings, cold: ColdSettings) -> dict[str, str]:
    """Return how the numbers are taken, a sentence per subject."""
    turn = settings.turn_seconds
    return {
        "timed": "one call of each runtime as it stands, its arrays at hand: native-cpu is session.run of a dict of "
        "arrays, native-cpu-bound a bound call; preparing the inputs and reading the outputs is not timed",
        "transfers": "included: on the CPU arrays are read where they lie and nothing is copied; on a GPU every call "
        "copies its inputs there and its outputs back",
        "checks": "each runtime answers first, and eager PyTorch in double judges: it is measured only if it is off by "
        f"{TIMES_EAGER:g} times eager float32's own error at most, or by {ALWAYS_ALLOWED:g} of the largest output; the "
        "column error is its largest difference as a share of that output",
        "turns": f"{settings.rounds} rounds; in each every runtime has one turn of {turn:g} s, in another "
        "order each time; rest before a turn until no thread of the process computes, for "
        f"{settings.most_rest_seconds:g} s at most; the garbage collector is off",
        "warm-up": "runtimes were called before, and where a call is shorter than half a turn, one sample before each "
        "turn is not kept",
        "samples": f"so many calls that a sample lasts {settings.sample_seconds * 1e6:g} us or more; percentiles are "
        "over samples, so beyond the 99th they tell little where samples are few",
        "throughput": "items per second at the median, one call after the other",
        "cold": f"load_us: loading the model; cold_us: the first call after it; medians of up to {cold.loads} loads. "
        "What a runtime runs while it loads counts as loading",
        "idle": f"idle_us: the first call after {cold.pause_seconds * 1e3:g} ms of rest, median of {cold.pauses}",
        "memory": "resident_bytes: by how much this process grew at most while it loaded the model and called once, "
        "median of the loads; plan_bytes of a waterfall: what the engine's plan lays out for values and scratch",
        "waterfall": "the model is cut after its nodes and every beginning timed as a bound call; a part costs what "
        "its beginning takes longer than the one before. Parts that a plan fuses are shown as one",
    }


def _summary(cell: Mapping[str, Any]) -> dict[str, Any]:
    verdict = judge_cell(cell["rows"], None) or dict.fromkeys(_BEST)
    return {key: value for key, value in cell.items() if key != "rows"} | {key: verdict[key] for key in _BEST}
