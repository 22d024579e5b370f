"""Clean: what the one ONNX file holds, and what is refused."""

from __future__ import annotations

import json
import sys

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from export_models import OPERATORS, Sequences, assert_agrees, export, op_types, sequence_signature, tensors
from torch import Tensor, nn

from slipway._metadata import signature_from_metadata, signature_to_metadata
from slipway.errors import BundleError, ExportError, UnavailableError
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
    ImageInput,
    InputPort,
    LengthInput,
    OutputPort,
    Signature,
    TableInput,
    TensorInput,
    TextInput,
)
from slipway_export.clean import Operator, clean, engine_operators
from slipway_export.origin import MODULE_NOTES, class_of, module_of

SIGNATURE = tensors(("N", 3), outputs=[("N", 2)])


def raw_model(*nodes: onnx.NodeProto, opset: int = 20, **weights: np.ndarray) -> ir.Model:
    """A model ``x`` [s0, 3] -> ``y`` [s0, 2] as the exporter would write it."""
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["s0", 3])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["s0", 2])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10)
    return ir.serde.deserialize_model(model)


def product(**attributes: str) -> onnx.NodeProto:
    return onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="product", **attributes)


W = np.ones((3, 2), np.float32)


def cleaned(model: ir.Model, signature: Signature = SIGNATURE, operators: tuple[Operator, ...] = OPERATORS) -> bytes:
    return clean(model, signature, name="test", operators=operators, metadata={"slipway.recipe": '"test"'})


def test_ports_dimensions_and_metadata_have_the_names_of_the_signature() -> None:
    proto = onnx.load_model_from_string(cleaned(raw_model(product(), w=W)))
    shape = proto.graph.input[0].type.tensor_type.shape.dim
    assert (proto.graph.input[0].name, shape[0].dim_param, shape[1].dim_value) == ("x0", "N", 3)
    assert proto.graph.output[0].name == "y0"
    metadata = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert metadata["slipway.format"] == 1
    assert metadata["slipway.recipe"] == "test"
    assert metadata["slipway.input.x0"] == {"kind": "tensor", "dims": ["N", 3], "dtype": "float32", "below": None}
    assert metadata["slipway.output.y0"] == {"kind": "tensor", "dims": ["N", 2], "dtype": "float32"}


def test_a_dimension_that_only_an_output_has_gets_a_name_of_its_own() -> None:
    model = Sequences()
    proto = onnx.load_model_from_string(export(model, sequence_signature(model)))
    names = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in proto.graph.output]
    assert names[0] == ["T_y", "N", 6]


def test_a_computed_size_has_the_name_of_the_signature() -> None:
    model = nn.MaxPool2d(2)
    content = export(model, tensors(("N", 3, "H", "W"), outputs=[("N", 3, "h", "W")]))
    shape = onnx.load_model_from_string(content).graph.output[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in shape] == ["N", 3, "h", "W_y0"]


def test_the_file_is_one_without_paths_or_traces() -> None:
    content = export(model := Sequences(), sequence_signature(model))
    proto = onnx.load_model_from_string(content)
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in proto.graph.initializer)
    assert not any(node.doc_string for node in proto.graph.node)
    assert {entry.key for node in proto.graph.node for entry in node.metadata_props} == set(MODULE_NOTES)
    assert b".py" not in content
    assert b"site-packages" not in content


def test_a_node_keeps_the_module_that_it_came_from() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2))
    graph = onnx.load_model_from_string(export(model, tensors(("N", 3), outputs=[("N", 2)]))).graph
    assert [module_of(node, ()) for node in graph.node] == ["0.0", "0.1", "1"]
    assert class_of(graph.node[1]) == "torch.nn.modules.activation.ReLU"


def test_a_node_without_notes_is_placed_by_its_weights() -> None:
    node = onnx.helper.make_node("Conv", ["x", "stem.conv.weight", "stem.conv.bias"], ["y"])
    assert module_of(node, {"stem.conv.weight", "stem.conv.bias"}) == "stem.conv"
    assert module_of(node, {"w"}) is None
    assert class_of(node) is None
    node.metadata_props.add(key=MODULE_NOTES[0], value="not a list(")
    assert module_of(node, {"w"}) is None


def test_the_same_module_gives_the_same_bytes() -> None:
    torch.manual_seed(3)
    model = Sequences(num_layers=2, bidirectional=True)
    assert export(model, sequence_signature(model)) == export(model, sequence_signature(model))


def test_weights_are_folded_into_constants() -> None:
    model = Sequences(nn.LSTM, num_layers=2, bidirectional=True)
    graph = onnx.load_model_from_string(export(model, sequence_signature(model))).graph
    constant = {t.name for t in graph.initializer}
    layers = [node for node in graph.node if node.op_type == "LSTM"]
    assert len(layers) == 2
    assert all(set(layer.input[1:4]) <= constant for layer in layers)


