"""The whole table: 20 models of the notes at three batches, on one and on two threads."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.bench.cell import floor_facts, measure_cell
from slipway.bench.competitor import Competitor, Job
from slipway.bench.competitors import NATIVE, NATIVE_ALONE, NATIVE_BOUND
from slipway.bench.floor import Work, count_work, floor_of
from slipway.bench.inputs import bench_inputs
from slipway.bench.machine import Peaks, best_of, describe_machine, measure_peaks, peaks_as_json
from slipway.bench.protocol import Settings
from slipway.bench.verdict import judge_cell, summarise
from slipway.bundle import Bundle
from slipway.errors import UnavailableError

_USUAL = (1, 16, 256)
_TEXTS = (1, 16, 64)

#: Batches per model, in the order of the table; the large models have smaller ones.
MODELS: dict[str, tuple[int, ...]] = {
    "linear": _USUAL,
    "breast-cancer": _USUAL,
    "fizzbuzz": _USUAL,
    "mnist-mlp": _USUAL,
    "mnist-cnn": _USUAL,
    "mnist-cnn-deep": _USUAL,
    "mnist-inception": _USUAL,
    "mnist-resnet": _USUAL,
    "cifar-cnn": _USUAL,
    "bottleneck": (1, 16, 128),
    "conv-stack": (1, 4, 16),
    "linknet": (1, 2, 8),
    "names-gru": _USUAL,
    "names-bigru": _USUAL,
    "names-lstm": _USUAL,
    "names-rnn": _USUAL,
    "trec": _USUAL,
    "snli-lstm": _TEXTS,
    "snli-gru": _TEXTS,
    "snli-spinn": _TEXTS,
}
#: Sizes of dimensions that a model leaves open, where its goldens are smaller than what it is for.
DIMS: dict[str, dict[str, int]] = {"linknet": {"H": 256, "W": 256}}
#: What ``--quick`` measures.
QUICK_MODELS = ("linear", "mnist-cnn", "names-gru")
QUICK_BATCHES = (1, 16)
#: Models whose beginnings are measured: a small one, a convolutional one, a recurrent one.
STARTUP_MODELS = ("breast-cancer", "mnist-cnn", "names-gru")

_WORKERS = 2
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Suite:
    """What to measure.

    Args:
        bundles: Opened, in the order of the table.
        batches: Per bundle's name.
        threads: Numbers of threads.
        competitors: Who.
        settings: How long.
        folder: Where compiled models are kept.
        must_be_right: Names whose wrong answer ends the run.
        startup: Models whose first calls are measured.
    """

    bundles: Sequence[Bundle]
    batches: Mapping[str, Sequence[int]]
    threads: Sequence[int]
    competitors: Sequence[Competitor]
    settings: Settings
    folder: Path
    must_be_right: Sequence[str] = (NATIVE, NATIVE_BOUND)
    startup: Sequence[str] = field(default=())
    infer: Path | None = None

    def cells(self) -> Iterator[tuple[Bundle, int]]:
        """Yield every bundle with each of its batches."""
        for bundle in self.bundles:
            for batch in self.batches[bundle.name]:
                yield bundle, batch

    def count(self) -> int:
        """Return how many cells there are."""
        return sum(1 for _ in self.cells()) * len(self.threads)


def run_suite(suite: Suite, tell: Tell) -> dict[str, Any]:
    """Measure everything.

    Args:
        suite: What.
        tell: Hears what comes next; ``cell ...`` before each cell.

    Returns:
        ``machine``, ``models``, ``peaks``, ``settings``, ``rows``, ``cells``, ``absent``, ``summary``,
        ``first_calls``, ``cold_starts``; where Ctrl-C ended it, those of the cells until then, and ``interrupted``.
    """
    usable, absent = available(suite.competitors)
    if any(competitor.name == "aot-inductor" for competitor in usable):
        compile_ahead(suite, tell)
    tell("measuring the machine")
    machine = describe_machine()
    peaks = {count: measure_peaks(count) for count in suite.threads}
    found: list[tuple[dict[str, Any], Work | None]] = []
    first: list[dict[str, Any]] = []
    cold: list[dict[str, Any]] = []
    interrupted = False
    try:
        for bundle, batch in suite.cells():
            found += _cells(suite, usable, bundle, batch, tell)
            # Between the cells too: the best counts, and a moment that others disturbed would put the floor too high.
            peaks = {count: best_of(before, measure_peaks(count, tries=1)) for count, before in peaks.items()}
        first, cold = _beginnings(suite, tell)
    except KeyboardInterrupt:
        if not found:
            raise
        interrupted = True
    cells = [_judged(cell, work, peaks[cell["threads"]]) for cell, work in found]
    return {
        "machine": machine,
        "models": [_described(bundle) for bundle in suite.bundles],
        "peaks": peaks_as_json(list(peaks.values())),
        "settings": vars(suite.settings),
        "rows": [row for cell in cells for row in cell["rows"]],
        "cells": [{key: value for key, value in cell.items() if key != "rows"} for cell in cells],
        "absent": absent,
        "summary": summarise(cells),
        "first_calls": first,
        "cold_starts": cold,
    } | ({"interrupted": True} if interrupted else {})


def _described(bundle: Bundle) -> dict[str, Any]:
    """Return what decides the sizes of a model: its settings and its data."""
    made = bundle.provenance
    data = made.get("data", {})
    return {"bundle": bundle.name, "config": made.get("config"), "data": [data.get("kind"), data.get("name")]}


def available(competitors: Sequence[Competitor]) -> tuple[list[Competitor], dict[str, str]]:
    """Return those that this machine has, and the reasons of the others."""
    reasons = {competitor.name: competitor.unavailable() for competitor in competitors}
    usable = [competitor for competitor in competitors if reasons[competitor.name] is None]
    return usable, {name: reason for name, reason in reasons.items() if reason is not None}


def compile_ahead(suite: Suite, tell: Tell) -> None:
    """Fill the folder with what torch's compiler makes, two processes at a time; what fails is met again later."""
    jobs = [
        {"bundle": str(bundle.path), "batch": batch, "dims": DIMS.get(bundle.name, {}), "folder": str(suite.folder)}
        for bundle, batch in suite.cells()
    ]
    command = [sys.executable, "-m", "slipway.bench._inductor"]
    shares = [jobs[i::_WORKERS] for i in range(_WORKERS)]

    done = itertools.count(1)

    def work(share: Sequence[Mapping[str, Any]]) -> None:
        with tempfile.TemporaryFile() as lines:
            lines.write("".join(f"{json.dumps(job)}\n" for job in share).encode())
            lines.seek(0)
            with subprocess.Popen(command, stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                for _ in process.stdout or ():
                    tell(f"compiled {next(done)} of {len(jobs)} models and batches")

    tell("compiling")
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(work, shares))


