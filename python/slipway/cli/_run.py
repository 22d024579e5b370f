"""``slipway run``: a bundle's answer to raw input or to arrays, on any runtime."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from slipway._files import write_atomically
from slipway.cli._answer import Answer, Array, Name, name_of
from slipway.cli._console import show
from slipway.errors import ExitCode, InputError, UnavailableError, UsageError
from slipway.signature import Signature, TableInput

if TYPE_CHECKING:
    from slipway.bundle import Bundle

EXAMPLES = """[b]Examples[/b]

slipway run artifacts/names-gru --text Nakamura --text "O'Neill" --top 3

slipway run artifacts/snli-gru --text "A man sleeps." --text "A person rests."

slipway run artifacts/names-gru   (then one name per line, Ctrl-D ends)

slipway run artifacts/mnist-cnn --image three.png --json

slipway run artifacts/names-gru --input tokens=t.npy --input lengths=n.npy --runtime onnxruntime --output-dir out
"""


def run_verb(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle folder.")],
    inputs: Annotated[list[str] | None, typer.Option("--input", metavar="NAME=FILE.npy", help="An input port.")] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRING", help="A text; may be repeated. Of a model that takes several: in its inputs' order."
        ),
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="An image; may be repeated.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A table of rows.")] = None,
    runtime: Annotated[str, typer.Option(metavar="NAME", help="native, onnxruntime, torchscript or eager.")] = "native",
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to run; nothing falls back.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Threads of the runtime.")] = 1,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="Labels to show per item.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per item, one per line.")] = False,
    output_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Write one .npy per output.")] = None,
) -> int:
    """Run a bundle once, on texts, images, rows of a table, or arrays.

    Without an input option a model of texts answers lines of standard input, one by one; a model that takes several
    texts wants tabs between them.
    """
    from slipway.bundle import Bundle
    from slipway.cli._converse import converse
    from slipway.preprocess import decode, text_inputs
    from slipway.runtime import find_runtime

    opened = Bundle.open(bundle)
    found = find_runtime(runtime, device)
    reason = found.unavailable()
    if reason is not None:
        raise UnavailableError(f"{found.name}: {reason}")
    if not (inputs or text or image or csv or output_dir) and text_inputs(opened.signature):
        converse(opened.signature, found.load(opened, threads).run, top, as_json)
        return ExitCode.OK
    named, arrays = _encode(opened, inputs or [], text or [], image or [], csv)
    outputs = found.load(opened, threads).run(arrays)
    if output_dir is not None:
        for name, array in outputs.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            write_atomically(output_dir / f"{name}.npy", content.getvalue())
    answer = Answer.of(opened.signature, outputs, decode(opened.signature, outputs))
    if as_json:
        for line in answer.as_json(named, top):
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        show(answer.as_text(named, top))
    return ExitCode.OK


def _encode(
    bundle: Bundle, inputs: Sequence[str], texts: Sequence[str], images: Sequence[Path], csv: Path | None
) -> tuple[list[Name] | None, dict[str, Array]]:
    """Return what each item is called (None for arrays) and the model's inputs."""
    from slipway.preprocess import encode, text_items
    from slipway.readers import read_csv, read_image

    given = [name for name, value in _options(inputs, texts, images, csv) if value]
    if len(given) != 1:
        raise UsageError(f"give one of --input, --text, --image, --csv; got {' and '.join(given) or 'none'}")
    if inputs:
        return None, _arrays(inputs)
    _check_kind(bundle.signature, given[0])
    if texts:
        try:
            items = text_items(bundle.signature, texts)
        except InputError as error:
            raise UsageError(f"--text: {error}") from error
        return [name_of(item) for item in items], encode(bundle.signature, items)
    if images:
        return [str(path) for path in images], encode(bundle.signature, [read_image(path) for path in images])
    assert csv is not None
    columns = next(p.spec.columns for p in bundle.signature.inputs if isinstance(p.spec, TableInput))
    rows = read_csv(csv, columns)
    return [f"row {n}" for n in range(1, len(rows) + 1)], encode(bundle.signature, rows)


def _options(*values: object) -> list[tuple[str, object]]:
    return list(zip(("--input", "--text", "--image", "--csv"), values, strict=True))


def _check_kind(signature: Signature, option: str) -> None:
    kinds = [port.spec.kind for port in signature.inputs if port.spec.kind not in ("length", "tensor")]
    wanted = {"--text": "text", "--image": "image", "--csv": "table"}[option]
    if kinds != [wanted] and not (wanted == "text" and set(kinds) == {"text"}):
        takes = ", ".join(f"{port.name} ({port.spec.kind})" for port in signature.inputs)
        raise UsageError(f"{option} does not fit this model; its inputs are {takes}")


def _arrays(inputs: Sequence[str]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for text in inputs:
        name, separator, path = text.partition("=")
        if not separator or not name:
            raise UsageError(f"--input {text!r} is not of the form NAME=FILE.npy")
        try:
            arrays[name] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"cannot read array {path}: {error}") from error
        if not isinstance(arrays[name], np.ndarray):
            raise InputError(f"{path} holds several arrays; give a .npy file")
    return arrays
