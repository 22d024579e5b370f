"""Pictures sorted into folders, one folder per class: the layout of torchvision's ImageFolder.

Layout: ``<folder>/train/<class>/<picture>`` and ``<folder>/test/<class>/<picture>``; or ``<folder>/<class>/<picture>``
alone, of which a fifth of each class, chosen by the hash of the file names, is for the test. Folders and files whose
names begin with a dot, and files that are not named as pictures, are passed over; symbolic links are followed. The
licence is the user's affair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data._dataset import Dataset, Source, Split
from slipway.errors import DataError, InputError
from slipway.readers import read_image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".tif", ".tiff", ".webp"})

#: Decoded pictures are held in memory, as all raw items are; more than this is refused.
MAX_BYTES = 1 << 30
#: One of this many pictures of each class is for the test, where the folder does not say which.
TEST_SHARE = 5

_Files = Mapping[str, Sequence[Path]]


def is_image_folder(folder: Path) -> bool:
    """Say whether a folder holds pictures in folders of classes, in one of the two layouts; no picture is opened."""
    root = folder / "train" if (folder / "train").is_dir() else folder
    return any(next(_pictures(room), None) is not None for room in _rooms(root)) if root.is_dir() else False


def load(folder: Path, max_bytes: int = MAX_BYTES) -> Dataset:
    """Load a folder of pictures: raw items are uint8 [H, W] or [H, W, 2 to 4] of any size, targets int64 [rows].

    The labels are the names of the class folders, sorted. The order of the pictures is that of their classes and then
    their names, so it is the same on every machine.

    Args:
        folder: The folder.
        max_bytes: The most that all pictures together may take once decoded, in bytes.

    Raises:
        DataError: There are fewer than two classes, a class or a split is without pictures, the test has a class that
            is not trained, or a picture cannot be read; the message names the folder or file.
    """
    train, test = _files(folder)
    labels = tuple(train)
    budget = _Budget(folder, max_bytes)
    splits = [_split(part, labels, budget) for part in (train, test)]
    source = Source(
        kind="folder",
        name=f"pictures of {len(labels)} classes",
        where=str(folder),
        licence="not stated",
        rows={"train": len(splits[0]), "test": len(splits[1])},
    )
    return Dataset(splits[0], splits[1], labels, source)


def _files(folder: Path) -> tuple[_Files, _Files]:
    """Return the pictures of each class for training and for the test."""
    if not (folder / "train").is_dir():
        classes = _classes(folder)
        tests = {label: _held(paths) for label, paths in classes.items()}
        trains = {label: [p for p in paths if p not in tests[label]] for label, paths in classes.items()}
        return trains, {label: sorted(paths) for label, paths in tests.items()}
    if not (folder / "test").is_dir():
        raise DataError(f"{folder} has a folder train but no folder test; see data/image_folder.py for the layouts")
    train, test = _classes(folder / "train"), _classes(folder / "test")
    for label in test:
        if label not in train:
            raise DataError(f'{folder / "test" / label}: the class "{label}" has no folder in {folder / "train"}')
    return train, test


def _classes(root: Path) -> _Files:
    classes = {}
    for room in sorted(_rooms(root)):
        if not _is_utf8(room.name):
            raise DataError(f"{room}: a class is named by its folder, and this name is not UTF-8; rename it")
        classes[room.name] = sorted(_pictures(room))
        if not classes[room.name]:
            raise DataError(f"{room} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    if len(classes) < 2:
        raise DataError(f"{root} holds {len(classes)} folders of pictures, expected one for each of 2 or more classes")
    return classes


def _is_utf8(name: str) -> bool:
    """Say whether a name is a text: Python reads other bytes as halves of characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _rooms(root: Path) -> Iterator[Path]:
    return (path for path in _listed(root) if path.is_dir())


def _pictures(room: Path) -> Iterator[Path]:
    return (path for path in _listed(room) if path.suffix.lower() in SUFFIXES)


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error}") from error


def _held(paths: Sequence[Path]) -> set[Path]:
    """Choose a fifth of a class, at least one picture, by file name alone; copies of the folder agree."""
    if len(paths) < 2:
        raise DataError(
            f"{paths[0].parent} holds one picture, expected at least 2: one to learn from, one for the test"
        )
    ranked = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode(errors="surrogateescape")).digest())
    return set(ranked[: max(1, len(paths) // TEST_SHARE)])


class _Budget:
    """How many bytes of decoded pictures may still be held."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most, self.held = folder, most, 0

    def take(self, path: Path, image: NDArray[np.uint8]) -> None:
        self.held += image.nbytes
        if self.held > self.most:
            raise DataError(
                f"{path}: the pictures of {self.folder} up to this one take {self.held} bytes once decoded, "
                f"the limit is {self.most}; give fewer or smaller pictures"
            )


def _split(files: _Files, labels: Sequence[str], budget: _Budget) -> Split:
    images, targets = [], []
    for label, paths in files.items():
        for path in paths:
            images.append(_read(path, budget))
            targets.append(labels.index(label))
    return Split(images, torch.tensor(targets, dtype=torch.int64))


def _read(path: Path, budget: _Budget) -> NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(f"{path} is not a file, or a link that leads nowhere; expected a picture")
    try:
        image = read_image(path)
    except InputError as error:
        raise DataError(str(error)) from error
    budget.take(path, image)
    return image
