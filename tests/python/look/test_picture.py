"""The picture of a graph: whole, readable, self-contained; and the layout behind it."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET

import onnx
import pytest

from slipway.look.layout import Box, Edge, lay_out
from slipway.look.picture import picture_of_graph
from slipway_export.cut import Parts

SVG = "{http://www.w3.org/2000/svg}"


def picture(model: onnx.ModelProto, groups: list[tuple[str, ...]]) -> ET.Element:
    text = picture_of_graph(Parts.of(model.SerializeToString()), groups, "a <title>")
    assert picture_of_graph(Parts.of(model.SerializeToString()), groups, "a <title>") == text
    return ET.fromstring(text)


def test_every_node_port_and_shape_is_in_the_picture(residual: onnx.ModelProto) -> None:
    texts = [element.text for element in picture(residual, []).iter(f"{SVG}text")]
    for wanted in ("input", "output", "Conv", "Relu", "Add", "Flatten", "flat <&>", "float32 Nx2x5x5", "a <title>"):
        assert wanted in texts
    assert texts.count("Conv") == 2
    assert texts.count("Nx3x5x5") == 4
    assert {"stem", "inner", "weights 3x3x3x3", "pads 1"} <= set(texts)
    assert "one node in the engine" not in texts


def test_a_fused_group_has_a_halo_around_each_of_its_nodes(residual: onnx.ModelProto) -> None:
    root = picture(residual, [("inner", "relu")])
    halos = [element for element in root.iter(f"{SVG}g") if element.get("opacity")]
    assert len(halos) == 1
    assert len(halos[0].findall(f"{SVG}rect")) == 2
    assert len(halos[0].findall(f"{SVG}path")) == 1
    assert "one node in the engine" in [element.text for element in root.iter(f"{SVG}text")]


def test_the_picture_needs_nothing_from_outside(residual: onnx.ModelProto) -> None:
    text = picture_of_graph(Parts.of(residual.SerializeToString()), [], "t")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in text


@pytest.mark.parametrize("seed", range(5))
def test_boxes_never_overlap_and_edges_lead_down(seed: int) -> None:
    rng = random.Random(seed)
    count = 60
    boxes = [Box(rng.uniform(20, 200), rng.uniform(20, 80)) for _ in range(count)]
    edges = [Edge(rng.randrange(end), end, f"v{end}") for end in range(1, count) for _ in range(rng.randrange(1, 3))]
    layout = lay_out(boxes, edges, gap_x=10, gap_y=20)
    for edge, bends in zip(edges, layout.bends, strict=True):
        ys = [layout.places[edge.start][1], *(y for _, y in bends), layout.places[edge.end][1]]
        assert ys == sorted(ys)
        assert ys[0] < ys[-1]
    spots = list(zip(layout.places, boxes, strict=True))
    for i, ((x, y), box) in enumerate(spots):
        assert x - box.width / 2 + 1e-6 >= 0
        assert x + box.width / 2 <= layout.width + 1e-6
        assert y + box.height / 2 <= layout.height + 1e-6
        for (other_x, other_y), other in spots[i + 1 :]:
            apart_x = abs(x - other_x) >= (box.width + other.width) / 2 - 1e-6
            apart_y = abs(y - other_y) >= (box.height + other.height) / 2 - 1e-6
            assert apart_x or apart_y


def test_two_chains_do_not_cross() -> None:
    boxes = [Box(40, 20)] * 8
    edges = [Edge(0, 3, "a"), Edge(3, 4, "b"), Edge(1, 2, "c"), Edge(2, 5, "d"), Edge(4, 6, "e"), Edge(5, 7, "f")]
    xs = [x for x, _ in lay_out(boxes, edges).places]
    sides = [xs[a] < xs[b] for a, b in ((0, 1), (3, 2), (4, 5), (6, 7))]
    assert len(set(sides)) == 1


def test_a_chain_stands_straight_and_a_cycle_is_refused() -> None:
    xs = [x for x, _ in lay_out([Box(40, 20), Box(90, 20), Box(10, 20)], [Edge(0, 1, "a"), Edge(1, 2, "b")]).places]
    assert max(xs) - min(xs) < 1e-6
    with pytest.raises(ValueError, match="cycle"):
        lay_out([Box(1, 1)] * 2, [Edge(0, 1, "a"), Edge(1, 0, "b")])
    assert lay_out([], []).places == []
