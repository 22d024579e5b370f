"""``slipway images``: test images as files a person can look at, read back, predicted, and the result list beside them.

The notes check their MNIST models so: fifty test images are written as pictures, opened again and predicted, and the
answers go to ``res.txt``. Here the files hold the exact pixels (PNG), so the answers must be those of the data set.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from slipway._figures import new_figure, png
from slipway._files import write_atomically
from slipway.cli._console import JsonOption, table, write_result
from slipway.errors import ExitCode, MismatchError, UnavailableError, UsageError
from slipway.signature import ClassOutput, ImageInput

if TYPE_CHECKING:
    from slipway.bundle import Bundle
    from slipway.recipes._recipe import Dataset
    from slipway.runtime import Runnable

EXAMPLES = """[b]Examples[/b]

slipway images artifacts/mnist-cnn --out images

slipway images artifacts/cifar-cnn --count 20 --data path/to/data --out images --runtime onnxruntime
"""

#: Pictures in a row of the sheet.
_ACROSS = 10


def images_verb(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle of an image classifier.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the pictures, res.txt and sheet.png.")],
    count: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="Test images, from the first one on.")
    ] = 50,
    data: Annotated[str, typer.Option(metavar="auto|embedded|PATH", help="Where the data is.")] = "auto",
    runtime: Annotated[str, typer.Option(metavar="NAME", help="native, onnxruntime, torchscript or eager.")] = "native",
    json: JsonOption = None,
) -> int:
    """Write test images as PNG files, read them back, predict them, and list the answers in DIR/res.txt.

    Exit code 3: a file's answer differs from that of the pixels it was written from.
    """
    from slipway.bundle import Bundle
    from slipway.runtime import find_runtime

    opened = Bundle.open(bundle)
    _check_kind(opened)
    dataset = _dataset(opened, data)
    found = find_runtime(runtime)
    reason = found.unavailable()
    if reason is not None:
        raise UnavailableError(f"{found.name}: {reason}")
    raws = [np.asarray(dataset.test.raws[n]) for n in range(min(count, len(dataset.test)))]
    files = _write(out, raws)
    answers = _predict(opened, found.load(opened), files, raws)
    truths = [dataset.labels[int(k)] for k in dataset.test.targets[: len(raws)]]
    rows = [(file.name, *pair) for file, *pair in zip(files, answers, truths, strict=True)]
    lines = "".join("\t".join(row) + "\n" for row in rows)
    write_atomically(out / "res.txt", lines.encode())
    write_atomically(out / "sheet.png", _sheet(raws, answers, truths))
    right = sum(answer == truth for _, answer, truth in rows)
    result = {"bundle": str(bundle), "data": asdict(dataset.source), "right": right, "images": []}
    result["images"] = [{"file": name, "label": answer, "true": truth} for name, answer, truth in rows]
    summary = table(("image", "label", "true"), [*rows, ("right", f"{right} of {len(rows)}", "")])
    write_result(result, json, summary)
    return ExitCode.OK


def _check_kind(bundle: Bundle) -> None:
    ports = bundle.signature.inputs
    classes = any(isinstance(port.spec, ClassOutput) for port in bundle.signature.outputs)
    if len(ports) != 1 or not isinstance(ports[0].spec, ImageInput) or not classes:
        kinds = ", ".join(f"{port.name} ({port.spec.kind})" for port in ports)
        raise UsageError(f"{bundle.path} is no image classifier; its inputs are {kinds}")


def _dataset(bundle: Bundle, data: str) -> Dataset:
    from slipway.recipes import load_builtin
    from slipway.runtime.eager import config_of

    recipe = load_builtin(bundle.recipe)
    dataset = recipe.data(data, config_of(bundle, recipe))
    if dataset.labels != bundle.signature.labels:
        raise UsageError(
            f"{dataset.source.name} has the classes {', '.join(dataset.labels)}, the bundle knows "
            f"{', '.join(bundle.signature.labels)}; name the data that it was trained on with --data"
        )
    return dataset


def _write(out: Path, raws: Sequence[NDArray[np.uint8]]) -> list[Path]:
    from PIL import Image

    files = [out / f"{n}.png" for n in range(len(raws))]
    for file, raw in zip(files, raws, strict=True):
        content = io.BytesIO()
        Image.fromarray(raw).save(content, format="png")
        write_atomically(file, content.getvalue())
    return files


def _predict(
    bundle: Bundle, model: Runnable, files: Sequence[Path], raws: Sequence[NDArray[np.uint8]]
) -> Sequence[str]:
    from slipway.preprocess import decode, encode
    from slipway.readers import read_image

    def labels(items: Sequence[Any]) -> list[str]:
        return decode(bundle.signature, model.run(encode(bundle.signature, items)))

    answers = labels([read_image(file) for file in files])
    for file, answer, other in zip(files, answers, labels(raws), strict=True):
        if answer != other:
            raise MismatchError(f"{file} is read as {answer}, the pixels it was written from as {other}")
    return answers


def _sheet(raws: Sequence[NDArray[np.uint8]], answers: Sequence[str], truths: Sequence[str]) -> bytes:
    """Draw at most a hundred of the pictures with their answers; a wrong one in red, with the truth."""
    shown = list(zip(raws, answers, truths, strict=True))[:100]
    down = -(-len(shown) // _ACROSS)
    figure, grid = new_figure(down, _ACROSS, size=(11, 1.25 * down))
    for axes in grid.flat:
        axes.axis("off")
    for axes, (raw, answer, truth) in zip(grid.flat, shown, strict=False):
        axes.imshow(_shown(raw), cmap="gray", vmin=0, vmax=255)
        said, colour = (answer, "black") if answer == truth else (f"{answer} ({truth})", "red")
        axes.set_title(said, fontsize=7, color=colour, pad=1, parse_math=False)
    return png(figure)


def _shown(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as matplotlib draws it: grey with transparency, [H, W, 2], becomes RGBA."""
    from PIL import Image

    return np.asarray(Image.fromarray(raw).convert("RGBA")) if raw.ndim == 3 and raw.shape[2] == 2 else raw
