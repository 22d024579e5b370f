"""How time is measured: in turns that interleave, in samples that the clock cannot disturb.

Competitors take short turns in rounds, in another order each round, so that a machine that slows down slows all of them
down. A sample is so many calls that reading the clock costs nothing. The garbage collector is off meanwhile.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

import numpy as np


class _Nothing:
    """Stands for no argument at all."""


NOTHING: Final = _Nothing()

#: Share of a pause that a process at rest computes at most.
_IDLE = 0.25

#: Most samples kept of one turn; a fast model would fill the memory otherwise.
_MOST = 20_000


@dataclass(frozen=True)
class Call:
    """What is timed: ``function(argument)``, or ``function()``; nothing stands between the loop and it."""

    function: Callable[..., object]
    argument: object = NOTHING
    #: Entered around each turn, outside of the clock: threads, modes.
    turn: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True)
class Clock:
    """Where time comes from; tests bring their own."""

    now: Callable[[], float] = time.perf_counter
    rest: Callable[[float], None] = time.sleep
    #: Seconds that all threads of this process have computed.
    busy: Callable[[], float] = time.process_time


@dataclass(frozen=True)
class Settings:
    """How long to measure.

    Args:
        rounds: Turns per competitor; fewer where ``cell_seconds`` asks for it.
        turn_seconds: Length of a turn; at least one sample is taken.
        sample_seconds: Shortest sample; below it, several calls make one.
        cell_seconds: How long all rounds together should last at most.
        rest_seconds: Pause before each turn.
        most_rest_seconds: How often the pause is repeated at most while threads of the one before still spin for work.
            Some do for a tenth of a second; they would take a processor away from whoever comes next.
    """

    rounds: int = 7
    turn_seconds: float = 0.04
    sample_seconds: float = 20e-6
    cell_seconds: float = 12.0
    rest_seconds: float = 0.002
    most_rest_seconds: float = 0.5


#: Rounds that are run whatever they cost: with fewer there is no spread to tell noise from.
FEWEST_ROUNDS = 3


@dataclass
class Timing:
    """Seconds per call of one competitor, a list per round."""

    calls_per_sample: int = 1
    rounds: list[list[float]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return percentiles in microseconds, and the median of every round."""
        microseconds = np.asarray([sample for samples in self.rounds for sample in samples]) * 1e6
        p50, p90, p99, p999 = np.percentile(microseconds, (50, 90, 99, 99.9)).tolist()
        return {
            "p50_us": p50,
            "p90_us": p90,
            "p99_us": p99,
            "p999_us": p999,
            "mean_us": float(microseconds.mean()),
            "samples": int(microseconds.size),
            "calls_per_sample": self.calls_per_sample,
            "round_p50_us": [float(np.median(samples)) * 1e6 for samples in self.rounds],
        }


def measure(
    calls: Mapping[str, Call], settings: Settings, clock: Clock | None = None, seed: int = 0
) -> dict[str, Timing]:
    """Time every call, in interleaved rounds.

    Args:
        calls: By the competitor's name; each was run before, so that nothing is laid out for the first time.
        settings: How long.
        clock: Where time comes from.
        seed: Of the order within the rounds.
    """
    clock = clock or Clock()
    timings = {name: Timing() for name in calls}
    with quiet():
        once = {name: _first_look(call, timings[name], settings, clock) for name, call in calls.items()}
        order = list(calls)
        shuffle = random.Random(seed).shuffle
        for _ in range(rounds_of(once.values(), settings)):
            shuffle(order)
            for name in order:
                timings[name].rounds.append(_turn(calls[name], once[name], timings[name], settings, clock))
    return timings


def rounds_of(once: Any, settings: Settings) -> int:
    """Return how many rounds fit, of competitors that take so many seconds per call."""
    round_seconds = sum(max(settings.turn_seconds, seconds) + settings.rest_seconds for seconds in once)
    fitting = int(settings.cell_seconds / round_seconds) if round_seconds > 0 else settings.rounds
    return max(min(FEWEST_ROUNDS, settings.rounds), min(settings.rounds, fitting))


@contextmanager
def quiet() -> Iterator[None]:
    """Collect the garbage of late, and none until the end."""
    was_on = gc.isenabled()
    gc.collect(1)  # all of it takes half a second where torch is loaded
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def time_calls(call: Call, count: int, clock: Clock) -> float:
    """Return the seconds that ``count`` calls take together."""
    function, argument, now = call.function, call.argument, clock.now
    if argument is NOTHING:
        start = now()
        for _ in repeat(None, count):
            function()
        return now() - start
    start = now()
    for _ in repeat(None, count):
        function(argument)
    return now() - start


def settle(settings: Settings, clock: Clock) -> None:
    """Rest until no thread of this process computes any more, or for as long as the settings allow."""
    pauses = round(settings.most_rest_seconds / settings.rest_seconds) if settings.rest_seconds > 0 else 0
    for _ in range(pauses):
        before = clock.busy()
        clock.rest(settings.rest_seconds)
        if clock.busy() - before < _IDLE * settings.rest_seconds:
            return


def _first_look(call: Call, timing: Timing, settings: Settings, clock: Clock) -> float:
    """Return the seconds of one call, about, and set how many make a sample."""
    with call.turn():
        count, seconds = 1, time_calls(call, 1, clock)
        if seconds < settings.turn_seconds:  # else it is long enough, however cold the caches were
            while (seconds := _least(call, count, clock)) < settings.sample_seconds and count < 1 << 20:
                count *= 2
    timing.calls_per_sample = count
    return seconds / count


def _least(call: Call, count: int, clock: Clock) -> float:
    """Return the least of a few samples: one that was disturbed would seem long enough for the timer."""
    return min(time_calls(call, count, clock) for _ in range(5))


def _turn(call: Call, once: float, timing: Timing, settings: Settings, clock: Clock) -> list[float]:
    samples: list[float] = []
    count = timing.calls_per_sample
    settle(settings, clock)
    with call.turn():
        if once < settings.turn_seconds / 2:  # a longer call brings its memory into the caches by itself
            time_calls(call, count, clock)
        end = clock.now() + settings.turn_seconds
        while True:
            samples.append(time_calls(call, count, clock) / count)
            if clock.now() >= end or len(samples) >= _MOST:
                return samples
