"""The picture of docs/benchmarks.md: how many times faster than the best accurate rival, a dot per cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LEFT, _RIGHT, _TOP, _ROW = 170, 30, 58, 15
_WIDTH = 900
_COLOURS = ("#1f6fb4", "#e07b26", "#3a8a4d", "#8a4d9a")
_TICKS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_STYLE = "text{font:12px sans-serif;fill:#333}.small{font-size:11px}"


def picture(result: Mapping[str, Any]) -> str:
    """Return the picture as SVG, with a logarithmic axis; a hollow dot misses its target.

    A colour for each ``series`` of cells; without, for each number of threads.
    """
    cells = [cell for cell in result["cells"] if cell["verdict"] is not None]
    rows = list(dict.fromkeys((cell["bundle"], cell["batch"]) for cell in cells))
    series = sorted({_series(cell) for cell in cells})
    ratios = [cell["verdict"]["times_faster"] for cell in cells] or [1.0]
    low, high = min(0.5, *ratios) / 1.15, max(4.0, *ratios) * 1.15

    def place(ratio: float) -> float:
        share = math.log(ratio / low) / math.log(high / low)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    height = _TOP + _ROW * len(rows) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        "<title>Times faster than the best float32-accurate rival</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        *_legend(series),
        *_grid([tick for tick in _TICKS if low <= tick <= high], place, height),
        *_labels(rows),
    ]
    for cell in cells:
        colour = _COLOURS[series.index(_series(cell)) % len(_COLOURS)]
        y = _TOP + _ROW * rows.index((cell["bundle"], cell["batch"])) + 8
        fill = colour if cell["verdict"]["met"] else "#fff"
        x = place(cell["verdict"]["times_faster"])
        lines.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _series(cell: Mapping[str, Any]) -> str:
    threads = cell.get("threads", 0)
    return str(cell.get("series", f"{threads} thread{'s' if threads > 1 else ''}"))


def _legend(series: Sequence[str]) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="16">Times faster than the best float32-accurate rival (hollow: target missed)</text>'
    for i, name in enumerate(series):
        x, colour = _LEFT + 130 * i, _COLOURS[i % len(_COLOURS)]
        yield f'<circle cx="{x + 4}" cy="30" r="4" fill="{colour}"/>'
        yield f'<text x="{x + 13}" y="34">{name}</text>'


def _grid(ticks: Sequence[float], place: Any, height: int) -> Iterator[str]:
    for tick in ticks:
        x = place(tick)
        colour, width = ("#333", 1.5) if tick in {1, 2} else ("#ddd", 1)
        yield f'<path d="M{x} {_TOP - 4}V{height - 16}" stroke="{colour}" stroke-width="{width}"/>'
        yield f'<text class="small" x="{x}" y="{_TOP - 8}" text-anchor="middle">{tick:g}x</text>'


def _labels(rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    before = None
    for i, (bundle, batch) in enumerate(rows):
        y = _TOP + _ROW * i + 12
        if bundle != before:
            yield f'<path d="M0 {y - 12}H{_WIDTH}" stroke="#eee"/>'
            yield f'<text class="small" x="6" y="{y}">{bundle}</text>'
        yield f'<text class="small" x="{_LEFT - 8}" y="{y}" text-anchor="end">{batch}</text>'
        before = bundle
