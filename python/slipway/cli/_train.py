"""``train-and-export`` and its first half ``slipway train``; the second half is in ``_export.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from slipway.bundle import DEFAULT_OPSET, FORMATS, NEWEST_OPSET, OLDEST_OPSET
from slipway.cli import _complete as complete
from slipway.cli._console import JsonOption, VersionOption, notice, table, write_result
from slipway.cli._faults import attempt, worst
from slipway.errors import ExitCode, UsageError

EXAMPLES = """[b]Examples[/b]

train-and-export names-gru

train-and-export names-gru mnist-cnn --data path/to/data --out artifacts --json report.json

train-and-export names-gru --preset notes --set hidden=64 --epochs 20

train-and-export --all --preset smoke --data embedded --out zoo

train-and-export path/to/my_recipe.py:RECIPE

"""

Recipes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RECIPE",
        autocompletion=complete.recipes,
        help="Names (train-and-export --list), or your own: path/to/file.py:RECIPE.",
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder of bundles and checkpoints; a bundle is DIR/<recipe>.")]
Data = Annotated[str, typer.Option(metavar="auto|embedded|PATH", help="Where the data is; auto asks $SLIPWAY_DATA.")]
Epochs = Annotated[int | None, typer.Option(metavar="N", help="Epochs.")]
BatchSize = Annotated[int | None, typer.Option(metavar="N", help="Batch size.")]
LearningRate = Annotated[float | None, typer.Option("--lr", metavar="X", help="Learning rate.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, metavar="N", help="Seed of weights, order and dropout.")]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda[:N]", autocompletion=complete.words("auto", "cpu", "cuda"), help="Where to train."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the run's checkpoint, if there is one.")]
Preset = Annotated[
    str,
    typer.Option(
        metavar="default|notes|smoke|predict",
        autocompletion=complete.words("default", "notes", "smoke", "predict"),
        help="Settings; notes are those of the notes, predict belongs to snli-spinn.",
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
]
Formats = Annotated[str, typer.Option(metavar="LIST", help="Forms of the model, besides the weights.")]
Opset = Annotated[int, typer.Option(min=OLDEST_OPSET, max=NEWEST_OPSET, metavar="N", help="ONNX opset.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a bundle that is already there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing on stderr but warnings and errors.")]
Profile = Annotated[
    bool, typer.Option("--profile", help="Write torch's profile of some steps to DIR/<recipe>.profile.json and .txt.")
]
All = Annotated[bool, typer.Option("--all", help="Every recipe there is.")]
ListOption = Annotated[bool, typer.Option("--list", help="List the recipes and end.")]

ARTIFACTS = Path("artifacts")
DEFAULT_FORMATS = ",".join(FORMATS)


@dataclass(frozen=True)
class Outcome:
    """What became of one recipe: its JSON, and its row in the summary."""

    json: dict[str, Any]
    row: tuple[object, ...]
    exit_code: ExitCode = ExitCode.OK


def train_and_export(
    recipes: Recipes = None,
    out: Out = ARTIFACTS,
    data: Data = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: LearningRate = None,
    seed: Seed = 0,
    device: Device = "auto",
    resume: Resume = False,
    preset: Preset = "default",
    settings: Settings = None,
    formats: Formats = DEFAULT_FORMATS,
    opset: Opset = DEFAULT_OPSET,
    force: Force = False,
    json: JsonOption = None,
    quiet: Quiet = False,
    profile: Profile = False,
    every: All = False,
    list_recipes: ListOption = False,
    version: VersionOption = False,
) -> int:
    """Train recipes, export each in every form, verify the forms against eager PyTorch, and seal the bundles."""
    if list_recipes:
        return _list(json)
    changes = _changes(epochs, batch_size, lr, settings)
    runs = _runs(_named(recipes, every), out, data, seed, device, resume, preset, changes, profile)
    forms = check_export(out, [run.recipe.name for run in runs], formats, force)

    def work(run: Any, progress: Any) -> Outcome:
        from slipway.train import train

        trained = train(run, progress)
        if not changes and preset == "default":
            _judge(trained)
        return export_trained(trained, out, forms, opset, force)

    return _each(runs, work, ("recipe", "score", "value", "data", "seconds", "runtimes agree", "bundle"), json, quiet)


def train_verb(
    recipes: Recipes = None,
    out: Out = ARTIFACTS,
    data: Data = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: LearningRate = None,
    seed: Seed = 0,
    device: Device = "auto",
    resume: Resume = False,
    preset: Preset = "default",
    settings: Settings = None,
    json: JsonOption = None,
    quiet: Quiet = False,
    profile: Profile = False,
    every: All = False,
) -> int:
    """Train recipes to checkpoints, DIR/<recipe>.checkpoint.pt; the verb export goes on from there."""
    changes = _changes(epochs, batch_size, lr, settings)
    runs = _runs(_named(recipes, every), out, data, seed, device, resume, preset, changes, profile)

    def work(run: Any, progress: Any) -> Outcome:
        from slipway.train import train

        trained = train(run, progress)
        facts = _facts(trained) | {"checkpoint": str(run.checkpoint), "seconds": {"train": trained.seconds}}
        source, name = trained.dataset.source.kind, trained.recipe.score_name
        row = (trained.recipe.name, name, trained.score, source, trained.seconds, str(run.checkpoint))
        return Outcome(facts, row)

    return _each(runs, work, ("recipe", "score", "value", "data", "seconds", "checkpoint"), json, quiet)


def _named(names: Sequence[str] | None, every: bool) -> Sequence[str]:
    from slipway.recipes import recipe_names

    if every and names:
        raise UsageError(f"--all already names every recipe; leave out {', '.join(names)}")
    named = recipe_names() if every else names
    if not named:
        raise UsageError("name at least one recipe, or --all; train-and-export --list shows them")
    return named


def _runs(
    names: Sequence[str],
    out: Path,
    data: str,
    seed: int,
    device: str,
    resume: bool,
    preset: str,
    changes: dict[str, object],
    profile: bool,
) -> list[Any]:
    """Check everything that can be checked before the first run begins."""
    from slipway.recipes import is_own, load_recipe
    from slipway.train import Run, resolve, resolve_device

    where, runs = resolve_device(device), []
    for name in names:
        recipe = load_recipe(name)
        config, training = resolve(recipe, preset, changes)
        own = name if is_own(name) else None
        trace = out / f"{recipe.name}.profile.json" if profile else None
        checkpoint = checkpoint_path(out, recipe.name)
        runs.append(Run(recipe, config, training, data, seed, where, checkpoint, resume, own, trace))
    refuse_repeated([run.recipe.name for run in runs])
    return runs


def refuse_repeated(names: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UsageError(f"named more than once: {', '.join(sorted(repeated))}; each would overwrite the other")


def _changes(
    epochs: int | None, batch_size: int | None, lr: float | None, settings: Sequence[str] | None
) -> dict[str, object]:
    changes: dict[str, object] = {}
    for setting in settings or ():
        key, separator, value = setting.partition("=")
        if not separator:
            raise UsageError(f"--set {setting!r} is not of the form KEY=VALUE")
        changes[key] = value
    named = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    return changes | {key: value for key, value in named.items() if value is not None}


def checkpoint_path(out: Path, recipe: str) -> Path:
    return out / f"{recipe}.checkpoint.pt"


def check_export(out: Path, names: Sequence[str], formats: str, force: bool) -> list[Any]:
    """Refuse now what the export would refuse after the training, and return the forms to make."""
    from slipway_export.clean import engine_operators
    from slipway_export.pack import check_target

    for name in names:
        check_target(out / name, force=force)
    engine_operators()
    forms = [form.strip() for form in formats.split(",")]
    unknown = sorted(set(forms) - set(FORMATS))
    if unknown:
        raise UsageError(f"there is no format {', '.join(map(repr, unknown))}; there are {', '.join(FORMATS)}")
    return forms


def _each(
    runs: Sequence[Any], work: Callable[[Any, Any], Outcome], columns: Sequence[str], json: str | None, quiet: bool
) -> int:
    """Work on the runs in order; one that fails is reported, and the others go on."""
    from slipway.cli._progress import TrainingProgress

    outcomes = []
    with TrainingProgress(quiet=quiet) as progress:
        for run in runs:
            before = _version(run.checkpoint)
            try:
                outcomes.append(outcome_of(run.recipe.name, partial(work, run, progress), len(runs), len(columns)))
            except KeyboardInterrupt:
                now = _version(run.checkpoint)
                if now is not None and (run.resume or now != before):  # else it is of an earlier run
                    notice(f"{run.recipe.name}: stopped; --resume continues from {run.checkpoint}")
                raise
    return write_outcomes(outcomes, columns, json)


def _version(file: Path) -> tuple[int, int] | None:
    """Return what differs once a file is written anew; None where there is no file."""
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_ino, told.st_mtime_ns


def outcome_of(name: str, work: Callable[[], Outcome], count: int, columns: int) -> Outcome:
    """Work on one of ``count`` recipes; the failure of one among several is an outcome too."""
    if count == 1:
        return work()
    outcome = attempt(name, work)
    if isinstance(outcome, Outcome):
        return outcome
    failed = {"recipe": name, "error": outcome.message, "exit_code": int(outcome.exit_code)}
    return Outcome(failed, (name, "failed", *(None,) * (columns - 2)), outcome.exit_code)


def write_outcomes(outcomes: Sequence[Outcome], columns: Sequence[str], json: str | None) -> ExitCode:
    values = [outcome.json for outcome in outcomes]
    summary: Table = table(columns, [outcome.row for outcome in outcomes])
    write_result(values[0] if len(values) == 1 else values, json, summary)
    return worst(outcome.exit_code for outcome in outcomes)


def _facts(trained: Any) -> dict[str, Any]:
    source = asdict(trained.dataset.source)
    return {
        "recipe": trained.recipe.name,
        "data": {"source": source.pop("kind"), **source},
        "score": {"name": trained.recipe.score_name, "value": trained.score},
    }


def _judge(trained: Any) -> None:
    """Say so when a default run stays below what its recipe expects."""
    expected = trained.recipe.expected.get(trained.dataset.source.kind)
    if expected is not None and trained.score is not None and trained.score < expected:
        name = trained.recipe.score_name
        notice(f"{trained.recipe.name}: {name} {trained.score:.4f} is below the expected {expected}")


def export_trained(trained: Any, out: Path, forms: Sequence[Any], opset: int, force: bool) -> Outcome:
    from slipway_export import export_bundle

    bundle = export_bundle(trained, out / trained.recipe.name, opset=opset, formats=forms, force=force)
    report = bundle.report
    facts = _facts(trained) | {"bundle": str(bundle.path), "seconds": report["seconds"], "verify": report["verify"]}
    runtimes = list(dict.fromkeys(row["runtime"] for row in report["verify"]["rows"] if not row["skipped"]))
    seconds = sum(report["seconds"].values())
    source, name = trained.dataset.source.kind, trained.recipe.score_name
    row = (trained.recipe.name, name, trained.score, source, seconds, ", ".join(runtimes), str(bundle.path))
    return Outcome(facts, row)


def _list(json: str | None) -> int:
    from slipway.recipes import load_recipe, recipe_names

    recipes = [load_recipe(name) for name in recipe_names()]
    values = [
        {
            "name": recipe.name,
            "title": recipe.title,
            "task": recipe.task,
            "notes": recipe.notes,
            "datasets": list(recipe.datasets),
            "score": recipe.score_name,
            "expected": dict(recipe.expected),
            "settings": asdict(recipe.config) | asdict(recipe.training),
            "presets": ["default", *recipe.presets],
        }
        for recipe in recipes
    ]
    rows = [
        (r.name, r.task, ", ".join(r.datasets), ", ".join(f"{k} {v}" for k, v in r.expected.items()), r.notes)
        for r in recipes
    ]
    write_result(values, json, table(("recipe", "task", "data", "expected score", "place in the notes"), rows))
    return ExitCode.OK
