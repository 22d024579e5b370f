"""Downloads from servers that misbehave and onto disks that fail, and damaged data files: one sentence each."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import CHANGES, Action, Call, Commands, Fault
from scenarios import leftovers, points

from slipway.data import _root, camvid, cifar10, mnist, names
from slipway.data._root import Remote, download
from slipway.errors import DataError, SlipwayError

Figure = Callable[[str, float | str], None]
Rounds = Callable[..., int]

CONTENT = random.Random(3).randbytes(300_000)


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """``/good`` answers with the content; every other path has its own fault."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.close_connection = True
        getattr(self, self.path[1:])()

    def answer(self, content: bytes, length: int | None = None, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def good(self) -> None:
        self.answer(CONTENT)

    def slow(self) -> None:
        time.sleep(0.2)  # so that others come while this one is served
        self.answer(CONTENT)

    def missing(self) -> None:
        self.answer(b"there is no such page", code=404)

    def broken(self) -> None:
        self.answer(b"", code=500)

    def truncated(self) -> None:
        self.answer(CONTENT[:100_000])

    def cut(self) -> None:
        self.answer(CONTENT[:100_000], len(CONTENT))

    def longer(self) -> None:
        self.answer(CONTENT + b"more")

    def other(self) -> None:
        self.answer(CONTENT[::-1])

    def reset(self) -> None:
        self.answer(CONTENT[:100_000], len(CONTENT))
        self.wfile.flush()
        # Closing with linger 0 sends a reset (socket(7), SO_LINGER).
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def silent(self) -> None:
        self.server.stop.wait(20)  # type: ignore[attr-defined]

    def hangs(self) -> None:
        self.answer(CONTENT[:100_000], len(CONTENT))
        self.server.stop.wait(20)  # type: ignore[attr-defined]

    def drips(self) -> None:
        self.answer(b"", len(CONTENT))
        while not self.server.stop.wait(0.02):  # type: ignore[attr-defined]
            self.wfile.write(b"x")

    def elsewhere(self) -> None:
        self.answer(b"", code=302, Location="http://another.invalid/file")

    def nonsense(self) -> None:
        self.wfile.write(b"\x00\xff\n" * 1000)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Keeps its mouth shut about connections that its handlers broke."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("SLIPWAY_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    Misbehaving.asked = []
    httpd = Server(("127.0.0.1", 0), Misbehaving)
    httpd.stop = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.stop.set()  # type: ignore[attr-defined]
    httpd.shutdown()
    httpd.server_close()


def remote(url: str) -> Remote:
    return Remote([url], "file", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing", "Not Found"),
        ("broken", "Internal Server Error"),
        ("truncated", "ended after 100000 of 300000 bytes"),
        ("cut", "ended after 100000 of 300000 bytes"),
        ("longer", "more than the 300000 bytes expected"),
        ("other", "SHA-256"),
        ("reset", "reset|ended after"),
        ("silent", "timed out|no answer"),
        ("hangs", "timed out"),
        ("drips", "not finished after"),
        ("elsewhere", "only https is followed"),
        ("nonsense", "."),
    ],
)
def test_a_server_that_misbehaves_leaves_no_file_and_is_named(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    monkeypatch.setattr(_root, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(_root, "FILE_SECONDS", 0.3 if path == "drips" else 10.0)
    began = time.monotonic()
    with pytest.raises(DataError, match=rf"^download failed: 127\.0\.0\.1: .*({message})") as caught:
        download([remote(f"{server}/{path}")], tmp_path)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 15
    assert list(tmp_path.iterdir()) == []


#: Downloads one file, as the commands do: an error is a line and exit code 1.
DOWNLOAD = """
import sys
from pathlib import Path
from slipway.data._root import Remote, download
from slipway.errors import SlipwayError
url, sha, size, folder = sys.argv[1:]
try:
    download([Remote([url], "file", sha, int(size))], Path(folder))
except SlipwayError as error:
    sys.stderr.write(f"error: {error}\\n")
    code = 1
"""


def get(commands: Commands, url: str, folder: Path, **options: object) -> object:
    wanted = remote(url)
    environment = {"no_proxy": "*", "SLIPWAY_OFFLINE": ""}
    arguments = (url, wanted.sha256, wanted.bytes, folder)
    return commands("python", DOWNLOAD, *arguments, environment=environment, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [Action.KILL, Action.FAIL, Action.FAIL_ON, Action.SHORT, Action.INTERRUPT])
def test_a_download_that_is_disturbed_is_never_taken_for_data(
    server: str, commands: Commands, tmp_path: Path, effort: Rounds, figure: Figure, action: Action
) -> None:
    """Killed, interrupted or refused by the disk at any change; the next one brings the file."""
    url = f"{server}/good"
    refused = CHANGES & ~Call.REMOVE if action in (Action.FAIL, Action.FAIL_ON) else CHANGES
    counted = get(commands, url, tmp_path / "counted", fault=Fault(tmp_path / "counted", refused, 0, Action.NOTHING))
    rounds = points(counted.seen, effort(short=4, long=100))  # type: ignore[attr-defined]
    codes = {Action.KILL: (-signal.SIGKILL,), Action.SHORT: (0,), Action.INTERRUPT: (0, 130)}
    for at in rounds:
        folder = tmp_path / str(at)
        done = get(commands, url, folder, fault=Fault(folder, refused, at, action))
        assert done.code in codes.get(action, (0, 1)), done  # type: ignore[attr-defined]
        assert "Traceback" not in done.err  # type: ignore[attr-defined]
        if (folder / "file").exists():
            assert (folder / "file").read_bytes() == CONTENT
        if action != Action.KILL and folder.exists():
            assert leftovers(folder) == []
        assert get(commands, url, folder).code == 0  # type: ignore[attr-defined]
        assert [file.name for file in folder.iterdir()] == ["file"]
    figure(f"downloads disturbed, {action.name}", len(rounds))


def test_a_second_download_waits_for_the_first(server: str, tmp_path: Path) -> None:
    threads = [threading.Thread(target=download, args=([remote(f"{server}/slow")], tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Misbehaving.asked == ["/slow"]
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_cache_that_cannot_be_written_leads_to_embedded_data_with_the_reason(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)
    place = _root.find("auto", "digits", lambda folder: False, [remote(f"{server}/good")])
    assert place.folder is None
    assert "cannot write" in place.reason


# --- data files -----------------------------------------------------------------------------------------------------


def idx(*shape: int) -> bytes:
    return struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape), *shape) + bytes(int(np.prod(shape)))


def write_mnist(folder: Path) -> list[Path]:
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(3, 28, 28)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(3)))
    return sorted(folder.iterdir())


def write_cifar(folder: Path) -> list[Path]:
    rng = np.random.default_rng(1)
    for part in ("train", "test"):
        pixels = rng.integers(0, 255, (3, 32, 32, 3), np.uint8)
        np.savez_compressed(folder / f"{part}.npz", x=pixels, y=np.arange(3))
    return sorted(folder.iterdir())


def write_names(folder: Path) -> list[Path]:
    for part in ("train", "test"):
        (folder / f"names_{part}.csv").write_text('"Adda","Wales"\r\n"Sato","Japan"\r\n')
    return sorted(folder.iterdir())


def write_camvid(folder: Path) -> list[Path]:
    from PIL import Image

    for part, shape in (
        ("train", (32, 32, 3)),
        ("trainannot", (32, 32)),
        ("test", (32, 32, 3)),
        ("testannot", (32, 32)),
    ):
        (folder / part).mkdir()
        content = io.BytesIO()
        Image.fromarray(np.ones(shape, np.uint8)).save(content, format="png")
        (folder / part / "a.png").write_bytes(content.getvalue())
    return sorted(folder.rglob("*.png"))


@pytest.mark.parametrize(
    ("write", "load"),
    [(write_mnist, mnist.load), (write_cifar, cifar10.load), (write_names, names.load), (write_camvid, camvid.load)],
    ids=["idx.gz", "npz", "csv", "png"],
)
def test_a_damaged_data_file_is_refused_in_one_sentence_or_read_whole(
    tmp_path: Path,
    effort: Rounds,
    figure: Figure,
    write: Callable[[Path], list[Path]],
    load: Callable[[str], object],
) -> None:
    """Cut short, and with bytes changed: never another error than slipway's own."""
    rng = random.Random(5)
    files = write(tmp_path)
    load(str(tmp_path))
    told: list[str] = []
    rounds = effort(short=60, long=5000)
    for number in range(rounds):
        file = rng.choice(files)
        content = file.read_bytes()
        damaged = bytearray(content[: rng.randrange(len(content))] if number % 3 == 0 else content)
        for _ in range(rng.randint(1, 4) if damaged and number % 3 else 0):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        file.write_bytes(damaged)
        try:
            load(str(tmp_path))
        except SlipwayError as error:
            told.append(str(error))
        except Exception as error:
            raise AssertionError(f"round {number}, {file.name}: {damaged!r}") from error
        file.write_bytes(content)
    assert not any("\n" in text for text in told)
    assert len(told) > rounds // 10
    figure("damaged data files", rounds)
