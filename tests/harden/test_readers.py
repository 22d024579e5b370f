"""Files of strangers in every reader that both programs have: one sentence, and the same exit code in both."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from hostile import PLACES, Answer, check_refusal, model_of, process, slipway
from PIL import Image

#: Kind of input -> its option.
OPTIONS = {"array": "--input", "table": "--csv", "image": "--image"}

Both = Callable[[str, Path | str], tuple[Answer, Answer]]
Figure = Callable[[str, float | str], None]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {kind: model_of(kind, folder / f"{kind}.onnx") for kind in (*OPTIONS, "text")}


@pytest.fixture
def both(infer_program: Path, models: Mapping[str, Path]) -> Both:
    """Give a file to both programs: the answers of slipway and of slipway-infer."""

    def run(kind: str, file: Path | str) -> tuple[Answer, Answer]:
        value = f"x={file}" if kind == "array" else str(file)
        option = OPTIONS[kind]
        return slipway("run", models[kind], option, value), process(infer_program, models[kind], option, value)

    return run


def check(answers: tuple[Answer, Answer], code: int) -> None:
    """Fail unless both programs ended with this code, and refused in one sentence each."""
    for answer in answers:
        if code:
            check_refusal(answer, code)
        assert answer.code == code, answer.err


# --- contents -------------------------------------------------------------------------------------------------------


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """Return a .npy file with a header of choice."""
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode("latin-1") + data


def header(dtype: str, shape: str) -> str:
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=array)
    return file.getvalue()


GOOD_ARRAY = saved(np.array([[1.5, -2.0]], np.float32))

ARRAYS: dict[str, tuple[bytes, int]] = {
    "not a number": (saved(np.array([[np.nan, np.inf]], np.float32)), 0),
    "text": (b"1.5, 2\n", 1),
    "version 9": (npy(header("<f4", "(1, 2)"), bytes(8), 2).replace(b"Y\x02", b"Y\x09", 1), 1),
    "terabytes announced": (npy(header("<f4", "(274877906944, 2)"), bytes(8)), 1),
    "sizes that overflow": (npy(header("<f4", "(4611686018427387904, 4)"), bytes(8)), 1),
    "no bytes per element": (npy(header("<U0", "(4611686018427387904,)")), 1),
    "negative sizes": (npy(header("<f4", "(-1, -2)"), bytes(8)), 1),
    "a size that is True": (npy(header("<f4", "(True, 2)"), bytes(8)), 1),
    "brackets without end": (npy("(" * 60_000, b"", 2), 1),
    "nested lists": (npy(header("<f4", "[" * 900 + "]" * 900)), 1),
    "a call in the header": (npy("{'descr': exit(3), 'fortran_order': False, 'shape': (1, 2)}", bytes(8)), 1),
    "an open string in the header": (npy("{'descr': '''<f4", bytes(8)), 1),
    "a header longer than the file": (GOOD_ARRAY[:8] + b"\xff\x7f" + GOOD_ARRAY[10:], 1),
    "a header shorter than it is": (GOOD_ARRAY[:8] + b"\x20\0" + GOOD_ARRAY[10:], 1),
    "more data": (GOOD_ARRAY + b"\0", 1),
    "texts": (saved(np.array([["a", "b"]])), 1),
    "complex": (saved(np.array([[1j, 2j]])), 1),
    "dates": (saved(np.array([["2020-01-01", "2020-01-02"]], "datetime64[D]")), 1),
    "no axes": (saved(np.float32(1)), 1),
    "several arrays": (zipped(np.zeros((1, 2), np.float32)), 1),
    "a cut archive": (zipped(np.zeros((1, 2), np.float32))[:60], 1),
}


def png(*chunks: tuple[bytes, bytes], size: tuple[int, int] = (2, 2), depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG of chunks of choice between IHDR and IEND."""
    first = (b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (first, *chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file, kind, **options)
    return file.getvalue()


def jpeg_of_size(sides: bytes) -> bytes:
    """Return a JPEG of 9 x 7 pixels whose header says another height and width."""
    content = picture("RGB", "JPEG")
    assert content.count(b"\x08\x00\x07\x00\x09\x03") == 1
    return content.replace(b"\x08\x00\x07\x00\x09\x03", b"\x08" + sides + b"\x03")


ROWS = (b"IDAT", zlib.compress(bytes(2 * 7)))
PALETTE = (b"PLTE", bytes(range(6)))
PLACES_OF_2 = (b"IDAT", zlib.compress(bytes(2 * 3)))
FRAMES = [Image.new("RGB", (9, 7), shade) for shade in (0, 99)]

IMAGES: dict[str, tuple[bytes, int]] = {
    "plain": (png(ROWS), 0),
    "a palette": (picture("P", "PNG"), 0),
    "text": (b"<html>", 1),
    "100,000 pixels squared": (png(ROWS, size=(100_000, 100_000)), 1),
    "2**31 pixels squared": (png(ROWS, size=((1 << 31) - 1, (1 << 31) - 1)), 1),
    "no pixels": (png(ROWS, size=(0, 2)), 1),
    "no rows": (png(), 1),
    "few rows": (png((b"IDAT", zlib.compress(bytes(5)))), 1),
    "rows that are no stream": (png((b"IDAT", b"abc")), 1),
    "a palette that is not there": (png(ROWS, colour=3), 1),
    "a kind of colour that is none": (png(ROWS, colour=5), 1),
    "a depth that is none": (png(ROWS, depth=7), 1),
    "a chunk without end": (png(ROWS)[:33] + b"\x7f\xff\xff\xffIDAT", 1),
    "16 bits and grey": (png((b"IDAT", zlib.compress(bytes(2 * 5))), depth=16, colour=0), 1),
    "animated": (picture("RGB", "PNG", save_all=True, append_images=FRAMES), 1),
    "one frame beside the picture": (png((b"acTL", struct.pack(">II", 1, 0)), ROWS), 1),
    "transparency of a palette": (png(PALETTE, (b"tRNS", b"\7\x80"), PLACES_OF_2, colour=3), 0),
    "transparency for more colours": (png(PALETTE, (b"tRNS", b"\7\x80\7"), PLACES_OF_2, colour=3), 1),
    "transparency before its palette": (png((b"tRNS", b"\7"), PALETTE, PLACES_OF_2, colour=3), 1),
    "transparency twice": (png(PALETTE, (b"tRNS", b"\7"), (b"tRNS", b"\x80"), PLACES_OF_2, colour=3), 1),
    "transparency behind the pixels": (png(PALETTE, PLACES_OF_2, (b"tRNS", b"\7"), colour=3), 1),
    "a palette behind the pixels": (png(PALETTE, PLACES_OF_2, PALETTE, colour=3), 1),
    "two palettes": (png(PALETTE, PALETTE, PLACES_OF_2, colour=3), 1),
    "a palette of 5 bytes": (png((b"PLTE", bytes(5)), PLACES_OF_2, colour=3), 1),
    "an empty palette": (png((b"PLTE", b""), PLACES_OF_2, colour=3), 1),
    "two headers": (png((b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)), ROWS), 1),
    "a chunk that has to be understood": (png((b"ABCD", b""), ROWS), 1),
    "a wrong checksum of a text": (png((b"tEXt", b"a\0b"), ROWS).replace(b"a\0b", b"a\0c"), 1),
    "a wrong checksum of the pixels": (png(ROWS)[:-16] + bytes(4) + png(ROWS)[-12:], 1),
    "several pictures in one JPEG": (picture("RGB", "MPO", save_all=True, append_images=FRAMES), 0),
    "CMYK": (picture("CMYK", "JPEG"), 1),
    "a JPEG of 65,500 pixels squared": (jpeg_of_size(b"\xff\xdc\xff\xdc"), 1),
    "a JPEG without height": (jpeg_of_size(b"\x00\x00\x00\x09"), 1),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\n", 1),
}

