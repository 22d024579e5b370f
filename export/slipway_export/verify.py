"""Proves that every runtime of a bundle answers like eager PyTorch, at sizes the export has never seen.

The bound follows from arithmetic. The truth is an eager run in fp64. A runtime's error against it, divided by eager
fp32's own error against it, must stay below :data:`RATIO_LIMIT`: another order of summation is as good as eager's,
a wrong gate or a missing bias is not. Eager's error is its largest over all cases of the verification plus one
rounding of the output's scale, so that a case where eager happens to be exact demands nothing impossible. Besides,
no output may differ from eager's by more than 1e-5 of its scale.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle
from slipway.errors import MismatchError, UnavailableError
from slipway.runtime import RUNTIMES, Eager, Runnable, Runtime
from slipway.runtime._inputs import batch_axis
from slipway.runtime.checked import SCALE_TOLERANCE, largest_difference, tolerance
from slipway.runtime.eager import EagerModel
from slipway.signature import BinaryOutput, ClassOutput, OutputPort, SegmentationOutput
from slipway_export.cases import PERMUTED, REPEATED, Case, Pool, verification_cases
from slipway_export.goldens import answer, check_raw, read_raw

Array = NDArray[np.generic]
#: atol and rtol.
Bounds = tuple[float, float]

#: Largest error of a runtime in units of eager fp32's own error. The errors of two summations in
#: different orders differ by a small factor on average; 8 leaves room for the maximum over thousands of outputs, and
#: for exponentials that are exact only to some units in the last place.
RATIO_LIMIT = 8.0
#: Unit roundoff of float32.
_ROUNDING = 2.0**-24


@dataclass(frozen=True)
class Row:
    """One output of one case on one runtime; the fields are those of the JSON."""

    runtime: str
    case: str
    output: str
    max_abs: float | None
    max_rel: float | None
    fp64_ratio: float | None
    argmax_agreement: float | None
    ok: bool
    #: Why the runtime was not tried.
    skipped: str | None = None
    #: Why the runtime could not run a case that eager runs, or what it gives in place of the output's type or shape.
    error: str | None = None

    @staticmethod
    def left_out(runtime: str, reason: str) -> Row:
        """Return the one row of a runtime that was not tried."""
        return Row(runtime, "*", "*", None, None, None, None, ok=True, skipped=reason)

    @property
    def told(self) -> str:
        """The row as part of a sentence."""
        where = f"{self.runtime}, case {self.case}, output {self.output}"
        if self.error is not None:
            return f"{where}: {self.error}"
        if self.ok or (self.fp64_ratio or 0.0) > RATIO_LIMIT:
            return f"{where}: {self.max_abs:.3g} off, {self.fp64_ratio:.3g} times eager's own error"
        return f"{where}: {self.max_abs:.3g} off, {self.max_rel:.3g} of the largest value"


@dataclass(frozen=True)
class Verification:
    """The result: rows in the order of runtimes, cases and outputs."""

    bundle: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that ran differs."""
        return all(row.ok for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``slipway verify --json`` prints; a number that is not finite becomes None."""
        rows = [{name: _finite(value) for name, value in asdict(row).items()} for row in self.rows]
        return {"ok": self.ok, "bundle": self.bundle, "rows": rows}

    def require(self) -> None:
        """Raise if something differs.

        Raises:
            MismatchError: The message names the worst row of each runtime that differs.
        """
        worst: dict[str, Row] = {}
        for row in self.rows:
            if not row.ok and (row.runtime not in worst or _badness(row) > _badness(worst[row.runtime])):
                worst[row.runtime] = row
        ran = {row.runtime for row in self.rows if not row.skipped}
        if worst and set(worst) == ran and all(row.ok or row.case.endswith((PERMUTED, REPEATED)) for row in self.rows):
            raise MismatchError(
                f"bundle {self.bundle}: items of a batch influence each other ({next(iter(worst.values())).told}), so "
                "that an answer depends on what else is in the batch; take nothing over the axis N: no statistics (as "
                "BatchNorm with track_running_stats=False does), no products of items"
            )
        if worst:
            raise MismatchError(
                f"bundle {self.bundle} differs from eager PyTorch: " + "; ".join(row.told for row in worst.values())
            )


@dataclass(frozen=True)
class _Expected:
    """What eager says about a case, in fp32 and in fp64."""

    case: Case
    single: Mapping[str, Array]
    double: Mapping[str, Array]


def verify(
    bundle: Bundle,
    runtimes: Sequence[Runtime] = RUNTIMES,
    *,
    reference: EagerModel | None = None,
    pool: Pool | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    seed: int = 0,
    required: bool = False,
    edges: Sequence[Case] = (),
) -> Verification:
    """Compare runtimes with eager PyTorch on the goldens and on generated cases.

    Args:
        bundle: The bundle.
        runtimes: What to compare; one that is not available gives a single row with the reason.
        reference: The eager model; by default it is rebuilt from the bundle.
        pool: Real items to draw cases from; by default those of the goldens.
        atol: With ``rtol``, replaces both bounds by ``|a - b| <= atol + rtol * |b|`` for every value.
        rtol: See ``atol``.
        seed: Seed of the generated cases.
        required: Raise for a runtime that is not available instead of skipping it.
        edges: More cases, at sizes that the model need not take: one counts only where eager gives finite numbers.
            The ``.pt2`` refuses them by itself, and is not asked.

    Raises:
        MismatchError: A golden's raw input no longer encodes to its arrays.
        UnavailableError: The reference cannot be rebuilt, or a required runtime is not available.
    """
    from slipway_export.pt2 import ExportedProgramRuntime

    check_raw(bundle)
    reference = reference or Eager().load(bundle)
    pool = pool or pool_of_goldens(bundle)
    expected = _expect(bundle, reference, verification_cases(pool, seed))
    extra = _expect_edges(reference, edges)
    eager_error = {
        port.name: max(largest_difference(e.single[port.name], e.double[port.name]) for e in (*expected, *extra))
        for port in bundle.signature.outputs
    }
    rows: list[Row] = []
    for runtime in runtimes:
        try:
            model = _load(runtime, bundle)
        except UnavailableError as error:
            if required:
                raise
            rows.append(
                Row.left_out(
                    runtime.name,
                    str(error).removeprefix(f"{runtime.name}: ").removeprefix(f"bundle {bundle.path} has "),
                )
            )
            continue
        for item in (*expected, *(() if isinstance(runtime, ExportedProgramRuntime) else extra)):
            rows += _compare(bundle, runtime.name, model, item, eager_error, bounds_of(atol, rtol))
    return Verification(bundle.name, tuple(rows))


def _load(runtime: Runtime, bundle: Bundle) -> Runnable:
    reason = runtime.unavailable()
    if reason is not None:
        raise UnavailableError(f"{runtime.name}: {reason}")
    return runtime.load(bundle)


def pool_of_goldens(bundle: Bundle) -> Pool:
    """Return what cases are drawn from where a bundle is all there is: the raw items of its goldens."""
    raws = [raw for golden in bundle.goldens for raw in read_raw(bundle, golden)]
    return Pool.of(bundle.signature, raws)


def _expect(bundle: Bundle, reference: EagerModel, cases: Sequence[Case]) -> list[_Expected]:
    """Run eager in both precisions; items of another case must have the outputs that they have there."""
    precise = reference.double()
    expected = []
    for golden in bundle.goldens:
        case = Case(f"golden_{golden.name}", golden.inputs)
        expected.append(_Expected(case, golden.outputs, answer(precise, case)))
    by_name: dict[str, _Expected] = {}
    for case in cases:
        if case.items is None:
            item = _Expected(case, answer(reference, case), answer(precise, case))
        else:
            before = by_name[case.of or ""]
            single = _selected(bundle.signature.outputs, before.single, case, reference)
            item = _Expected(case, single, _selected(bundle.signature.outputs, before.double, case, precise))
        by_name[case.name] = item
    return [*expected, *by_name.values()]


def _expect_edges(reference: EagerModel, edges: Sequence[Case]) -> list[_Expected]:
    """Run eager where it can answer; what it warns of at such sizes is nobody's concern."""
    precise = reference.double()
    expected = []
    for case in edges:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                single = reference.run(case.inputs)
            except Exception:  # the user's code may raise anything: it does not take this size
                continue
            if all(array.size and np.isfinite(array).all() for array in single.values()):
                expected.append(_Expected(case, single, answer(precise, case)))
    return expected


def _selected(
    ports: Sequence[OutputPort], outputs: Mapping[str, Array], case: Case, model: EagerModel
) -> dict[str, Array]:
    """Take the items' outputs; one without a batch axis does not depend on the order, and may on what comes twice."""
    assert case.items is not None
    axes = {port.name: batch_axis(port) for port in ports}
    whole = answer(model, case) if None in axes.values() and case.name.endswith(REPEATED) else outputs
    return {
        name: whole[name] if axis is None else np.take(outputs[name], case.items, axis) for name, axis in axes.items()
    }


def bounds_of(atol: float | None, rtol: float | None) -> Bounds | None:
    """Return the bounds that a user gave, or None for the computed ones."""
    return None if atol is None and rtol is None else (atol or 0.0, rtol or 0.0)


def _compare(
    bundle: Bundle,
    runtime: str,
    model: Runnable,
    expected: _Expected,
    eager_error: Mapping[str, float],
    bounds: Bounds | None,
) -> list[Row]:
    name, ports = expected.case.name, bundle.signature.outputs
    try:
        outputs = model.run(expected.case.inputs)
    except Exception as error:  # every runtime has its own errors; failing where eager does not is a difference, told
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0] if lines else ''}"
        return [Row(runtime, name, port.name, None, None, None, None, ok=False, error=reason) for port in ports]
    return [_row(runtime, name, port, outputs[port.name], expected, eager_error[port.name], bounds) for port in ports]


