"""The evidence of a fault as a folder: the nodes as an ONNX file, their inputs, what was expected and what came.

``repro.onnx`` is what the runtime at fault runs, ``repro.reference.onnx`` what the reference runs where the two files
differ, ``repro.npz`` holds ``input.<name>``, ``expected.<name>`` and ``got.<name>``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from slipway._files import read_file, write_atomically
from slipway._json import read_json
from slipway.errors import FileError, ModelError, UnavailableError
from slipway.runtime.checked import largest_difference
from slipway.runtime.protocol import OnnxRuntime
from slipway_export.bisect import Seen, Trial, tell, twins
from slipway_export.report import plain
from slipway_export.verify import Bounds, Row, Verification, is_close

Array = NDArray[np.generic]

MODEL, REFERENCE_MODEL, ARRAYS = "repro.onnx", "repro.reference.onnx", "repro.npz"
_KEY = "slipway.repro"


@dataclass(frozen=True)
class Repro:
    """A written piece of evidence, read back."""

    folder: Path
    model: bytes
    #: The reference's own nodes; the same as ``model`` where both run one file.
    reference_model: bytes
    reference: str
    suspect: str
    inputs: Mapping[str, Array]
    expected: Mapping[str, Array]


def write_repro(folder: Path, trial: Trial) -> None:
    """Write the fault of a trial; files of an earlier one are replaced, its model is the first to go.

    Args:
        folder: Made if it is not there.
        trial: One that has a fault.
    """
    fault = trial.fault
    assert fault is not None
    output = fault.seen.part.output
    own = twins(trial.reference.parts, trial.suspect.parts, fault.nodes)
    names = {"reference": trial.reference.name, "suspect": trial.suspect.name, "case": fault.seen.case}
    metadata = {_KEY: json.dumps(names, ensure_ascii=False)}
    model = trial.suspect.parts.cut(own, [output], fault.inputs, metadata)
    right = trial.reference.parts.cut(fault.nodes, [output], fault.inputs, metadata)
    arrays = {f"input.{name}": array for name, array in fault.inputs.items()}
    arrays[f"expected.{output}"] = fault.expected
    if fault.got is not None:
        arrays[f"got.{output}"] = fault.got
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its option allow_pickle
    (folder / MODEL).unlink(missing_ok=True)  # a model beside the arrays of another fault would be no evidence
    write_atomically(folder / ARRAYS, file.getvalue())
    if right == model:
        (folder / REFERENCE_MODEL).unlink(missing_ok=True)
    else:
        write_atomically(folder / REFERENCE_MODEL, right)
    write_atomically(folder / MODEL, model)


def is_repro(folder: Path) -> bool:
    """Say whether a folder holds such evidence."""
    return (folder / MODEL).is_file() and (folder / ARRAYS).is_file()


def read_repro(folder: Path) -> Repro:
    """Read a folder that :func:`write_repro` wrote.

    Raises:
        FileError: A file cannot be read.
        ModelError: The model does not say which runtimes it is about.
    """
    try:
        model = read_file(folder / MODEL)
        beside = folder / REFERENCE_MODEL
        reference_model = read_file(beside) if beside.is_file() else model
        # From memory: numpy leaves a file open that turns out to be no archive.
        arrays = dict(np.load(io.BytesIO(read_file(folder / ARRAYS)), allow_pickle=False))
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"the evidence in {folder} cannot be read: {error}") from error
    try:
        props = {entry.key: entry.value for entry in onnx.load_model_from_string(model).metadata_props}
        names = read_json(props[_KEY])
        reference, suspect = str(names["reference"]), str(names["suspect"])
    except Exception as error:  # protobuf's own error types differ between its implementations
        raise ModelError(f'{folder / MODEL} has no metadata "{_KEY}"; expected a file of slipway verify') from error
    of_kind = {
        kind: {name.removeprefix(kind): array for name, array in arrays.items() if name.startswith(kind)}
        for kind in ("input.", "expected.")
    }
    return Repro(folder, model, reference_model, reference, suspect, of_kind["input."], of_kind["expected."])


def replay(repro: Repro, find: Callable[[str], OnnxRuntime], bounds: Bounds | None = None) -> Verification:
    """Run the evidence again in both runtimes and compare with what was expected.

    Args:
        repro: The evidence.
        find: Returns a runtime by its name.
        bounds: atol and rtol, instead of the computed tolerance.

    Raises:
        UnavailableError: A runtime is not there.
    """
    sides = ((repro.reference, repro.reference_model), (repro.suspect, repro.model))
    rows = [row for name, content in sides for row in _rows(find(name), content, repro, bounds)]
    return Verification(repro.folder.resolve().name, tuple(rows))


def _rows(runtime: OnnxRuntime, content: bytes, repro: Repro, bounds: Bounds | None) -> list[Row]:
    graph = onnx.load_model_from_string(content).graph
    try:
        outputs = runtime.open(content)({port.name: repro.inputs[port.name] for port in graph.input})
    except UnavailableError:
        raise
    except Exception as error:  # every runtime has its own errors; failing is what the evidence may be about
        return [_row(runtime.name, name, ok=False, error=tell(error)) for name in repro.expected]
    rows = []
    for name, wanted in repro.expected.items():
        output = outputs[name].astype(wanted.dtype) if outputs[name].dtype == np.float64 else outputs[name]
        rows.append(
            _row(runtime.name, name, ok=is_close(output, wanted, bounds), max_abs=largest_difference(output, wanted))
        )
    return rows


def _row(runtime: str, output: str, *, ok: bool, max_abs: float | None = None, error: str | None = None) -> Row:
    return Row(runtime, "repro", output, max_abs, None, None, None, ok=ok, error=error)


def bisection_json(trial: Trial) -> dict[str, Any]:
    """Return a trial as ``slipway verify --bisect --json`` prints it; numbers that are not finite become None."""
    fault = trial.fault
    nodes = trial.reference.parts.model.graph.node
    found = fault and {
        **_seen_json(fault.seen),
        "fused": fault.fused,
        "alone": {"max_abs": fault.alone.max_abs, "ok": fault.alone.ok, "error": fault.alone.error},
        "nodes": [{"node": nodes[i].name, "op": nodes[i].op_type} for i in fault.nodes],
        "referee": fault.referee,
        "no_referee": fault.no_referee,
    }
    value = {
        "reference": trial.reference.name,
        "runtime": trial.suspect.name,
        "ok": trial.ok,
        "cases": trial.cases,
        "values": [_seen_json(seen) for seen in trial.seen],
        "fault": found,
    }
    return {name: plain(item) for name, item in value.items()}


def _seen_json(seen: Seen) -> dict[str, Any]:
    part, difference = seen.part, seen.difference
    return {
        "node": part.node,
        "op": part.op,
        "output": part.output,
        "module": part.module,
        "class": part.module_class,
        "max_abs": difference.max_abs,
        "allowed": difference.allowed,
        "case": seen.case,
        "ok": difference.ok,
        "error": difference.error,
    }
