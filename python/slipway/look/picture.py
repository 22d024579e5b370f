"""The graph of an ONNX file as one self-contained SVG: a box per node, shapes on edges, fused groups behind them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnx import helper

from slipway.look.layout import Box, Edge, Layout, lay_out

if TYPE_CHECKING:
    import onnx

    from slipway_export.cut import Parts

_KINDS: Mapping[str, tuple[str, frozenset[str]]] = {
    "matrix products": ("#c9dcf5", frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})),
    "recurrent": ("#dccdf2", frozenset({"RNN", "GRU", "LSTM"})),
    "pooling": (
        "#f6d9b8",
        frozenset({"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}),
    ),
    "activation": (
        "#f7c6c2",
        frozenset({"Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid",
                   "Tanh", "Gelu", "Mish", "HardSwish", "Softplus", "Softsign", "Clip", "Softmax", "LogSoftmax"}),
    ),
    "normalisation": (
        "#f3ecb0",
        frozenset({"BatchNormalization", "InstanceNormalization", "LayerNormalization", "Dropout"}),
    ),
    "arithmetic": (
        "#cdebc9",
        frozenset({"Add", "Sub", "Mul", "Div", "Neg", "Abs", "Pow", "Sqrt", "Exp", "Log", "Erf", "Sin", "Cos", "Max",
                   "Min", "Mod", "Sum", "Reciprocal", "Where", "Equal", "Less", "Greater", "LessOrEqual",
                   "GreaterOrEqual", "And", "Or", "Xor", "Not", "CumSum", "ReduceSum", "ReduceMean",
                   "ReduceMax", "ReduceMin", "ArgMax"}),
    ),
    "control": ("#f0c9e3", frozenset({"Loop", "Scan", "If"})),
    "movement": ("#e4e4e4", frozenset()),
}  # fmt: skip
_PORT = "#ffffff"
_GROUPS = ("#8a6d3b", "#2f9a96", "#b3592f", "#8a4d9a", "#3a8a4d", "#2f6db3")
_ATTRIBUTES = ("kernel_shape", "strides", "pads", "hidden_size", "direction", "axis", "perm", "group", "alpha")
_STYLE = (
    "text{font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;fill:#222}"
    ".op{font-size:13px;font-weight:700}.small{font-size:11px}"
    ".edge{font-size:10.5px;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}"
)
_LINE, _PADDING, _MARGIN, _LEGEND = 15.0, 8.0, 24.0, 58.0
#: Advance of a monospaced glyph as a share of its size; 0.602 in DejaVu Sans Mono and the others.
_ADVANCE = 0.61
_LONGEST = 34


@dataclass(frozen=True)
class _Item:
    """A box: lines of text, the first one the operator or port."""

    lines: tuple[str, ...]
    colour: str

    @property
    def box(self) -> Box:
        widest = max(len(line) * (13 if i == 0 else 11) for i, line in enumerate(self.lines)) * _ADVANCE
        return Box(widest + 2 * _PADDING, len(self.lines) * _LINE + _PADDING)


def picture_of_graph(parts: Parts, groups: Sequence[Sequence[str]], title: str) -> str:
    """Return the picture; the same file gives the same text.

    Args:
        parts: The file.
        groups: Names of nodes that an engine makes one node of.
        title: What stands above the graph.
    """
    items, edges = _items_and_edges(parts)
    boxes = [item.box for item in items]
    layout = lay_out(boxes, edges)
    kinds = [kind for kind, (colour, _) in _KINDS.items() if any(item.colour == colour for item in items)]
    legend_width = max(_legend_width(kinds, groups), len(title) * 15 * _ADVANCE)
    width = round(max(layout.width, legend_width) + 2 * _MARGIN)
    height = round(layout.height + 2 * _MARGIN + _LEGEND)
    left = (width - layout.width) / 2
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{html.escape(title)}</title><style>{_STYLE}</style>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(title, kinds, groups),
        f'<g transform="translate({left:.1f} {_MARGIN + _LEGEND:.1f})">',
        *_group_shapes(parts, groups, boxes, edges, layout),
        *_lines(edges, boxes, layout),
        *_labels(parts, edges, boxes, layout),
        *(line for item, place in zip(items, layout.places, strict=True) for line in _drawn(item, place)),
        "</g></svg>\n",
    ))  # fmt: skip


def _items_and_edges(parts: Parts) -> tuple[list[_Item], list[Edge]]:
    """Nodes come first, in the order of the file, then inputs and outputs."""
    graph = parts.model.graph
    items = [_node_item(parts, node) for node in graph.node]
    inputs = [value.name for value in graph.input if value.name not in parts.weights]
    makers = dict(parts.maker)
    for name in inputs:
        makers[name] = len(items)
        items.append(_Item(("input", _short(name), _type_text(parts, name)), _PORT))
    edges = [
        Edge(makers[name], place, name) for place, reads in enumerate(parts.reads) for name in reads if name in makers
    ]
    for value in graph.output:
        if value.name in makers:
            edges.append(Edge(makers[value.name], len(items), value.name))
        items.append(_Item(("output", _short(value.name), _type_text(parts, value.name)), _PORT))
    return items, edges


def _node_item(parts: Parts, node: onnx.NodeProto) -> _Item:
    colour = next((c for c, ops in _KINDS.values() if node.op_type in ops), _KINDS["movement"][0])
    part = next((value for value in parts.values if value.output in node.output), None)
    names = dict.fromkeys((node.name, (part.module if part is not None else None) or node.name))
    lines = [node.op_type, *map(_short, names)]
    weights = [parts.weights[name] for name in node.input if name in parts.weights]
    sizes = [tuple(tensor.dims) for tensor in weights if len(tensor.dims) > 1]
    if sizes:
        lines.append(_short("weights " + " ".join("x".join(map(str, size)) for size in sizes)))
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    told = [f"{name.split('_')[0]} {_attribute(attributes[name])}" for name in _ATTRIBUTES if _says(attributes, name)]
    lines += [_short(line) for line in _filled(told)]
    return _Item(tuple(line for line in lines if line), colour)


def _says(attributes: Mapping[str, object], name: str) -> bool:
    """Usual values are not worth a line."""
    value = attributes.get(name)
    if isinstance(value, list):
        return len(set(value) - ({1} if name == "strides" else {0} if name == "pads" else set())) > 0
    usual = {"direction": b"forward", "group": 1, "alpha": 1.0}
    return value is not None and value != usual.get(name)


def _attribute(value: object) -> str:
    if isinstance(value, list):
        equal = len(set(value)) == 1 and len(value) > 2
        return str(value[0]) if equal else "x".join(map(str, value))
    return value.decode(errors="replace") if isinstance(value, bytes) else f"{value:g}"


def _filled(words: Sequence[str]) -> Iterator[str]:
    """Put words on lines that are not too long."""
    line = ""
    for word in words:
        if line and len(line) + len(word) + 2 > _LONGEST:
            yield line
            line = ""
        line = f"{line}, {word}" if line else word
    if line:
        yield line


def _type_text(parts: Parts, name: str) -> str:
    return f"{parts.dtype(name) or '?'} {_shape_text(parts, name)}"


def _shape_text(parts: Parts, name: str) -> str:
    shape = parts.shape(name)
    if shape is None:
        return ""
    dims = ["?" if dim is None else str(dim) for dim in shape]
    return "x".join(dim if len(dim) <= 12 else "?" for dim in dims) or "scalar"


def _drawn(item: _Item, place: tuple[float, float]) -> Iterator[str]:
    x, y = place
    box = item.box
    top = y - box.height / 2
    radius = 14 if item.colour == _PORT else 4
    yield (
        f'<rect x="{x - box.width / 2:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius}" fill="{item.colour}" stroke="#444"/>'
    )
    for i, line in enumerate(item.lines):
        kind = "op" if i == 0 else "small"
        base = top + (i + 1) * _LINE
        yield f'<text class="{kind}" x="{x:.1f}" y="{base:.1f}" text-anchor="middle">{html.escape(line)}</text>'


def _lines(edges: Sequence[Edge], boxes: Sequence[Box], layout: Layout) -> Iterator[str]:
    paths = dict.fromkeys(_path(n, edge, boxes, layout) for n, edge in enumerate(edges))
    yield '<g fill="none" stroke="#777">'
    yield from (f'<path d="{path}"/>' for path in paths)
    yield "</g>"
    ends = dict.fromkeys((layout.places[e.end][0], _top(e.end, boxes, layout)) for e in edges)
    for x, y in ends:
        yield f'<path d="M{x:.1f} {y:.1f}l-4 -7h8z" fill="#777"/>'


def _path(number: int, edge: Edge, boxes: Sequence[Box], layout: Layout) -> str:
    """Straight down past the boxes of each layer, and curves between the layers."""
    x, y = layout.places[edge.start][0], layout.places[edge.start][1] + boxes[edge.start].height / 2
    path = f"M{x:.1f} {y:.1f}"
    stops = [(bx, by - h, by + h) for (bx, by), h in zip(layout.bends[number], layout.bend_halves[number], strict=True)]
    end = _top(edge.end, boxes, layout) - 6
    for next_x, above, below in (*stops, (layout.places[edge.end][0], end, end)):
        middle = (y + above) / 2
        path += f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {above:.1f}"
        if below > above:
            path += f"V{below:.1f}"
        x, y = next_x, below
    return path


def _top(node: int, boxes: Sequence[Box], layout: Layout) -> float:
    return layout.places[node][1] - boxes[node].height / 2


def _labels(parts: Parts, edges: Sequence[Edge], boxes: Sequence[Box], layout: Layout) -> Iterator[str]:
    """A value's shape stands once, below the node that makes it; ports say theirs themselves."""
    made: dict[int, list[str]] = {}
    for edge in edges:
        if edge.start < len(parts.model.graph.node) and edge.value not in made.setdefault(edge.start, []):
            made[edge.start].append(edge.value)
    for node, names in made.items():
        x, y = layout.places[node][0], layout.places[node][1] + boxes[node].height / 2
        text = ", ".join(dict.fromkeys(shape for name in names if (shape := _shape_text(parts, name))))
        yield f'<text class="edge" x="{x + 5:.1f}" y="{y + 13:.1f}">{html.escape(_short(text))}</text>'