TABLES: dict[str, tuple[bytes, int]] = {
    "a byte order mark and ends of lines of Windows": ("\ufeffa,b\r\n1,2\r\n".encode(), 0),
    "numbers that are none": (b"nan,-Infinity\n", 0),
    "a number of 100,000 digits": (b"1," + b"9" * 100_000 + b"\n", 0),
    "latin-1": (b"1,2\xe9\n", 1),
    "UTF-16": ("1,2\n".encode("utf-16"), 1),
    "NUL": (b"1,\x002\n", 1),
    "a line of 2 MB": (b"1," * 1_000_000 + b"1\n", 1),
    "a cell of 2 MB": (b"1," + b"9" * 2_000_000 + b"\n", 1),
    "a quote without end": (b'1,"2\n', 1),
    "text after a quote": (b'"1" ,2\n', 1),
    "a quote within": (b'1,2"3\n', 1),
    "underscores": (b"1_0,2\n", 1),
    "digits of another script": ("1,\u0662\n".encode(), 1),
    "a space of another script": ("1,\u00a02\n".encode(), 1),
    "hexadecimal": (b"0x10,2\n", 1),
    "a header alone": (b"a,b\n", 1),
    "a header twice": (b"a,b\na,b\n", 1),
    "an empty quoted line": (b'""\n', 1),
    "another width": (b"1,2,3\n", 1),
}

