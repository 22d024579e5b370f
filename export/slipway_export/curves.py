"""Learning curves as SVG that stands inside a page and takes its colours from there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from slipway._html import number, text

Point = tuple[float, float]

_WIDTH, _HEIGHT = 400, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34
#: Above so many points a line has no dots: they would hide it.
_DOTS = 60


def draw_curves(name: str, series: Mapping[str, Sequence[Point]]) -> str:
    """Return a chart of lines, as a figure with a legend; empty where there is no point.

    Args:
        name: What goes up; epochs go to the right.
        series: Points (epoch, value) by what the legend calls them; values that are not finite are left out.
    """
    lines = {label: [p for p in points if math.isfinite(p[1])] for label, points in series.items()}
    lines = {label: points for label, points in lines.items() if points}
    if not lines:
        return ""
    everything = [point for points in lines.values() for point in points]
    (x0, x1), (y0, y1) = (_range(values) for values in zip(*everything, strict=True))

    def place(point: Point) -> Point:
        x = _LEFT + (point[0] - x0) / (x1 - x0) * (_WIDTH - _LEFT - _RIGHT)
        y = _TOP + (y1 - point[1]) / (y1 - y0) * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(name)} by epoch">']
    parts += [_tick_of_value(place((x0, tick))[1], tick) for tick in _ticks(y0, y1)]
    parts += [_tick_of_epoch(place((tick, y0))[0], tick) for tick in _ticks(x0, x1) if tick == int(tick)]
    for i, (label, points) in enumerate(lines.items()):
        parts += _line(label, points, [place(point) for point in points], f"var(--c{i % 4})")
    end = f'<text class="soft" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 2}" text-anchor="end">epoch</text></svg>'
    legend = "".join(
        f'<span><i style="background:var(--c{i % 4})"></i>{text(label)}</span>' for i, label in enumerate(lines)
    )
    drawn = "\n".join([*parts, end])
    return f'<figure><h3>{text(name)}</h3>{drawn}<div class="legend">{legend}</div></figure>'


def _line(label: str, points: Sequence[Point], places: Sequence[Point], colour: str) -> Iterator[str]:
    path = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    if len(points) > _DOTS:
        return
    for (epoch, value), (x, y) in zip(points, places, strict=True):
        told = f"{label}, epoch {epoch:g}: {number(float(value))}"
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"><title>{text(told)}</title></circle>'


def _tick_of_value(y: float, tick: float) -> str:
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
    return f'{line}<text class="soft" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>'


def _tick_of_epoch(x: float, tick: float) -> str:
    return f'<text class="soft" x="{x}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{tick:g}</text>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Return three to seven round numbers of a range."""
    size = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = next(step for step in (5 * size, 2 * size, size) if (high - low) / step >= 3)
    return [round(n * step, 12) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
