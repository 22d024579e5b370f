"""From a trained module to a verified bundle: capture, clean, goldens, pack, verify, seal.

    bundle = export_bundle(trained, Path("artifacts/names-gru"))

A bundle appears at its place only if every runtime that is available here answers like eager PyTorch.

What needs torch or onnxscript is loaded by the function that uses it: replaying and inspecting need neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.bundle import (
    DEFAULT_OPSET,
    FORMATS,
    ONNX,
    PT2,
    REPORT,
    REPORT_PAGE,
    TORCHSCRIPT,
    WEIGHTS,
    Bundle,
)
from slipway.errors import UsageError
from slipway.runtime import RUNTIMES, Eager, Runtime
from slipway.runtime.eager import EagerModel
from slipway_export.cases import Pool, cut_images, example_inputs, probe_inputs
from slipway_export.goldens import write_goldens
from slipway_export.latency import measure_latency
from slipway_export.pack import check_target, seal, staging, write_sums
from slipway_export.page import report_page
from slipway_export.precision import measure_precisions
from slipway_export.verify import Row as Row
from slipway_export.verify import Verification as Verification
from slipway_export.verify import verify as verify

if TYPE_CHECKING:
    from slipway.train._trained import Trained
    from slipway_export.capture import Captured, Format
    from slipway_export.clean import Operator


def export_bundle(
    trained: Trained,
    out: Path,
    *,
    opset: int = DEFAULT_OPSET,
    formats: Sequence[Format] = FORMATS,
    force: bool = False,
    runtimes: Sequence[Runtime] = RUNTIMES,
    operators: Sequence[Operator] | None = None,
) -> Bundle:
    """Export a trained model in every form, verify the forms against eager PyTorch, and seal them as a bundle.

    Args:
        trained: The trained model; it stays as it is.
        out: Where the bundle goes.
        opset: ONNX opset, 18 to 24.
        formats: Forms besides the weights; ``onnx`` is always made.
        force: Replace a bundle that is already there.
        runtimes: What verification compares; those that are not available are skipped and say why in the report.
        operators: What the engine can run; by default the engine's own table.

    Returns:
        The sealed bundle; its report holds the verification and the seconds.

    Raises:
        UsageError: ``out`` is taken, or a format does not exist.
        ExportError: The model cannot be exported; the message names the module, operator or dimension.
        UnavailableError: The engine is not built, and ``operators`` is not given.
        FileError: A file cannot be written, or another process packs to the same place. ``out`` is then as it was.
        MismatchError: A runtime differs from eager PyTorch. There is no bundle then.
    """
    from slipway_export.capture import capture
    from slipway_export.clean import engine_operators
    from slipway_export.edges import edge_cases, refuse_edges
    from slipway_export.pt2 import ExportedProgramRuntime
    from slipway_export.report import make_report

    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise UsageError(f"there is no format {', '.join(sorted(unknown))}; there are {', '.join(FORMATS)}")
    check_target(out, force=force)
    operators = engine_operators() if operators is None else operators
    started = time.perf_counter()
    raws = trained.dataset.test.raws
    pool = Pool.of(trained.signature, raws)
    example, probe = example_inputs(pool), probe_inputs(pool)
    captured = capture(trained.module, trained.signature, example, probe, opset=opset, formats=formats)
    with staging(out, force=force) as folder:
        missing = _write_models(folder, trained, captured, operators, opset)
        eager = EagerModel.of(trained.module, trained.signature)
        (folder / "goldens").mkdir()
        write_goldens(folder / "goldens", trained.signature, cut_images(trained.signature, raws), eager)
        (folder / REPORT).write_text(json.dumps({"missing": missing}) + "\n", encoding="utf-8")
        write_sums(folder)
        exported = time.perf_counter()
        chosen = [Eager(trained.recipe) if runtime.name == "eager" else runtime for runtime in runtimes]
        chosen.append(ExportedProgramRuntime())
        bundle = Bundle.open(folder)
        edges = edge_cases(pool, captured.edges)
        rows = verify(bundle, chosen, reference=eager, pool=pool, edges=edges).rows
        if refusal := _refused_by_guards(rows):
            (folder / PT2).unlink()
            missing[PT2] = refusal
            chosen.pop()
            rows = _skipped(rows, refusal)
        verification = Verification(out.name, rows)
        refuse_edges(captured.edges, verification.rows, type(trained.module).__name__)
        verification.require()
        seconds = {"export": exported - started, "verify": time.perf_counter() - exported}
        latency = measure_latency(bundle, chosen)
        precisions = measure_precisions(bundle, chosen)
        _write_report(bundle, make_report(trained, opset, missing, verification, seconds, latency, precisions))
        write_sums(folder)
        seal(folder, out)
    return Bundle.open(out)


def _write_models(
    folder: Path, trained: Trained, captured: Captured, operators: Sequence[Operator], opset: int
) -> dict[str, str]:
    """Write every form of the model; returns the reason for each one that is missing, by file name."""
    import safetensors.torch

    from slipway_export.clean import clean
    from slipway_export.report import pictures_of, provenance

    metadata = {
        "slipway.recipe": json.dumps(trained.recipe.name),
        "slipway.provenance": json.dumps(provenance(trained, opset), ensure_ascii=False, sort_keys=True),
    }
    content = clean(captured.onnx, trained.signature, name=trained.recipe.name, operators=operators, metadata=metadata)
    (folder / ONNX).write_bytes(content)
    state = {name: value.detach().cpu().contiguous().clone() for name, value in trained.module.state_dict().items()}
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(state))
    for name, file_content in ((TORCHSCRIPT, captured.torchscript), (PT2, captured.pt2)):
        if file_content is not None:
            (folder / name).write_bytes(file_content)
    for name, picture in pictures_of(trained).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(picture)
    files: dict[Format, str] = {"torchscript": TORCHSCRIPT, "pt2": PT2}
    return {files[form]: reason for form, reason in captured.missing.items()}


def _refused_by_guards(rows: Sequence[Row]) -> str | None:
    """Return why the ``.pt2`` cannot be kept, or None.

    torch's guards hold every answer of the capture, also of questions whose answer changes nothing.
    """
    from slipway_export.pt2 import ExportedProgramRuntime

    failed = [row for row in rows if row.runtime == ExportedProgramRuntime.name and not row.ok]
    if not failed or not all("Guard failed" in (row.error or "") for row in failed):
        return None
    return f"torch's own guards refuse sizes that the model takes (case {failed[0].case}: {failed[0].error})"


def _skipped(rows: Sequence[Row], reason: str) -> tuple[Row, ...]:
    """Return the rows with one in place of those of the ``.pt2``."""
    from slipway_export.pt2 import ExportedProgramRuntime

    name = ExportedProgramRuntime.name
    return (*(row for row in rows if row.runtime != name), Row.left_out(name, reason))


def _write_report(bundle: Bundle, report: dict[str, Any]) -> None:
    """Write the report and its page into the folder of a bundle that is not sealed yet."""
    from slipway_export.report import plain

    report = plain(report)
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (bundle.path / REPORT).write_text(text + "\n", encoding="utf-8")
    (bundle.path / REPORT_PAGE).write_text(report_page(bundle, report), encoding="utf-8")
