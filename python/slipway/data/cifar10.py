"""Small colour pictures of ten kinds: CIFAR-10 or a subset of it, or, where there is none, tiles of three photographs.

Layout of a data folder, the first that is there:

- ``cifar10_subset/{train,test}.npz``: ``x`` uint8 [N, 32, 32, 3], ``y`` int64 [N];
- ``cifar-10-batches-bin/{data_batch_1..5,test_batch}.bin``: the publisher's binary version, a label and 3,072 bytes
  (red, green, blue plane) per picture.

The publisher's other version, ``cifar-10-batches-py``, is made of pickles, which could run anything: it is refused. A
folder with a folder of pictures per class is read as such (``image_folder``). Nothing is downloaded: the publisher
offers 170 MB over a slow line and no checksum better than MD5. Licence: none stated; A. Krizhevsky, "Learning Multiple
Layers of Features from Tiny Images", 2009, is to be cited.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data import image_folder
from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import MAX_DATA_BYTES, Place, find, open_data
from slipway.errors import DataError
from slipway.readers import parse_npy, read_image

SIDE = 32
LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_RECORD = 1 + 3 * SIDE * SIDE
_TRAIN_FILES = tuple(f"data_batch_{n}.bin" for n in range(1, 6))
_TEST_FILES = ("test_batch.bin",)
#: What numpy and zipfile raise on a damaged archive, one that is encrypted or packed in an unknown way among them.
_NPZ_ERRORS = (
    OSError, ValueError, LookupError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
#: One tile of so many is for the test.
_TEST_TILES = 5

Pixels = NDArray[np.uint8]


def load(request: str) -> Dataset:
    """Load CIFAR-10: raw items are uint8 [32, 32, 3] (of any size from a folder of pictures), targets int64 [rows].

    Raises:
        DataError: The data is not where ``request`` says, damaged, or pickled.
    """
    if (
        request not in ("auto", "embedded")
        and not _exists(Path(request))
        and image_folder.is_image_folder(Path(request))
    ):
        return image_folder.load(Path(request))
    place = find(request, "cifar10", _exists)
    if place.folder is None:
        return _embedded(place)
    for name, read in (("cifar10_subset", _read_npz), ("cifar-10-batches-bin", _read_binary)):
        for room in (place.folder / name, place.folder):
            splits = read(room)
            if splits is not None:
                return _dataset(place, room, *splits)
    raise DataError(
        f"{place.folder}: cifar-10-batches-py holds pickles, which can run any program when they are read; "
        "give the binary version, cifar-10-batches-bin, or cifar10_subset"
    )


def _exists(folder: Path) -> bool:
    names = ("cifar10_subset/train.npz", "train.npz", "cifar-10-batches-bin/test_batch.bin", "test_batch.bin")
    return any((folder / name).exists() for name in (*names, "cifar-10-batches-py", "data_batch_1"))


def _dataset(
    place: Place, room: Path, train: tuple[Pixels, NDArray[np.int64]], test: tuple[Pixels, NDArray[np.int64]]
) -> Dataset:
    splits = [Split(list(images), torch.from_numpy(targets)) for images, targets in (train, test)]
    source = Source(
        kind=place.kind,
        name="CIFAR-10" if len(train[0]) == 50_000 else "CIFAR-10, a subset",
        where=str(room),
        licence="not stated; cite Krizhevsky 2009",
        rows={"train": len(splits[0]), "test": len(splits[1])},
    )
    return Dataset(splits[0], splits[1], LABELS, source)


def _read_npz(room: Path) -> list[tuple[Pixels, NDArray[np.int64]]] | None:
    paths = [room / f"{part}.npz" for part in ("train", "test")]
    return [_read_one_npz(path) for path in paths] if paths[0].is_file() else None


def _read_one_npz(path: Path) -> tuple[Pixels, NDArray[np.int64]]:
    try:
        with zipfile.ZipFile(open_data(path)) as file:
            images, targets = (parse_npy(_member(file, name)) for name in ("x.npy", "y.npy"))
    except _NPZ_ERRORS as error:
        raise DataError(f"{path} is not an .npz file with x and y: {error}") from error
    return _checked(path, images, targets)


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one array, no further than the limit: a small archive can hold gigabytes."""
    with file.open(name) as member:
        content = member.read(MAX_DATA_BYTES + 1)
    if len(content) > MAX_DATA_BYTES:
        raise ValueError(f"{name} has more than {MAX_DATA_BYTES} bytes")
    return content


