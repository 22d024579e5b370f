"""Compares two result files of ``slipway bench`` or benchmarks/runtimes.py, cell by cell.

    python benchmarks/compare.py OLD.json NEW.json [--runtimes native-cpu,native-cpu-bound] [--json FILE|-]

A cell is slower where the median grew by more than the noise of both runs: the interquartile ranges of their rounds'
medians together, and 3 % at least. Exit code 5 where a cell is slower, 1 where the files have no cell in common.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.bench.competitors import NATIVE, NATIVE_BOUND
from slipway.bench.verdict import LEAST_NOISE, noise_of
from slipway.cli._console import table, write_result
from slipway.errors import ExitCode, InputError, SlipwayError

_COLUMNS = ("bundle", "runtime", "batch", "threads", "old_us", "new_us", "times", "noise", "verdict")
#: Where the machines' peaks differ by more, the times cannot be compared, and a line says so.
_SAME_MACHINE = 0.05

Rows = Mapping[tuple[str, str, int, int], Mapping[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the files on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--runtimes", default=f"{NATIVE},{NATIVE_BOUND}", metavar="LIST|all", help="whose times count")
    parser.add_argument("--json", metavar="FILE|-")
    wanted = parser.parse_args(arguments)
    try:
        old, new = read(wanted.old), read(wanted.new)
        cells = compare(rows_of(old, wanted.runtimes), rows_of(new, wanted.runtimes))
    except SlipwayError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    sys.stderr.writelines(f"note: {note}\n" for note in differences(old, new))
    result = {"slower": sum(cell["verdict"] == "slower" for cell in cells), "cells": cells}
    write_result(result, wanted.json, table(_COLUMNS, [[cell[c] for c in _COLUMNS] for cell in cells]))
    return int(ExitCode.SLOWER if result["slower"] else ExitCode.OK)


def read(path: Path) -> dict[str, Any]:
    """Read a result file.

    Raises:
        InputError: It is none.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        rows = result["rows"]
        complete = all({"p50_us", "round_p50_us", "bundle", "runtime", "batch", "threads"} <= set(row) for row in rows)
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is not a result of slipway bench: {error}") from error
    if not complete:
        raise InputError(f"{path}: a row has no median, or no medians of its rounds to tell noise from")
    found: dict[str, Any] = result
    return found


def rows_of(result: Mapping[str, Any], runtimes: str) -> Rows:
    """Return the rows of some runtimes by their place."""
    names = {name.strip() for name in runtimes.split(",")}
    return {
        (row["bundle"], row["runtime"], row["batch"], row["threads"]): row
        for row in result["rows"]
        if runtimes == "all" or row["runtime"] in names
    }


def compare(old: Rows, new: Rows) -> list[dict[str, Any]]:
    """Return a verdict per common cell, the worst first.

    Raises:
        InputError: There is no common cell.
    """
    cells = []
    for place in old.keys() & new.keys():
        before, after = old[place], new[place]
        noise = max(LEAST_NOISE, noise_of(before) + noise_of(after))
        times = after["p50_us"] / before["p50_us"]
        verdict = "slower" if times > 1 + noise else "faster" if times < 1 / (1 + noise) else "same"
        cells.append(
            {
                **dict(zip(("bundle", "runtime", "batch", "threads"), place, strict=True)),
                "old_us": before["p50_us"],
                "new_us": after["p50_us"],
                "times": times,
                "noise": noise,
                "verdict": verdict,
            }
        )
    if not cells:
        raise InputError("the two files have no cell in common: another model, batch, number of threads or runtime")
    return sorted(cells, key=lambda cell: (-cell["times"], cell["bundle"], cell["batch"], cell["threads"]))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what makes two runs hard to compare: another processor, or another peak of the same."""
    notes = []
    before, after = old["machine"].get("processor"), new["machine"].get("processor")
    if before != after:
        notes.append(f"the processors differ: {before}, then {after}")
    for threads in sorted(set(old.get("peaks", {})) & set(new.get("peaks", {})) - {"cache_bytes"}):
        slow, fast = sorted(result["peaks"][threads]["flops_per_s"] for result in (old, new))
        if fast > slow * (1 + _SAME_MACHINE):
            notes.append(f"the machine was not quiet: its peak differs by {fast / slow - 1:.0%}, threads {threads}")
    return notes


if __name__ == "__main__":
    sys.exit(main())
