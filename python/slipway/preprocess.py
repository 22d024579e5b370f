"""Raw input to tensors and outputs to labels, as ``docs/bundle-format.md`` says; driven by the signature alone.

The C++ readers (``cpp/infer``) do the same bit for bit. Neither knows any recipe; a rule that one of them needs is
a field of the signature. Files are opened by ``slipway.readers``, not here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway._limits import MOST_INPUT_BYTES
from slipway.errors import InputError
from slipway.resize import resize
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
    ImageInput,
    InputPort,
    LengthInput,
    OutputPort,
    SegmentationOutput,
    Signature,
    TableInput,
    TextInput,
    is_time,
)

Array = NDArray[np.generic]

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
#: What Python makes of bytes that are not UTF-8; no text has one.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ASCII_SPACE = re.compile(r"[ \t\n\r\v\f]+")
#: ITU-R 601 weights in 16-bit fixed point, as in Pillow's ``convert("L")``.
_GREY = (19595, 38470, 7471)


def encode(signature: Signature, raws: Sequence[Any]) -> dict[str, Array]:
    """Turn raw items into the model's inputs.

    Args:
        signature: The model's ports.
        raws: One item per batch entry: a text, an image uint8 [H, W] or [H, W, 1 to 4], a row of numbers, or, for a
            model that takes several things, a mapping from port name to one of those (or to an array).

    Returns:
        One new array per input port, in the ports' order, with the ports' dtypes and dims.

    Raises:
        InputError: An item cannot be encoded; the message names port, item, place and what is accepted.
    """
    if len(raws) == 0:
        raise InputError("no input: got 0 items, expected at least 1")
    return {port.name: _encode_port(signature, port, raws) for port in signature.inputs}


def decode(signature: Signature, outputs: Mapping[str, Array]) -> list[str]:
    """Turn outputs into one label per batch item, by the first output port that has labels.

    A model whose outputs are plain tensors has no labels: the result is empty.

    Raises:
        InputError: An output has another shape or type than scores have.
    """
    for port in signature.outputs:
        scores = outputs[port.name]
        if isinstance(port.spec, ClassOutput | BinaryOutput):
            _check_scores(port, port.spec, scores)
        if isinstance(port.spec, ClassOutput):
            return _class_labels(signature.labels, port.spec, scores)
        if isinstance(port.spec, BinaryOutput):
            return _binary_labels(signature.labels, port.spec, scores)
        if isinstance(port.spec, SegmentationOutput):
            return [_label(signature.labels, i) for i in pixel_shares(scores).argmax(axis=-1).tolist()]
    return []


def probabilities(spec: ClassOutput | BinaryOutput | SegmentationOutput, scores: Array) -> NDArray[np.float64] | None:
    """Return probabilities (of a segmentation: shares of the pixels) [N, K], or None for one label per step."""
    if isinstance(spec, SegmentationOutput):
        return pixel_shares(scores)
    if isinstance(spec, BinaryOutput):
        second = _of_second(spec, scores)
        return np.stack((1 - second, second), axis=1)
    values = np.asarray(scores, dtype=np.float64)
    if spec.per_step:
        return None
    if spec.scores == "probabilities":
        return values
    if spec.scores == "log_probabilities":
        return np.exp(values)
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def pixel_shares(scores: Array) -> NDArray[np.float64]:
    """Return the share of the pixels that each class has, [N, K], for scores [N, K, H, W] of a segmentation.

    Raises:
        InputError: The scores have another number of axes, or no pixel.
    """
    if np.ndim(scores) != 4 or 0 in np.shape(scores)[1:]:
        raise InputError(f"scores of a segmentation are [N, K, H, W], got {list(np.shape(scores))}")
    best, classes = np.argmax(scores, axis=1), range(np.shape(scores)[1])
    return np.stack([(best == k).mean(axis=(1, 2)) for k in classes], axis=1)


def token_counts(signature: Signature, raws: Sequence[Any]) -> list[int] | None:
    """Return the number of tokens of each item at the first text port, or None where there is no text."""
    for port in signature.inputs:
        if isinstance(port.spec, TextInput):
            return [len(tokens) for tokens in _tokens(port.name, port.spec, _items(port.name, raws))]
    return None


def text_inputs(signature: Signature) -> list[InputPort]:
    """Return the text ports of a model whose raw items are texts alone, in order; else an empty list."""
    raw = [port for port in signature.inputs if not isinstance(port.spec, LengthInput)]
    return raw if all(isinstance(port.spec, TextInput) for port in raw) else []


def text_items(signature: Signature, texts: Sequence[str]) -> list[Any]:
    """Group texts into raw items: as many at a time as the model has text ports, in the ports' order.

    Raises:
        InputError: The model takes more than texts, or the number of texts is not a multiple.
    """
    ports = text_inputs(signature)
    if not ports or len(texts) % len(ports):
        names = ", ".join(port.name for port in signature.inputs if not isinstance(port.spec, LengthInput))
        at_a_time = f"{len(ports)} texts at a time" if ports else "not texts alone"
        raise InputError(
            f"got {len(texts)} {'text' if len(texts) == 1 else 'texts'}, the model takes {at_a_time}: {names}"
        )
    if len(ports) == 1:
        return list(texts)
    items = (texts[n : n + len(ports)] for n in range(0, len(texts), len(ports)))
    return [{port.name: text for port, text in zip(ports, item, strict=True)} for item in items]


def split_words(text: str, fold: Mapping[str, str], lowercase: bool = False) -> list[str]:
    """Return the words that a text input with unit ``word`` sees: folded, in lower case if asked, split at ASCII space.

    Vocabularies are built with this, so that they hold what is looked up in them.
    """
    return _words(_folded(text, str.maketrans(dict(fold)), lowercase))


def fold_table() -> dict[str, str]:
    """Return the ASCII fold of Latin letters, Latin punctuation and combining marks (``"é" -> "e"``, ``"ß" -> "ss"``).

    Letters that Unicode decomposes (NFKD) to ASCII come from there, the others from the list below; combining marks
    become nothing, so that both spellings of an accented letter give the same text.
    """
    table = {chr(code): "" for code in range(0x0300, 0x0370)}
    for code in [*range(0x00A0, 0x0250), *range(0x1E00, 0x1F00), *range(0x2010, 0x2016), *range(0xFB00, 0xFB07)]:
        plain = "".join(c for c in unicodedata.normalize("NFKD", chr(code)) if not unicodedata.combining(c))
        if plain and plain.isascii():
            table[chr(code)] = plain
    return table | _UNDECOMPOSED


#: Latin letters and marks without an ASCII decomposition, by the usual transliteration of their languages.
_UNDECOMPOSED = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "ħ": "h", "Ħ": "H", "ı": "i", "ŋ": "ng", "Ŋ": "Ng",
    "ŧ": "t", "Ŧ": "T", "ə": "a", "Ə": "A", "ĸ": "k", "ƒ": "f",
    "‘": "'", "’": "'", "ʼ": "'", "ʻ": "'", "´": "'", "“": '"', "”": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-",
}  # fmt: skip


def _encode_port(signature: Signature, port: InputPort, raws: Sequence[Any]) -> Array:
    spec = port.spec
    if isinstance(spec, LengthInput):
        source = next(p for p in signature.inputs if p.name == spec.of)
        if not isinstance(source.spec, TextInput):
            return np.array([np.shape(item)[_time(source)] for item in _items(source.name, raws)], dtype=port.dtype)
        tokens = _tokens(source.name, source.spec, _items(source.name, raws))
        return np.array([len(t) for t in tokens], dtype=port.dtype)
    items = _items(port.name, raws)
    if isinstance(spec, TextInput):
        return _encode_text(port, spec, items)
    if isinstance(spec, ImageInput):
        return _encode_images(port.name, spec, items)
    if isinstance(spec, TableInput):
        return _encode_table(port, spec, items)
    return _stack(port, items)


def _items(port: str, raws: Sequence[Any]) -> Sequence[Any]:
    """Pick the port's part of items that hold several things."""
    if not isinstance(raws[0], Mapping):
        return raws
    missing = next((n for n, raw in enumerate(raws) if port not in raw), None)
    if missing is not None:
        raise InputError(f'item {missing} has nothing for input "{port}"; it has {sorted(raws[missing])}')
    return [raw[port] for raw in raws]


