"""Folders of pictures as data sets: both layouts, the split, and folders that are not right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from slipway.data import image_folder, mnist
from slipway.errors import DataError
from slipway.recipes import load_recipe
from slipway.train.loop import Run, train
from slipway.train.settings import resolve


def write(folder: Path, names: Sequence[str], level: int = 0, size: tuple[int, int] = (6, 5)) -> None:
    """Write one grey picture per name; pixel [0, 0] holds its number, the rest ``level``."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, name in enumerate(names):
        pixels = np.full(size, level, dtype=np.uint8)
        pixels[0, 0] = n
        Image.fromarray(pixels).save(folder / name)


def numbered(count: int) -> list[str]:
    return [f"{n:03}.png" for n in range(count)]


def test_both_parts_are_read_in_the_order_of_classes_and_names(tmp_path: Path) -> None:
    write(tmp_path / "train" / "dog", ["b.png", "a.PNG"], 20)
    write(tmp_path / "train" / "cat", ["x.bmp"], 10)
    write(tmp_path / "test" / "dog", ["t.png", "u.png"], 30)
    write(tmp_path / "test" / "cat", ["t.png"], 40, size=(9, 2))
    (tmp_path / "train" / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / "train" / "cat" / ".hidden.png").write_text("no picture")
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "readme.txt").write_text("no folder")
    assert image_folder.is_image_folder(tmp_path)
    dataset = image_folder.load(tmp_path)
    assert dataset.labels == ("cat", "dog")
    assert dataset.train.targets.tolist() == [0, 1, 1]
    assert [(int(i[0, 0]), int(i[1, 1])) for i in dataset.train.raws] == [(0, 10), (1, 20), (0, 20)]
    assert dataset.test.targets.tolist() == [0, 1, 1]
    assert [i.shape for i in dataset.test.raws] == [(9, 2), (6, 5), (6, 5)]
    assert dataset.source.kind == "folder"
    assert dataset.source.rows == {"train": 3, "test": 3}


def test_colour_is_kept(tmp_path: Path) -> None:
    pixels = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for name in ("1.png", "2.png"):
            Image.fromarray(pixels).save(tmp_path / label / name)
    np.testing.assert_array_equal(image_folder.load(tmp_path).train.raws[0], pixels)


def test_without_parts_a_fifth_of_each_class_is_for_the_test(tmp_path: Path) -> None:
    write(tmp_path / "a", numbered(25))
    write(tmp_path / "b", numbered(2))
    dataset = image_folder.load(tmp_path)
    assert torch.bincount(dataset.train.targets).tolist() == [20, 1]
    assert torch.bincount(dataset.test.targets).tolist() == [5, 1]
    seen = [
        int(image[0, 0])
        for part in (dataset.train, dataset.test)
        for image in part.raws[: 20 if part is dataset.train else 5]
    ]
    assert sorted(seen) == list(range(25))
    assert seen[20:] == sorted(seen[20:])


def test_the_split_depends_on_file_names_alone(tmp_path: Path) -> None:
    write(tmp_path / "one" / "a", numbered(10))
    write(tmp_path / "one" / "b", numbered(10))
    write(tmp_path / "two" / "c", numbered(10)[::-1])
    write(tmp_path / "two" / "d", numbered(10))
    one, two = image_folder.load(tmp_path / "one"), image_folder.load(tmp_path / "two")
    assert [int(i[0, 0]) for i in one.test.raws[:2]] == [9 - int(i[0, 0]) for i in two.test.raws[:2]]


