"""Finds the first value of a model where one runtime leaves another one beyond tolerance.

Every value of the graph becomes an output, both runtimes run every case, and the values are compared in topological
order. Outputs everywhere keep an engine from fusing; where the whole model differs and no exposed value does, files
that end early are run instead, whose insides an engine may fuse as ever. What is found is then cut out: the node alone,
and if that is right, ever more of what comes before it, fed with the reference's values, until the difference shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
from numpy.typing import NDArray

from slipway.bundle import ONNX, Bundle
from slipway.errors import InputError, MismatchError, UnavailableError
from slipway.runtime._inputs import check_inputs
from slipway.runtime.checked import largest_difference, tolerance
from slipway.runtime.protocol import Arrays, OnnxRuntime, RunArrays
from slipway.runtime.reference import OnnxReference
from slipway.signature import Signature
from slipway_export.cases import Case, Pool, verification_cases
from slipway_export.cut import Part, Parts
from slipway_export.verify import Bounds, is_close, pool_of_goldens

Array = NDArray[np.generic]

#: How often the cases of verification are drawn anew.
DRAWS = 3


@dataclass(frozen=True)
class SideModel:
    """A loaded file that checks its inputs against the bundle's signature, as a runtime of bundles does."""

    run_arrays: RunArrays
    signature: Signature

    def run(self, inputs: Arrays) -> dict[str, Array]:
        """Run once; arrays by port name in, arrays by port name out."""
        return self.run_arrays(check_inputs(self.signature, inputs))


@dataclass(frozen=True)
class Side:
    """One of two runtimes, and the ONNX file it runs; to verification it is a runtime of bundles."""

    runtime: OnnxRuntime
    content: bytes

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.runtime.name

    @cached_property
    def parts(self) -> Parts:
        """The file, taken apart."""
        return Parts.of(self.content)

    def unavailable(self) -> str | None:
        """Say why the runtime cannot be used on this machine, or None if it can."""
        return self.runtime.unavailable()

    def load(self, bundle: Bundle, threads: int = 1) -> SideModel:
        """Load this side's own file instead of the bundle's."""
        return SideModel(self.open(self.content, threads), bundle.signature)

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        """Load a file; float64 where it says float32 (the reference implementation) is rounded."""
        run, facts = self.runtime.open(content, threads), self.parts.facts

        def rounded(inputs: Arrays) -> dict[str, Array]:
            return {name: _rounded(array, facts.get(name)) for name, array in run(inputs).items()}

        return rounded


@dataclass(frozen=True)
class Difference:
    """How far a value is off: ``allowed`` is None where the user gave bounds; ``error`` says why there is no value."""

    max_abs: float
    allowed: float | None
    ok: bool
    error: str | None = None

    @property
    def share(self) -> float:
        """How many times the tolerance it is; the difference itself where there is none."""
        return self.max_abs / (self.allowed or 1.0)

    @property
    def badness(self) -> tuple[bool, float]:
        """Orders differences: one beyond tolerance is worse than a larger one within."""
        return not self.ok, self.share


@dataclass(frozen=True)
class Seen:
    """The largest difference of a value over all cases."""

    part: Part
    difference: Difference
    case: str


@dataclass(frozen=True)
class Fault:
    """The first place where the runtimes part.

    Args:
        seen: The value there, in the case that shows it best.
        nodes: The smallest set of nodes that shows it when it is run alone, in the order of the file.
        alone: The difference that those nodes show alone.
        fused: Whether the value is right as long as every value is an output: then a fused plan is at fault.
        inputs: What those nodes read, as the reference computes it.
        expected: The value, as the reference computes it.
        got: The value, as the runtime computes it; None where it fails.
        referee: Distance of both to the reference implementation in double, by runtime; None where it cannot judge.
        no_referee: Why it cannot.
    """

    seen: Seen
    nodes: tuple[int, ...]
    alone: Difference
    fused: bool
    inputs: Mapping[str, Array]
    expected: Array
    got: Array | None
    referee: Mapping[str, float] | None
    no_referee: str | None


@dataclass(frozen=True)
class Trial:
    """A runtime against the reference: the values up to the fault, or all of them where there is none."""

    reference: Side
    suspect: Side
    cases: int
    seen: tuple[Seen, ...]
    fault: Fault | None

    @property
    def ok(self) -> bool:
        """Whether no value leaves the reference."""
        return self.fault is None


