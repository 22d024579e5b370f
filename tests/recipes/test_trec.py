"""TREC: the files are read as they are published, and the words of the questions make the vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from slipway.data import trec
from slipway.data._vocabulary import APART, UNKNOWN, vocabulary
from slipway.errors import DataError
from slipway.preprocess import encode
from slipway.recipes.trec import RECIPE, Config

TRAIN = b"DESC:manner How did the sister\xf0city grow ?\nHUM:ind Who grew the city ?\nHUM:gr Who is in the city ?\n"
TEST = b"HUM:ind Who grew corn ?\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trec").mkdir()
    (tmp_path / "trec" / "train_5500.label").write_bytes(TRAIN)
    (tmp_path / "trec" / "TREC_10.label").write_bytes(TEST)
    return tmp_path


@pytest.mark.parametrize("room", ["", "trec"])
def test_the_published_files_are_read_as_latin_1(folder: Path, room: str) -> None:
    dataset = trec.load(str(folder / room))
    assert dataset.labels == ("DESC", "HUM")
    assert dataset.train.targets.tolist() == [0, 1, 1]
    assert dataset.train.raws[0] == "How did the sister\u00f0city grow ?"
    assert dataset.source.rows == {"train": 3, "test": 1}
    assert trec.load(str(folder), fine=True).labels == ("DESC:manner", "HUM:gr", "HUM:ind")


def test_the_vocabulary_is_counted_on_the_training_questions_alone(folder: Path) -> None:
    dataset = trec.load(str(folder), least=2)
    assert dataset.facts["vocabulary"] == (UNKNOWN, "?", "the", "city", "who")
    assert dataset.facts["unknown"] == 0
    words = encode(RECIPE.signature(Config(), dataset), ["WHO grew the city?", "Who"])
    assert words["words"].tolist() == [[4, 4], [0, 0], [2, 0], [3, 0], [1, 0]]
    assert words["words_lengths"].tolist() == [5, 1]


def test_a_vocabulary_lists_each_word_once_by_count_and_alphabet() -> None:
    assert vocabulary(["b a c", "A c.", "("], 1, first=("(", ")"), fold=APART) == (
        "(",
        ")",
        UNKNOWN,
        "a",
        "c",
        ".",
        "b",
    )


def test_only_line_feeds_end_a_question(folder: Path) -> None:
    """At 0x85, dots in Windows' alphabet, and at 0x0c ``str.splitlines`` parts a text too."""
    path = folder / "trec" / "TREC_10.label"
    path.write_bytes(b"HUM:ind Who grew corn \x85 and what\x0celse ?\r\n" + TEST + b"no label here")
    with pytest.raises(DataError, match=r"TREC_10\.label, line 3: got 'no label here'"):
        trec.load(str(folder))
    path.write_bytes(b"HUM:ind Who grew corn \x85 and what\x0celse ?\r\n" + TEST)
    assert trec.load(str(folder)).test.raws == ["Who grew corn \x85 and what\x0celse ?", "Who grew corn ?"]


@pytest.mark.parametrize("line", ["no label here", "HUM:ind", "HUM:ind ", "hum:ind Who ?", ":ind Who ?"])
def test_a_broken_line_is_named(folder: Path, line: str) -> None:
    path = folder / "trec" / "TREC_10.label"
    path.write_bytes(TEST + line.encode() + b"\n")
    with pytest.raises(DataError, match=r"TREC_10\.label, line 2: got"):
        trec.load(str(folder))


def test_questions_of_one_class_are_refused(folder: Path) -> None:
    (folder / "trec" / "train_5500.label").write_bytes(b"HUM:gr Who is in the city ?\n")
    assert trec.load(str(folder), fine=True).labels == ("HUM:gr", "HUM:ind")
    with pytest.raises(DataError, match=r"/trec: all questions are of one class, HUM; expected 2 or more"):
        trec.load(str(folder))


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='does not hold the data set "trec"'):
        trec.load(str(tmp_path))


def test_the_published_files_have_the_bytes_that_are_checked() -> None:
    assert [(remote.name, remote.bytes) for remote in trec.REMOTES] == [
        ("train_5500.label", 335858),
        ("TREC_10.label", 23354),
    ]
    assert all(url.startswith("https://") for remote in trec.REMOTES for url in remote.urls)


def test_the_generated_questions_are_the_same_every_time_and_never_in_both_splits() -> None:
    first, again = trec.load("embedded"), trec.load("embedded")
    assert first.train.raws == again.train.raws
    assert torch.equal(first.train.targets, again.train.targets)
    assert not set(first.train.raws) & set(first.test.raws)
    assert len(set(first.train.raws)) == len(first.train)
    assert first.labels == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    assert "synthetic" in first.source.name
    assert min(torch.bincount(first.train.targets).tolist()) > 50
    assert {word.lower() for raw in first.test.raws for word in raw.split()} <= set(first.facts["vocabulary"])