def _group_shapes(
    parts: Parts, groups: Sequence[Sequence[str]], boxes: Sequence[Box], edges: Sequence[Edge], layout: Layout
) -> Iterator[str]:
    """A halo around the nodes of each group and along the edges between them, so that no other node is covered."""
    places = {node.name: place for place, node in enumerate(parts.model.graph.node) if node.name}
    for number, group in enumerate(groups):
        members = {places[name] for name in group if name in places}
        colour = _GROUPS[number % len(_GROUPS)]
        yield f'<g opacity="0.22" fill="{colour}" stroke="{colour}" stroke-linejoin="round">'
        for n, edge in enumerate(edges):
            if edge.start in members and edge.end in members:
                yield f'<path d="{_path(n, edge, boxes, layout)}" fill="none" stroke-width="26"/>'
        for node in sorted(members):
            (x, y), box = layout.places[node], boxes[node]
            yield (
                f'<rect x="{x - box.width / 2 - 7:.1f}" y="{y - box.height / 2 - 7:.1f}" '
                f'width="{box.width + 14:.1f}" height="{box.height + 14:.1f}" rx="9"/>'
            )
        yield "</g>"


def _legend(title: str, kinds: Sequence[str], groups: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f'<text x="{_MARGIN}" y="{_MARGIN + 8}" style="font-size:15px;font-weight:700">{html.escape(title)}</text>'
    x, y = _MARGIN, _MARGIN + 24.0
    for kind in kinds:
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="12" height="12" fill="{_KINDS[kind][0]}" stroke="#444"/>'
        yield f'<text class="small" x="{x + 17:.1f}" y="{y + 10:.1f}">{kind}</text>'
        x += _entry_width(kind)
    if groups:
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="12" height="12" fill="{_GROUPS[0]}" opacity="0.3"/>'
        yield f'<text class="small" x="{x + 17:.1f}" y="{y + 10:.1f}">{_FUSED}</text>'


_FUSED = "one node in the engine"


def _legend_width(kinds: Sequence[str], groups: Sequence[Sequence[str]]) -> float:
    return sum(map(_entry_width, kinds)) + (_entry_width(_FUSED) if groups else 0.0)


def _entry_width(text: str) -> float:
    return 17 + len(text) * 11 * _ADVANCE + 14


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
