"""Does one sentence follow from another: SNLI (the subset, or the whole corpus), or generated pairs of sentences.

S. R. Bowman, G. Angeli, C. Potts, C. D. Manning, "A large annotated corpus for learning natural language inference",
EMNLP 2015; CC BY-SA 4.0. Layout of a data folder, the first that is there: ``snli_1.0/snli_1.0_train.jsonl`` and
``snli_1.0/snli_1.0_test.jsonl`` (the publisher's corpus), else ``snli_subset/train.jsonl`` and
``snli_subset/test.jsonl``; the folder itself may be given too. One JSON object a line with ``gold_label``,
``sentence1_binary_parse`` and ``sentence2_binary_parse``; pairs labelled ``-`` (the annotators did not agree) are left
out. Nothing is downloaded: the publisher offers one archive of 95 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from slipway._json import read_json
from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import Place, find, open_text
from slipway.data._snli_pairs import generated_pairs
from slipway.data._vocabulary import APART, vocabulary
from slipway.errors import DataError

#: A premise and a hypothesis as bracketed binary parses, and the place of their label.
Pair = tuple[str, str, int]

LABELS = ("entailment", "neutral", "contradiction")

#: Folder, training file, test file; "" is the given folder itself.
_LAYOUTS = [
    (folder, f"{prefix}train.jsonl", f"{prefix}test.jsonl")
    for prefix, folders in (("snli_1.0_", ("snli_1.0", "")), ("", ("snli_subset", "")))
    for folder in folders
]


def load(request: str, form: Literal["words", "parse"] = "words", least: int = 2) -> Dataset:
    """Load pairs of sentences.

    Raw items are mappings ``{"premise": text, "hypothesis": text}``. In the form ``words`` a text is the sentence's
    tokens joined by spaces; in the form ``parse`` it is the binary parse, ``( ( Two women ) ( are ... ) )``, brackets
    and tokens apart. Targets are int64 [rows], the place in ``LABELS``.

    ``facts``: ``vocabulary`` (lower case, words that occur ``least`` times in the training pairs), ``unknown`` (the
    place of the token for all other words) and ``fold`` (sets punctuation apart, so that a typed sentence has the
    corpus's tokens; empty for a parse, whose leaves stay whole). The first two tokens of the vocabulary of a parse are
    ``(`` and ``)``, so that padding by 0 is an opening bracket.

    Raises:
        DataError: The data is not where ``request`` says, or a row is not a labelled pair of parses.
    """
    place = find(request, "snli", lambda folder: _files(folder) is not None)
    files = None if place.folder is None else _files(place.folder)
    if files is None:
        train, test, source = _embedded(place)
    else:
        train, test = _read(files[0]), _read(files[1])
        if len(train) < 2:
            raise DataError(f"{files[0]}: got 1 labelled pair to learn from, expected at least 2")
        name = "SNLI 1.0" if files[0].name.startswith("snli_1.0") else "SNLI 1.0, a subset (see the folder's README)"
        source = Source("path", name, str(files[0].parent), "CC BY-SA 4.0", {})
    first, fold = (("(", ")"), {}) if form == "parse" else ((), dict(APART))
    splits = _split(train, form), _split(test, form)
    texts = (raw[side] for raw in splits[0].raws for side in ("premise", "hypothesis"))
    facts = {"vocabulary": vocabulary(texts, least, first, fold), "unknown": len(first), "fold": fold}
    return Dataset(*splits, LABELS, replace(source, rows={"train": len(train), "test": len(test)}), facts)


def words_of(parse: str) -> str:
    """Return a parse's tokens without its brackets, joined by spaces."""
    return " ".join(token for token in parse.split() if token not in ("(", ")"))


def _files(folder: Path) -> tuple[Path, Path] | None:
    layouts = ((folder / room / train, folder / room / test) for room, train, test in _LAYOUTS)
    return next((files for files in layouts if all(file.is_file() for file in files)), None)


def _read(path: Path) -> list[Pair]:
    try:
        with open_text(path) as file:
            pairs = list(_pairs(path, file))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not pairs:
        raise DataError(f"{path} has no labelled pairs")
    return pairs


def _pairs(path: Path, lines: Iterator[str] | Sequence[str]) -> Iterator[Pair]:
    for number, line in enumerate(lines, 1):
        try:
            row = read_json(line)
            label, premise, hypothesis = (row[f"{k}"] for k in ("gold_label", *_PARSES))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no object with gold_label, {', '.join(_PARSES)}") from error
        if label == "-":
            continue
        if label not in LABELS or not all(isinstance(p, str) and words_of(p) for p in (premise, hypothesis)):
            raise DataError(f"{path}, line {number}: got label {label!r}; expected two parses and one of {LABELS} or -")
        yield premise, hypothesis, LABELS.index(label)


_PARSES = ("sentence1_binary_parse", "sentence2_binary_parse")


def _split(pairs: Sequence[Pair], form: Literal["words", "parse"]) -> Split:
    text = words_of if form == "words" else str
    raws = [{"premise": text(premise), "hypothesis": text(hypothesis)} for premise, hypothesis, _ in pairs]
    return Split(raws, torch.tensor([label for *_, label in pairs]))


def _embedded(place: Place) -> tuple[list[Pair], list[Pair], Source]:
    train, test = ([(p, h, LABELS.index(label)) for p, h, label in pairs] for pairs in generated_pairs())
    name = "synthetic pairs of sentences by a seeded grammar (not SNLI)"
    return train, test, Source("embedded", name, "slipway", "as slipway", {}, place.reason)