# --- text -----------------------------------------------------------------------------------------------------------


def _encode_text(port: InputPort, spec: TextInput, texts: Sequence[str]) -> Array:
    tokens = _tokens(port.name, spec, texts)
    longest = max(len(t) for t in tokens)
    _check_bytes(port.name, (len(tokens), longest, spec.limit if spec.one_hot else 1), np.dtype(port.dtype).itemsize)
    if spec.one_hot:
        array: Array = np.zeros((len(tokens), longest, spec.limit), dtype=port.dtype)
        for n, numbers in enumerate(tokens):
            array[n, np.arange(len(numbers)), numbers] = 1
    else:
        array = np.full((len(tokens), longest), spec.pad, dtype=port.dtype)
        for n, numbers in enumerate(tokens):
            array[n, : len(numbers)] = numbers
    time = next(axis for axis, dim in enumerate(port.dims) if is_time(dim))
    time_first = time < port.dims.index("N")
    return np.ascontiguousarray(array.swapaxes(0, 1)) if time_first else array


def _check_bytes(port: str, shape: tuple[int, ...], element_bytes: int) -> None:
    """Refuse what a description of a stranger would make too large, before there is memory for it."""
    size = prod(shape) * element_bytes
    if size > MOST_INPUT_BYTES:
        told = f"{list(shape)} and {size} bytes"
        raise InputError(f'input "{port}" would have shape {told}, the limit is {MOST_INPUT_BYTES}')


