"""The card of a model: ports, parameters, work, operators, passes, kernels, memory, metadata."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway._files import read_file
from slipway.bundle import ONNX, Bundle
from slipway.errors import FileError, InputError, ModelError, SlipwayError, UnavailableError
from slipway.look.machine_facts import load_torch
from slipway.stages import Segment, count_nodes, read_groups, read_passes, read_plan
from slipway_export.cut import Parts, every_graph

if TYPE_CHECKING:
    import onnx

    from slipway.session import Session

Shapes = Mapping[str, Sequence[int]]

#: float32, float16, float64 and bfloat16, as onnx.proto3 numbers them (TensorProto.DataType).
_FLOATS = (1, 10, 11, 16)


@dataclass(frozen=True)
class Model:
    """A model to look at; make one with :meth:`open`."""

    path: Path
    content: bytes
    bundle: Bundle | None

    @staticmethod
    def open(path: Path) -> Model:
        """Read a bundle folder or an ONNX file.

        Raises:
            FileError: The file cannot be read.
            BundleError: The bundle is damaged.
        """
        if path.is_dir():
            bundle = Bundle.open(path)
            return Model(path, bundle.read(ONNX), bundle)
        try:
            return Model(path, read_file(path), None)
        except OSError as error:
            raise FileError(
                f"{path} cannot be read: {error.strerror}; expected a bundle folder or an ONNX file"
            ) from error

    def parts(self) -> Parts:
        """Take the file apart.

        Raises:
            ModelError: It is no ONNX file.
        """
        try:
            return Parts.of(self.content)
        except ModelError as error:
            raise ModelError(f"{self.path}: {error}") from error


def make_card(model: Model, shapes: Shapes | None = None) -> dict[str, Any]:
    """Return everything about a model as JSON can hold it.

    Args:
        model: The model.
        shapes: Sizes of the inputs for work and plan; by default those of the first golden, or of the file where it
            fixes them all.

    Raises:
        ModelError: The file is no ONNX file.
        InputError: ``shapes`` names other inputs than the model has, or does not fit them.
    """
    parts = model.parts()
    proto = parts.model
    shapes = shapes or _usual_shapes(model, proto.graph)
    session, refused = _session(model.content)
    return {
        "model": str(model.path),
        "bytes": len(model.content),
        "ir_version": proto.ir_version,
        "opsets": {entry.domain: entry.version for entry in proto.opset_import},
        "producer": f"{proto.producer_name} {proto.producer_version}".strip(),
        "inputs": _ports(parts, [v.name for v in proto.graph.input if v.name not in parts.weights]),
        "outputs": _ports(parts, [v.name for v in proto.graph.output]),
        "parameters": _parameters(proto.graph),
        "operators": _operators(proto),
        "nodes": len(proto.graph.node),
        "engine": refused or "runs it",
        **_engine_facts(model, session, shapes),
        "metadata": {entry.key: entry.value for entry in proto.metadata_props},
        "bundle": None if model.bundle is None else _bundle_facts(model.bundle),
    }


def _session(content: bytes) -> tuple[Session | None, str | None]:
    """Load a model into the engine, or say why it is not there or refuses it."""
    try:
        return import_module("slipway.session").Session(content), None
    except ImportError as error:
        return None, f"is not built ({error}); build it with: pip install ."
    except SlipwayError as error:
        return None, f"refuses it: {error}"


def _engine_facts(model: Model, session: Session | None, shapes: Shapes | None) -> dict[str, Any]:
    """What the engine makes of it: nodes after the passes, the passes, the plan, the work."""
    if session is None:
        return {"nodes_after_passes": None, "passes": None, "groups": None, "plan": None, "flops": None}
    passes = session.stage_text("passes")
    segments = None if shapes is None else _plan(session, shapes)
    return {
        "nodes_after_passes": count_nodes(passes),
        "passes": [{"round": p.round, "pass": p.name, "notes": list(p.notes)} for p in read_passes(passes)],
        "groups": [list(group) for group in read_groups(passes)],
        "plan": segments and [_segment_json(segment) for segment in segments],
        "flops": segments and _flops(model, segments, shapes or {}),
    }


def _plan(session: Session, shapes: Shapes) -> list[Segment]:
    for port in session.inputs:
        given = list(shapes.get(port.name, ()))
        fits = len(given) == len(port.shape) and all(
            size == dim or not isinstance(dim, int) for size, dim in zip(given, port.shape, strict=True)
        )
        if port.name in shapes and not fits:
            raise InputError(f'shape {given} does not fit input "{port.name}", which is {list(port.shape)}')
    return read_plan(session.stage_text("plan", shapes))


def _segment_json(segment: Segment) -> dict[str, Any]:
    return {
        "arena_bytes": segment.arena_bytes,
        "scratch_bytes": segment.scratch_bytes,
        "later": segment.later,
        "steps": [{"op": s.op, "node": s.node, "kernel": s.kernel, "flops": s.flops} for s in segment.steps],
    }


def _flops(model: Model, segments: Sequence[Segment], shapes: Shapes) -> dict[str, Any]:
    """Operations of one run, two per multiply-add: the engine's, and eager's as the benchmark's floor counts them."""
    golden = model.bundle.goldens[0].inputs if model.bundle is not None and model.bundle.goldens else {}
    is_golden = bool(golden) and all(list(shapes[name]) == list(array.shape) for name, array in golden.items())
    eager, reason = _eager_flops(model.bundle, golden) if model.bundle is not None and is_golden else (None, None)
    return {
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "engine": sum(step.flops for segment in segments for step in segment.steps),
        "engine_is_whole": not any(segment.later for segment in segments),
        "eager": eager,
        "no_eager": reason,
    }


