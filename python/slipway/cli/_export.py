"""``slipway export``: what training left, or a trained module of the user's own, as sealed bundles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway.bundle import DEFAULT_OPSET
from slipway.cli import _complete as complete
from slipway.cli import _train as of_training
from slipway.cli._arrays import read_arrays, read_labels
from slipway.cli._console import JsonOption
from slipway.errors import ExitCode, UsageError

EXAMPLES = """[b]Examples[/b]

slipway export names-gru --out artifacts

slipway export artifacts/my-hello.checkpoint.pt --recipe my_recipe.py:RECIPE --force

slipway export model.py:make --inputs "x:float32\\[N,3,H,W]" --weights model.pt --labels labels.txt

slipway export package.module:Tagger --inputs "ids:int64\\[T,N]<5000" --inputs "lengths:int64\\[N]<=T" --example ids=ids.npy
"""  # noqa: E501  # a command is one line

_COLUMNS = ("recipe", "score", "value", "data", "seconds", "runtimes agree", "bundle")


def export_verb(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="CHECKPOINT|RECIPE|FILE.py:NAME",
            autocompletion=complete.recipes,
            help="What train left; with --inputs, a module.",
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:TYPE[SIZES]",
            help="An argument of the module's forward, in order; sizes that vary are letters, N the batch, T time. "
            "<5000 is the range of whole numbers, <=T means lengths.",
        ),
    ] = None,
    example: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE.npy", help="Real inputs to verify with; else random ones.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A state dict: .safetensors, or of torch.save.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Class names, one per line.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The bundle's name; else the module's.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:NAME", help="The recipe of a CHECKPOINT that your file trained; runs that file."),
    ] = None,
    out: of_training.Out = of_training.ARTIFACTS,
    formats: of_training.Formats = of_training.DEFAULT_FORMATS,
    opset: of_training.Opset = DEFAULT_OPSET,
    force: of_training.Force = False,
    json: JsonOption = None,
) -> int:
    """Export trained recipes, or a module that is trained already: verify every form, and seal the bundles.

    A module is named as FILE.py:NAME or package.module:NAME, itself or a function that returns it, and its inputs by
    --inputs. Naming a file runs it. A checkpoint never decides which file is run: it may be of a stranger.
    """
    if recipe is not None and (inputs or len(models) != 1 or not models[0].endswith(".pt")):
        raise UsageError(f"--recipe {recipe} belongs to one CHECKPOINT.pt, got {', '.join(models)}")
    if inputs:
        if len(models) != 1:
            raise UsageError(f"--inputs describes one module, got {len(models)}: {', '.join(models)}")
        name = name or _name_of(models[0])
        outcome = _export_module(models[0], inputs, example or [], weights, labels, name, (out, formats, opset, force))
        return of_training.write_outcomes([outcome], _COLUMNS, json)
    options = {"--example": example, "--weights": weights, "--labels": labels, "--name": name}
    given = [option for option, value in options.items() if value]
    if given:
        raise UsageError(f"{' and '.join(given)} needs --inputs, which says what the module {models[0]} takes")
    return _export_checkpoints([_checkpoint(out, text, recipe) for text in models], out, formats, opset, force, json)


def _export_checkpoints(
    checkpoints: Sequence[tuple[Path, str | None]], out: Path, formats: str, opset: int, force: bool, json: str | None
) -> ExitCode:
    """Export checkpoints in order, each of which can be read, to places that are free; one that fails is reported."""
    from slipway.train import load_trained

    every = [load_trained(path, own) for path, own in checkpoints]
    names = [trained.recipe.name for trained in every]
    of_training.refuse_repeated(names)
    forms = of_training.check_export(out, names, formats, force)
    outcomes = []
    for name, trained in zip(names, every, strict=True):
        work = partial(of_training.export_trained, trained, out, forms, opset, force)
        outcomes.append(of_training.outcome_of(name, work, len(every), len(_COLUMNS)))
    return of_training.write_outcomes(outcomes, _COLUMNS, json)


def _checkpoint(out: Path, text: str, recipe: str | None) -> tuple[Path, str | None]:
    """Return the checkpoint that a text names (a file, a recipe, or a user's own recipe), and the user's own recipe."""
    from slipway.recipes import is_own, load_recipe

    if text.endswith(".pt"):
        return Path(text), recipe
    path = of_training.checkpoint_path(out, load_recipe(text).name)
    if not path.is_file():
        raise UsageError(f"{text} is not trained: there is no {path}; slipway train {text} --out {out} writes it")
    return path, text if is_own(text) else None


def _export_module(
    source: str,
    inputs: Sequence[str],
    examples: Sequence[str],
    weights: Path | None,
    labels: Path | None,
    name: str,
    export: tuple[Path, str, int, bool],
) -> Any:
    from slipway.recipes import is_recipe_name
    from slipway_export.module import trained_module
    from slipway_export.ports import parse_inputs

    out, formats, opset, force = export
    if not is_recipe_name(name):
        raise UsageError(f"--name {name!r}: a bundle's name is small letters, digits and single dashes; give --name")
    ports = parse_inputs(inputs)
    forms = of_training.check_export(out, [name], formats, force)
    trained = trained_module(
        source,
        ports,
        name=name,
        labels=read_labels(labels) if labels else (),
        examples=read_arrays("--example", examples),
        weights=weights,
    )
    return of_training.export_trained(trained, out, forms, opset, force)


def _name_of(source: str) -> str:
    """Return the bundle's name for ``module:make_tagger``: make-tagger."""
    if ":" not in source:
        raise UsageError(f"{source!r} is not of the form FILE.py:NAME or package.module:NAME, which names a module")
    return source.rpartition(":")[2].lower().replace("_", "-").strip("-")