def _tokens(port: str, spec: TextInput, texts: Sequence[str]) -> list[list[int]]:
    fold = str.maketrans(dict(spec.fold))
    places = None if spec.vocabulary is None else {token: i for i, token in enumerate(spec.vocabulary)}
    return [_tokenize(port, spec, fold, places, n, text) for n, text in enumerate(texts)]


def _folded(text: str, fold: Mapping[int, Any], lowercase: bool) -> str:
    folded = text.translate(fold)
    return folded.translate(_ASCII_LOWER) if lowercase else folded


def _words(folded: str) -> list[str]:
    return [word for word in _ASCII_SPACE.split(folded) if word]


def _tokenize(
    port: str, spec: TextInput, fold: Mapping[int, Any], places: Mapping[str, int] | None, item: int, text: object
) -> list[int]:
    if not isinstance(text, str):
        raise InputError(f'input "{port}", item {item}: got {type(text).__name__}, expected a text')
    if wrong := _SURROGATE.search(text):
        raise InputError(f'input "{port}", item {item}: {text!r} is not valid UTF-8 at character {wrong.start() + 1}')
    folded = _folded(text, fold, spec.lowercase)
    units = list(folded) if spec.unit == "character" else _words(folded)
    if not units:
        raise InputError(f'input "{port}", item {item}: the text {text!r} is empty; give at least one {spec.unit}')
    if places is None:
        numbers = [ord(unit) for unit in units] if spec.unit == "character" else [-1] * len(units)
    else:
        numbers = [places.get(unit, -1) for unit in units]
    for place, number in enumerate(numbers):
        if not 0 <= number < spec.limit:
            if spec.unknown is None:
                raise InputError(_unknown_token(port, spec, item, text, place, units[place]))
            numbers[place] = spec.unknown
    return numbers


def _unknown_token(port: str, spec: TextInput, item: int, text: str, place: int, unit: str) -> str:
    code = f" (U+{ord(unit):04X})" if spec.unit == "character" else ""
    if spec.vocabulary is None:
        accepted = f"code points below {spec.limit}"
    elif len(spec.vocabulary) <= 32:
        accepted = " ".join(spec.vocabulary)
    else:
        accepted = f"the {len(spec.vocabulary)} entries of the vocabulary"
    folds = f", and {len(spec.fold)} characters that are folded to those" if spec.fold else ""
    where = f'input "{port}", item {item} {text!r}'
    return f"{where}: {spec.unit} {unit!r}{code} at place {place + 1} is unknown; accepted are {accepted}{folds}"


# --- images, tables, arrays -----------------------------------------------------------------------------------------


def _encode_images(port: str, spec: ImageInput, images: Sequence[Any]) -> Array:
    planes = [_planes(port, spec, n, image) for n, image in enumerate(images)]
    sizes = sorted({p.shape[1:] for p in planes})
    if len(sizes) > 1:
        raise InputError(f'input "{port}": one batch holds images of one size, got {sizes}; run them one by one')
    _check_bytes(port, (len(planes), *planes[0].shape), 4)
    pixels = np.stack(planes)
    levels = np.arange(256, dtype=np.float64) / 255
    out = np.empty(pixels.shape, dtype=np.float32)
    for c in range(spec.channels):
        lookup = ((levels - spec.mean[c]) / spec.std[c]).astype(np.float32)
        out[:, c] = lookup[pixels[:, c]]
    return out


