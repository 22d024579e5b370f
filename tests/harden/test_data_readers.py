"""Data sets of strangers: whatever stands in place of a file is a DataError, in bounded time and memory."""

from __future__ import annotations

import gzip
import io
import resource
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hostile import PLACES, check_refusal, model_of, process
from PIL import Image

from slipway.data import camvid, cifar10, idx, mnist, names, pima, snli, trec
from slipway.errors import DataError, SlipwayError
from slipway.readers import read_image, read_npy

#: Data set -> its loader, its layout, and the file of it that is replaced.
SETS: Mapping[str, tuple[Callable[[str], object], tuple[str, ...], str]] = {
    "names": (names.load, ("names/names_train.csv", "names/names_test.csv"), "names/names_train.csv"),
    "trec": (trec.load, ("trec/train_5500.label", "trec/TREC_10.label"), "trec/TREC_10.label"),
    "snli": (snli.load, ("snli_subset/train.jsonl", "snli_subset/test.jsonl"), "snli_subset/train.jsonl"),
    "diabetes": (pima.load, (), "diabetes/pima-indians-diabetes.csv"),
    "mnist": (mnist.load, tuple(f"MNIST/raw/{name}" for name in mnist._FILES), "MNIST/raw/train-images-idx3-ubyte"),
    "cifar, arrays": (cifar10.load, ("cifar10_subset/train.npz", "cifar10_subset/test.npz"), "cifar10_subset/test.npz"),
    "cifar, records": (cifar10.load, ("cifar-10-batches-bin/test_batch.bin",), "cifar-10-batches-bin/data_batch_1.bin"),
    "camvid": (
        camvid.load,
        ("camvid_subset/trainannot/a.png", "camvid_subset/test/a.png", "camvid_subset/testannot/a.png"),
        "camvid_subset/train/a.png",
    ),
    "pictures": (mnist.load, ("a/1.png", "a/2.png", "b/1.png", "b/2.png"), "a/1.png"),
}

CONTENTS: Mapping[str, bytes] = {
    "nothing": b"",
    "broken UTF-8": b"\xff\xfe\xc3(\n",
    "NUL": bytes(64),
    "JSON of 100,000 levels": b"[" * 100_000,
    "JSON of wrong types": b'{"gold_label": [], "sentence1_binary_parse": 1, "sentence2_binary_parse": {}}\n',
    "numbers that are none": b"1e999,nan,inf\n" * 3,
    "a quote without end": b'"a\n' * 3,
    "a line of 300 kB": b"a," * 150_000,
    "an archive that is cut": b"PK\x03\x04" + bytes(40),
    "a picture that is cut": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an idx of 4 GB": struct.pack(">IIII", 0x0803, 1 << 16, 256, 256),
    "a packed file that is cut": gzip.compress(b"x" * 99)[:20],
}


def lay_out(root: Path, name: str) -> Path:
    """Make the folder of a data set whose files hold nothing sensible; return the one that is to be replaced."""
    _, files, replaced = SETS[name]
    for file in (*files, replaced):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"?")
    (root / replaced).unlink()
    return root / replaced


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", SETS)
def test_what_a_file_of_a_data_set_holds_is_a_data_error(tmp_path: Path, name: str, content: str) -> None:
    lay_out(tmp_path, name).write_bytes(CONTENTS[content])
    with pytest.raises(DataError) as error:
        SETS[name][0](str(tmp_path))
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SETS)
def test_what_stands_in_place_of_a_file_is_a_data_error(tmp_path: Path, name: str, place: str) -> None:
    PLACES[place](lay_out(tmp_path, name))
    with pytest.raises(DataError):
        SETS[name][0](str(tmp_path))


def test_bytes_of_any_kind_are_a_data_error(
    tmp_path: Path, effort: Callable[..., int], figure: Callable[..., None]
) -> None:
    rng, count = np.random.default_rng(5), effort(short=20, long=500)
    for name, (load, _, _) in SETS.items():
        file = lay_out(tmp_path / name, name)
        for _ in range(count):
            file.write_bytes(rng.bytes(int(rng.integers(1, 400))))
            with pytest.raises(DataError):
                load(str(tmp_path / name))
    figure("random files of data sets", count * len(SETS))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_changed_pictures_are_read_or_refused(
    tmp_path: Path, kind: str, effort: Callable[..., int], figure: Callable[..., None]
) -> None:
    """Cut anywhere, or with some bytes changed: Pillow's decoders raise many kinds of errors."""
    noise = np.random.default_rng(1).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind)
    content, rng, count = file.getvalue(), np.random.default_rng(2), effort(short=120, long=5000)
    read = refused = 0
    for _ in range(count):
        changed = np.frombuffer(content, np.uint8).copy()
        changed[rng.integers(0, len(content), 3)] = rng.integers(0, 256, 3)
        path = tmp_path / "picture"
        path.write_bytes(changed.tobytes()[: int(rng.integers(1, 2 * len(content)))])
        try:
            assert read_image(path).dtype == np.uint8
        except SlipwayError as error:
            refused += str(path) in str(error)
        else:
            read += 1
    assert refused + read == count
    assert refused > count // 4
    figure("changed pictures", count)


# --- memory ---------------------------------------------------------------------------------------------------------

MOST_BYTES = 64 << 20


def npy_of_terabytes() -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (274877906944, 2), }"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(8)


def png_of_gigabytes() -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0) + bytes(99)


def npz_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        for _ in range(160):
            member.write(bytes(1 << 20))
    return file.getvalue()


def test_announced_sizes_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "MAX_DATA_BYTES", 8 << 20)
    readers: list[tuple[Callable[[Path], object], bytes, str]] = [
        (read_npy, npy_of_terabytes(), "x.npy"),
        (read_image, png_of_gigabytes(), "x.png"),
        (lambda path: idx.read_idx(path, 3), struct.pack(">IIII", 0x0803, 1 << 14, 128, 127), "x"),
        (lambda path: idx.read_idx(path, 1), gzip.compress(struct.pack(">II", 0x0801, 9) + bytes(100 << 20)), "x.gz"),
        (cifar10._read_one_npz, npz_bomb(), "x.npz"),
    ]
    for read, content, name in readers:
        (tmp_path / name).write_bytes(content)
        tracemalloc.start()
        try:
            with pytest.raises(SlipwayError):
                read(tmp_path / name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < MOST_BYTES, (name, peak)


@pytest.mark.parametrize(
    ("kind", "option", "content"),
    [
        ("array", "--input", npy_of_terabytes()),
        ("image", "--image", png_of_gigabytes()),
        ("table", "--csv", b"1," * (30 << 20)),
    ],
    ids=["array", "image", "table"],
)
def test_slipway_infer_stays_within_its_memory(
    infer_program: Path, tmp_path: Path, kind: str, option: str, content: bytes
) -> None:
    model, file = model_of(kind, tmp_path / "model.onnx"), tmp_path / "file"
    file.write_bytes(content)
    limit = 512 << 20
    answer = process(
        infer_program, model, option, file, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    check_refusal(answer, 1)
    assert "out of memory" not in answer.err


def test_a_model_of_terabytes_is_not_read(infer_program: Path, tmp_path: Path) -> None:
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate(1 << 42)
    answer = process(infer_program, tmp_path / "model.onnx", "--random")
    check_refusal(answer, 1)
    assert "the limit of an ONNX file is" in answer.err
