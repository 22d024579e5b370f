"""The GPU's part of docs/benchmarks.md and its picture, from what ``tools/gpu_check.py`` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway._pages import with_part
from slipway.bench._picture import picture as draw
from slipway.bench.page import short

PICTURE = "docs/benchmarks-cuda.svg"

BEGIN = "<!-- made by tools/gpu_check.py; do not edit -->"
END = "<!-- end of the GPU's part -->"

NATIVE = "native-cuda"
#: What a time is, and how the picture calls it.
TIMES = {"device_us": "device", "waited_us": "call until result"}

Result = Mapping[str, Any]


def renew(page: str, bench: Result, floors: Result) -> str:
    """Return the page with a new GPU part.

    Raises:
        ValueError: The page lacks a mark.
    """
    return with_part(page, BEGIN, END, "\n\n".join([_card(bench, floors), _table(bench), _left_out(bench)]))


def picture(bench: Result) -> str:
    """Return the picture as SVG: a dot per cell and kind of time; a hollow dot is slower than the best rival."""
    cells = []
    for cell in bench["cells"]:
        for time, series in TIMES.items():
            rival = best_rival(cell, time)
            own = cell["rows"].get(NATIVE, {}).get(time)
            if own is None or rival is None:
                continue
            faster = rival[1] / own
            verdict = {"times_faster": faster, "met": faster >= 1}
            cells.append({"bundle": cell["bundle"], "batch": cell["batch"], "series": series, "verdict": verdict})
    return draw({"cells": cells})


def best_rival(cell: Result, time: str) -> tuple[str, float] | None:
    """Return name and time of the fastest float32-accurate rival; device time where it has it, else steady time.

    A rival that cannot be recorded has no device time of its own: what its runs take one after the other stands for it.
    """
    found = {}
    for name, row in cell["rows"].items():
        value = row.get(time) if row.get(time) is not None or time != "device_us" else row["steady_us"]
        if name != NATIVE and value is not None:
            found[name] = float(value)
    if not found:
        return None
    name = min(found, key=lambda key: found[key])
    return name, found[name]


def _card(bench: Result, floors: Result) -> str:
    device = bench["device"]
    remark = f" {bench['remark']}" if "remark" in bench else ""
    return (
        f"{device['name']}, {device['multiprocessors']} multiprocessors; torch {device['torch']}, cuDNN "
        f"{device['cudnn']}. Measured beside: copies {floors['copy_bytes_per_s'] / 1e12:.2f} TB/s, float32 products "
        f"{floors['fp32_flops_per_s'] / 1e12:.1f} TFLOP/s, in TF32 {floors['tf32_flops_per_s'] / 1e12:.0f}; a launch "
        f"{floors['launch_us']:.1f} us of the processor, a graph of ten small kernels "
        f"{floors['graph_of_ten_us']:.1f} us.{remark}"
    )


def _table(bench: Result) -> str:
    columns = "| model | batch | device | best rival | rival | faster | call | best rival | rival | faster | error |"
    lines = [columns, "|---" * 11 + "|"]
    for cell in bench["cells"]:
        own = cell["rows"].get(NATIVE)
        place = f"| `{cell['bundle']}` | {cell['batch']} |"
        if own is None:
            reason = cell.get("reason") or cell.get("left_out", {}).get(NATIVE, "not measured")
            lines.append(f"{place} {reason} |" + " |" * 8)
            continue
        parts = [part for time in TIMES for part in _against(cell, own, time)]
        lines.append(f"{place} " + " | ".join(parts) + f" | {own['error']:.1e} |")
    return "\n".join(["![Times faster than the best accurate rival](benchmarks-cuda.svg)", "", *lines])


def _against(cell: Result, own: Result, time: str) -> list[str]:
    rival = best_rival(cell, time)
    value = own[time] if own[time] is not None else own["steady_us"]
    if rival is None:
        return [short(value), "-", "-", "-"]
    return [short(value), rival[0], short(rival[1]), f"**{rival[1] / value:.2f}**"]


def _left_out(bench: Result) -> str:
    reasons: dict[str, list[str]] = {}
    for cell in bench["cells"]:
        for name, reason in cell.get("left_out", {}).items():
            where = reasons.setdefault(f"{name}: {reason.partition(':')[0]}", [])
            if cell["bundle"] not in where:
                where.append(cell["bundle"])
    lines = [f"- {what} ({', '.join(f'`{name}`' for name in models)})." for what, models in reasons.items()]
    return "\n".join(["Left out:", "", *(lines or ["- Nothing."])])