def make_sides(bundle: Bundle, runtimes: Sequence[OnnxRuntime], files: Mapping[str, bytes]) -> list[Side]:
    """Give each runtime its file: ``files`` by the runtime's name, else the bundle's ``model.onnx``.

    Raises:
        UnavailableError: A runtime is not there.
        InputError: A file computes other values than ``model.onnx`` does.
    """
    for runtime in runtimes:
        reason = runtime.unavailable()
        if reason is not None:
            raise UnavailableError(f"{runtime.name}: {reason}")
    content = bundle.read(ONNX)
    sides = [Side(runtime, files.get(runtime.name, content)) for runtime in runtimes]
    wanted = _names(Parts.of(content))
    for side in sides:
        different = sorted(wanted ^ _names(side.parts))
        if different:
            raise InputError(
                f"the file of {side.name} and model.onnx of bundle {bundle.path} do not compute the same values "
                f"(only one of them has {', '.join(different[:5])}); values are compared by their names"
            )
    return sides


def draw_cases(bundle: Bundle, pool: Pool | None = None, draws: int = DRAWS) -> list[Case]:
    """Return the goldens' inputs, and those of verification drawn several times."""
    pool = pool or pool_of_goldens(bundle)
    cases = [Case(f"golden_{golden.name}", golden.inputs) for golden in bundle.goldens]
    for seed in range(draws):
        cases += [Case(f"{case.name}#{seed}", case.inputs) for case in verification_cases(pool, seed)]
    return cases


def bisect(reference: Side, suspect: Side, cases: Sequence[Case], bounds: Bounds | None = None) -> Trial:
    """Find the first value where ``suspect`` leaves ``reference``.

    Args:
        reference: What counts as right.
        suspect: What is judged; its file computes the same values.
        cases: Inputs by port.
        bounds: atol and rtol, instead of the computed tolerance.

    Raises:
        MismatchError: The reference itself cannot run a case.
    """
    return _Search(reference, suspect, bounds).run(cases)


