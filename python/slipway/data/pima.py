"""Diabetes among Pima women: eight measurements, and whether the disease was found; or a stand-in of scikit-learn.

J. W. Smith et al. 1988, "Using the ADAP learning algorithm to forecast the onset of diabetes mellitus"; National
Institute of Diabetes and Digestive and Kidney Diseases, commonly given as CC0. Its publisher (UCI) withdrew the table,
so it is never downloaded. Layout of a data folder: ``diabetes/pima-indians-diabetes.csv``, 768 rows of eight numbers
and the outcome 0 or 1, and, as some copies lack it, perhaps a row of names before them.

In five of its columns a zero means that the value is missing. The statistics leave those zeros out; what a model
makes of them is the model's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data import progression
from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import Place, find
from slipway.errors import DataError, InputError
from slipway.readers import read_csv

_FILE = "pima-indians-diabetes.csv"
_COLUMNS = (
    "Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI", "DiabetesPedigreeFunction", "Age",
    "Outcome",
)  # fmt: skip
#: Columns whose zeros mean "missing": nobody has no blood pressure.
_MISSING = ("Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI")


def load(request: str) -> Dataset:
    """Load the table; the first four fifths of the rows train, the rest is the test.

    Raw items are float64 [D], targets float32 [rows, 1] with 1 for diabetes. ``facts``: the ``columns``, ``mean`` and
    ``std`` of the training rows without missing values, and ``missing``: True for each column whose zeros are those.
    Embedded is another real table, scikit-learn's diabetes progression (D = 10), with the question whether the
    disease came further in a year than with half of the training patients.

    Raises:
        DataError: The data is not where ``request`` says, or a row is not numbers and an outcome.
    """
    place = find(request, "diabetes", lambda folder: _path(folder) is not None)
    path = None if place.folder is None else _path(place.folder)
    if path is None:
        return _embedded(place)
    values = _read(path)
    source = Source("path", "Pima Indians diabetes", str(path.parent), "CC0, as commonly given", {})
    return _dataset(values[:, :-1], values[:, -1], _COLUMNS[:-1], ("no diabetes", "diabetes"), source)


def _embedded(place: Place) -> Dataset:
    values, score, columns = progression.table()
    half = np.median(score[: _cut(len(score))])
    name = "diabetes progression (Efron et al.), more or less than the median"
    source = Source("embedded", name, "scikit-learn", progression.LICENCE, {}, place.reason)
    return _dataset(values, (score > half).astype(np.float64), columns, ("slower", "faster"), source)


def _path(folder: Path) -> Path | None:
    places = (folder / "diabetes" / _FILE, folder / _FILE)
    return next((path for path in places if path.is_file()), None)


def _read(path: Path) -> NDArray[np.float64]:
    try:
        rows = read_csv(path, _COLUMNS)
    except InputError as error:
        raise DataError(str(error)) from error
    for number, row in enumerate(rows, 1):
        if len(row) != len(_COLUMNS):
            raise DataError(f"{path}, row {number}: got {len(row)} numbers, expected rows of {len(_COLUMNS)} numbers")
    values = np.array(rows, dtype=np.float64)
    if len(values) < 2:
        raise DataError(f"{path}: got 1 row, expected at least 2: one to learn from, one for the test")
    if not np.isfinite(values).all() or not np.isin(values[:, -1], (0, 1)).all():
        raise DataError(f"{path}: expected finite numbers, and an outcome of 0 or 1 in the last column")
    return values


def _cut(rows: int) -> int:
    return rows * 4 // 5


def _dataset(
    values: NDArray[np.float64], outcome: NDArray[np.float64], columns: tuple[str, ...], labels: tuple[str, str],
    source: Source,
) -> Dataset:  # fmt: skip
    cut = _cut(len(values))
    missing = np.array([name in _MISSING for name in columns])
    known = np.ma.masked_array(values[:cut], mask=missing & (values[:cut] == 0))
    mean, std = np.ma.filled(known.mean(axis=0), 0.0), np.ma.filled(known.std(axis=0), 0.0)
    std[std == 0] = 1.0  # of a column that does not vary, or has no values: nothing to divide by
    targets = torch.from_numpy(outcome.astype(np.float32)).reshape(-1, 1)
    train, test = Split(list(values[:cut]), targets[:cut]), Split(list(values[cut:]), targets[cut:])
    facts = {
        "columns": columns,
        "mean": tuple(mean.tolist()),
        "std": tuple(std.tolist()),
        "missing": tuple(missing.tolist()),
    }
    rows = {"train": len(train), "test": len(test)}
    source = Source(source.kind, source.name, source.where, source.licence, rows, source.reason)
    return Dataset(train, test, labels, source, facts)
