"""``slipway verify`` and ``slipway selftest``: does a bundle still answer as eager PyTorch did."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import _complete as complete
from slipway.cli._console import JsonOption, table, write_result
from slipway.errors import ExitCode

if TYPE_CHECKING:
    from slipway.bundle import Bundle

BundleArgument = Annotated[
    Path, typer.Argument(metavar="BUNDLE", autocompletion=complete.bundles, help="A bundle folder.")
]
OwnRecipe = Annotated[
    str | None,
    typer.Option("--recipe", metavar="FILE.py:NAME", help="The recipe or module of a bundle that your file made."),
]


def verify_verb(
    bundle: BundleArgument,
    runtimes: Annotated[
        str,
        typer.Option(
            metavar="all|a,b", autocompletion=complete.some_runtimes, help="Runtimes to compare with eager PyTorch."
        ),
    ] = "all",
    atol: Annotated[float | None, typer.Option(min=0, help="Absolute tolerance, instead of the computed one.")] = None,
    rtol: Annotated[float | None, typer.Option(min=0, help="Relative tolerance, instead of the computed one.")] = None,
    recipe: OwnRecipe = None,
    json: JsonOption = None,
) -> int:
    """Compare the runtimes of a bundle with eager PyTorch, on its goldens and at sizes it has never seen.

    Exit code 3: a runtime differs. A runtime that is not available is skipped with its reason; one that was named is
    an error (exit code 4).
    """
    from slipway.bundle import Bundle
    from slipway.recipes._module import recipe_of_bundle
    from slipway.runtime import Eager, find_runtimes
    from slipway_export import verify

    opened = Bundle.open(bundle)
    eager = Eager(recipe_of_bundle(recipe, opened)) if recipe else Eager()
    chosen = [eager if runtime.name == "eager" else runtime for runtime in find_runtimes(runtimes)]
    required = runtimes != "all"
    result = verify(opened, chosen, reference=eager.load(opened), atol=atol, rtol=rtol, required=required)
    columns = ("runtime", "cases", "largest difference", "times eager's own error", "same labels", "ok", "skipped")
    write_result(result.as_json(), json, table(columns, _worst(result.rows)))
    return ExitCode.OK if result.ok else ExitCode.MISMATCH


def selftest_verb(
    bundles: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[BUNDLE]...", autocompletion=complete.bundles, help="Bundles; without, slipway itself is tested."
        ),
    ] = None,
    json: JsonOption = None,
) -> int:
    """Check bundles without running PyTorch: sums, raw inputs to the same bits, goldens on the engine, same labels.

    Without a bundle: train, export and verify the smallest recipe in a temporary folder.
    """
    from slipway.bundle import Bundle

    results = [_replay(Bundle.open(path)) for path in bundles] if bundles else [_small_trip()]
    ok = all(result["ok"] for result in results)
    rows = [(r["bundle"], c["case"], c["max_abs"], c["labels"], c["ok"]) for r in results for c in r["cases"]]
    columns = ("bundle", "case", "largest difference", "same labels", "ok")
    write_result({"ok": ok, "bundles": results}, json, table(columns, rows))
    return ExitCode.OK if ok else ExitCode.MISMATCH


def _worst(rows: Iterable[Any]) -> list[tuple[object, ...]]:
    """Return one line per runtime."""
    by_runtime: dict[str, list[Any]] = {}
    for row in rows:
        by_runtime.setdefault(row.runtime, []).append(row)
    lines = []
    for name, group in by_runtime.items():
        numbers = [_extreme(group, "max_abs", max), _extreme(group, "fp64_ratio", max)]
        agreement = _extreme(group, "argmax_agreement", min)
        skipped = next((row.skipped for row in group if row.skipped), None)
        ok = None if skipped else all(row.ok for row in group)
        lines.append((name, 0 if skipped else len({row.case for row in group}), *numbers, agreement, ok, skipped))
    return lines


def _extreme(rows: Sequence[Any], field: str, pick: Any) -> float | None:
    values = [getattr(row, field) for row in rows if getattr(row, field) is not None]
    return float(pick(values)) if values else None


def _replay(bundle: Bundle) -> dict[str, Any]:
    """Replay a bundle's goldens on the engine."""
    from slipway.preprocess import decode
    from slipway.runtime import find_runtime
    from slipway.runtime.checked import largest_difference, tolerance
    from slipway_export.goldens import check_raw

    check_raw(bundle)
    model = find_runtime("native").load(bundle)
    cases = []
    for golden in bundle.goldens:
        outputs = model.run(golden.inputs)
        differences = {name: largest_difference(outputs[name], wanted) for name, wanted in golden.outputs.items()}
        close = all(differences[name] <= tolerance(wanted) for name, wanted in golden.outputs.items())
        labels = decode(bundle.signature, outputs) == list(golden.labels)
        worst = max(differences.values())
        cases.append({"case": golden.name, "max_abs": worst, "labels": labels, "ok": close and labels})
    return {"bundle": str(bundle.path), "ok": all(case["ok"] for case in cases), "cases": cases}


def _small_trip() -> dict[str, Any]:
    from slipway.recipes import load_recipe
    from slipway.train import Run, resolve, train
    from slipway_export import export_bundle

    recipe = load_recipe("hello-rnn")
    config, training = resolve(recipe)
    with tempfile.TemporaryDirectory(prefix="slipway-selftest-") as folder:
        trained = train(Run(recipe, config, training, "embedded"))
        return _replay(export_bundle(trained, Path(folder) / recipe.name))