@dataclass(frozen=True)
class _Search:
    reference: Side
    suspect: Side
    bounds: Bounds | None

    def run(self, cases: Sequence[Case]) -> Trial:
        seen = self._compare_exposed(cases)
        bad = next((place for place, each in enumerate(seen) if not each.difference.ok), None)
        if bad is not None:
            case = next(case for case in cases if case.name == seen[bad].case)
            fault = self._isolate(seen[bad], self._values(case), fused=False)
            return Trial(self.reference, self.suspect, len(cases), tuple(seen[: bad + 1]), fault)
        different = self._find_different(cases)
        if different is None:
            return Trial(self.reference, self.suspect, len(cases), tuple(seen), None)
        values = self._values(different)
        walked = self._walk(different, values)
        fault = self._isolate(walked[-1], values, fused=bool(seen))
        return Trial(self.reference, self.suspect, len(cases), tuple(walked), fault)

    def _compare_exposed(self, cases: Sequence[Case]) -> list[Seen]:
        """Return each value's worst difference; a runtime that cannot run the exposed model shows no value."""
        parts = [part for part in self.reference.parts.values if part.output in self.suspect.parts.facts]
        right = self.reference.open(self.reference.parts.exposed())
        try:
            run = self.suspect.open(self.suspect.parts.exposed())
        except Exception:  # then the walk over files that end early names the node
            return []
        worst: dict[str, Seen] = {}
        for case in cases:
            expected, got = _must_run(self.reference.name, right, case), _try(run, case.inputs)[0]
            if got is None:
                continue
            for part in parts:
                name = part.output
                difference = self._difference(expected[name], got[name], None)
                if name not in worst or difference.badness > worst[name].difference.badness:
                    worst[name] = Seen(part, difference, case.name)
        return [worst[part.output] for part in parts if part.output in worst]

    def _find_different(self, cases: Sequence[Case]) -> Case | None:
        """Return the first case where the model as it stands differs at an output."""
        outputs = [port.name for port in self.reference.parts.model.graph.output]
        right = self.reference.open(self.reference.content)
        try:
            run = self.suspect.open(self.suspect.content)
        except Exception:  # it differs in every case; the walk over files that end early names the node
            return cases[0]
        for case in cases:
            expected, (got, error) = _must_run(self.reference.name, right, case), _try(run, case.inputs)
            if not all(self._difference(expected[n], None if got is None else got[n], error).ok for n in outputs):
                return case
        return None

    def _walk(self, case: Case, values: Arrays) -> list[Seen]:
        """Run files that end at each value in turn, up to the first that differs."""
        walked = []
        for part in self.reference.parts.values:
            nodes = self.reference.parts.ancestors(part.index)
            difference, _ = self._alone(nodes, part.output, values)
            walked.append(Seen(part, difference, case.name))
            if not difference.ok:
                break
        return walked

    def _values(self, case: Case) -> dict[str, Array]:
        """Return every value of a case as the reference computes it, inputs too."""
        run = self.reference.open(self.reference.parts.exposed())
        return {**case.inputs, **_must_run(self.reference.name, run, case)}

    def _isolate(self, seen: Seen, values: Arrays, *, fused: bool) -> Fault:
        """Grow the cone from the value backwards until it shows the difference alone."""
        parts, output = self.reference.parts, seen.part.output
        cone = {seen.part.index}
        while True:
            self._close(cone, values)
            difference, got = self._alone(cone, output, values)
            before = [parts.maker[name] for name in parts.inputs_of(cone) if name in parts.maker]
            if not difference.ok or not before:
                break
            cone.add(max(before))
        inputs = {name: values[name] for name in self._inputs(cone)}
        referee, reason = self._referee(cone, output, inputs, values[output], got)
        fused = fused and len(cone) > 1
        return Fault(seen, tuple(sorted(cone)), difference, fused, inputs, values[output], got, referee, reason)

    def _close(self, cone: set[int], values: Arrays) -> None:
        """Add the makers of what has no value to be fed with: sequences, and types that nothing states."""
        parts = self.reference.parts
        while unknown := [name for name in parts.inputs_of(cone) if name not in values and name in parts.maker]:
            cone.update(parts.maker[name] for name in unknown)

    def _inputs(self, cone: Collection[int]) -> list[str]:
        both = (*self.reference.parts.inputs_of(cone), *self.suspect.parts.inputs_of(self._twins(cone)))
        return list(dict.fromkeys(both))

    def _twins(self, cone: Collection[int]) -> set[int]:
        return twins(self.reference.parts, self.suspect.parts, cone)

    def _alone(self, cone: Collection[int], output: str, values: Arrays) -> tuple[Difference, Array | None]:
        """Run nodes alone in both runtimes, fed with the reference's values."""
        right = self.reference.open(self.reference.parts.cut(cone, [output], values))
        expected = right({name: values[name] for name in self.reference.parts.inputs_of(cone)})[output]
        own = self._twins(cone)
        content = self.suspect.parts.cut(own, [output], values)
        got, error = self._run_suspect(content, {name: values[name] for name in self.suspect.parts.inputs_of(own)})
        array = None if got is None else got[output]
        return self._difference(expected, array, error), array

    def _run_suspect(self, content: bytes, inputs: Arrays) -> tuple[dict[str, Array] | None, str | None]:
        try:
            run = self.suspect.open(content)
        except Exception as error:  # a runtime that cannot load what the reference runs differs from it
            return None, tell(error)
        return _try(run, inputs)

    def _difference(self, expected: Array, got: Array | None, error: str | None) -> Difference:
        allowed = tolerance(expected) if self.bounds is None else None
        if got is None:
            return Difference(float("inf"), allowed, ok=False, error=error)
        return Difference(largest_difference(got, expected), allowed, is_close(got, expected, self.bounds))

    def _referee(
        self, cone: Collection[int], output: str, inputs: Arrays, expected: Array, got: Array | None
    ) -> tuple[dict[str, float] | None, str | None]:
        parts = self.reference.parts
        try:
            run = OnnxReference().open(parts.cut(cone, [output], inputs))
            truth = run({name: inputs[name] for name in parts.inputs_of(cone)})[output]
        except Exception as error:  # the reference implementation lacks operators, and says so in many ways
            return None, tell(error)
        judged = {self.reference.name: largest_difference(expected, truth)}
        if got is not None:
            judged[self.suspect.name] = largest_difference(got, truth)
        return judged, None


def twins(parts: Parts, others: Parts, nodes: Collection[int]) -> set[int]:
    """Return the nodes of another file that make the same values."""
    return {others.maker[name] for i in nodes for name in parts.model.graph.node[i].output if name}


def _names(parts: Parts) -> set[str]:
    """Return every value of a graph that is no constant."""
    return {*parts.maker, *(value.name for value in parts.model.graph.input if value.name not in parts.weights)}


def _must_run(name: str, run: RunArrays, case: Case) -> dict[str, Array]:
    outputs, error = _try(run, case.inputs)
    if outputs is None:
        raise MismatchError(f"{name}, the reference, cannot run case {case.name}: {error}; name another one first")
    return outputs


def _try(run: Callable[[Arrays], dict[str, Array]], inputs: Arrays) -> tuple[dict[str, Array] | None, str | None]:
    try:
        return run(inputs), None
    except Exception as error:  # every runtime has its own errors
        return None, tell(error)


def tell(error: Exception) -> str:
    """Return an error of any runtime in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def _rounded(array: Array, fact: onnx.ValueInfoProto | None) -> Array:
    says_single = fact is not None and fact.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    return array.astype(np.float32) if says_single and array.dtype == np.float64 else array