def _planes(port: str, spec: ImageInput, item: int, image: Any) -> NDArray[np.uint8]:
    """Return uint8 [channels, height, width]."""
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or array.size == 0:
        got = f"{array.dtype} {list(np.shape(image))}"
        raise InputError(f'input "{port}", item {item}: got {got}, expected an image, uint8 [H, W] or [H, W, 1 to 4]')
    colour = _over_black(array)
    if spec.channels == 1 and colour.shape[2] == 3:
        weighted = sum(w * colour[:, :, c].astype(np.int64) for c, w in enumerate(_GREY))
        colour = ((np.asarray(weighted) + 32768) >> 16).astype(np.uint8)[:, :, None]
    planes = np.repeat(colour, spec.channels // colour.shape[2], axis=2).transpose(2, 0, 1)
    height, width = spec.height or planes.shape[1], spec.width or planes.shape[2]
    return np.stack([resize(plane, height, width) for plane in planes])


def _over_black(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compose alpha (the second or fourth channel) over black, ``(value * alpha + 127) / 255`` rounded down."""
    if array.shape[2] in (1, 3):
        return array
    alpha = array[:, :, -1:].astype(np.int64)
    return ((array[:, :, :-1] * alpha + 127) // 255).astype(np.uint8)


def _encode_table(port: InputPort, spec: TableInput, rows: Sequence[Any]) -> Array:
    expected = port.dims[-1]
    for n, row in enumerate(rows):
        if np.ndim(row) != 1 or len(row) != expected:
            got = f"{len(row)} numbers" if np.ndim(row) == 1 else f"shape {list(np.shape(row))}"
            raise InputError(f'input "{port.name}", row {n}: got {got}, expected {expected}')
    values = np.asarray(rows, dtype=np.float64)
    if spec.mean:
        values = (values - np.asarray(spec.mean, dtype=np.float64)) / np.asarray(spec.std, dtype=np.float64)
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _stack(port: InputPort, items: Sequence[Any]) -> Array:
    arrays = [np.asarray(item, dtype=port.dtype) for item in items]
    if any(map(is_time, port.dims)):
        arrays = _padded(arrays, _time(port))
    shapes = sorted({a.shape for a in arrays})
    if len(shapes) > 1:
        raise InputError(f'input "{port.name}": one batch holds arrays of one shape, got {shapes}')
    return np.stack(arrays, axis=port.dims.index("N"))


def _time(port: InputPort) -> int:
    """Return the axis of time in one item of a port that has one."""
    dims = [dim for dim in port.dims if dim != "N"]
    return next(axis for axis, dim in enumerate(dims) if is_time(dim))


def _padded(arrays: Sequence[Array], axis: int) -> list[Array]:
    """Fill sequences with zeros to the longest one."""
    longest = max(a.shape[axis] for a in arrays)
    return [np.pad(a, [(0, (longest - a.shape[axis]) * (at == axis)) for at in range(a.ndim)]) for a in arrays]


# --- labels ---------------------------------------------------------------------------------------------------------


def _check_scores(port: OutputPort, spec: ClassOutput | BinaryOutput, scores: Array) -> None:
    if isinstance(spec, BinaryOutput):
        expected, fits = "[N, 1]", scores.ndim > 0 and scores.size == len(scores)
    else:
        expected, rank = ("[T, N, K]", 3) if spec.per_step else ("[N, K]", 2)
        fits = scores.ndim == rank and scores.shape[-1] > 0
    if not fits or not np.issubdtype(scores.dtype, np.floating):
        got = f"{scores.dtype} {list(scores.shape)}"
        raise InputError(f'output "{port.name}": got {got}, its labels need float {expected}')


def _class_labels(labels: Sequence[str], spec: ClassOutput, scores: Array) -> list[str]:
    best = np.argmax(scores, axis=-1)
    if not spec.per_step:
        return [_label(labels, i) for i in best.tolist()]
    return [spec.join.join(_label(labels, i) for i in item) for item in best.T.tolist()]


def _binary_labels(labels: Sequence[str], spec: BinaryOutput, scores: Array) -> list[str]:
    return [_label(labels, int(value > spec.threshold)) for value in _of_second(spec, scores)]


def _of_second(spec: BinaryOutput, scores: Array) -> NDArray[np.float64]:
    """Return the probability of the second label, [N]."""
    values = np.asarray(scores, dtype=np.float64).ravel()
    if spec.scores == "probabilities":
        return values
    with np.errstate(over="ignore"):  # exp of what is too large gives 0, as it should
        return np.asarray(1.0 / (1.0 + np.exp(-values)))


def _label(labels: Sequence[str], index: int) -> str:
    return labels[index] if index < len(labels) else str(index)
