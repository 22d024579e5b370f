"""``slipway verify`` and ``slipway selftest``: does a bundle still answer as eager PyTorch did."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway.cli import _complete as complete
from slipway.cli._bisect import bisect_bundle, replay_folder
from slipway.cli._bundles import bundle_folders
from slipway.cli._console import JsonOption, checked_folder, table, write_result
from slipway.cli._faults import Fault, attempt, worst
from slipway.errors import ExitCode, UsageError

VERIFY_EXAMPLES = """[b]Examples[/b]

slipway verify artifacts/names-gru --json -

slipway verify artifacts/names-gru --bisect --runtimes onnxruntime-cpu,native-cpu --repro fault

slipway verify fault
"""

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
    bisect: Annotated[
        bool, typer.Option("--bisect", help="Find the first node where a runtime leaves the first one that is named.")
    ] = False,
    file: Annotated[
        list[str] | None, typer.Option(metavar="RUNTIME=FILE", help="With --bisect: the file that one of them runs.")
    ] = None,
    repro: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=checked_folder,
            help="With --bisect: write the nodes at fault and their arrays there.",
        ),
    ] = None,
    json: JsonOption = None,
) -> int:
    """Compare the runtimes of a bundle with eager PyTorch, on its goldens and at sizes it has never seen.

    Exit code 3: a runtime differs. A runtime that is not available is skipped with its reason; one that was named is
    an error (exit code 4). Given the folder of --repro instead of a bundle, that evidence is run again.
    """
    from slipway.bundle import Bundle
    from slipway.recipes._module import recipe_of_bundle
    from slipway.runtime import Eager, find_runtimes
    from slipway_export import verify
    from slipway_export.repro import is_repro
    from slipway_export.verify import bounds_of

    for option, value in (("--atol", atol), ("--rtol", rtol)):
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{option} is {value}, expected a finite number of 0 or more")
    if (file or repro) and not bisect:
        raise UsageError("--file and --repro belong to --bisect; add it")
    if is_repro(bundle) and not bisect:
        if runtimes != "all" or recipe is not None:
            raise UsageError(f"--runtimes and --recipe belong to a bundle; {bundle} was written by --repro")
        return replay_folder(bundle, bounds_of(atol, rtol), json)
    opened = Bundle.open(bundle)
    own = recipe_of_bundle(recipe, opened) if recipe else None
    if bisect:
        return bisect_bundle(opened, runtimes, file or (), repro, bounds_of(atol, rtol), own, json)
    eager = Eager(own)
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
    folders = bundle_folders(bundles or ())
    results = [_replayed(path, len(folders)) for path in folders] if bundles else [_small_trip()]
    rows = [
        (result["bundle"], case["case"], case["max_abs"], case["labels"], case["ok"])
        for result in results
        for case in result["cases"] or [{"case": "failed", "max_abs": None, "labels": None, "ok": False}]
    ]
    columns = ("bundle", "case", "largest difference", "same labels", "ok")
    write_result({"ok": all(result["ok"] for result in results), "bundles": results}, json, table(columns, rows))
    of_differences = [ExitCode.OK if result["ok"] else ExitCode.MISMATCH for result in results]
    return worst(ExitCode(r.get("exit_code", code)) for r, code in zip(results, of_differences, strict=True))


def _replayed(path: Path, count: int) -> dict[str, Any]:
    """Replay one of ``count`` bundles; the failure of one among several is a result too."""
    from slipway.bundle import Bundle
    from slipway_export.replay import replay

    def work() -> dict[str, Any]:
        return replay(Bundle.open(_folder(path)))

    if count == 1:
        return work()
    result = attempt(str(path), work)
    if isinstance(result, Fault):
        failed = {"error": result.message, "exit_code": int(result.exit_code)}
        return {"bundle": str(path), "ok": False, "cases": [], **failed}
    return result


def _folder(path: Path) -> Path:
    if path.is_file():
        raise UsageError(f"selftest needs a bundle folder, {path} is a file")
    return path


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


def _small_trip() -> dict[str, Any]:
    from slipway.recipes import load_recipe
    from slipway.train import Run, resolve, train
    from slipway_export import export_bundle
    from slipway_export.replay import replay

    recipe = load_recipe("hello-rnn")
    config, training = resolve(recipe)
    with tempfile.TemporaryDirectory(prefix="slipway-selftest-") as folder:
        trained = train(Run(recipe, config, training, "embedded"))
        return replay(export_bundle(trained, Path(folder) / recipe.name))
