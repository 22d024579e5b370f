"""Loading, first calls, pauses and memory, with a clock that the tests wind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from slipway.bench.cold import ColdSettings, measure_cold, peak_growth
from slipway.bench.competitor import Job, Prepared
from slipway.bench.protocol import Call, Clock
from slipway.bundle import Bundle


@dataclass
class Slow:
    """Takes 2 s to load, 3 s for its first call, 1 s for the others, and 5 s after a pause."""

    name: str = "slow"
    now: float = 0.0
    loads: int = 0
    rested: bool = False
    pauses: list[float] = field(default_factory=list)

    def unavailable(self) -> str | None:
        return None

    def prepare(self, job: Job) -> Prepared:
        self.now += 2.0
        self.loads += 1
        fresh = True

        def call() -> None:
            nonlocal fresh
            self.now += 5.0 if self.rested else 3.0 if fresh else 1.0
            fresh = self.rested = False

        return Prepared(Call(call), dict)

    def rest(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.rested = True

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.rest)


def test_the_beginnings_are_told_apart(names_gru: Bundle, tmp_path: Path) -> None:
    slow = Slow()
    job = Job(names_gru, {}, 1, tmp_path)
    settings = ColdSettings(loads=4, load_seconds=11.0, pauses=3, pause_seconds=0.25)
    found = measure_cold(slow, job, slow.prepare(job), settings, slow.clock())
    assert (found["load_us"], found["cold_us"], found["idle_us"]) == pytest.approx((2e6, 3e6, 5e6))
    assert slow.loads == 1 + 3  # two loads took 10 s, a third begins, a fourth does not
    assert slow.pauses == [0.25] * 3


def test_memory_counts_at_its_peak() -> None:
    size = 64 << 20

    def fill_and_drop() -> int:
        return int(np.ones(size, dtype=np.uint8).sum())

    result, grown = peak_growth(fill_and_drop)
    assert result == size
    if grown is None:
        pytest.skip("the system does not tell the peak of memory")
    assert size * 0.9 < grown < size * 3
    assert (peak_growth(lambda: None)[1] or 0) < size / 4