def _read_binary(room: Path) -> list[tuple[Pixels, NDArray[np.int64]]] | None:
    if not (room / _TEST_FILES[0]).is_file():
        return None
    parts = []
    for names in (_TRAIN_FILES, _TEST_FILES):
        some = [_read_records(room / name) for name in names]
        parts.append((np.concatenate([images for images, _ in some]), np.concatenate([labels for _, labels in some])))
    return parts


def _read_records(path: Path) -> tuple[Pixels, NDArray[np.int64]]:
    content = np.frombuffer(open_data(path).getbuffer(), np.uint8)
    if len(content) % _RECORD:
        raise DataError(f"{path} has {len(content)} bytes, expected a multiple of {_RECORD}")
    records = content.reshape(-1, _RECORD)
    images = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return _checked(path, np.ascontiguousarray(images), records[:, 0].astype(np.int64))


def _checked(path: Path, images: NDArray[Any], targets: NDArray[Any]) -> tuple[Pixels, NDArray[np.int64]]:
    right = images.dtype == np.uint8 and images.ndim == 4 and images.shape[1:] == (SIDE, SIDE, 3) and len(images) > 0
    if not right or targets.shape != (len(images),) or targets.dtype.kind not in "iu":
        got = f"{images.dtype} {list(images.shape)} and {targets.dtype} {list(targets.shape)}"
        raise DataError(f"{path} has {got}, expected uint8 [N, {SIDE}, {SIDE}, 3] and as many labels")
    if targets.min() < 0 or targets.max() >= len(LABELS):
        raise DataError(f"{path} has labels from {targets.min()} to {targets.max()}, expected 0 to {len(LABELS) - 1}")
    return images, targets.astype(np.int64)


def _embedded(place: Place) -> Dataset:
    """Cut three photographs into tiles; which photograph a tile is from is the question. No tiles overlap."""
    photographs = {"temple": _sample("china.jpg"), "flower": _sample("flower.jpg"), "portrait": _portrait()}
    train: list[Pixels] = []
    test: list[Pixels] = []
    targets: tuple[list[int], list[int]] = ([], [])
    for label, photograph in enumerate(photographs.values()):
        for n, tile in enumerate(_tiles(photograph)):
            held = n % _TEST_TILES == _TEST_TILES - 1
            (test if held else train).append(tile)
            targets[held].append(label)
    source = Source(
        kind="embedded",
        name="32x32 tiles of three photographs: a temple, a flower, a portrait",
        where="scikit-learn and matplotlib",
        licence="CC BY 2.0 (temple, flower), public domain (portrait)",
        rows={"train": len(train), "test": len(test)},
        reason=place.reason,
    )
    splits = [Split(tiles, torch.tensor(t)) for tiles, t in zip((train, test), targets, strict=True)]
    return Dataset(splits[0], splits[1], tuple(photographs), source)


def _sample(name: str) -> Pixels:
    from sklearn.datasets import load_sample_image  # type: ignore[import-untyped]  # scikit-learn ships no types

    return np.asarray(load_sample_image(name), np.uint8)


def _portrait() -> Pixels:
    from matplotlib import get_data_path

    return read_image(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg")


def _tiles(image: Pixels) -> Sequence[Pixels]:
    rows, columns = image.shape[0] // SIDE, image.shape[1] // SIDE
    cut = image[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, 3)
    return list(cut.swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3))
