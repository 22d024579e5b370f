"""``slipway run``: a bundle's answer to raw input or to arrays, on any runtime."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.table import Table

from slipway._files import write_atomically
from slipway.cli._console import show, table
from slipway.errors import ExitCode, InputError, UnavailableError, UsageError
from slipway.signature import BinaryOutput, ClassOutput, SegmentationOutput, Signature, TableInput

if TYPE_CHECKING:
    from slipway.bundle import Bundle

Array = NDArray[np.generic]

#: What an item is called: a text, a file, a row; the list of its texts where there are several.
Name = str | list[str]

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


@dataclass(frozen=True)
class Answer:
    """A model's outputs, their labels, and probabilities [N, K] where one label stands for the whole item."""

    signature: Signature
    outputs: Mapping[str, Array]
    labels: Sequence[str]
    probabilities: NDArray[np.float64] | None

    @staticmethod
    def of(signature: Signature, outputs: Mapping[str, Array], labels: Sequence[str]) -> Answer:
        """Take the probabilities from the first output that has labels."""
        for port in signature.outputs:
            if isinstance(port.spec, ClassOutput | BinaryOutput | SegmentationOutput):
                return Answer(signature, outputs, labels, _probabilities(port.spec, outputs[port.name]))
        return Answer(signature, outputs, labels, None)

    def as_json(self, named: Sequence[Name] | None, top: int) -> list[dict[str, Any]]:
        """Return one object per item, as ``slipway-infer --json`` prints them."""
        items = []
        for n in range(self._count()):
            outputs = {p.name: np.take(self.outputs[p.name], n, _axis(p.dims)).tolist() for p in self.signature.outputs}
            label = self.labels[n] if self.labels else None
            item = n if named is None else named[n]
            items.append({"input": item, "outputs": outputs, "label": label, "top": self._top(n, top)})
        return items

    def as_text(self, named: Sequence[Name] | None, top: int) -> Table | str:
        """Return a table of labels and probabilities, or the arrays of a model without labels."""
        if not self.labels:
            return "\n".join(
                f"{name} {array.dtype} {list(array.shape)}\n{array}" for name, array in self.outputs.items()
            )
        rows: list[tuple[object, ...]] = []
        for n, label in enumerate(self.labels):
            best = self._top(n, top) or [{"label": label, "probability": None}]
            rows += [((shown(named[n]) if named else n) if k == 0 else "", *b.values()) for k, b in enumerate(best)]
        return table(("input", "label", "probability"), rows)

    def _top(self, n: int, top: int) -> list[dict[str, Any]]:
        if self.probabilities is None:
            return []
        row = self.probabilities[n]
        order = np.argsort(-row, kind="stable")[:top]
        names = self.signature.labels
        label = [names[i] if i < len(names) else str(i) for i in range(len(row))]
        return [{"label": label[i], "probability": float(row[i])} for i in order]

    def _count(self) -> int:
        port = self.signature.outputs[0]
        return int(self.outputs[port.name].shape[_axis(port.dims)])


def name_of(item: str | Mapping[str, str]) -> Name:
    """Return what an item of texts is called: itself, or the list of its texts."""
    return item if isinstance(item, str) else list(item.values())


def shown(name: Name) -> str:
    """Return an item's name for people."""
    return name if isinstance(name, str) else " | ".join(name)


def _axis(dims: Sequence[int | str]) -> int:
    return dims.index("N") if "N" in dims else 0


def _probabilities(spec: ClassOutput | BinaryOutput | SegmentationOutput, scores: Array) -> NDArray[np.float64] | None:
    """Return probabilities (of a segmentation: shares of the pixels) [N, K], or None for one label per step."""
    if isinstance(spec, SegmentationOutput):
        from slipway.preprocess import pixel_shares

        return pixel_shares(scores)
    values = np.asarray(scores, dtype=np.float64)
    if isinstance(spec, BinaryOutput):
        second = values.reshape(len(values)) if spec.scores == "probabilities" else 1 / (1 + np.exp(-values.ravel()))
        return np.stack((1 - second, second), axis=1)
    if spec.per_step:
        return None
    if spec.scores == "probabilities":
        return values
    if spec.scores == "log_probabilities":
        return np.exp(values)
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


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
