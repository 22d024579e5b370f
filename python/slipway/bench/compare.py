"""Is a run slower than an earlier one: two result files, cell by cell, beyond the noise of both.

``slipway bench --compare`` and ``benchmarks/compare.py`` mean the same by "slower", because both ask here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from slipway._files import read_file
from slipway.bench.verdict import LEAST_NOISE, noise_of
from slipway.errors import InputError

#: Columns of a comparison, in the order of reports.
COLUMNS = ("bundle", "runtime", "batch", "threads", "old_us", "new_us", "times", "noise", "verdict")
#: Where the machines' peaks differ by more, the times cannot be compared, and a line says so.
_SAME_MACHINE = 0.05

_PLACE = ("bundle", "runtime", "batch", "threads")
Place = tuple[str, str, int, int]
Rows = Mapping[Place, Mapping[str, Any]]


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file.

    Raises:
        InputError: It is none, or a row of it cannot be compared.
    """
    try:
        result: dict[str, Any] = json.loads(read_file(path))
        faults = [f"row {i}: {fault}" for i, row in enumerate(result["rows"]) if (fault := _fault(row))]
        counts = Counter(map(_place, result["rows"])) if not faults else Counter()
        faults += [f"several rows are of {_shown(place)}" for place, count in counts.items() if count > 1]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path} is not a result of slipway bench: {error}; write one with --json FILE") from error
    if faults:
        raise InputError(f"{path} cannot be compared: {'; '.join(faults[:3])}")
    return result


def rows_of(result: Mapping[str, Any], runtimes: str = "all") -> Rows:
    """Return the rows of some runtimes, names with commas, by their place."""
    names = {name.strip() for name in runtimes.split(",")}
    return {_place(row): row for row in result["rows"] if runtimes == "all" or row["runtime"] in names}


def compare(old: Rows, new: Rows, allowed: float = 0.0) -> list[dict[str, Any]]:
    """Return a verdict per common cell, the worst first.

    A cell is slower where its median grew by more than the noise of both runs (the interquartile ranges of their
    rounds' medians together, and 3 % at least), and by more than ``allowed``, a share.

    Raises:
        InputError: There is no common cell.
    """
    cells = []
    for place in common_places(old, new):
        before, after = old[place], new[place]
        noise = max(allowed, LEAST_NOISE, noise_of(before) + noise_of(after))
        times = after["p50_us"] / before["p50_us"]
        verdict = "slower" if times > 1 + noise else "faster" if times < 1 / (1 + noise) else "same"
        cells.append(
            {
                **dict(zip(_PLACE, place, strict=True)),
                "old_us": before["p50_us"],
                "new_us": after["p50_us"],
                "times": times,
                "noise": noise,
                "verdict": verdict,
            }
        )
    return sorted(cells, key=lambda cell: (-cell["times"], cell["bundle"], cell["batch"], cell["threads"]))


def common_places(old: Collection[Place], new: Collection[Place]) -> set[Place]:
    """Return the places of both.

    Raises:
        InputError: There is none.
    """
    common = set(old) & set(new)
    if not common:
        raise InputError("the two runs have no cell in common: another model, batch, number of threads or runtime")
    return common


def missing(old: Rows, new: Rows) -> list[str]:
    """Return the places that were measured before and are not now, for people."""
    return [_shown(place) for place in sorted(old.keys() - new.keys())]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what makes two runs hard to compare: another processor, or another peak of the same."""
    notes = []
    before, after = (result.get("machine", {}).get("processor") for result in (old, new))
    if before != after:
        notes.append(f"the processors differ: {before}, then {after}")
    for threads in sorted(set(old.get("peaks", {})) & set(new.get("peaks", {})) - {"cache_bytes"}):
        slow, fast = sorted(result["peaks"][threads]["flops_per_s"] for result in (old, new))
        if fast > slow * (1 + _SAME_MACHINE):
            notes.append(f"the machine was not quiet: its peak differs by {fast / slow - 1:.0%}, threads {threads}")
    return notes


def _place(row: Mapping[str, Any]) -> Place:
    return row["bundle"], row["runtime"], row["batch"], row["threads"]


def _shown(place: Place) -> str:
    bundle, runtime, batch, threads = place
    return f"{bundle}, {runtime}, batch {batch}, threads {threads}"


def _fault(row: Mapping[str, Any]) -> str | None:
    """Say what keeps a row from being compared, or None."""
    absent = [name for name in (*_PLACE, "p50_us", "round_p50_us") if name not in row]
    if absent:
        return f"it has no {', '.join(absent)}"
    times = [row["p50_us"], *row["round_p50_us"]]
    if len(times) < 2 or not all(isinstance(t, int | float) and math.isfinite(t) and t > 0 for t in times):
        return "p50_us and round_p50_us are not all numbers above 0"
    return None
