"""Handwritten digits 0 to 9: MNIST, or, where it cannot be had, scikit-learn's digits at MNIST's size.

Layout of a data folder: ``MNIST/raw/{train,t10k}-{images-idx3,labels-idx1}-ubyte``, plain or ``.gz``, as torchvision
leaves it; or pictures in one folder per class (``image_folder.py``), whatever the classes are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data import image_folder
from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import Place, Remote, find
from slipway.data.idx import read_idx
from slipway.errors import DataError
from slipway.resize import resize

#: The mirrors that torchvision uses, those with https.
_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")

_FILES = {
    "train-images-idx3-ubyte": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422),
    "train-labels-idx1-ubyte": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881),
    "t10k-images-idx3-ubyte": ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877),
    "t10k-labels-idx1-ubyte": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542),
}

_LABELS = tuple("0123456789")

#: scikit-learn's digits stand in the order in which 13 people wrote them; the last third is for the test.
_DIGITS_TRAIN = 1198


def load(request: str) -> Dataset:
    """Load MNIST: raw items are uint8 [28, 28] with ink 255, targets int64 [rows].

    A folder of the user's own pictures gives those, of any size, and as many labels as it has classes.

    Raises:
        DataError: The data is not where ``request`` says, or damaged.
    """
    if (
        request not in ("auto", "embedded")
        and not _exists(Path(request))
        and image_folder.is_image_folder(Path(request))
    ):
        return image_folder.load(Path(request))
    remotes = [
        Remote([m + f"{name}.gz" for m in _MIRRORS], f"{name}.gz", sha, size) for name, (sha, size) in _FILES.items()
    ]
    place = find(request, "MNIST", _exists, remotes)
    return _embedded(place) if place.folder is None else _mnist(place, place.folder)


def _exists(folder: Path) -> bool:
    return all(_file(folder, name) for name in _FILES)


def _file(folder: Path, name: str) -> Path | None:
    for room in (folder / "MNIST" / "raw", folder / "raw", folder):
        for path in (room / name, room / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def _mnist(place: Place, folder: Path) -> Dataset:
    train, test = _split(folder, "train"), _split(folder, "t10k")
    source = Source(
        kind=place.kind,
        name="MNIST",
        where=str(folder),
        licence="CC BY-SA 3.0",
        rows={"train": len(train), "test": len(test)},
    )
    return Dataset(train, test, _LABELS, source)


def _split(folder: Path, part: str) -> Split:
    images_path, labels_path = _file(folder, f"{part}-images-idx3-ubyte"), _file(folder, f"{part}-labels-idx1-ubyte")
    assert images_path is not None
    assert labels_path is not None
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels) or images.shape[1:] != (28, 28) or labels.max(initial=0) > 9 or len(images) == 0:
        raise DataError(f"{images_path}: {list(images.shape)} images do not go with {len(labels)} labels of 0 to 9")
    return Split(list(images), torch.from_numpy(labels.astype(np.int64)))


def _embedded(place: Place) -> Dataset:
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # scikit-learn ships no types

    digits = load_digits()
    images = [_enlarge(image) for image in digits.images]
    targets = torch.from_numpy(digits.target.astype(np.int64))
    cut = _DIGITS_TRAIN
    source = Source(
        kind="embedded",
        name="digits of scikit-learn, 8x8, enlarged to 28x28",
        where="scikit-learn",
        licence="CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)",
        rows={"train": cut, "test": len(images) - cut},
        reason=place.reason,
    )
    return Dataset(Split(images[:cut], targets[:cut]), Split(images[cut:], targets[cut:]), _LABELS, source)


def _enlarge(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn 8x8 ink from 0 to 16 into MNIST's form: 20x20 ink from 0 to 255, in the middle of 28x28."""
    ink = np.floor(image * (255 / 16) + 0.5).astype(np.uint8)
    return np.pad(resize(ink, 20, 20), 4)