def _cells(
    suite: Suite, usable: Sequence[Competitor], bundle: Bundle, batch: int, tell: Tell
) -> Iterator[tuple[dict[str, Any], Work | None]]:
    inputs = bench_inputs(bundle, batch, DIMS.get(bundle.name))
    try:
        work = count_work(bundle, inputs)
    except UnavailableError:  # a user's own recipe: nothing to count with
        work = None
    for threads in suite.threads:
        tell(f"cell {bundle.name}, batch {batch}, threads {threads}")
        job = Job(bundle, inputs, threads, suite.folder)
        # In the same rounds, or a machine that changes its speed would decide whether two threads are slower than one.
        with_alone = threads > 1 and any(competitor.name == NATIVE for competitor in usable)
        competitors = [*usable, NATIVE_ALONE] if with_alone else usable
        yield measure_cell(job, competitors, suite.settings, must_be_right=suite.must_be_right), work


def _judged(cell: dict[str, Any], work: Work | None, peaks: Peaks) -> dict[str, Any]:
    if work is None:
        return cell | {"verdict": judge_cell(cell["rows"], None)}
    floor = floor_of(work, peaks)
    return cell | floor_facts(work, floor) | {"verdict": judge_cell(cell["rows"], floor.us)}


def _beginnings(suite: Suite, tell: Tell) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from slipway.bench.startup import cold_starts, first_calls

    first: list[dict[str, Any]] = []
    cold: list[dict[str, Any]] = []
    for bundle in suite.bundles:
        if bundle.name in suite.startup:
            tell(f"first calls of {bundle.name}")
            first += first_calls(bundle, bench_inputs(bundle, 1), bench_inputs(bundle, 16))
            cold += cold_starts(bundle, suite.infer)
    return first, cold