def test_links_to_pictures_and_classes_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", numbered(3))
    (tmp_path / "data" / "a").mkdir(parents=True)
    for name in numbered(3):
        (tmp_path / "data" / "a" / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    assert len(image_folder.load(tmp_path / "data").train) == 4


def test_other_folders_are_not_taken_for_pictures(tmp_path: Path) -> None:
    assert not image_folder.is_image_folder(tmp_path)
    assert not image_folder.is_image_folder(tmp_path / "none")
    write(tmp_path / "train", numbered(2))
    write(tmp_path / "trainannot", numbered(2))
    assert not image_folder.is_image_folder(tmp_path)


def two_classes(folder: Path) -> None:
    write(folder / "a", numbered(2))
    write(folder / "b", numbered(2))


def one_class(folder: Path) -> None:
    write(folder / "a", numbered(2))


def empty_class(folder: Path) -> None:
    two_classes(folder)
    (folder / "c").mkdir()


def lonely_picture(folder: Path) -> None:
    two_classes(folder)
    write(folder / "c", numbered(1))


def no_test(folder: Path) -> None:
    two_classes(folder / "train")


def unknown_test_class(folder: Path) -> None:
    two_classes(folder / "train")
    two_classes(folder / "test")
    write(folder / "test" / "c", numbered(1))


def text_for_picture(folder: Path) -> None:
    two_classes(folder)
    (folder / "b" / "bad.png").write_text("not a picture")


def truncated(folder: Path) -> None:
    two_classes(folder)
    path = folder / "b" / "000.png"
    path.write_bytes(path.read_bytes()[:45])


def dangling(folder: Path) -> None:
    two_classes(folder)
    (folder / "b" / "bad.png").symlink_to(folder / "nowhere.png")


def no_text(folder: Path) -> None:
    two_classes(folder)
    write(folder / os.fsdecode(b"caf\xe9"), numbered(2))


def pipe(folder: Path) -> None:
    two_classes(folder)
    os.mkfifo(folder / "b" / "bad.png")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (one_class, r"holds 1 folders of pictures, expected one for each of 2"),
        (empty_class, r"/c holds no pictures \(\.bmp, "),
        (lonely_picture, r"/c holds one picture, expected at least 2"),
        (no_test, r"folder train but no folder test"),
        (unknown_test_class, r'/test/c: the class "c" has no folder in .*/train'),
        (text_for_picture, r"cannot read image .*/b/bad\.png"),
        (truncated, r"cannot read image .*/b/000\.png"),
        (dangling, r"/b/bad\.png is not a file"),
        (pipe, r"/b/bad\.png is not a file"),
        (no_text, r"named by its folder, and this name is not UTF-8; rename it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_folder_that_is_not_right_is_refused_by_name(tmp_path: Path, make: object, message: str) -> None:
    assert callable(make)
    make(tmp_path)
    with pytest.raises(DataError, match=message):
        image_folder.load(tmp_path)


def test_more_pictures_than_memory_allows_are_refused_at_the_first_too_many(tmp_path: Path) -> None:
    two_classes(tmp_path)
    assert len(image_folder.load(tmp_path, max_bytes=4 * 30).train) == 2
    with pytest.raises(DataError, match=r"/b/00\d\.png: .* take 120 bytes once decoded, the limit is 119"):
        image_folder.load(tmp_path, max_bytes=119)


def test_a_recipe_learns_from_a_folder_of_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("left", "middle", "right"):
        (tmp_path / label).mkdir()
        for n in range(30):
            pixels = rng.integers(0, 40, size=(40, 48, 3), dtype=np.uint8)
            column = {"left": 2, "middle": 18, "right": 34}[label]
            pixels[:, column : column + 12] += 200
            Image.fromarray(pixels).save(tmp_path / label / f"{n}.png")
    recipe = load_recipe("mnist-cnn")
    config, training = resolve(recipe, "default", {"epochs": "15", "batch_size": "16", "validation": "0"})
    trained = train(Run(recipe, config, training, str(tmp_path)))
    assert trained.signature.labels == ("left", "middle", "right")
    assert trained.signature.outputs[0].dims == ("N", 3)
    assert trained.score == 1.0


def test_classes_are_drawn_by_their_names_whatever_signs_they_hold(tmp_path: Path) -> None:
    """matplotlib takes what stands between two dollars for a formula, and may fail to read it."""
    for label in ("$_$", "a_b", r"$\nosuch$"):
        write(tmp_path / label, numbered(4))
    recipe = load_recipe("mnist-mlp")
    config, training = resolve(recipe, "smoke", {"epochs": "1", "hidden": "4"})
    trained = train(Run(replace(recipe, title="$^$ pictures", score_name="$^$"), config, training, str(tmp_path)))
    assert trained.pictures["confusion"].startswith(b"\x89PNG")


def test_a_folder_with_neither_pictures_nor_mnist_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match='does not hold the data set "MNIST"'):
        mnist.load(str(tmp_path))
