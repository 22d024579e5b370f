"""A layered drawing of a directed acyclic graph: layers, order inside a layer, places.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): longest
paths give layers, edges over several layers get bends in between, sweeps of barycentres order each layer. Places are
the least-squares fit to the neighbours' means under the order and the widths (pool adjacent violators, exact).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 16
_PLACINGS = 200
_BEND_WIDTH = 12.0
#: A bend follows its edge more strongly than a box follows its neighbours, so that long edges stay straight.
_BEND_WEIGHT = 4.0


@dataclass(frozen=True)
class Box:
    """The size of a node, pixels."""

    width: float
    height: float


@dataclass(frozen=True)
class Edge:
    """From one node to another; edges with the same ``value`` from the same node share their bends."""

    start: int
    end: int
    value: str


@dataclass(frozen=True)
class Layout:
    """Where everything stands, pixels: the middle of each node, and for each edge the middles of its bends."""

    places: Sequence[tuple[float, float]]
    bends: Sequence[Sequence[tuple[float, float]]]
    width: float
    height: float
    #: Half the height of each bend's layer: the edge runs straight down that far on both sides.
    bend_halves: Sequence[Sequence[float]]


def lay_out(boxes: Sequence[Box], edges: Sequence[Edge], *, gap_x: float = 24.0, gap_y: float = 40.0) -> Layout:
    """Place nodes so that every edge leads downwards.

    Args:
        boxes: Sizes of the nodes.
        edges: Of a graph without cycles.
        gap_x: Least space between neighbours of a layer.
        gap_y: Space between layers.
    """
    if not boxes:
        return Layout([], [], 0.0, 0.0, [])
    ranks = _ranks(len(boxes), edges)
    widths, levels, links, chains = _with_bends(boxes, edges, ranks)
    layers = _ordered(levels, links)
    xs = _placed(layers, widths, links, len(boxes), gap_x)
    tops, height = [], 0.0
    heights = [max((boxes[n].height for n in layer if n < len(boxes)), default=0.0) for layer in layers]
    for each in heights:
        tops.append(height)
        height += each + gap_y
    left = min(x - w / 2 for x, w in zip(xs, widths, strict=True))
    right = max(x + w / 2 for x, w in zip(xs, widths, strict=True))
    middle = [top + each / 2 for top, each in zip(tops, heights, strict=True)]
    points = [(x - left, middle[level]) for x, level in zip(xs, levels, strict=True)]
    return Layout(
        points[: len(boxes)],
        [[points[n] for n in chain] for chain in chains],
        right - left,
        height - gap_y,
        [[heights[levels[n]] / 2 for n in chain] for chain in chains],
    )


def _ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """The longest path to each node; a node that nothing leads to stands right above its first reader."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for edge in edges:
        before[edge.end].append(edge.start)
        after[edge.start].append(edge.end)
    ranks, waiting = [0] * count, [len(starts) for starts in before]
    open_nodes = [node for node in range(count) if not waiting[node]]
    for node in open_nodes:
        for end in after[node]:
            ranks[end] = max(ranks[end], ranks[node] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                open_nodes.append(end)
    if len(open_nodes) < count:
        raise ValueError("the graph has a cycle")
    for node in range(count):
        if not before[node] and after[node]:
            ranks[node] = min(ranks[end] for end in after[node]) - 1
    return ranks


def _with_bends(
    boxes: Sequence[Box], edges: Sequence[Edge], ranks: Sequence[int]
) -> tuple[list[float], list[int], list[tuple[int, int]], list[list[int]]]:
    """Add a bend in every layer that an edge passes; return widths, layers, links, and each edge's bends."""
    widths, levels = [box.width for box in boxes], list(ranks)
    links: dict[tuple[int, int], None] = {}
    bends: dict[tuple[int, str, int], int] = {}
    chains = []
    for edge in edges:
        chain, last = [], edge.start
        for level in range(ranks[edge.start] + 1, ranks[edge.end]):
            key = (edge.start, edge.value, level)
            if key not in bends:
                bends[key] = len(widths)
                widths.append(_BEND_WIDTH)
                levels.append(level)
            links[last, bends[key]] = None
            last = bends[key]
            chain.append(last)
        links[last, edge.end] = None
        chains.append(chain)
    return widths, levels, list(links), chains


def _ordered(levels: Sequence[int], links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Order each layer; the order with the fewest crossings of all sweeps."""
    layers: list[list[int]] = [[] for _ in range(max(levels) + 1)]
    for node, level in enumerate(levels):
        layers[level].append(node)
    up, down = _neighbours(len(levels), links)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, down)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for level in range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1):
            fixed = layers[level - 1 if downwards else level + 1]
            place = {node: at for at, node in enumerate(fixed)}
            near = up if downwards else down
            own = {node: _mean([place[m] for m in near[node]], at) for at, node in enumerate(layers[level])}
            layers[level].sort(key=own.__getitem__)
        crossings = _crossings(layers, down)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _neighbours(count: int, links: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    for start, end in links:
        up[end].append(start)
        down[start].append(end)
    return up, down


def _crossings(layers: Sequence[Sequence[int]], down: Sequence[Sequence[int]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place = {node: at for at, node in enumerate(lower)}
        ends = [end for node in upper for end in sorted(place[m] for m in down[node])]
        total += sum(1 for i, a in enumerate(ends) for b in ends[i + 1 :] if b < a)
    return total


def _placed(
    layers: Sequence[Sequence[int]], widths: Sequence[float], links: Sequence[tuple[int, int]], boxes: int, gap: float
) -> list[float]:
    """Move each layer towards its neighbours, down and up, until it stands still or long enough."""
    up, down = _neighbours(len(widths), links)
    xs = [0.0] * len(widths)
    for layer in layers:
        _fit(layer, [0.0] * len(layer), widths, gap, xs)
    for turn in range(_PLACINGS):
        downwards = turn % 2 == 0
        for layer in layers if downwards else reversed(layers):
            wanted = []
            for node in layer:
                near = (up[node] or down[node]) if downwards else (down[node] or up[node])
                if turn >= _PLACINGS // 8:  # at last both sides count
                    near = [*up[node], *down[node]]
                weights = [_BEND_WEIGHT if n >= boxes or node >= boxes else 1.0 for n in near]
                total = sum(xs[n] * w for n, w in zip(near, weights, strict=True))
                wanted.append(total / sum(weights) if near else xs[node])
            _fit(layer, wanted, widths, gap, xs)
    return xs


def _fit(layer: Sequence[int], wanted: Sequence[float], widths: Sequence[float], gap: float, xs: list[float]) -> None:
    """Give the nodes of a layer the places nearest to the wanted ones that keep order and distance."""
    offsets, offset = [0.0], 0.0
    for left, right in pairwise(layer):
        offset += (widths[left] + widths[right]) / 2 + gap
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for place, shift in zip(wanted, offsets, strict=False):
        mean, size = place - shift, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    fitted = [mean for mean, size in blocks for _ in range(size)]
    for node, place, shift in zip(layer, fitted, offsets, strict=False):
        xs[node] = place + shift


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
