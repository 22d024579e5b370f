"""``slipway run``: a model's answer to raw input or to arrays, on any runtime."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from slipway._files import write_atomically
from slipway._limits import MOST_THREADS
from slipway.cli import _complete as complete
from slipway.cli._answer import Answer, Array, Name, name_of
from slipway.cli._arrays import read_arrays
from slipway.cli._console import checked_folder, json_text, show, write_out
from slipway.errors import ExitCode, InputError, UnavailableError, UsageError
from slipway.signature import Signature, TableInput

if TYPE_CHECKING:
    from slipway.runtime import Runtime

EXAMPLES = """[b]Examples[/b]

slipway run artifacts/names-gru --text Nakamura --text "O'Neill" --top 3

slipway run artifacts/snli-gru --text "A man sleeps." --text "A person rests."

slipway run artifacts/names-gru   (then one name per line, Ctrl-D ends)

slipway run artifacts/mnist-cnn --image three.png --json

slipway run artifacts/names-gru --input tokens=t.npy --input lengths=n.npy --runtime onnxruntime --output-dir out

slipway run any.onnx --input x=x.npy --output-dir out

slipway run any.onnx --random --seed 3 --shapes x:16x3x32x32 --json
"""

#: As slipway-infer has it.
_SEEDS = 2**63 - 1
_PRECISIONS = ("fp32", "bf16", "int8", "tf32")


@dataclass(frozen=True)
class _Given:
    """What the command line gives as input."""

    inputs: Sequence[str]
    texts: Sequence[str]
    images: Sequence[Path]
    tables: Sequence[Path]
    random: bool
    seed: int
    shapes: str | None

    def options(self) -> list[str]:
        """Return the options that give an input."""
        values = (self.inputs, self.texts, self.images, self.tables, self.random)
        return [n for n, v in zip(("--input", "--text", "--image", "--csv", "--random"), values, strict=True) if v]


def run_verb(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE|MODEL.onnx", autocompletion=complete.models, help="A bundle folder, or any ONNX file."
        ),
    ],
    inputs: Annotated[list[str] | None, typer.Option("--input", metavar="NAME=FILE.npy", help="An input port.")] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRING", help="A text; may be repeated. Of a model that takes several: in its inputs' order."
        ),
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="An image; may be repeated.")] = None,
    csv: Annotated[
        list[Path] | None, typer.Option("--csv", metavar="FILE", help="A table of rows; may be repeated.")
    ] = None,
    random: Annotated[bool, typer.Option("--random", help="Inputs drawn at random; see --seed and --shapes.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=_SEEDS, metavar="N", help="Seed of --random.")] = 0,
    shapes: Annotated[
        str | None, typer.Option(metavar="NAME:AxB,...", help="Shapes of --random; what varies is else 1, time 16.")
    ] = None,
    runtime: Annotated[
        str,
        typer.Option(
            metavar="NAME", autocompletion=complete.one_runtime, help="native, onnxruntime, torchscript or eager."
        ),
    ] = "native",
    device: Annotated[
        str,
        typer.Option(
            metavar="cpu|cuda", autocompletion=complete.words("cpu", "cuda"), help="Where to run; nothing falls back."
        ),
    ] = "cpu",
    threads: Annotated[int, typer.Option(min=1, max=MOST_THREADS, metavar="N", help="Threads of the runtime.")] = 1,
    precision: Annotated[
        str,
        typer.Option(
            metavar="|".join(_PRECISIONS),
            autocompletion=complete.words(*_PRECISIONS),
            help="For native: bf16, int8 of the weights, tf32 of products on a CUDA device; less exact, some faster.",
        ),
    ] = "fp32",
    max_memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="For native: bytes that the model may take, 512M for example.")
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="For native: steps that a loop of the model may take.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:NAME", help="For eager: the recipe or module of a bundle that your file made."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="Labels to show per item.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per item, one per line.")] = False,
    output_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", callback=checked_folder, help="Write one .npy per output.")
    ] = None,
) -> int:
    """Run a model once, on texts, images, rows of a table, arrays, or random numbers.

    Without an input option a model of texts answers lines of standard input, one by one; a model that takes several
    texts wants tabs between them.
    """
    from slipway.cli._converse import converse
    from slipway.preprocess import decode, text_inputs

    given = _Given(inputs or [], text or [], image or [], csv or [], random, seed, shapes)
    signature, run = _load(model, _bounded(_chosen(runtime, device, precision), max_memory, max_steps), threads, recipe)
    if shapes is not None and not random:
        raise UsageError("--shapes goes with --random: other inputs have their own shapes")
    if not (given.options() or output_dir) and text_inputs(signature):
        converse(signature, run, top, as_json)
        return ExitCode.OK
    named, arrays = _encode(signature, given)
    outputs = run(arrays)
    answer = Answer.of(signature, arrays, outputs, decode(signature, outputs))
    try:
        if as_json:
            for line in answer.as_json(named, top):
                write_out(json_text(line) + "\n")
        else:
            show(answer.as_text(named, top))
    finally:  # who no longer reads stdout still gets the files
        if output_dir is not None:
            _write_outputs(output_dir, outputs)
    return ExitCode.OK


def _chosen(name: str, device: str, precision: str) -> Runtime:
    from slipway.runtime import Native, find_runtime

    if re.fullmatch(r"cuda:0*[1-9]\d*", device):
        raise UsageError(f"--device {device}: run takes the first device; CUDA_VISIBLE_DEVICES makes another first")
    if precision not in _PRECISIONS:
        raise UsageError(f"--precision: got {precision!r}, expected {', '.join(_PRECISIONS)}")
    found = find_runtime(name, device)
    if isinstance(found, Native):
        return replace(found, precision=precision)
    if precision != "fp32":
        raise UnavailableError(f"--precision {precision} is not available for {found.name}; use fp32, or native")
    return found


def _bounded(found: Runtime, memory: str | None, steps: int | None) -> Runtime:
    from slipway.runtime import Native

    if memory is None and steps is None:
        return found
    if not isinstance(found, Native):
        raise UnavailableError(f"--max-memory and --max-steps are not available for {found.name}; use native")
    return replace(found, max_memory=None if memory is None else _bytes_of(memory), max_steps=steps)


def _bytes_of(text: str) -> int:
    """Read ``1048576``, ``512M`` or ``4G``: units are powers of 1024."""
    found = re.fullmatch(r"([1-9][0-9]{0,18})([KMG]?)", text)
    size = int(found[1]) << 10 * " KMG".index(found[2] or " ") if found else 0
    if not 0 < size < 2**63:
        raise UsageError(f"--max-memory: got {text!r}, expected bytes, as in 1048576, 512M or 4G")
    return size


def _load(path: Path, found: Runtime, threads: int, recipe: str | None) -> tuple[Signature, Any]:
    """Return a model's ports and what runs it: a bundle on any runtime, an ONNX file on those that read it."""
    from slipway._onnx_file import OnnxFile
    from slipway.bundle import Bundle
    from slipway.runtime import Eager, Native, Ort

    if recipe is not None and found.name != "eager":
        raise UsageError(f"--recipe goes with --runtime eager: {found.name} runs no Python code")
    if path.is_dir():
        bundle = Bundle.open(path)
        if recipe is not None:
            from slipway.recipes._module import recipe_of_bundle

            found = Eager(recipe_of_bundle(recipe, bundle))
        _require(found)
        return bundle.signature, found.load(bundle, threads).run
    file = OnnxFile.open(path)
    if not isinstance(found, Native | Ort):
        raise UsageError(f"{path} is an ONNX file, which native and onnxruntime run; {found.name} needs a bundle")
    _require(found)
    return file.signature, found.load(file, threads).run


