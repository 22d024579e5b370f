"""From the exporter's raw ONNX model to the one file of the bundle: folded, checked, named, self-describing.

Every step either improves the model or refuses it; none changes what it computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import onnx
import onnx_ir as ir

from slipway._metadata import signature_to_metadata
from slipway.errors import ExportError, UnavailableError
from slipway.signature import InputPort, OutputPort, Signature
from slipway_export.fold import fold
from slipway_export.origin import MODULE_NOTES
from slipway_export.simplify import simplify

_GENERATORS = frozenset({"Constant", "ConstantOfShape", "Range", "RandomNormal", "RandomUniform"})


@dataclass(frozen=True)
class Operator:
    """One operator of the engine's table, with the opsets it is supported in."""

    name: str
    domain: str
    min_opset: int
    max_opset: int


def engine_operators() -> tuple[Operator, ...]:
    """Return the engine's table of operators.

    Raises:
        UnavailableError: The engine is not built, so nothing can be said about what it would run.
    """
    try:
        engine = import_module("slipway._engine")
    except ImportError as error:
        raise UnavailableError(
            f"the engine slipway._engine cannot be imported ({error}), so the exported operators cannot be checked; "
            "build it with: pip install ."
        ) from error
    return tuple(
        Operator(row["onnx"], row["domain"], int(row["min_opset"]), int(row["max_opset"])) for row in engine.operators()
    )


def clean(
    model: ir.Model,
    signature: Signature,
    *,
    name: str,
    operators: Sequence[Operator],
    metadata: Mapping[str, str],
) -> bytes:
    """Turn the exporter's model into the bytes of ``model.onnx``.

    Args:
        model: The exporter's model; it is changed.
        signature: Gives the names of inputs, outputs and dimensions, and the metadata of the ports.
        name: The graph's name.
        operators: What the engine can run, from :func:`engine_operators`.
        metadata: More metadata, JSON texts by key.

    Raises:
        ExportError: Computation on weights remains, a dimension is not what the signature says, an operator is not
            in the table, or ``onnx.checker`` objects.
    """
    fold(model)
    simplify(model)
    _refuse_constant_work(model.graph)
    _refuse_operators(model, operators)
    _name_ports(model.graph, signature)
    _name_dims(model.graph, signature)
    _check_dims(model.graph, signature)
    _drop_notes(model)
    model.graph.name = name
    model.metadata_props.clear()
    model.metadata_props.update(signature_to_metadata(signature) | dict(metadata))
    proto = ir.serde.serialize_model(model)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the exported model breaks a rule of ONNX: {error}") from error
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _refuse_constant_work(graph: ir.Graph) -> None:
    """Refuse nodes that compute from weights alone: they would run again on every call.

    A node with bodies is none of them: its bodies read more than its inputs say.
    """
    left = [
        f'{node.op_type} "{node.name}"'
        for node in _all_nodes(graph)
        if node.op_type not in _GENERATORS
        and all(attribute.type != ir.AttributeType.GRAPH for attribute in node.attributes.values())
        and any(value is not None for value in node.inputs)
        and all(value is None or value.const_value is not None for value in node.inputs)
    ]
    if left:
        raise ExportError(f"computation on weights could not be folded away: {', '.join(left)}")


def _refuse_operators(model: ir.Model, operators: Sequence[Operator]) -> None:
    table = {(o.domain, o.name): o for o in operators}
    missing: dict[str, str] = {}
    for node in _all_nodes(model.graph):
        domain = "" if node.domain == "ai.onnx" else node.domain
        row = table.get((domain, node.op_type))
        opset = model.opset_imports.get(node.domain, 0)
        if row is None:
            missing[node.op_type] = f'{node.op_type} (first at "{node.name}")'
        elif not row.min_opset <= opset <= row.max_opset:
            missing[node.op_type] = f"{node.op_type} of opset {opset} (has {row.min_opset} to {row.max_opset})"
    if missing:
        known = ", ".join(sorted(o.name for o in operators if o.domain == ""))
        raise ExportError(f"the engine has no operator {'; '.join(missing.values())}; it has {known}")


def _name_ports(graph: ir.Graph, signature: Signature) -> None:
    for kind, values, ports in (
        ("input", graph.inputs, signature.inputs),
        ("output", graph.outputs, signature.outputs),
    ):
        if len(values) != len(ports):
            raise ExportError(f"the model has {len(values)} {kind}s, its signature declares {len(ports)}")
    ports_of = _ports(graph, signature)
    wanted = {port.name for _, port in ports_of}
    own = {id(value) for value, _ in ports_of}
    if len(wanted) != len(ports_of) or len(own) != len(ports_of):
        raise ExportError(
            f"inputs and outputs need distinct names and values, got {sorted(p.name for _, p in ports_of)}"
        )
    for value in _all_values(graph):
        if value.name in wanted and id(value) not in own:
            value.name = f"{value.name}.inner"
    for value, port in ports_of:
        value.name = port.name


