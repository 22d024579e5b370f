"""Questions and what kind of answer they ask for: TREC (6 coarse or 50 fine classes), or generated questions.

X. Li, D. Roth, "Learning Question Classifiers", COLING 2002; no licence stated, distributed for research. Layout of a
data folder: ``trec/train_5500.label`` and ``trec/TREC_10.label`` (the folder itself may be given too), lines
``COARSE:fine question text`` in Latin-1, tokens separated by spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from slipway.data._dataset import Dataset, Source, Split
from slipway.data._questions import generated_questions
from slipway.data._root import Place, Remote, find, open_text
from slipway.data._vocabulary import APART, vocabulary
from slipway.errors import DataError

#: A question and its class, "HUM:ind".
Row = tuple[str, str]

_LINE = re.compile(r"([A-Z]+:[a-z]+) (.*\S)")

_PUBLISHER = "https://cogcomp.seas.upenn.edu/Data/QA/QC"
REMOTES = (
    Remote(
        [f"{_PUBLISHER}/train_5500.label"],
        "train_5500.label",
        "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3",
        335858,
    ),
    Remote(
        [f"{_PUBLISHER}/TREC_10.label"],
        "TREC_10.label",
        "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e",
        23354,
    ),
)


def load(request: str, fine: bool = False, least: int = 2) -> Dataset:
    """Load questions: raw items are texts, targets int64 [rows], the place of the class in ``labels``.

    Args:
        request: ``auto``, ``embedded`` or a folder.
        fine: Classes like ``HUM:ind`` in place of ``HUM``.
        least: Occurrences in the training questions that a word of the vocabulary needs.

    ``facts``: ``vocabulary`` (lower case), ``unknown`` (the place of the token for all other words) and ``fold`` (sets
    punctuation apart).

    Raises:
        DataError: The data is not where ``request`` says, or a line is not a class and a question.
    """
    place = find(request, "trec", lambda folder: _room(folder) is not None, REMOTES)
    room = None if place.folder is None else _room(place.folder)
    if room is None:
        train, test, source = _embedded(place)
    else:
        train, test = _read(room / REMOTES[0].name), _read(room / REMOTES[1].name)
        name = "TREC questions, 5,500 labelled and TREC 10"
        source = Source(place.kind, name, str(room), "none stated; distributed for research", {}, place.reason)
    if not fine:
        train, test = ([(text, label.partition(":")[0]) for text, label in rows] for rows in (train, test))
    labels = tuple(sorted({label for _, label in [*train, *test]}))
    if len(labels) < 2:
        raise DataError(
            f"{source.where}: all questions are of one class, {labels[0]}; expected 2 or more to tell apart"
        )
    fold = dict(APART)
    facts = {"vocabulary": vocabulary((text for text, _ in train), least, fold=fold), "unknown": 0, "fold": fold}
    rows = {"train": len(train), "test": len(test)}
    return Dataset(_split(train, labels), _split(test, labels), labels, replace(source, rows=rows), facts)


def _room(folder: Path) -> Path | None:
    rooms = (folder / "trec", folder)
    return next((room for room in rooms if all((room / remote.name).is_file() for remote in REMOTES)), None)


def _read(path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(map(str.strip, open_text(path, "latin-1")), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{path}, line {number}: got {line[:60]!r}, expected COARSE:fine and a question")
        rows.append((match[2], match[1]))
    if not rows:
        raise DataError(f"{path} has no questions")
    return rows


def _split(rows: Sequence[Row], labels: Sequence[str]) -> Split:
    place = {label: i for i, label in enumerate(labels)}
    return Split([text for text, _ in rows], torch.tensor([place[label] for _, label in rows]))


def _embedded(place: Place) -> tuple[list[Row], list[Row], Source]:
    train, test = generated_questions()
    name = "synthetic questions by seeded templates (not TREC)"
    return train, test, Source("embedded", name, "slipway", "as slipway", {}, place.reason)
