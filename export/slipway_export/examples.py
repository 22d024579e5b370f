"""A few items as a person sees them, with what the model says of them: the goldens, for the report's page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway import _html
from slipway._ranking import ranking
from slipway.bundle import Bundle, Golden
from slipway.preprocess import probabilities
from slipway.signature import BinaryOutput, ClassOutput, SegmentationOutput, Signature, TableInput
from slipway_export.goldens import read_raw

#: Classes named for each item.
_TOP = 3
#: Least probability that is shown beside the largest.
_SHOWN = 0.001
#: Columns of a table shown at most, and items.
_COLUMNS, _ITEMS = 5, 8
#: An image of fewer rows is shown larger, pixel by pixel.
_SMALL = 64
#: Colours of a segmentation's classes, over and over again; the first class keeps the image as it is.
_COLOURS = np.array([(230, 60, 60), (40, 140, 240), (250, 190, 40), (60, 180, 90), (160, 80, 200), (20, 190, 190)])
_OPACITY = 0.5


def show_examples(bundle: Bundle) -> str:
    """Return the last golden, the largest, as HTML: images, texts or rows, each with eager PyTorch's answer."""
    golden = bundle.goldens[-1]
    answers = _answers(bundle.signature, golden)
    raw = golden.raw or {} if answers else {}
    if "images" in raw:
        return _images(bundle, golden, answers)
    if "texts" in raw:
        items = [text if isinstance(text, str) else " | ".join(text) for text in raw["texts"]]
        return _html.table(("text", "answer"), list(zip(items, answers, strict=True))[:_ITEMS])
    if "csv" in raw:
        return _rows(bundle, golden, answers)
    shapes = {name: f"{array.dtype} {list(array.shape)}" for name, array in golden.inputs.items()}
    return _html.facts(shapes)


def _images(bundle: Bundle, golden: Golden, answers: Sequence[str]) -> str:
    pixels = read_raw(bundle, golden)
    classes = _classes_of_pixels(bundle.signature, golden)
    figures = []
    for n, (image, answer) in enumerate(zip(pixels, answers, strict=True)):
        small = image.shape[0] < _SMALL
        figures.append(_html.picture(_png(image), answer.replace(", ", "\n"), small=small))
        if classes is not None:
            found = np.unique(classes[n][classes[n] > 0]).tolist()
            told = ", ".join(_name(bundle.signature, k) for k in found) or "nothing"
            figures.append(_html.picture(_png(_overlay(image, classes[n])), f"coloured: {told}", small=small))
    return f'<div class="gallery">{"".join(figures)}</div>'


def _rows(bundle: Bundle, golden: Golden, answers: Sequence[str]) -> str:
    rows = read_raw(bundle, golden)
    spec = next(port.spec for port in bundle.signature.inputs if isinstance(port.spec, TableInput))
    names = list(spec.columns) or [f"x{i}" for i in range(len(rows[0]))]
    shown = [[answer, *row[:_COLUMNS]] for row, answer in zip(rows, answers, strict=True)]
    hidden = len(names) - _COLUMNS
    note = f'<p class="note">{hidden} more columns are not shown.</p>' if hidden > 0 else ""
    return _html.table(("answer", *names[:_COLUMNS]), shown) + note


def _answers(signature: Signature, golden: Golden) -> list[str]:
    """Return a line per item: its label with probabilities, or an output's first numbers; none without a batch."""
    for port in signature.outputs:
        if isinstance(port.spec, ClassOutput | BinaryOutput | SegmentationOutput):
            scores = golden.outputs[port.name]
            found = probabilities(port.spec, scores)
            if found is None:
                return list(golden.labels)
            return list(_best(signature, found, ranking(port.spec, scores, found)))
    for port in signature.outputs:
        if "N" in port.dims:
            items = np.moveaxis(golden.outputs[port.name], port.dims.index("N"), 0)
            return [", ".join(map(_html.number, item.ravel()[:_TOP].tolist())) for item in items]
    return []


def _best(signature: Signature, found: NDArray[np.float64], order: NDArray[np.int64]) -> Iterator[str]:
    for row, places in zip(found, order, strict=True):
        first, *others = places[:_TOP].tolist()
        named = [first, *(k for k in others if row[k] >= _SHOWN)]
        yield ", ".join(f"{_name(signature, k)} {row[k]:.1%}" for k in named)


def _name(signature: Signature, k: int) -> str:
    return signature.labels[k] if k < len(signature.labels) else str(k)


def _classes_of_pixels(signature: Signature, golden: Golden) -> NDArray[np.int64] | None:
    for port in signature.outputs:
        if isinstance(port.spec, SegmentationOutput):
            return np.asarray(np.argmax(golden.outputs[port.name], axis=1))
    return None


def _overlay(image: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the image [H, W, 3] with every pixel of another class than the first coloured; classes are [H, W]."""
    from PIL import Image

    colour = np.asarray(Image.fromarray(image).convert("RGB"))
    (height, width), (rows, columns) = image.shape[:2], classes.shape
    chosen = classes[np.ix_(np.arange(height) * rows // height, np.arange(width) * columns // width)]
    mixed = colour * (1 - _OPACITY) + _COLOURS[(chosen - 1) % len(_COLOURS)] * _OPACITY
    return np.where(chosen[:, :, None] == 0, colour, mixed).astype(np.uint8)


def _png(pixels: Any) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(content, format="PNG")
    return content.getvalue()
