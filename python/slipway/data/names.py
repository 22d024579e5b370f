"""Surnames and the country they come from: the notes' 18-country list, or surnames of Faker's locales.

Layout of a data folder: ``names/names_train.csv`` and ``names/names_test.csv``, rows ``"name","country"``, no header.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import Place, find, open_text
from slipway.errors import DataError
from slipway.preprocess import fold_table

Row = tuple[str, str]

#: Country -> places in Faker (locale, list of surnames) that are written in Latin letters.
_FAKER = {
    "Chinese": [("zh_CN", "last_romanized_names")],
    "Croatian": [("hr_HR", "last_names")],
    "Czech": [("cs_CZ", "last_names")],
    "Dutch": [("nl_NL", "last_names")],
    "English": [("en_GB", "last_names")],
    "Estonian": [("et_EE", "last_names_est")],
    "Finnish": [("fi_FI", "last_names")],
    "French": [("fr_FR", "last_names")],
    "German": [("de_DE", "last_names"), ("de_AT", "last_names")],
    "Hungarian": [("hu_HU", "last_names")],
    "Irish": [("ga_IE", "last_names")],
    "Italian": [("it_IT", "last_names")],
    "Japanese": [("ja_JP", "last_romanized_names")],
    "Latvian": [("lv_LV", "last_names")],
    "Polish": [("pl_PL", "unisex_last_names")],
    "Slovene": [("sl_SI", "last_names")],
    "Spanish": [("es_ES", "last_names")],
    "Swedish": [("sv_SE", "last_names")],
}

#: Most names taken of one country, so that the long lists do not outweigh the others.
_MOST = 1200


def load(request: str) -> Dataset:
    """Load surnames: raw items are texts, targets int64 [rows], the place of the country in ``labels``.

    Raises:
        DataError: The data is not where ``request`` says, or a row is not a name and a country.
    """
    place = find(request, "names", lambda folder: _room(folder) is not None)
    room = None if place.folder is None else _room(place.folder)
    if room is None:
        return _embedded(place)
    train, test = _read(room / "names_train.csv"), _read(room / "names_test.csv")
    source = Source("path", "surnames of 18 countries, as in the notes", str(room), "MIT; of the split unstated", {})
    return _dataset(train, test, source)


def _room(folder: Path) -> Path | None:
    rooms = (folder / "names", folder)
    return next((r for r in rooms if (r / "names_train.csv").is_file() and (r / "names_test.csv").is_file()), None)


def _read(path: Path) -> list[Row]:
    rows = []
    try:
        with open_text(path, newline="") as file:
            for number, row in enumerate(csv.reader(file, strict=True), 1):
                if len(row) != 2 or not row[0] or not row[1]:
                    raise DataError(f"{path}, row {number}: got {row!s:.100}, expected a name and a country")
                rows.append((row[0], row[1]))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not rows:
        raise DataError(f"{path} has no rows")
    return rows


def _dataset(train: Sequence[Row], test: Sequence[Row], source: Source) -> Dataset:
    labels = tuple(sorted({country for _, country in [*train, *test]}))
    if len(labels) < 2:
        raise DataError(f"{source.where}: all names are of one country, {labels[0]}; expected 2 or more to tell apart")
    rows = {"train": len(train), "test": len(test)}
    return Dataset(_split(train, labels), _split(test, labels), labels, replace(source, rows=rows))


def _split(rows: Sequence[Row], labels: Sequence[str]) -> Split:
    place = {label: i for i, label in enumerate(labels)}
    return Split([name for name, _ in rows], torch.tensor([place[country] for _, country in rows]))


def _embedded(place: Place) -> Dataset:
    """Surnames of Faker as ASCII, each (name, country) once; a third of the names, chosen by hash, is the test."""
    rows = [(name, country) for country, lists in sorted(_FAKER.items()) for name in _surnames(lists)]
    test = [row for row in rows if _hash(row[0]) % 3 == 0]
    train = [row for row in rows if _hash(row[0]) % 3 != 0]
    version = importlib.metadata.version("Faker")
    source = Source("embedded", f"surnames of Faker {version}, as ASCII", "Faker", "MIT", {}, place.reason)
    return _dataset(train, test, source)


def _surnames(lists: Iterable[tuple[str, str]]) -> list[str]:
    fold = str.maketrans(fold_table())
    names: set[str] = set()
    for locale, attribute in lists:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        names.update(name.translate(fold).strip() for name in getattr(provider, attribute))
    plain = sorted((name for name in names if name and name.isascii()), key=lambda name: (_hash(name), name))
    return sorted(plain[:_MOST])


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
