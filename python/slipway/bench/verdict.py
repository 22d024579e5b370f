"""What the times mean: who is the best accurate rival, how far is the floor, is the target met."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slipway.bench.competitors import NATIVE, NATIVE_ALONE, NATIVE_BOUND

#: The target of every cell: so many times faster than the best accurate rival ...
TIMES_FASTER = 2.0
#: ... or, where that would lie below the floor, within so many times the floor.
TIMES_FLOOR = 1.25
#: The target of all cells together.
GEOMETRIC_MEAN = 2.5
#: Microseconds of a call at batch 1 where the floor is nothing but the call: through ``session.run``, and bound.
TINY_US = {NATIVE: 0.5, NATIVE_BOUND: 0.2}
#: A model is tiny where its floor at batch 1 is below this.
TINY_FLOOR_US = 0.1

_OURS = {NATIVE, NATIVE_BOUND, NATIVE_ALONE.name, "native-cuda"}
_WORST = 5


def judge_cell(rows: Sequence[Mapping[str, Any]], floor_us: float | None) -> dict[str, Any] | None:
    """Return a cell's verdict; ``session.run`` is what is judged, bound buffers stand beside it.

    Returns:
        ``native_us``, ``bound_us``, ``best_peer``, ``best_peer_us``, ``times_faster``, ``floor_us``, ``times_floor``,
        ``target_us``, ``met``, ``missed_by`` (1 where met, else native over target); None without native and a peer.
    """
    medians = {str(row["runtime"]): float(row["p50_us"]) for row in rows}
    peers = {name: us for name, us in medians.items() if name not in _OURS}
    if NATIVE not in medians or not peers:
        return None
    native, best = medians[NATIVE], min(peers, key=peers.__getitem__)
    target = peers[best] / TIMES_FASTER
    if floor_us is not None and target < floor_us:
        target = TIMES_FLOOR * floor_us
    return {
        "native_us": native,
        "bound_us": medians.get(NATIVE_BOUND),
        "best_peer": best,
        "best_peer_us": peers[best],
        "times_faster": peers[best] / native,
        "floor_us": floor_us,
        "times_floor": native / floor_us if floor_us else None,
        "target_us": target,
        "met": native <= target,
        "missed_by": max(1.0, native / target),
    }


def summarise(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all cells together say."""
    judged = [cell for cell in cells if cell["verdict"] is not None]
    ratios = [cell["verdict"]["times_faster"] for cell in judged]
    worst = sorted(judged, key=lambda cell: -cell["verdict"]["missed_by"])[:_WORST]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None
    return {
        "cells": len(judged),
        "met": sum(cell["verdict"]["met"] for cell in judged),
        "slower_than_a_peer": [name_of(cell) for cell in judged if cell["verdict"]["times_faster"] < 1],
        "geometric_mean": mean,
        "geometric_mean_met": mean is not None and mean >= GEOMETRIC_MEAN,
        "worst": [[name_of(cell), round(cell["verdict"]["missed_by"], 2)] for cell in worst if not met(cell)],
        "slower_with_more_threads": slower_with_threads(cells),
        "tiny": tiny(cells),
    }


def met(cell: Mapping[str, Any]) -> bool:
    """Say whether a judged cell meets its target."""
    return bool(cell["verdict"]["met"])


def name_of(cell: Mapping[str, Any]) -> str:
    """Return ``model, batch N, T threads``."""
    plural = "s" if cell["threads"] != 1 else ""
    return f"{cell['bundle']}, batch {cell['batch']}, {cell['threads']} thread{plural}"


def noise_of(row: Mapping[str, Any]) -> float:
    """Return the interquartile range of a row's round medians, as a share of their median."""
    rounds = np.asarray(row["round_p50_us"], dtype=np.float64)
    low, middle, high = np.percentile(rounds, (25, 50, 75)).tolist()
    return float((high - low) / middle)


def slower_with_threads(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cells where the engine is slower, beyond noise, than with one thread in turn with it."""
    found = []
    for cell in cells:
        rows = {row["runtime"]: row for row in cell["rows"]}
        alone, row = rows.get(NATIVE_ALONE.name), rows.get(NATIVE)
        if alone is None or row is None:
            continue
        allowed = alone["p50_us"] * (1 + max(LEAST_NOISE, noise_of(row) + noise_of(alone)))
        if row["p50_us"] > allowed:
            place = f"{cell['bundle']}, batch {cell['batch']}"
            found.append(f"{place}: {row['p50_us']:.3g} us, alone {alone['p50_us']:.3g} us")
    return found


#: Differences below this share are noise whatever the rounds say: code moves in memory from build to build.
LEAST_NOISE = 0.03


def tiny(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the calls at batch 1 of models so small that only the call costs something."""
    found = []
    for cell in cells:
        floor = (cell.get("floor") or {}).get("us")
        if cell["batch"] != 1 or cell["threads"] != 1 or floor is None or floor >= TINY_FLOOR_US:
            continue
        for row in cell["rows"]:
            limit = TINY_US.get(row["runtime"])
            if limit is not None:
                us = row["p50_us"]
                found.append({"bundle": cell["bundle"], "runtime": row["runtime"], "us": us, "met": us <= limit})
    return found