def test_one_last_state_is_taken_without_joining_all() -> None:
    class Last(nn.Module):
        def __init__(self, bidirectional: bool) -> None:
            super().__init__()
            self.layer = nn.GRU(5, 6, 3, bidirectional=bidirectional)

        def forward(self, x0: Tensor) -> Tensor:
            last = self.layer(x0)[1]
            return last[-1] + last[0]

    signature = tensors(("T", "N", 5), outputs=[("N", 6)])
    for bidirectional in (False, True):
        model = Last(bidirectional)
        content = export(model, signature)
        assert "Concat" not in op_types(content)
        assert_agrees(model, signature, content)


def test_work_on_weights_that_cannot_be_folded_is_refused() -> None:
    work = onnx.helper.make_node("TopK", ["w", "k"], ["v", "i"], name="sorted_weights", axis=0)
    last = onnx.helper.make_node("MatMul", ["x", "v"], ["y"])
    with pytest.raises(ExportError, match="sorted_weights"):
        cleaned(raw_model(work, last, w=W, k=np.array([3])))


def test_an_operator_outside_the_table_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match=r'no operator MatMul \(first at "product"\); it has Relu'):
        cleaned(raw_model(product(), w=W), operators=(Operator("Relu", "", 13, 24),))


def test_an_opset_outside_the_operators_range_is_refused() -> None:
    with pytest.raises(ExportError, match=r"MatMul of opset 20 \(has 13 to 19\)"):
        cleaned(raw_model(product(), w=W), operators=(Operator("MatMul", "", 13, 19),))


def test_without_the_engine_its_table_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slipway._engine", None)
    with pytest.raises(UnavailableError, match=r"slipway\._engine cannot be imported"):
        engine_operators()


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (tensors(("N", 3), outputs=[("N", 4)]), r'"y0" is \[.N., 2\]'),
        (tensors(("N", 3), outputs=[(5, 2)]), '"y0"'),
        (tensors(("N", 3), outputs=[("N", 2), ("N", 2)]), "1 outputs, its signature declares 2"),
        (tensors(("N", "D"), outputs=[("N", 2)]), '"x0"'),
    ],
)
def test_a_model_that_differs_from_its_signature_is_refused(signature: Signature, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        cleaned(raw_model(product(), w=W), signature)


def test_a_model_that_breaks_a_rule_of_onnx_is_refused() -> None:
    node = onnx.helper.make_node("Gemm", ["x", "w"], ["y"], name="bad", wrong=1)
    with pytest.raises(ExportError, match="rule of ONNX"):
        cleaned(raw_model(node, w=W))


def test_two_names_of_one_dimension_are_refused() -> None:
    class Square(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            return x0 @ x0

    with pytest.raises(ExportError):
        export(Square(), tensors(("N", "T"), outputs=[("N", "T")]))


def test_a_signature_survives_the_metadata() -> None:
    signature = Signature(
        (
            InputPort("text", "float32", ("T", "N", 2), TextInput("word", ("a", "ü"), 2, {"é": "e"}, 0, 1, True, True)),
            InputPort("length", "int64", ("N",), LengthInput("text")),
            InputPort("image", "float32", ("N", 3, "H", "W"), ImageInput(3, None, None, (0.5,) * 3, (0.25,) * 3)),
            InputPort("table", "float32", ("N", 2), TableInput(("a", "b"), (0.0, 1e-30), (1.0, 2.0))),
            InputPort("raw", "bool", ("N",), TensorInput()),
        ),
        (
            OutputPort("steps", ("T", "N", 2), ClassOutput("log_probabilities", True, "-")),
            OutputPort("yes", ("N", 1), BinaryOutput("logits", 0.25)),
        ),
        ("no", "ja ✓"),
    )
    metadata = signature_to_metadata(signature)
    ports = [[_value(port) for port in ports] for ports in (signature.inputs, signature.outputs)]
    assert signature_from_metadata(metadata, *ports) == signature


def _value(port: InputPort | OutputPort) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return onnx.helper.make_tensor_value_info(port.name, kind, list(port.dims))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slipway.format": "2"}, "format 2"),
        ({"slipway.input.x0": '{"kind": "smell"}'}, "no known kind"),
        ({"slipway.input.x0": '{"kind": "tensor"}'}, "incomplete"),
        ({"slipway.labels": "["}, "not JSON"),
        ({"slipway.output.y0": None}, "no metadata"),
        ({"slipway.input.x0": '{"kind": "tensor", "dtype": "int64", "dims": ["N", "T"]}'}, "in the model"),
        ({"slipway.input.x0": '{"kind": "tensor", "dtype": "float32", "dims": []}'}, "the model has"),
    ],
)
def test_damaged_metadata_is_refused(change: dict[str, str | None], message: str) -> None:
    metadata = {k: v for k, v in (signature_to_metadata(SIGNATURE) | change).items() if v is not None}
    with pytest.raises(BundleError, match=message):
        signature_from_metadata(metadata, [_value(p) for p in SIGNATURE.inputs], [_value(p) for p in SIGNATURE.outputs])