def _require(found: Runtime) -> None:
    reason = found.unavailable()
    if reason is not None:
        raise UnavailableError(f"{found.name}: {reason}")


def _encode(signature: Signature, given: _Given) -> tuple[list[Name] | None, dict[str, Array]]:
    """Return what each item is called (None for arrays) and the model's inputs."""
    from slipway.cli._inspect import parse_shapes
    from slipway.cli._random import random_arrays
    from slipway.preprocess import encode, text_items
    from slipway.readers import read_csv, read_image

    options = given.options()
    if len(options) != 1:
        raise UsageError(
            f"give one of --input, --text, --image, --csv, --random; got {' and '.join(options) or 'none'}"
        )
    if given.inputs:
        return None, read_arrays("--input", given.inputs)
    if given.random:
        return None, random_arrays(
            signature, parse_shapes(given.shapes) if given.shapes is not None else {}, given.seed
        )
    _check_kind(signature, options[0])
    if given.texts:
        try:
            items = text_items(signature, given.texts)
        except InputError as error:
            raise UsageError(f"--text: {error}") from error
        return [name_of(item) for item in items], encode(signature, items)
    if given.images:
        return [str(path) for path in given.images], encode(signature, [read_image(path) for path in given.images])
    columns = next(p.spec.columns for p in signature.inputs if isinstance(p.spec, TableInput))
    tables = [(f"{path}, " if len(given.tables) > 1 else "", read_csv(path, columns)) for path in given.tables]
    named: list[Name] = [f"{table}row {n}" for table, rows in tables for n in range(1, len(rows) + 1)]
    return named, encode(signature, [row for _, rows in tables for row in rows])


def _check_kind(signature: Signature, option: str) -> None:
    kinds = [port.spec.kind for port in signature.inputs if port.spec.kind not in ("length", "tensor")]
    wanted = {"--text": "text", "--image": "image", "--csv": "table"}[option]
    if kinds != [wanted] and not (wanted == "text" and set(kinds) == {"text"}):
        takes = ", ".join(f"{port.name} ({port.spec.kind})" for port in signature.inputs)
        raise UsageError(f"{option} does not fit this model; its inputs are {takes}")


def _write_outputs(folder: Path, outputs: Mapping[str, Array]) -> None:
    """Write one file per output; a name that comes from a foreign file cannot lead out of the folder."""
    files = {name: f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:200]}.npy" for name in outputs}
    files = {name: f"_{file}" if file[0] in ".-" else file for name, file in files.items()}
    if len(set(files.values())) < len(files):
        raise InputError(f"outputs {', '.join(outputs)} would be written to files of the same name; none is written")
    for name, array in outputs.items():
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        write_atomically(folder / files[name], content.getvalue())
