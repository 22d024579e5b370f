"""A short look at the latency of a new bundle, for its report; ``slipway bench`` measures it properly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from slipway.bundle import Bundle
from slipway.errors import SlipwayError
from slipway.runtime import Runtime

#: Who is looked at: the engine, and the runtime that most others compare themselves with.
LOOKED_AT = ("native-cpu", "onnxruntime-cpu")
_WARM_UP = 20
_LEAST = 50
_SECONDS = 0.2


def measure_latency(bundle: Bundle, runtimes: Iterable[Runtime]) -> list[dict[str, Any]]:
    """Time single runs of the first golden, one thread, each runtime after the other.

    Args:
        bundle: A whole bundle; its first golden is a batch of one item.
        runtimes: Those that may be asked; only those of ``LOOKED_AT`` are.

    Returns:
        For each runtime that can run the model here: ``runtime``, ``batch``, ``threads``, ``p50_us``, ``p90_us`` and
        ``samples``. A sample is one call, the clock included: tens of nanoseconds.
    """
    rows = []
    for runtime in sorted((r for r in runtimes if r.name in LOOKED_AT), key=lambda r: LOOKED_AT.index(r.name)):
        try:
            seconds = _sample(_runner(bundle, runtime))
        except SlipwayError:  # verification says why in its rows
            continue
        p50, p90 = np.percentile(np.asarray(seconds) * 1e6, (50, 90)).tolist()
        rows.append(
            {"runtime": runtime.name, "batch": 1, "threads": 1, "p50_us": p50, "p90_us": p90, "samples": len(seconds)}
        )
    return rows


def _runner(bundle: Bundle, runtime: Runtime) -> Callable[[], object]:
    """Return one run of a loaded model as its library calls it, without the checks that verification makes."""
    model: Any = runtime.load(bundle, 1)
    inputs = dict(bundle.goldens[0].inputs)
    if runtime.name.startswith("onnxruntime"):
        return partial(model.session.run, [port.name for port in bundle.signature.outputs], inputs)
    return partial(model.session.run, inputs)


def _sample(run: Callable[[], object]) -> list[float]:
    for _ in range(_WARM_UP):
        run()
    seconds: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(seconds) < _LEAST or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds
