"""How time is measured, with clocks that the tests wind."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from slipway.bench.protocol import FEWEST_ROUNDS, Call, Clock, Settings, Timing, measure, quiet, rounds_of, settle


class Time:
    """Stands still, except when told to pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self.heard: list[str] = []

    def passing(self, name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            self.heard.append(name)
            self.now += seconds

        return call

    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda seconds: None, lambda: 0.0)


def test_figures_are_those_of_the_clock() -> None:
    time = Time()
    calls = {"fast": Call(time.passing("fast", 1e-6)), "slow": Call(time.passing("slow", 1e-3))}
    timings = measure(calls, Settings(rounds=5, turn_seconds=4e-3, sample_seconds=10e-6), time.clock())
    fast, slow = timings["fast"].figures(), timings["slow"].figures()
    assert (fast["p50_us"], slow["p50_us"]) == (pytest.approx(1), pytest.approx(1000))
    assert fast["calls_per_sample"] == 16
    assert slow["calls_per_sample"] == 1
    assert len(slow["round_p50_us"]) == 5


def test_competitors_take_turns_in_every_round_and_in_changing_order() -> None:
    time = Time()
    calls = {name: Call(time.passing(name, 1.0)) for name in "abc"}
    measure(calls, Settings(rounds=6, turn_seconds=0.1, cell_seconds=1e9), time.clock())
    turns = time.heard[3:]  # the first look at each comes before
    rounds = [turns[i : i + 3] for i in range(0, len(turns), 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


def test_a_disturbed_first_call_does_not_make_samples_too_short_for_the_timer() -> None:
    time = Time()
    delays = iter([1e-3, 1e-3])

    def call() -> None:
        time.now += next(delays, 1e-6)

    timings = measure({"one": Call(call)}, Settings(rounds=3, turn_seconds=1e-2), time.clock())
    assert timings["one"].calls_per_sample == 32


class SpinningTime(Time):
    """Threads go on computing for so many seconds."""

    def __init__(self, left: float) -> None:
        super().__init__()
        self.left, self.spun, self.rests = left, 0.0, 0

    def rest(self, pause: float) -> None:
        spun = min(pause, self.left)
        self.rests, self.now, self.spun, self.left = (
            self.rests + 1,
            self.now + pause,
            self.spun + spun,
            self.left - spun,
        )

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.rest, lambda: self.spun)


@pytest.mark.parametrize(("seconds", "rests"), [(0.0, 1), (0.05, 26), (1e9, 50)])
def test_a_turn_waits_for_threads_that_spin_but_not_for_ever(seconds: float, rests: int) -> None:
    time = SpinningTime(seconds)
    settle(Settings(rest_seconds=0.002, most_rest_seconds=0.1), time.clock())
    assert time.rests == rests


def test_an_argument_reaches_the_function() -> None:
    time, seen = Time(), []

    def call(argument: object) -> None:
        seen.append(argument)
        time.now += 1.0

    measure({"one": Call(call, None)}, Settings(rounds=1), time.clock())
    assert set(seen) == {None}


def test_each_turn_has_its_own_surroundings() -> None:
    time, inside = Time(), []

    @contextmanager
    def turn() -> Iterator[None]:
        inside.append("in")
        yield
        inside.append("out")

    measure({"one": Call(time.passing("one", 1.0), turn=turn)}, Settings(rounds=3, cell_seconds=1e9), time.clock())
    assert inside == ["in", "out"] * 4


def test_the_garbage_collector_is_off_while_the_clock_runs_and_comes_back() -> None:
    time, seen = Time(), []

    def call() -> None:
        seen.append(gc.isenabled())
        time.now += 1.0

    assert gc.isenabled()
    measure({"one": Call(call)}, Settings(rounds=1), time.clock())
    assert not any(seen)
    assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt), quiet():
        raise KeyboardInterrupt
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("once", "rounds"), [([1e-6], 7), ([0.5, 0.5], 7), ([2.0], 6), ([100.0], FEWEST_ROUNDS), ([], 7)]
)
def test_slow_competitors_get_fewer_rounds_but_enough_to_tell_noise(once: list[float], rounds: int) -> None:
    assert rounds_of(once, Settings(rounds=7, cell_seconds=12, rest_seconds=0)) == rounds


def test_percentiles_are_over_all_rounds() -> None:
    figures = Timing(1, [[1e-6, 2e-6], [3e-6, 100e-6]]).figures()
    assert figures["samples"] == 4
    assert figures["p50_us"] == pytest.approx(2.5)
    assert figures["p99_us"] > figures["p90_us"] > 3
    assert figures["round_p50_us"] == pytest.approx([1.5, 51.5])