CONTENTS = {"array": ARRAYS, "table": TABLES, "image": IMAGES}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in CONTENTS.items() for name in table])
def test_a_file_has_one_answer_in_both_programs(both: Both, tmp_path: Path, kind: str, name: str) -> None:
    content, code = CONTENTS[kind][name]
    (tmp_path / "file").write_bytes(content)
    check(both(kind, tmp_path / "file"), code)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", OPTIONS)
def test_what_is_no_file_is_refused_without_waiting(both: Both, tmp_path: Path, kind: str, place: str) -> None:
    PLACES[place](tmp_path / "file")
    check(both(kind, tmp_path / "file"), 1)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_model_is_refused_without_waiting(infer_program: Path, tmp_path: Path, place: str) -> None:
    PLACES[place](tmp_path / "model")
    code = 6 if place == "folder" else 1
    check(
        (slipway("run", tmp_path / "model", "--random"), process(infer_program, tmp_path / "model", "--random")), code
    )
    check_refusal(slipway("inspect", tmp_path / "model"), code)
    check_refusal(slipway("inspect", tmp_path / "model", "--stage", "onnx"), code)


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\nb", "a\udcffb", "x" * 300, "\u202eb", "a\x7f\x9bb"], ids=ascii)
@pytest.mark.parametrize("kind", OPTIONS)
def test_names_cannot_steer_the_terminal(both: Both, tmp_path: Path, kind: str, name: str) -> None:
    if len(name) < 255:
        (tmp_path / name).write_bytes(b"nothing")
    check(both(kind, tmp_path / name), 1)


def cuts(size: int, count: int) -> Iterator[int]:
    return iter(sorted({int(at) for at in np.linspace(0, size - 1, min(size, count))}))


