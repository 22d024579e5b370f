"""Data sets: where they come from, hostile files, and the embedded defaults."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from slipway.data import _root, breast_cancer, hello, mnist, names
from slipway.data._root import Remote, download, find
from slipway.data.idx import read_idx
from slipway.errors import DataError
from slipway.look.machine_facts import cache_facts


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLIPWAY_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)


# --- idx ------------------------------------------------------------------------------------------------------------


def idx(shape: tuple[int, ...], content: bytes, magic: int | None = None) -> bytes:
    return struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape) if magic is None else magic, *shape) + content


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_an_idx_file_is_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    content = idx((2, 1, 3), bytes(range(6)))
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    np.testing.assert_array_equal(read_idx(tmp_path / name, 3), np.arange(6).reshape(2, 1, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too few for the header"),
        (idx((2,), b"")[:7], "too few for the header"),
        (idx((2,), b"ab", magic=0x0D01), "magic number"),
        (idx((3,), b"ab"), "only 2"),
        (idx((1,), b"ab"), "more"),
        (idx((0xFFFFFFFF,), b"ab"), "the limit is"),
    ],
)
def test_a_hostile_idx_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "x", 1)


def test_sizes_whose_product_overflows_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(idx((1 << 31, 1 << 31, 4), b""))
    with pytest.raises(DataError, match="the limit is"):
        read_idx(tmp_path / "x", 3)


def test_a_gzip_bomb_is_read_no_further_than_its_sizes(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx((4,), bytes(1 << 24))))
    with pytest.raises(DataError, match="more"):
        read_idx(tmp_path / "x.gz", 1)


@pytest.mark.parametrize("cut", [5, 20, -4])
def test_a_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx((200,), np.random.default_rng(0).bytes(200)))[:cut])
    with pytest.raises(DataError, match=r"cannot be read|header"):
        read_idx(tmp_path / "x.gz", 1)


def test_a_missing_idx_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "x", 1)


# --- folders --------------------------------------------------------------------------------------------------------


def write_mnist(folder: Path, labels: bytes = b"\x03\x07") -> None:
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx((2, 28, 28), bytes(2 * 784))))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx((len(labels),), labels))


def test_mnist_is_read_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mnist(tmp_path / "data" / "MNIST" / "raw")
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path / "data"))
    dataset = mnist.load("auto")
    assert dataset.source.kind == "path"
    assert dataset.train.targets.tolist() == [3, 7]
    assert dataset.train.raws[0].shape == (28, 28)


def test_mnist_is_read_from_a_folder_that_holds_pictures_too(tmp_path: Path) -> None:
    write_mnist(tmp_path / "MNIST" / "raw")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "loss.png").write_bytes(b"")
    assert mnist.load(str(tmp_path)).source.kind == "path"


@pytest.mark.parametrize("labels", [b"\x03", b"\x03\x0a"])
def test_mnist_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: bytes) -> None:
    write_mnist(tmp_path / "raw", labels)
    with pytest.raises(DataError, match="do not go with"):
        mnist.load(str(tmp_path))


def write_names(folder: Path, train: str) -> None:
    folder.mkdir(parents=True)
    (folder / "names_train.csv").write_bytes(train.encode("latin-1"))
    (folder / "names_test.csv").write_text('"Adda","Wales"\r\n')


def test_names_with_commas_and_spaces_are_kept(tmp_path: Path) -> None:
    write_names(tmp_path / "names", '"To, Ngo ","China"\r\n"O\'Neill","Ireland"\r\n')
    dataset = names.load(str(tmp_path))
    assert dataset.train.raws == ["To, Ngo ", "O'Neill"]
    assert dataset.labels == ("China", "Ireland", "Wales")
    assert dataset.test.targets.tolist() == [2]


@pytest.mark.parametrize("content", ['"Adda"\n', '"","Wales"\n', '"a","b","c"\n', "", '"a\n', '"\xff","Wales"\n'])
def test_a_damaged_names_file_is_refused(tmp_path: Path, content: str) -> None:
    write_names(tmp_path / "names", content)
    with pytest.raises(DataError, match=r"names_train\.csv"):
        names.load(str(tmp_path))


def test_names_of_one_country_are_refused(tmp_path: Path) -> None:
    write_names(tmp_path / "names", '"Cadell","Wales"\n')
    with pytest.raises(DataError, match=r"/names: all names are of one country, Wales; expected 2 or more"):
        names.load(str(tmp_path))


def test_a_named_folder_must_be_there_and_hold_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="--data: there is no folder"):
        mnist.load(str(tmp_path / "none"))
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r'SLIPWAY_DATA: folder .* does not hold the data set "names"'):
        names.load("auto")


# --- embedded -------------------------------------------------------------------------------------------------------


def test_without_data_and_network_everything_is_embedded_and_says_why() -> None:
    assert mnist.load("auto").source.reason == "SLIPWAY_OFFLINE is set"
    assert "no stable address" in names.load("auto").source.reason
    kinds = {module.load("auto").source.kind for module in (mnist, names, breast_cancer, hello)}
    assert kinds == {"embedded"}


def test_embedded_digits_look_like_mnist() -> None:
    dataset = mnist.load("embedded")
    assert len(dataset.train) + len(dataset.test) == 1797
    assert all(image.shape == (28, 28) and image.dtype == np.uint8 for image in dataset.train.raws)
    border = np.stack(dataset.train.raws)[:, :4]
    assert border.max() == 0


def test_embedded_names_are_ascii_disjoint_and_always_the_same() -> None:
    dataset = names.load("embedded")
    train, test = list(dataset.train.raws), list(dataset.test.raws)
    assert len(dataset.labels) == 18
    assert all(name.isascii() and name.strip() == name for name in train + test)
    assert not set(train) & set(test)
    rows = list(zip(train, dataset.train.targets.tolist(), strict=True))
    assert len(set(rows)) == len(rows)
    assert set(dataset.test.targets.tolist()) == set(range(18))
    assert list(names.load("embedded").train.raws) == train


def test_breast_cancer_statistics_are_those_of_the_training_rows() -> None:
    dataset = breast_cancer.load("auto")
    np.testing.assert_array_equal(np.stack(dataset.train.raws).mean(axis=0), dataset.facts["mean"])
    assert (len(dataset.train), len(dataset.test)) == (455, 114)
    assert dataset.train.targets.dtype == torch.float32


# --- downloads, against a server on this machine -------------------------------------------------------------------


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with ``/file``, redirects ``/away`` to another scheme, never answers ``/never``."""

    def do_GET(self) -> None:
        if self.path == "/never":
            time.sleep(1)
            return
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "ftp://localhost/file")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("SLIPWAY_OFFLINE")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(_root, "ANSWER_SECONDS", 0.3)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def remote(*urls: str, size: int = 7, content: bytes = b"content") -> Remote:
    return Remote(urls, "file", hashlib.sha256(content).hexdigest(), size)


