"""Where a data set comes from: a folder the user names, the user's cache, the publisher, or what is built in.

Order for ``auto``: ``$SLIPWAY_DATA`` if set; else the cache; else a download into the cache; else the embedded
data, with the reason. ``embedded`` and a path mean exactly that and fall back to nothing.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from slipway._files import alone, hash_file, read_file, sweep_partial, write_atomically
from slipway.data._dataset import SourceKind
from slipway.errors import DataError, FileError

#: Seconds until a server must have answered; short, because without a network the embedded data is used at once.
ANSWER_SECONDS = 5.0
#: Seconds that one file may take; the largest is 10 MB.
FILE_SECONDS = 90.0
#: Largest file of a data set; that of SNLI has 466 MB.
MAX_DATA_BYTES = 1 << 30


@dataclass(frozen=True)
class Remote:
    """A published file: where it can be had, and what exactly it must be."""

    urls: Sequence[str]
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Place:
    """Where to read a data set from: ``folder``, or None for the embedded one with the ``reason``."""

    kind: SourceKind
    folder: Path | None
    reason: str = ""


def find(request: str, name: str, exists: Callable[[Path], bool], remotes: Sequence[Remote] = ()) -> Place:
    """Decide where the data set ``name`` is read from.

    Args:
        request: ``auto``, ``embedded``, or a folder that holds the data set.
        name: The data set's folder name in the cache.
        exists: Says whether the data set is in a folder.
        remotes: The files to download into the cache; none if the publisher has no stable address.

    Raises:
        DataError: ``request`` or ``$SLIPWAY_DATA`` names a folder that is not there or lacks this data set.
    """
    if request == "embedded":
        return Place("embedded", None)
    if request != "auto":
        return Place("path", _required(Path(request), name, exists, "--data"))
    named = os.environ.get("SLIPWAY_DATA")
    if named:
        return Place("path", _required(Path(named), name, exists, "SLIPWAY_DATA"))
    if not remotes:
        return Place("embedded", None, "the full set has no stable address to download from")
    try:
        cached = cache_folder() / name
        download(remotes, cached)
    except DataError as error:
        return Place("embedded", None, str(error))
    return Place("download", cached)


def open_data(path: Path) -> io.BytesIO:
    """Return the bytes of a file of a data set.

    Raises:
        DataError: It cannot be read, is no file, or is larger than any of these sets.
    """
    try:
        return io.BytesIO(read_file(path, MAX_DATA_BYTES))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def open_text(path: Path, encoding: str = "utf-8-sig", newline: str | None = None) -> io.TextIOWrapper:
    """Return the text of a file of a data set, a byte order mark apart; reading it may raise UnicodeDecodeError.

    Raises:
        DataError: As :func:`open_data`.
    """
    return io.TextIOWrapper(open_data(path), encoding=encoding, newline=newline)


def cache_folder() -> Path:
    """Return slipway's folder in the user's cache (XDG base directories).

    Raises:
        DataError: Nothing says where it is.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    if root and Path(root).is_absolute():
        return Path(root) / "slipway"
    try:
        return Path.home() / ".cache/slipway"
    except RuntimeError as error:  # a user that the system does not know, as in some containers
        raise DataError("this user has no home folder to cache downloads in; set HOME or XDG_CACHE_HOME") from error


def download(remotes: Sequence[Remote], folder: Path) -> None:
    """Bring the files that are not yet in ``folder``, each checked against its size and SHA-256.

    Where another process is bringing a file, this one waits for it.

    Raises:
        DataError: A file could not be had; the message names each address and what it answered.
    """
    for remote in remotes:
        target = folder / remote.name
        if _is_there(remote, target):
            sweep_partial(target)
            continue
        if os.environ.get("SLIPWAY_OFFLINE"):
            raise DataError("SLIPWAY_OFFLINE is set")
        try:
            with alone(target, "download", wait_seconds=FILE_SECONDS):
                if not _is_there(remote, target):
                    _download_one(remote, target)
        except FileError as error:
            raise DataError(f"download failed: {error}") from error


def _is_there(remote: Remote, target: Path) -> bool:
    try:
        return target.is_file() and hash_file(target) == remote.sha256
    except OSError as error:
        raise DataError(f"{target} cannot be read: {error.strerror}") from error


def _required(folder: Path, name: str, exists: Callable[[Path], bool], said: str) -> Path:
    if not folder.is_dir():
        raise DataError(f"{said}: there is no folder {folder}; give an existing folder or --data embedded")
    if not exists(folder):
        raise DataError(f'{said}: folder {folder} does not hold the data set "{name}"; docs/notes.md has its layout')
    return folder


def _download_one(remote: Remote, target: Path) -> None:
    failures = []
    for url in remote.urls:
        try:
            write_atomically(target, _blocks(url, remote))
        except (OSError, HTTPException, DataError) as error:
            failures.append(f"{urlsplit(url).hostname}: {_reason(error)}")
        else:
            return
    raise DataError("download failed: " + "; ".join(failures))


def _reason(error: Exception) -> str:
    """Say in one line why an answer is of no use; a server may have chosen the words."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection
    text = str(getattr(error, "reason", error)) or type(error).__name__
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:200])


def _blocks(url: str, remote: Remote) -> Iterator[bytes]:
    """Yield a file's content; at the end, raise unless it was the right one."""
    deadline = time.monotonic() + FILE_SECONDS
    digest, size = hashlib.sha256(), 0
    with _open(url) as answer:
        while block := answer.read1(1 << 16):
            size += len(block)
            if size > remote.bytes:
                raise DataError(f"more than the {remote.bytes} bytes expected")
            if time.monotonic() > deadline:
                raise DataError(f"not finished after {FILE_SECONDS:.0f} s")
            digest.update(block)
            yield block
    if size < remote.bytes:
        raise DataError(f"the answer ended after {size} of {remote.bytes} bytes")
    if digest.hexdigest() != remote.sha256:
        raise DataError(f"{size} bytes of SHA-256 {digest.hexdigest()}, expected {remote.sha256}")


def _open(url: str) -> HTTPResponse:
    """Open a URL, at most ``ANSWER_SECONDS`` long; in a thread, because looking up a name has no time limit."""
    opened: list[HTTPResponse | BaseException] = []

    def work() -> None:
        try:
            opened.append(urllib.request.build_opener(_SameScheme).open(url, timeout=ANSWER_SECONDS))
        except BaseException as error:  # handed to the caller below
            opened.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS + 1)
    if not opened:
        raise DataError(f"no answer after {ANSWER_SECONDS:.0f} s")
    if isinstance(opened[0], BaseException):
        raise opened[0]
    return opened[0]


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows redirects from https to https only."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not newurl.startswith("https://"):
            fp.close()
            raise urllib.error.URLError(f"redirected to {newurl.split(':')[0]}, only https is followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