GOOD = {
    "array": [GOOD_ARRAY],
    "image": [picture(*kind) for kind in (("RGB", "PNG"), ("P", "PNG"), ("L", "JPEG"))]
    + [picture("RGB", "JPEG", progressive=True)],
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_cut_anywhere_is_refused(
    both: Both, tmp_path: Path, kind: str, effort: Callable[..., int], figure: Figure
) -> None:
    done = 0
    for content in GOOD[kind]:
        for at in cuts(len(content), effort(short=12, long=10**6)):
            (tmp_path / "file").write_bytes(content[:at])
            check(both(kind, tmp_path / "file"), 1)
            done += 1
    figure("cut files", done)


def test_a_model_that_lacks_an_entry_of_the_format_is_refused(
    infer_program: Path, models: Mapping[str, Path], tmp_path: Path
) -> None:
    whole = onnx.load(models["array"])
    keys = [entry.key for entry in whole.metadata_props if entry.key.startswith(("slipway.input", "slipway.output"))]
    assert len(keys) >= 2
    for key in ["slipway.labels", *keys]:
        model, file = onnx.ModelProto(), tmp_path / "model.onnx"
        model.CopyFrom(whole)
        del model.metadata_props[:]
        model.metadata_props.extend(entry for entry in whole.metadata_props if entry.key != key)
        onnx.save(model, file)
        answers = slipway("run", file, "--random"), process(infer_program, file, "--random")
        check(answers, 1)
        assert all(key in answer.err for answer in answers)


def test_a_model_cut_anywhere_is_judged_alike(
    infer_program: Path, models: Mapping[str, Path], tmp_path: Path, effort: Callable[..., int], figure: Figure
) -> None:
    """A cut may fall between two fields; then what is left may be a model."""
    content, file, done = models["array"].read_bytes(), tmp_path / "cut.onnx", 0
    for at in cuts(len(content), effort(short=25, long=10**6)):
        file.write_bytes(content[:at])
        answers = slipway("run", file, "--random"), process(infer_program, file, "--random")
        assert answers[0].code == answers[1].code, (at, answers)
        check(answers, answers[0].code)
        done += 1
    figure("cut models", done)


PIECES = (
    "1", "23", ".", "-", "+", "e", "E5", "nan", "inf", ",", ",", ",", '"', "\n", "\n", "\r", "\r\n", " ", "\t", "_",
    "\u0662", "\u00a0", "\ufeff", "\0", "\x1c", "\u2028", "a,b\n", "1,2\n", "1,2\n", '"3","4"\n', "\v", "x",
)  # fmt: skip


def test_random_tables_are_read_alike(
    both: Both, infer_program: Path, models: Mapping[str, Path], tmp_path: Path, effort: Callable[..., int],
    figure: Figure,
) -> None:  # fmt: skip
    rng, file, accepted = np.random.default_rng(7), tmp_path / "table", 0
    count = effort(short=80, long=5000)
    for _ in range(count):
        text = "".join(rng.choice(PIECES, rng.integers(1, 9)))
        file.write_bytes(text.encode())
        answers = both("table", file)
        assert answers[0].code == answers[1].code, (text, answers)
        check(answers, answers[0].code)
        if answers[0].code == 0:
            accepted += 1
            slipway("run", models["table"], "--csv", file, "--output-dir", tmp_path / "python")
            process(infer_program, models["table"], "--csv", file, "--output-dir", tmp_path / "cpp")
            arrays = [np.load(tmp_path / folder / "y.npy") for folder in ("python", "cpp")]
            np.testing.assert_array_equal(*arrays, err_msg=repr(text))
    assert accepted > count // 50
    figure("random tables", count)


@pytest.mark.parametrize("text", [b"\xff", b"", b"a\0b\xc3", b"\xed\xa0\x80", "\u20ac".encode()], ids=ascii)
def test_texts_that_cannot_be_read_have_one_answer(
    infer_program: Path, models: Mapping[str, Path], text: bytes
) -> None:
    """On standard input, and on the command line where it can hold them."""
    model, lines = models["text"], text + b"\n"
    check((slipway("run", model, stdin=lines), process(infer_program, model, stdin=lines)), 1)
    if b"\0" not in text:
        check((slipway("run", model, "--text", os.fsdecode(text)), process(infer_program, model, "--text", text)), 1)


def test_a_line_of_2_mb_is_refused(infer_program: Path, models: Mapping[str, Path]) -> None:
    lines = b"a" * (2 << 20)
    check((slipway("run", models["text"], stdin=lines), process(infer_program, models["text"], stdin=lines)), 1)


def test_ends_of_lines_of_windows_are_no_part_of_a_text(infer_program: Path, models: Mapping[str, Path]) -> None:
    for command in (("run", models["text"]), (infer_program, models["text"])):
        run = slipway if command[0] == "run" else process
        windows, unix = (run(*command, "--json", stdin=lines) for lines in (b"ab\r\ncd", b"ab\ncd\n"))
        assert windows == unix
        assert windows.code == 0
    own = (sys.executable, "-m", "slipway", "run")  # in a process of its own, whose stdin leaves \r alone
    answers = [process(*c, models["text"], "--json", stdin=b"a\r\r\n") for c in (own, (infer_program,))]
    assert [json.loads(answer.out)["outputs"]["n"] for answer in answers] == [2, 2]


def test_json_is_utf_8_whatever_a_file_is_called(
    infer_program: Path, models: Mapping[str, Path], tmp_path: Path
) -> None:
    file = os.fsencode(tmp_path) + b"/\xffa\xc3\x9f\xed\xa0\x80.png"
    Path(os.fsdecode(file)).write_bytes(IMAGES["plain"][0])
    for command in ([sys.executable, "-m", "slipway", "run"], [infer_program]):
        done = subprocess.run([*command, models["image"], "--image", file, "--json"], capture_output=True, check=True)
        assert os.fsencode(json.loads(done.stdout.decode("utf-8"))["input"]) == file