def test_a_download_is_checked_and_used_again(server: str, tmp_path: Path) -> None:
    download([remote(f"{server}/file")], tmp_path)
    assert (tmp_path / "file").read_bytes() == b"content"
    download([remote("http://127.0.0.1:1/file")], tmp_path)


def test_the_second_mirror_serves_when_the_first_does_not(server: str, tmp_path: Path) -> None:
    download([remote(f"{server}/away", f"{server}/file")], tmp_path)
    assert (tmp_path / "file").is_file()


@pytest.mark.parametrize(
    ("path", "size", "content", "message"),
    [
        ("/file", 7, b"other", "expected"),
        ("/file", 3, b"content", "more than the 3 bytes"),
        ("/away", 7, b"content", "only https is followed"),
        ("/never", 7, b"content", "timed out|no answer"),
    ],
)
def test_a_bad_download_leaves_nothing_and_says_why(
    server: str, tmp_path: Path, path: str, size: int, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        download([remote(server + path, size=size, content=content)], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_without_a_home_folder_the_embedded_data_is_used_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    found = find("auto", "x", lambda _: True, [Remote(["https://localhost/x"], "x", "", 1)])
    assert (found.kind, found.folder) == ("embedded", None)
    assert "no home folder" in found.reason
    assert cache_facts() == ("of a user without a home folder", False)


def test_a_broken_file_in_the_cache_is_replaced(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"half")
    download([remote(f"{server}/file")], tmp_path)
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_failed_download_falls_back_to_embedded_with_the_reason(server: str) -> None:
    place = find("auto", "digits", lambda folder: False, [remote("http://127.0.0.1:1/file")])
    assert place.folder is None
    assert place.reason.startswith("download failed: 127.0.0.1: ")


def test_a_name_that_cannot_be_looked_up_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SLIPWAY_OFFLINE")
    monkeypatch.setattr(_root, "ANSWER_SECONDS", -0.9)  # the thread is waited for 0.1 s
    with (
        mock.patch("socket.getaddrinfo", side_effect=lambda *_, **__: time.sleep(1) or []),
        pytest.raises(DataError, match="no answer"),
    ):
        download([remote("http://example.invalid/file")], tmp_path)
