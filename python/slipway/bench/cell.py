"""One cell of the table: a model, a batch and a number of threads, with every competitor that answers rightly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bench.accuracy import Judge
from slipway.bench.cold import ColdSettings, measure_cold
from slipway.bench.competitor import Competitor, Job, Prepared
from slipway.bench.floor import Floor, Work
from slipway.bench.inputs import share_of_steps
from slipway.bench.protocol import Clock, Settings, Timing, measure
from slipway.errors import InputError, MismatchError, ModelError, UnavailableError

#: Where outputs differ by so much, a competitor computes something else; below, it computes less exactly.
WRONG = 1e-3


@dataclass(frozen=True)
class LeftOut:
    """A competitor that is not measured in a cell, and why."""

    runtime: str
    reason: str
    error: float | None = None


@dataclass(frozen=True)
class Admitted:
    """Competitors whose answers are right, with their errors, and those left out."""

    prepared: dict[str, Prepared]
    errors: dict[str, float]
    left_out: tuple[LeftOut, ...]
    judge: Judge


def admit(job: Job, competitors: Sequence[Competitor], must_be_right: Sequence[str]) -> Admitted:
    """Load every competitor and compare its answer with eager's in double.

    Args:
        job: The model and its inputs.
        competitors: Who wants to be measured.
        must_be_right: Names whose wrong answer is an error, not a remark.

    Raises:
        MismatchError: One of ``must_be_right`` answers wrongly.
        UnavailableError: Nobody can judge.
    """
    prepared: dict[str, Prepared] = {}
    left_out: list[LeftOut] = []
    for competitor in competitors:
        try:
            prepared[competitor.name] = competitor.prepare(job)
        except (UnavailableError, ModelError) as error:
            left_out.append(LeftOut(competitor.name, str(error)))
    first = next(iter(prepared.values()), None)
    judge = Judge.of(job.bundle, job.inputs, first.outputs() if first is not None else None)
    errors: dict[str, float] = {}
    for name in list(prepared):
        off = judge.error(prepared[name].outputs())
        if judge.accepts(off):
            errors[name] = off
            continue
        reason = _refusal(off, judge)
        if name in must_be_right:
            raise MismatchError(f"{job.name}, {name}: {reason}; not measured")
        left_out.append(LeftOut(name, reason, off))
        del prepared[name]
    return Admitted(prepared, errors, tuple(left_out), judge)


def measure_cell(
    job: Job,
    competitors: Sequence[Competitor],
    settings: Settings,
    *,
    must_be_right: Sequence[str] = (),
    cold: ColdSettings | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Check every competitor, then time those that are right.

    Args:
        job: The model and its inputs.
        competitors: Who wants to be measured.
        settings: How long.
        must_be_right: Names whose wrong answer is an error, not a remark.
        cold: How often loading, first calls and memory are measured; None leaves them out.
        clock: Where time comes from.

    Returns:
        The cell for a result file: ``rows`` in the competitors' order, ``left_out``, and what the judge allowed.

    Raises:
        MismatchError: One of ``must_be_right`` answers wrongly.
    """
    admitted = admit(job, competitors, must_be_right)
    timings = measure({name: p.call for name, p in admitted.prepared.items()}, settings, clock)
    batch = _batch(job)
    rows = [row_of(job, name, batch, timing, admitted.errors[name]) for name, timing in timings.items()]
    if cold is not None:
        by_name = {competitor.name: competitor for competitor in competitors}
        for row in rows:
            name = row["runtime"]
            row |= measure_cold(by_name[name], job, admitted.prepared[name], cold, clock)
    return {
        "bundle": job.name,
        "batch": batch,
        "threads": job.threads,
        "shapes": {name: list(array.shape) for name, array in job.inputs.items()},
        "share_of_steps": share_of_steps(job.bundle, job.inputs),
        "error_of_eager": admitted.judge.own_error,
        "error_allowed": admitted.judge.limit,
        "rows": rows,
        "left_out": [vars(left) for left in admitted.left_out],
    }


def row_of(job: Job, runtime: str, batch: int, timing: Timing, error: float) -> dict[str, Any]:
    """Return the row of one competitor, for a result file."""
    figures = timing.figures()
    return {
        "bundle": job.name,
        "runtime": runtime,
        "device": "cuda" if runtime.endswith("-cuda") else "cpu",
        "batch": batch,
        "threads": job.threads,
        **figures,
        "throughput_per_s": batch / (figures["p50_us"] * 1e-6),
        "transfers_included": True,
        "error": error,
    }


def floor_facts(work: Work, floor: Floor) -> dict[str, Any]:
    """Return what a result file says of a floor."""
    parts = {"arithmetic_us": floor.arithmetic_us, "memory_us": floor.memory_us, "gates_us": floor.gates_us}
    return {"work": work.as_json(), "floor": {"us": floor.us, "bound": floor.bound, **parts}}


def _batch(job: Job) -> int:
    sizes: Mapping[str, int] = {
        str(dim): size
        for port in job.bundle.signature.inputs
        for dim, size in zip(port.dims, job.inputs[port.name].shape, strict=True)
    }
    if "N" not in sizes:
        raise InputError(f"{job.name} has no dimension N to make batches of")
    return sizes["N"]


def _refusal(error: float, judge: Judge) -> str:
    what = "wrong" if error > WRONG else "not float32-accurate"
    return f"{what}: {error:.2g} of the largest output off, {judge.limit:.2g} is allowed"