def _eager_flops(bundle: Bundle, inputs: Mapping[str, Any]) -> tuple[int | None, str | None]:
    from slipway.bench.floor import count_work

    try:
        load_torch()
        return count_work(bundle, inputs).flops, None
    except UnavailableError as error:
        return None, str(error)


def _usual_shapes(model: Model, graph: onnx.GraphProto) -> Shapes | None:
    if model.bundle is not None and model.bundle.goldens:
        return {name: list(array.shape) for name, array in model.bundle.goldens[0].inputs.items()}
    shapes = {}
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if not value.type.tensor_type.HasField("shape") or not all(dim.HasField("dim_value") for dim in dims):
            return None
        shapes[value.name] = [dim.dim_value for dim in dims]
    return shapes


def _ports(parts: Parts, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": parts.dtype(name), "shape": parts.shape(name)} for name in names]


def _parameters(graph: onnx.GraphProto) -> dict[str, int]:
    """Count the floating-point constants, those in bodies too; their values are not read."""
    from onnx import helper

    sizes = [
        (math.prod(tensor.dims), helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
        for each in every_graph(graph)
        for tensor in each.initializer
        if tensor.data_type in _FLOATS
    ]
    return {"tensors": len(sizes), "count": sum(n for n, _ in sizes), "bytes": sum(n * size for n, size in sizes)}


def _operators(proto: onnx.ModelProto) -> list[dict[str, Any]]:
    """Count the operators, those in bodies too, and say where the engine runs them."""
    counts = Counter((node.domain, node.op_type) for graph in every_graph(proto.graph) for node in graph.node)
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    try:
        rows = {(row["domain"], row["onnx"]): row for row in import_module("slipway._engine").operators()}
    except ImportError:
        rows = {}
    found = []
    for (domain, op), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        plain_domain = "" if domain == "ai.onnx" else domain
        row = rows.get((plain_domain, op))
        known = row is not None and row["min_opset"] <= opsets.get(domain, 0) <= row["max_opset"]
        devices = ["cpu"] if known else []
        if row is not None and known and (row["has_cuda"] or row["kind"] == "view"):
            devices.append("cuda")
        found.append({"operator": op, "domain": domain, "count": count, "known": known, "devices": devices})
    return found


def _bundle_facts(bundle: Bundle) -> dict[str, Any]:
    report = bundle.report
    return {
        "recipe": bundle.recipe,
        "score": report.get("score"),
        "goldens": [golden.name for golden in bundle.goldens],
        "missing": report.get("missing", {}),
        "sums": dict(bundle.sums),
    }
