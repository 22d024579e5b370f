"""The stage texts of the engine (``Session.stage_text``), read back: passes, fused groups, steps of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAME = r'"((?:[^"\\]|\\.)*)"'
_ROUND = re.compile(r"round (\d+): (\w+)$")
_WENT_INTO = re.compile(rf"^  \w+ {_NAME} went into [\w.]+ {_NAME}")
_NODE = re.compile(rf"^( +)((?:[\w.]+\.)?\w+) {_NAME} \(.*\) -> \(")
_SEGMENT = re.compile(r"\s*segment (\d+): (\d+) steps, arena (\d+) bytes, scratch (\d+) bytes$")
_STEP = re.compile(rf"  (\d+) (\w+) {_NAME} \[(\w+)\]")
_FLOPS = re.compile(r"  (\d+) flops$")


@dataclass(frozen=True)
class PassRecord:
    """What one pass did in one round."""

    round: int
    name: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One call of a plan: the operator as the engine runs it, the kernel's instruction set, its operations."""

    op: str
    node: str
    kernel: str
    flops: int


@dataclass(frozen=True)
class Segment:
    """A plan, or the part of one up to a value that only a run knows; ``later`` nodes are planned then."""

    steps: tuple[Step, ...]
    arena_bytes: int
    scratch_bytes: int
    later: bool


def read_passes(text: str) -> list[PassRecord]:
    """Read the passes out of the stage ``passes``."""
    records: list[PassRecord] = []
    for line in text.splitlines():
        begins = _ROUND.match(line)
        if begins:
            records.append(PassRecord(int(begins[1]), begins[2], ()))
        elif not line.startswith("  ") or not records:
            break
        else:
            last = records[-1]
            records[-1] = PassRecord(last.round, last.name, (*last.notes, line.strip()))
    return records


def count_nodes(text: str) -> int:
    """Count the nodes of a stage ``onnx``, ``graph`` or ``passes``; one with bodies counts once."""
    return sum(1 for found in map(_NODE.match, text.splitlines()) if found and len(found[1]) == 2)


def read_groups(text: str) -> list[tuple[str, ...]]:
    """Return the names of nodes of the file that became one node of the engine, from the stage ``passes``."""
    joined: dict[str, set[str]] = {}
    for line in text.splitlines():
        went = _WENT_INTO.match(line)
        if went:
            _join(joined, went.groups())
    for _, names in _networks(text.splitlines()):
        _join(joined, names)
    groups = {id(group): tuple(sorted(group)) for group in joined.values() if len(group) > 1}
    return sorted(groups.values())


def _networks(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return each Network with the names of the nodes of its body."""
    networks: list[tuple[str, list[str]]] = []
    inside = False
    for line in lines:
        found = _NODE.match(line)
        if found and len(found[1]) == 2:
            inside = found[2] == "slipway.Network"
            if inside:
                networks.append((found[3], [found[3]]))
        elif found and inside:
            networks[-1][1].append(found[3])
    return networks


def _join(joined: dict[str, set[str]], names: Sequence[str]) -> None:
    """Put names, and all that were joined with them before, into one set; nodes without a name stay alone."""
    named = [name for name in names if name]
    union = set(named).union(*(joined.get(name, set()) for name in named))
    for name in union:
        joined[name] = union


def read_plan(text: str) -> list[Segment]:
    """Read the segments and steps of the stage ``plan``; notes below a step are left out."""
    segments: list[Segment] = []
    for line in text.splitlines():
        segment, step = _SEGMENT.match(line), _STEP.match(line)
        if segment:
            segments.append(Segment((), int(segment[3]), int(segment[4]), later=False))
        elif step:
            flops = _FLOPS.search(line)
            steps = (*segments[-1].steps, Step(step[2], step[3], step[4], int(flops[1]) if flops else 0))
            segments[-1] = Segment(steps, segments[-1].arena_bytes, segments[-1].scratch_bytes, later=False)
        elif line.startswith("  then "):
            segments[-1] = Segment(segments[-1].steps, segments[-1].arena_bytes, segments[-1].scratch_bytes, later=True)
    return segments
