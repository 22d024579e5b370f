"""What the steady time of a call leaves out: loading, the first call, the first after a pause, and the memory."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from slipway.bench.competitor import Competitor, Job, Prepared
from slipway.bench.protocol import Clock, quiet, time_calls

T = TypeVar("T")

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
#: Resets the peak of resident memory (proc(5), /proc/pid/clear_refs).
_RESET_PEAK = "5"


@dataclass(frozen=True)
class ColdSettings:
    """How often the beginnings are repeated; the median counts.

    Args:
        loads: The model is loaded anew so often, each time with one call; at least once,
        load_seconds: and no further once the loads have taken so long together.
        pauses: First calls after a pause.
        pause_seconds: Length of a pause: threads that wait for work have gone to sleep, caches are others'.
    """

    loads: int = 5
    load_seconds: float = 1.0
    pauses: int = 7
    pause_seconds: float = 0.05


def measure_cold(
    competitor: Competitor, job: Job, warm: Prepared, settings: ColdSettings, clock: Clock | None = None
) -> dict[str, Any]:
    """Measure the beginnings of one competitor.

    A competitor that runs while it is being loaded (to learn the outputs' shapes, or to let a compiler settle) has that
    run in ``load_us``, and its first call afterwards in ``cold_us``.

    Args:
        competitor: Who.
        job: The model and its inputs.
        warm: The competitor with the model loaded, called before.
        settings: How often.
        clock: Where time comes from.

    Returns:
        ``load_us``, ``cold_us``, ``idle_us`` (medians, microseconds), and ``resident_bytes``, by how much the process
        grew at most while it loaded and called once; None where the system does not tell.
    """
    clock = clock or Clock()
    loads: list[tuple[float, float]] = []
    grown: list[int] = []
    with quiet():
        while len(loads) < settings.loads and sum(map(sum, loads)) < settings.load_seconds:
            times, growth = peak_growth(lambda: _load_and_call(competitor, job, clock))
            loads.append(times)
            grown += [] if growth is None else [growth]
        idle = _after_pauses(warm, settings, clock)
    load, cold = np.median(loads, axis=0).tolist()
    return {
        "load_us": load * 1e6,
        "cold_us": cold * 1e6,
        "idle_us": idle * 1e6,
        "resident_bytes": int(np.median(grown)) if grown else None,
    }


def peak_growth(action: Callable[[], T]) -> tuple[T, int | None]:
    """Return what an action gives, and by how many bytes the process's resident memory grew at most meanwhile.

    Freed memory is given back to the system before, so that what is used again counts; Linux only, else None.
    """
    before = _reset_peak()
    result = action()
    peak = None if before is None else _resident("VmHWM")
    return result, None if before is None or peak is None else max(0, peak - before)


def _load_and_call(competitor: Competitor, job: Job, clock: Clock) -> tuple[float, float]:
    start = clock.now()
    prepared = competitor.prepare(job)
    loaded = clock.now() - start
    with prepared.call.turn():
        return loaded, time_calls(prepared.call, 1, clock)


def _after_pauses(warm: Prepared, settings: ColdSettings, clock: Clock) -> float:
    seconds = []
    with warm.call.turn():
        for _ in range(settings.pauses):
            clock.rest(settings.pause_seconds)
            seconds.append(time_calls(warm.call, 1, clock))
    return float(np.median(seconds))


def _reset_peak() -> int | None:
    """Give freed memory back, set the peak to what is resident, and return that in bytes; None where it cannot be."""
    if not sys.platform.startswith("linux"):
        return None
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    try:
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return None
    return _resident("VmRSS")


def _resident(key: str) -> int | None:
    match = re.search(rf"^{key}:\s+(\d+) kB$", _STATUS.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
    return int(match[1]) * 1024 if match else None
