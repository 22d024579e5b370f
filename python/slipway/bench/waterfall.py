"""Where the time of one ``session.run`` goes: the call, the inputs, the nodes, the outputs.

The engine keeps no clock between its steps, and one there would cost as much as a small kernel. So the nodes are timed
from outside: the model is cut after each of them, every beginning is timed as a bound call, and a node costs what its
beginning takes longer than the one before. The parts make the whole exactly: the last beginning is the whole model. A
cut that parts what the plan fuses makes the nodes before it dearer and those after it cheaper than nothing; such nodes
are shown as one part.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from slipway.bench.competitor import Job
from slipway.bench.protocol import Call, Clock, Settings, measure
from slipway.bench.verdict import noise_of
from slipway.bundle import ONNX
from slipway.errors import SlipwayError
from slipway.session import Session
from slipway.stages import read_plan
from slipway_export.cut import Parts

if TYPE_CHECKING:
    import onnx

Kind = Literal["call", "inputs", "node", "outputs"]

#: Most beginnings that are timed; longer models are cut after every so many nodes.
MOST_PARTS = 16
#: Longest turn of a beginning; there are many of them, and each is run in every round.
_TURN_SECONDS = 0.01
#: Most nodes that a part names one by one.
_NAMED = 4
_WHOLE, _RUN, _EMPTY, _EMPTY_RUN = "whole", "run", "empty", "empty run"


@dataclass(frozen=True)
class Stretch:
    """Consecutive nodes ``start`` to ``end`` (without it), and the microseconds that they take."""

    start: int
    end: int
    us: float


def measure_waterfall(job: Job, settings: Settings, clock: Clock | None = None) -> dict[str, Any]:
    """Take the time of ``session.run`` apart.

    Args:
        job: The model and its inputs.
        settings: How long; turns are shorter than for a competitor.
        clock: Where time comes from.

    Returns:
        ``run_us`` and ``bound_us``; ``noise_us``, below which a part means nothing; ``parts``, objects of ``kind``,
        ``name`` and ``us`` which together make ``run_us``; ``plan_bytes``, what the engine's plan lays out for values
        between steps and for scratch.
    """
    import onnx

    model = onnx.load_from_string(job.bundle.read(ONNX))
    whole = _session(model, job)
    calls, ends = _calls_of_whole(model, whole, job), []
    for end, beginning in beginnings(model):
        try:
            calls[str(end)] = _bound_call(_session(beginning, job), job)
        except SlipwayError:  # a value that no output may have, such as a sequence: the next cut takes it along
            continue
        ends.append(end)
    turn = min(settings.turn_seconds, _TURN_SECONDS)
    timings = measure(calls, dataclasses.replace(settings, turn_seconds=turn), clock)
    figures = {name: timing.figures() for name, timing in timings.items()}
    us = {name: float(figure["p50_us"]) for name, figure in figures.items()}
    reached = [(0, us[_EMPTY]), *((end, us[str(end)]) for end in ends), (len(model.graph.node), us[_WHOLE])]
    return {
        "run_us": us[_RUN],
        "bound_us": us[_WHOLE],
        "plan_bytes": plan_bytes(whole.stage_text("plan", {name: array.shape for name, array in job.inputs.items()})),
        "noise_us": us[_RUN] * noise_of(figures[_RUN]),
        "parts": list(_parts(us, model, together(stretches(reached)))),
    }


def beginnings(model: onnx.ModelProto, most: int = MOST_PARTS) -> Iterator[tuple[int, onnx.ModelProto]]:
    """Yield shorter models that begin like this one, each with its number of nodes.

    The outputs of a beginning are all values that later nodes or the caller want; its inputs are the model's.
    """
    parts = Parts(model)
    count = len(model.graph.node)
    step = max(1, math.ceil(count / most))
    for end in range(step, count, step):
        yield end, _beginning(parts, end)


def stretches(reached: Sequence[tuple[int, float]]) -> list[Stretch]:
    """Return what lies between the cuts, given the microseconds until each of them."""
    return [Stretch(start, end, now - before) for (start, before), (end, now) in pairwise(reached)]


def together(apart: Sequence[Stretch]) -> list[Stretch]:
    """Join what costs less than nothing with what stands before it, until nothing does, or nothing stands before it."""
    joined: list[Stretch] = []
    for stretch in apart:
        joined.append(stretch)
        while len(joined) > 1 and joined[-1].us < 0:
            last, before = joined.pop(), joined.pop()
            joined.append(Stretch(before.start, last.end, before.us + last.us))
    return joined


def _parts(us: Mapping[str, float], model: onnx.ModelProto, found: Sequence[Stretch]) -> Iterator[dict[str, Any]]:
    inputs = us[_EMPTY_RUN] - us[_EMPTY]
    yield _part("call", "call into the engine and back", us[_EMPTY])
    yield _part("inputs", "inputs found, checked, bound", inputs)
    for stretch in found:
        yield _part("node", _name(model.graph.node[stretch.start : stretch.end]), stretch.us)
    yield _part("outputs", "outputs made, handed over", us[_RUN] - us[_WHOLE] - inputs)


def _part(kind: Kind, name: str, us: float) -> dict[str, Any]:
    return {"kind": kind, "name": name, "us": us}


def plan_bytes(plan: str) -> int:
    """Return the bytes that a plan lays out, from the text of :meth:`slipway.session.Session.stage_text`."""
    return sum(segment.arena_bytes + segment.scratch_bytes for segment in read_plan(plan))


def _calls_of_whole(model: onnx.ModelProto, whole: Session, job: Job) -> dict[str, Call]:
    """Return the run that is taken apart, its bound call, and both for a model that does nothing."""
    empty = _session(_nothing(model), job)
    inputs = dict(job.inputs)
    return {
        _RUN: Call(whole.run, inputs),
        _WHOLE: _bound_call(whole, job),
        _EMPTY_RUN: Call(empty.run, inputs),
        _EMPTY: _bound_call(empty, job),
    }


def _session(model: onnx.ModelProto, job: Job) -> Session:
    return Session(model.SerializeToString(), threads=job.threads)


def _bound_call(session: Session, job: Job) -> Call:
    inputs = dict(job.inputs)
    buffers = {name: np.empty_like(array) for name, array in session.run(inputs).items()}
    call = session.bind(inputs, buffers)
    call()
    return Call(call)


def _nothing(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of the same inputs that gives one number."""
    import onnx

    value = onnx.helper.make_tensor("slipway_one", onnx.TensorProto.FLOAT, [1], [1.0])
    node = onnx.helper.make_node("Identity", ["slipway_one"], ["slipway_nothing"])
    output = onnx.helper.make_tensor_value_info("slipway_nothing", onnx.TensorProto.FLOAT, [1])
    return _with_graph(model, [node], [value], [output])


def _beginning(parts: Parts, end: int) -> onnx.ModelProto:
    import onnx

    graph = parts.model.graph
    nodes = list(graph.node[:end])
    read = {name for names in parts.reads[:end] for name in names}
    wanted = {name for names in parts.reads[end:] for name in names} | {value.name for value in graph.output}
    types = {value.name: value for value in (*graph.value_info, *graph.output)}
    frontier = [name for node in nodes for name in node.output if name in wanted]
    outputs = [types[name] if name in types else onnx.ValueInfoProto(name=name) for name in frontier]
    return _with_graph(parts.model, nodes, [value for value in graph.initializer if value.name in read], outputs)


def _with_graph(
    model: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    initializers: Sequence[onnx.TensorProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    import onnx

    graph = onnx.helper.make_graph(nodes, "part", list(model.graph.input), outputs, initializers)
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _name(nodes: Sequence[onnx.NodeProto]) -> str:
    types = [node.op_type for node in nodes]
    return (
        (" + ".join(types) or "no node") if len(types) <= _NAMED else f"{types[0]} to {types[-1]}, {len(types)} nodes"
    )