def _name_dims(graph: ir.Graph, signature: Signature) -> None:
    """Give the exporter's symbols (``s17``, ``u0``) the signature's names, in every shape of the graph.

    A dimension of an output that equals no input's (the longest length, or ``(H - 1)//2 + 1``) must not share an
    input's name, which would claim that they are equal; a name that is taken gets the output's name behind it.
    """
    names: dict[str, str] = {}
    for value, in_port in zip(graph.inputs, signature.inputs, strict=True):
        for symbol, dim in _symbols(value, in_port):
            if names.setdefault(symbol, dim) != dim:
                raise ExportError(f'{dim} of input "{in_port.name}" is always equal to {names[symbol]} in this model')
    for value, out_port in zip(graph.outputs, signature.outputs, strict=True):
        for symbol, dim in _symbols(value, out_port):
            if symbol not in names:
                names[symbol] = dim if dim not in names.values() else f"{dim}_{out_port.name}"
    for value in _all_values(graph):
        if value.shape is not None:
            value.shape = ir.Shape([_renamed(dim, names) for dim in value.shape])


def _symbols(value: ir.Value, port: InputPort | OutputPort) -> Iterable[tuple[str, str]]:
    """Pairs of the exporter's symbol and the signature's name."""
    for dim, wanted in zip(value.shape or (), port.dims, strict=False):
        if isinstance(dim, ir.SymbolicDim) and dim.value is not None and isinstance(wanted, str):
            yield dim.value, wanted


def _renamed(dim: int | ir.SymbolicDim, names: Mapping[str, str]) -> int | str | None:
    if isinstance(dim, int):
        return dim
    if dim.value is None:
        return None
    return names.get(dim.value) or re.sub(r"[A-Za-z_]\w*", lambda match: names.get(match[0], match[0]), dim.value)


def _check_dims(graph: ir.Graph, signature: Signature) -> None:
    faults = []
    for value, port in _ports(graph, signature):
        got = [d if isinstance(d, int) else str(d.value) for d in value.shape or ()]
        fits = len(got) == len(port.dims) and all(
            isinstance(have, str) if isinstance(want, str) else have == want
            for have, want in zip(got, port.dims, strict=True)
        )
        if not fits:
            faults.append(f'"{port.name}" is {got}, its signature declares {list(port.dims)}')
        if value.dtype is None or value.dtype.name.lower() != _ONNX_NAMES[port.dtype]:
            faults.append(f'"{port.name}" has type {value.dtype}, its signature declares {port.dtype}')
    if faults:
        raise ExportError("the exported model differs from its signature: " + "; ".join(faults))


_ONNX_NAMES = {"float32": "float", "int64": "int64", "int32": "int32", "bool": "bool"}


def _drop_notes(model: ir.Model) -> None:
    """Remove what the exporter noted on nodes and values, stack traces with local paths; the modules' names stay."""
    model.doc_string = None
    for graph in _all_graphs(model.graph):
        graph.doc_string = None
        graph.metadata_props.clear()
    for node in _all_nodes(model.graph):
        kept = {key: node.metadata_props[key] for key in MODULE_NOTES if key in node.metadata_props}
        node.metadata_props.clear()
        node.metadata_props.update(kept)
        node.doc_string = None
    for value in _all_values(model.graph):
        value.metadata_props.clear()
        value.doc_string = None


def _ports(graph: ir.Graph, signature: Signature) -> list[tuple[ir.Value, InputPort | OutputPort]]:
    inputs: list[tuple[ir.Value, InputPort | OutputPort]] = [*zip(graph.inputs, signature.inputs, strict=True)]
    return [*inputs, *zip(graph.outputs, signature.outputs, strict=True)]


def _all_nodes(graph: ir.Graph) -> Iterable[ir.Node]:
    return ir.traversal.RecursiveGraphIterator(graph)


def _all_graphs(graph: ir.Graph) -> list[ir.Graph]:
    """Return the graph and the bodies of its loops and branches."""
    return [graph, *graph.subgraphs()]


def _all_values(graph: ir.Graph) -> list[ir.Value]:
    values = [value for each in _all_graphs(graph) for value in (*each.inputs, *each.initializers.values())]
    for node in _all_nodes(graph):
        values += node.outputs
    return values
