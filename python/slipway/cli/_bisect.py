"""``slipway verify --bisect``, and the replay of the evidence that it writes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway._files import read_file
from slipway.cli._console import notice, show, table, write_result
from slipway.errors import ExitCode, FileError, UnavailableError, UsageError

if TYPE_CHECKING:
    from slipway.bundle import Bundle
    from slipway_export import Verification
    from slipway_export.bisect import Fault, Seen, Side, Trial

#: What is compared where no runtimes are named; the first one is the reference.
_PAIR = "onnxruntime-cpu,native-cpu"


def bisect_bundle(
    bundle: Bundle,
    runtimes: str,
    files: Sequence[str],
    repro: Path | None,
    bounds: tuple[float, float] | None,
    recipe: Any,
    json: str | None,
) -> int:
    """Find the first node where each runtime leaves the first one, and say it."""
    from slipway.runtime import find_onnx_runtime
    from slipway_export.bisect import bisect, draw_cases, make_sides
    from slipway_export.repro import bisection_json, write_repro

    sides = [find_onnx_runtime(name.strip()) for name in (_PAIR if runtimes == "all" else runtimes).split(",")]
    names = [side.name for side in sides]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(f"--bisect compares two or more runtimes, got {runtimes!r}; for example {_PAIR}")
    reference, *suspects = make_sides(bundle, sides, _read_files(files, names))
    cases = draw_cases(bundle)
    trials = [bisect(reference, suspect, cases, bounds) for suspect in suspects]
    truth = _against_eager(bundle, [reference, *suspects], recipe, bounds)
    written = {} if repro is None else _write(trials, repro, write_repro)
    ok = all(trial.ok for trial in trials) and (truth is None or truth.ok)
    value = {
        "ok": ok,
        "bundle": bundle.name,
        "rows": [] if truth is None else truth.as_json()["rows"],
        "bisect": [{**bisection_json(trial), "repro": written.get(trial.suspect.name)} for trial in trials],
    }
    columns = ("runtime", "node", "op", "output", "module", "largest difference", "allowed", "case", "ok")
    rows = [(trial.suspect.name, *_line(seen)) for trial in trials for seen in trial.seen]
    write_result(value, json, table(columns, rows))
    if json != "-":
        lines = [line for trial in trials for line in sentences(trial, written.get(trial.suspect.name), bounds)]
        show("\n".join((*lines, *_eager_sentences(truth, trials))))
    return ExitCode.OK if ok else ExitCode.MISMATCH


def replay_folder(folder: Path, bounds: tuple[float, float] | None, json: str | None) -> int:
    """Run the evidence in a folder again and say who still differs from what was expected."""
    from slipway.runtime import find_onnx_runtime
    from slipway_export.repro import read_repro, replay

    repro = read_repro(folder)
    result = replay(repro, find_onnx_runtime, bounds)
    columns = ("runtime", "output", "largest difference", "ok", "error")
    rows = [(row.runtime, row.output, row.max_abs, row.ok, row.error) for row in result.rows]
    write_result(result.as_json(), json, table(columns, rows))
    return ExitCode.OK if result.ok else ExitCode.MISMATCH


def sentences(trial: Trial, written: str | None, bounds: tuple[float, float] | None = None) -> list[str]:
    """Tell a trial's result to people; ``written`` is the folder of the evidence, if there is one.

    ``bounds`` (atol, rtol) are those that judged it: without them its evidence may show no difference.
    """
    pair = f"{trial.suspect.name} and {trial.reference.name}"
    fault = trial.fault
    if fault is None:
        return [f"{pair} agree within tolerance at each of {len(trial.seen)} values, in {trial.cases} cases."]
    lines = [f"{trial.suspect.name} leaves {trial.reference.name} first at {_place(fault.seen)}."]
    before = [seen for seen in trial.seen if seen is not fault.seen]
    if before:
        worst = max(before, key=lambda seen: seen.difference.share)
        size = worst.difference.max_abs
        lines.append(
            f"All {len(before)} values before it are within tolerance, at most {size:.3g} at {worst.part.output}."
        )
    lines.append(_alone(trial, fault))
    if fault.referee is not None:
        told = ", ".join(f"{name} is {distance:.3g} off" for name, distance in fault.referee.items())
        lines.append(f"Against the reference implementation of ONNX in double precision {told}.")
    else:
        lines.append(f"The reference implementation of ONNX cannot judge: {fault.no_referee}")
    if written is None:
        lines.append("--repro DIR writes a model of these nodes alone with the arrays that show it.")
    else:
        judged = "" if bounds is None else f" --atol {bounds[0]!r} --rtol {bounds[1]!r}"
        lines.append(f"Written to {written}; again with: slipway verify {shlex.quote(written)}{judged}")
    return lines


def _read_files(files: Sequence[str], names: Sequence[str]) -> dict[str, bytes]:
    contents = {}
    for given in files:
        name, separator, path = given.partition("=")
        name = name if name in names else f"{name}-cpu"
        if not separator or name not in names:
            raise UsageError(
                f"--file {given!r} is not of the form RUNTIME=FILE.onnx with one of the runtimes {', '.join(names)}"
            )
        try:
            contents[name] = read_file(Path(path))
        except OSError as error:
            raise FileError(f"--file {given}: {path} cannot be read: {error.strerror}") from error
    return contents


def _against_eager(
    bundle: Bundle, sides: Sequence[Side], recipe: Any, bounds: tuple[float, float] | None
) -> Verification | None:
    """Compare all of them with eager PyTorch, end to end; None where eager cannot be rebuilt."""
    from slipway.runtime import Eager
    from slipway_export import verify

    try:
        eager = Eager(recipe).load(bundle)
    except UnavailableError as error:
        notice(f"eager PyTorch does not judge: {error}")
        return None
    atol, rtol = bounds or (None, None)
    return verify(bundle, sides, reference=eager, atol=atol, rtol=rtol)


def _write(trials: Sequence[Trial], repro: Path, write: Any) -> dict[str, str]:
    """Write the evidence of each fault; several runtimes have a folder each inside."""
    faulty = [trial for trial in trials if not trial.ok]
    written = {}
    for trial in faulty:
        folder = repro if len(faulty) == 1 else repro / trial.suspect.name
        write(folder, trial)
        written[trial.suspect.name] = str(folder)
    return written


def _line(seen: Seen) -> tuple[object, ...]:
    part, difference = seen.part, seen.difference
    sizes = (difference.max_abs, difference.allowed)
    module = "(the model)" if part.module == "" else part.module
    return (part.node, part.op, part.output, module, *sizes, seen.case, difference.ok)


def _place(seen: Seen) -> str:
    part, difference = seen.part, seen.difference
    module = "of no known module" if part.module is None else f'of module "{part.module}"'
    module = "of the model itself" if part.module == "" else module
    kind = "" if part.module_class is None else f" ({part.module_class.rpartition('.')[2]})"
    size = difference.error or f"{difference.max_abs:.3g} off"
    allowed = "" if difference.allowed is None else f", {difference.allowed:.3g} is allowed"
    return f'{part.op} "{part.node}", output "{part.output}", {module}{kind}: {size}{allowed}, case {seen.case}'


def _alone(trial: Trial, fault: Fault) -> str:
    nodes = trial.reference.parts.model.graph.node
    if fault.alone.ok:
        return "No part of the model shows it alone, only the whole with every value as an output."
    size = fault.alone.error or f"{fault.alone.max_abs:.3g} off"
    if len(fault.nodes) == 1:
        return f"The node alone, fed with the values of {trial.reference.name}, is {size}."
    names = ", ".join(f'{nodes[i].op_type} "{nodes[i].name}"' for i in fault.nodes)
    why = "with every value an output nothing differs, so a plan that fuses them is at fault" if fault.fused else ""
    together = f"No smaller part shows it than these {len(fault.nodes)} nodes together, {size}: {names}"
    return f"{together}; {why}." if why else f"{together}."


def _eager_sentences(truth: Verification | None, trials: Sequence[Trial]) -> list[str]:
    if truth is None:
        return []
    wrong = list(dict.fromkeys(row.runtime for row in truth.rows if not row.ok))
    if not wrong:
        return ["All of them agree with eager PyTorch from end to end."]
    lines = [f"From end to end {name} differs from eager PyTorch." for name in wrong]
    if all(trial.ok for trial in trials) and len(wrong) == len(trials) + 1:
        lines.append("They agree with each other: model.onnx itself is not the module any more; export it again.")
    return lines
