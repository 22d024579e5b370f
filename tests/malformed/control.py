"""Files whose nodes hold graphs: a right one, and wrong and hostile ones, for ``corpus.py``."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import TensorProto, helper, parser


def model_of(text: str) -> onnx.ModelProto:
    """The model whose graph is ``text``, not checked."""
    return parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}')


def scan() -> onnx.ModelProto:
    """A Scan with an If in its body, which both read what stands around them. It ends whatever is changed in it."""
    return model_of(
        """scan (float[T,N] x, float[N] s0, bool c) => (float[N] s, float[T,N] rows) {
          k = Neg (s0)
          s, rows = Scan <num_scan_inputs = 1, scan_input_directions = [1], body = b (float[N] s1, float[N] e)
              => (float[N] s2, float[N] row) {
            s2 = If <then_branch = t () => (float[N] p) { p = Add (s1, k) },
                     else_branch = f () => (float[N] q) { q = Mul (s1, e) }> (c)
            row = Relu (s2)
          }> (s0, x)
        }"""
    )


def loop() -> onnx.ModelProto:
    """A counted Loop named "steps" with one state."""
    model = model_of(
        """loop (float[N] x, int64 n) => (float[N] y) {
          k = Neg (x)
          y = Loop <body = b (int64 i, bool c, float[N] s) => (bool d, float[N] t) {
            t = Add (s, k)
            d = Identity (c)
          }> (n, , x)
        }"""
    )
    model.graph.node[1].name = "steps"
    return model


def nested(depth: int) -> onnx.ModelProto:
    """Ifs in Ifs."""
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["b0"])], "g0", [], [_float("b0")])
    for level in range(1, depth + 1):
        other = helper.make_graph([helper.make_node("Exp", ["x"], [f"o{level}"])], "o", [], [_float(f"o{level}")])
        node = helper.make_node("If", ["c"], [f"b{level}"], then_branch=graph, else_branch=other)
        graph = helper.make_graph([node], f"g{level}", [], [_float(f"b{level}")])
    graph.input.extend([_float("x"), helper.make_tensor_value_info("c", TensorProto.BOOL, [])])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 20)])


def _float(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"])


def control_models() -> Iterator[tuple[str, onnx.ModelProto, str | None]]:
    """Name, model, and the words of its refusal, None where it must load."""
    yield "graphs_sixteen_deep", nested(16), None
    yield "graphs_seventeen_deep", nested(17), "graphs stand more than 16 deep in others"

    def changed(name: str, refusal: str) -> tuple[str, onnx.ModelProto, str]:
        return name, model, refusal

    model = loop()
    model.graph.node[1].attribute[0].g.node[0].input[1] = "y"
    yield changed("body_reads_its_own_loop", 'Loop "steps": Add .*reads value "y", which no node before it makes')
    model = loop()
    model.graph.node[1].attribute[0].g.node[0].output[0] = "k"
    yield changed("body_makes_a_name_around_it", 'makes value "k", which the graph around it has already')
    model = loop()
    model.graph.node[1].attribute[0].CopyFrom(helper.make_attribute("body", 3))
    yield changed("body_is_a_number", 'Loop "steps": attribute body must be a graph')
    model = loop()
    del model.graph.node[1].attribute[:]
    yield changed("no_body", 'Loop "steps": attribute body is missing')
    model = loop()
    model.graph.node[1].attribute[0].g.ClearField("output")
    yield changed("body_without_outputs", "the graph has no outputs")
    model = loop()
    model.graph.node[1].attribute[0].g.node[0].op_type = "Tele\nport"
    yield changed("operator_with_newline_in_a_body", r"Tele\\x0aport")
    model = loop()
    tensor = model.graph.node[1].attribute[0].g.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    yield changed("external_data_in_a_body", "save it as one file")
    model = loop()
    tensor = model.graph.node[1].attribute[0].g.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[2**62, 4])
    yield changed("endless_tensor_in_a_body", "more than 2.48 elements")
    model = loop()
    for name in ("first", "second"):
        model.graph.node[1].attribute.append(helper.make_attribute(name, model.graph.node[1].attribute[0].g))
    yield changed("three_bodies", "is the node's third graph")
    model = loop()
    model.graph.node[1].attribute.append(helper.make_attribute("bodies", [model.graph.node[1].attribute[0].g]))
    yield changed("list_of_graphs", 'attribute "bodies": is of type 10')
    model = loop()
    body = model.graph.node[1].attribute[0].g
    body.input[2].type.tensor_type.elem_type = TensorProto.INT64
    yield changed("state_of_another_type", 'value "s" has type float32, but the model states int64')