def _row(
    runtime: str,
    case: str,
    port: OutputPort,
    output: Array,
    expected: _Expected,
    eager_error: float,
    bounds: Bounds | None,
) -> Row:
    single, double = expected.single[port.name], expected.double[port.name]
    max_abs = largest_difference(output, single)
    scale = float(np.max(np.abs(single[np.isfinite(single)].astype(np.float64)), initial=0.0))
    ratio = _ratio(largest_difference(output, double), eager_error + _ROUNDING * scale)
    ok = is_close(output, single, bounds) and (bounds is not None or ratio <= RATIO_LIMIT)
    agreement, error = _agreement(port, output, single), _unlike(output, single)
    return Row(runtime, case, port.name, max_abs, _ratio(max_abs, scale), ratio, agreement, ok=ok, error=error)


def _unlike(output: Array, wanted: Array) -> str | None:
    """Say how type and shape differ, or None: numbers that are close are then no answer either."""
    if output.dtype != wanted.dtype:
        return f"type {output.dtype}, expected {wanted.dtype}"
    return None if output.shape == wanted.shape else f"shape {list(output.shape)}, expected {list(wanted.shape)}"


def is_close(output: Array, wanted: Array, bounds: Bounds | None) -> bool:
    """Say whether an output has the wanted one's type and shape and is within tolerance of it.

    ``bounds`` (atol, rtol) replaces the tolerance of ``slipway.runtime.checked``.
    """
    if output.dtype != wanted.dtype or output.shape != wanted.shape:
        return False
    if bounds is None:
        return largest_difference(output, wanted) <= tolerance(wanted)
    return bool(np.allclose(output, wanted, rtol=bounds[1], atol=bounds[0], equal_nan=True))


def _ratio(value: float, unit: float) -> float:
    if value == 0.0:
        return 0.0
    return value / unit if unit > 0.0 else float("inf")


def _agreement(port: OutputPort, output: Array, single: Array) -> float | None:
    """Share of equal labels, where the output has labels."""
    if output.shape != single.shape:
        return None
    if isinstance(port.spec, ClassOutput):
        return float(np.mean(output.argmax(-1) == single.argmax(-1)))
    if isinstance(port.spec, SegmentationOutput):
        return float(np.mean(output.argmax(1) == single.argmax(1)))
    if isinstance(port.spec, BinaryOutput):
        limit = port.spec.threshold
        if port.spec.scores == "logits":
            limit = float(np.log(limit / (1.0 - limit)))
        return float(np.mean((output.astype(np.float64) > limit) == (single.astype(np.float64) > limit)))
    return None


def _badness(row: Row) -> tuple[bool, float]:
    """Rank what differs: no answer or another kind of answer first, then by how far a bound is exceeded."""
    ratio, share = row.fp64_ratio or 0.0, row.max_rel or 0.0
    return row.error is not None, max(ratio / RATIO_LIMIT, share / SCALE_TOLERANCE)


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
