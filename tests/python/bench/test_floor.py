"""The floor of models whose work is known, on a machine that is made up."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from slipway import _engine
from slipway.bench.floor import Work, count_work, floor_of
from slipway.bench.inputs import bench_inputs, share_of_steps
from slipway.bench.machine import Peaks, best_of, cache_sizes, measure_peaks
from slipway.bundle import Bundle
from slipway.errors import UsageError

CACHES = {"L1": 1000, "L2": 10_000, "L3": 100_000}
ONE = Peaks(1e9, {"L1": 8e9, "L2": 4e9, "L3": 2e9, "memory": 1e9}, 1e8, 2e8, CACHES, threads=1)


def test_a_perceptron_computes_two_operations_per_weight_and_item(breast_cancer: Bundle) -> None:
    work = count_work(breast_cancer, bench_inputs(breast_cancer, 4))
    widths = breast_cancer.provenance["config"]["widths"]
    weights = sum(n * m for n, m in pairwise(widths))
    counts = work.as_json()
    assert work.flops == 2 * 4 * weights
    assert counts["weight_bytes"] == 4 * (weights + sum(widths[1:]))
    assert counts["weight_bytes_read_again"] == 0
    assert counts["port_bytes"] == 4 * 4 * (widths[0] + widths[-1])
    assert work.sigmoids == 4 * sum(widths[4:])


def test_padding_is_no_work_and_embeddings_are_tables(names_gru: Bundle) -> None:
    inputs = bench_inputs(names_gru, 8)
    work = count_work(names_gru, inputs)
    steps, hidden = int(inputs["lengths"].sum()), 100
    assert share_of_steps(names_gru, inputs) == steps / inputs["tokens"].size < 1
    product = 2 * steps * hidden * 3 * hidden
    # Two layers: the hidden products of both, the input products of the second; those of the first are a table.
    assert work.flops == 3 * product + 2 * 8 * hidden * len(names_gru.signature.labels)
    assert work.sigmoids == 2 * steps * 2 * hidden
    assert work.tanhs == 2 * steps * hidden
    assert work.as_json()["weight_bytes_read_again"] > 0


@pytest.mark.parametrize(
    ("work", "us", "bound"),
    [
        (Work(flops=5000), 5.0, "arithmetic"),
        (Work(sigmoids=1000, tanhs=1000), 15.0, "gates"),
        (Work(weights={1: 800}, uses=Counter({1: 1}), ports=200), 0.125, "memory"),
        (Work(weights={1: 50_000}, uses=Counter({1: 1})), 22.375, "memory"),
        (Work(weights={1: 800, 2: 9000}, uses=Counter({1: 11, 2: 1})), 2.325 + 1.0, "memory"),
    ],
)
def test_the_slowest_resource_is_the_floor(work: Work, us: float, bound: str) -> None:
    floor = floor_of(work, ONE)
    assert (floor.us, floor.bound) == (pytest.approx(us), bound)


def test_two_threads_have_two_private_caches_and_one_shared_one() -> None:
    two = Peaks(2e9, ONE.bytes_read, 1e8, 2e8, CACHES, threads=2)
    assert ONE.read_seconds(1500) == pytest.approx(1000 / 8e9 + 500 / 4e9)
    assert two.read_seconds(1500) == pytest.approx(1500 / 8e9)
    beyond = two.read_seconds(150_000) - two.read_seconds(100_000)
    assert beyond == pytest.approx(50_000 / 1e9)


def test_the_machine_is_measured() -> None:
    peaks = measure_peaks(1, seconds=1e-4)
    assert set(peaks.bytes_read) == {"L1", "L2", "L3", "memory"}
    assert all(rate > 1e6 for rate in (peaks.flops, peaks.sigmoids, peaks.tanhs, *peaks.bytes_read.values()))


def test_the_better_of_two_measurements_counts() -> None:
    other = Peaks(2e9, {"L1": 1e9, "L2": 5e9, "L3": 1e9, "memory": 1e9}, 5e7, 3e8, CACHES, threads=1)
    best = best_of(ONE, other)
    assert (best.flops, best.sigmoids, best.tanhs) == (2e9, 1e8, 3e8)
    assert best.bytes_read == {"L1": 8e9, "L2": 5e9, "L3": 2e9, "memory": 1e9}


def test_cache_sizes_are_read_where_the_system_tells_them(tmp_path: Path) -> None:
    for i, facts in enumerate((("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2M"))):
        (tmp_path / f"index{i}").mkdir()
        for name, text in zip(("level", "type", "size"), facts, strict=True):
            (tmp_path / f"index{i}" / name).write_text(text)
    assert cache_sizes(tmp_path) == {"L1": 48 << 10, "L2": 2 << 20, "L3": 16 << 20}
    assert cache_sizes(tmp_path / "none") == {"L1": 32 << 10, "L2": 1 << 20, "L3": 16 << 20}


@pytest.mark.parametrize(
    "arguments", [("speed", 1, 0.01, 1), ("read", 0, 0.01, 1), ("read", 1, 0.0, 1), ("read", 1, 1.0, 0)]
)
def test_a_peak_that_cannot_be_measured_is_refused(arguments: tuple[str, int, float, int]) -> None:
    with pytest.raises(UsageError):
        _engine.measure_peak(*arguments)
