"""Texts, tables and images become the same tensors, bit for bit, as in slipway.preprocess."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from slipway.errors import InputError
from slipway.preprocess import encode, fold_table
from slipway.readers import read_csv, read_image
from slipway.signature import ImageInput, Signature, TableInput, TextInput

from .conftest import Echo, Run


def check(infer: Run, model: Path, signature: Signature, raws: Sequence[Any], *arguments: object) -> None:
    target = model.with_name("y.npy")
    infer(model, *arguments, "--output", target)
    expected = encode(signature, raws)["x"]
    result = np.load(target)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    assert result.tobytes() == expected.tobytes()


TEXTS = ["a", "Zoë", "Straße", "O'Neill-Łukasz", "Ệ\u0301", "  \ttwo  words\n", "~"]
SPECS = {
    "characters": TextInput(fold=fold_table(), unknown=7),
    "lowercase": TextInput(fold=fold_table(), unknown=7, lowercase=True),
    "code_points": TextInput(limit=0x110000),
    "vocabulary": TextInput(vocabulary=["a", "b", "é", "a"], limit=4, unknown=3, pad=2),
    "words": TextInput(unit="word", vocabulary=["two", "words", "Zoë"], limit=3, unknown=1),
    "one_hot": TextInput(vocabulary=list("abc~"), limit=4, unknown=0, one_hot=True),
}


@pytest.mark.parametrize("dims", [("T", "N"), ("N", "T")], ids="".join)
@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_the_twin_of_python(infer: Run, echo: Echo, dims: tuple[str, str], name: str, text: str) -> None:
    spec = SPECS[name]
    model, signature = echo("float32", (*dims, spec.limit), spec) if spec.one_hot else echo("int64", dims, spec)
    check(infer, model, signature, [text], "--text", text)


def test_texts_of_one_length_make_a_batch(infer: Run, echo: Echo) -> None:
    model, signature = echo("int32", ("T", "N"), TextInput())
    check(infer, model, signature, ["abc", "xyz"], "--text", "abc", "xyz")


@pytest.mark.parametrize(
    "text", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", "é".encode(), b" "]
)
def test_a_text_that_cannot_be_encoded_is_refused(infer: Run, echo: Echo, text: bytes) -> None:
    model, _ = echo("int64", ("T", "N"), TextInput(unit="word", vocabulary=["a"], limit=1))
    infer(model, stdin=b"a\n" + text + b"\n", code=1)


def test_an_unknown_character_is_named_with_its_place(infer: Run, echo: Echo) -> None:
    model, _ = echo("int64", ("T", "N"), TextInput())
    message = infer(model, "--text", "naïve", code=1).stderr
    assert '"ï" (U+00EF) at place 3' in message
    assert "below 128" in message
    assert "empty" in infer(model, "--text", "", code=1).stderr
    assert "line 2" in infer(model, stdin="a\n\n", code=1).stderr


TABLE = TableInput(columns=["a", "b"], mean=[0.1, 2.0], std=[3.0, 0.7])


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3.25,-4e-3\n",
        "a,b\n1,2\n",
        ' a , b \r\n"1","2"\r\n\r\n3,4',
        "\ufeffa,b\n1e308,1e-320\n.5,5.\n",
        "nan,-inf\n+1,Infinity\n",
        "1,2\r3,4\r",
        "1e999,-1e999\n",
    ],
)
def test_a_table_is_the_twin_of_python(infer: Run, echo: Echo, tmp_path: Path, text: str) -> None:
    model, signature = echo("float32", ("N", 2), TABLE)
    file = tmp_path / "rows.csv"
    file.write_bytes(text.encode())
    check(infer, model, signature, read_csv(file, TABLE.columns), "--csv", file)


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "1\n", "1,2,3\n", "1,x\n", '1,"2\n', "1,0x1p3\n", "1,nan(3)\n", "1,\n", "\xff,2"]
)
def test_a_broken_table_is_refused(infer: Run, echo: Echo, tmp_path: Path, text: str) -> None:
    model, _ = echo("float32", ("N", 2), TABLE)
    file = tmp_path / "rows.csv"
    file.write_bytes(text.encode("latin-1"))
    infer(model, "--csv", file, code=1)


@pytest.mark.parametrize("header", ["b,a", "A,B", "a, b, c", "a"])
def test_another_header_is_told_beside_the_models_columns(infer: Run, echo: Echo, tmp_path: Path, header: str) -> None:
    model, _ = echo("float32", ("N", 2), TABLE)
    file = tmp_path / "rows.csv"
    file.write_text(f"{header}\n1,2\n", encoding="utf-8")
    for stderr in (infer(model, "--csv", file, code=1).stderr, infer(model, stdin=f"{header}\n1,2\n", code=1).stderr):
        assert "line 1: the header is " in stderr
        assert "expected the model's columns, a, b, in this order" in stderr
    with pytest.raises(
        InputError, match=r"line 1: the header is '.*', expected the model's columns, a, b, in this order"
    ):
        read_csv(file, TABLE.columns)


def test_table_lines_stream_from_standard_input(infer: Run, echo: Echo) -> None:
    model, _ = echo("float32", ("N", 2), TABLE)
    lines = infer(model, stdin="a,b\n1,2\n\n3,4\n").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["line 2", "line 4"]
    lines = infer(model, stdin="a,b\r1,2\r3,4\n5,6\n").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["line 2", "line 3", "line 4"]
    for wrong in ("3", "3,x", '3,"4', '"3"4'):
        done = infer(model, stdin=f"1,2\n{wrong}\n5,6\n", code=1)
        assert "line 2" in done.stderr
        assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["line 1"]


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    levels = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image = Image.fromarray(levels)
    return image.convert(mode) if mode != "P" else image.convert("RGB").quantize(17)


def bytes_of(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (61, 37), (9, 5), (1, 1)], ids=str)
def test_a_png_is_the_twin_of_python(
    infer: Run, echo: Echo, tmp_path: Path, mode: str, channels: Any, size: tuple[int, int]
) -> None:
    spec = ImageInput(channels=channels, mean=(0.1307, 0.2, 0.3)[:channels], std=(0.3081, 0.4, 0.5)[:channels])
    model, signature = echo("float32", ("N", channels, 28, 28), spec)
    file = tmp_path / "picture.png"
    file.write_bytes(bytes_of(picture(mode, size), "PNG"))
    check(infer, model, signature, [read_image(file)], "--image", file)


@pytest.mark.parametrize(
    "options", [{"quality": 30}, {"quality": 95, "subsampling": 0}, {"progressive": True}], ids=str
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_is_the_twin_of_python(
    infer: Run, echo: Echo, tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    model, signature = echo("float32", ("N", 3, "H", "W"), ImageInput(3, None, None, (0, 0, 0), (1, 1, 1)))
    file = tmp_path / "picture.jpg"
    file.write_bytes(bytes_of(picture(mode, (53, 31)), "JPEG", **options))
    check(infer, model, signature, [read_image(file)], "--image", file)


@pytest.mark.parametrize("shares", [b"\xff\x00\xff", b"\x10\x20", b"\xff\xff\xff", b"\x00"], ids=bytes.hex)
def test_the_transparency_of_a_palette_is_the_twin_of_pythons(
    infer: Run, echo: Echo, tmp_path: Path, shares: bytes
) -> None:
    model, signature = echo("float32", ("N", 3, "H", "W"), ImageInput(3, None, None, (0, 0, 0), (1, 1, 1)))
    file = tmp_path / "picture.png"
    file.write_bytes(bytes_of(picture("P", (9, 7)), "PNG", transparency=shares))
    check(infer, model, signature, [read_image(file)], "--image", file)


def test_the_first_of_several_pictures_in_a_jpeg_is_read(infer: Run, echo: Echo, tmp_path: Path) -> None:
    model, signature = echo("float32", ("N", 3, "H", "W"), ImageInput(3, None, None, (0, 0, 0), (1, 1, 1)))
    file = tmp_path / "picture.jpg"
    file.write_bytes(bytes_of(picture("RGB", (9, 7)), "MPO", save_all=True, append_images=[picture("RGB", (4, 4))]))
    check(infer, model, signature, [read_image(file)], "--image", file)


def test_images_of_several_sizes_go_one_size_per_batch(infer: Run, echo: Echo, tmp_path: Path) -> None:
    model, _ = echo("float32", ("N", 1, "H", "W"), ImageInput(height=None, width=None))
    for name, size in (("a", (3, 2)), ("b", (2, 2)), ("c", (3, 2))):
        (tmp_path / name).write_bytes(bytes_of(picture("L", size), "PNG"))
    lines = infer(model, "--image", *(tmp_path / name for name in "abc")).stdout.splitlines()
    assert ["[1, 2, 3]" in line for line in lines] == [True, False, True]


def hostile_images() -> dict[str, bytes]:
    png = bytes_of(picture("RGB", (40, 30)), "PNG")
    jpeg = bytes_of(picture("RGB", (40, 30)), "JPEG")
    frames = [picture("RGB", (4, 4)), picture("RGB", (4, 4)).rotate(90)]
    cases = {
        "empty": b"",
        "text": b"hello",
        "png_16_bit_grey": bytes_of(Image.fromarray(np.full((4, 4), 300, np.uint16)), "PNG"),
        "png_animated": bytes_of(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "png_wrong_sum": png[:29] + bytes([png[29] ^ 1]) + png[30:],
        "png_huge": png[:16] + (1 << 30).to_bytes(4, "big") + png[20:],
        "jpeg_cmyk": bytes_of(picture("RGB", (8, 8)).convert("CMYK"), "JPEG"),
        "gif": bytes_of(picture("P", (4, 4)), "GIF"),
    }
    cases |= {f"png_cut_{n}": png[:n] for n in (8, 20, 33, 60, len(png) // 2, len(png) - 13)}
    return cases | {f"jpeg_cut_{n}": jpeg[:n] for n in (3, 20, 200, len(jpeg) // 2, len(jpeg) - 40)}


@pytest.mark.parametrize(
    ("name", "data"), hostile_images().items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hostile_image_is_refused(infer: Run, echo: Echo, tmp_path: Path, name: str, data: bytes) -> None:
    model, _ = echo("float32", ("N", 1, 28, 28), ImageInput())
    (tmp_path / name).write_bytes(data)
    assert name in infer(model, "--image", tmp_path / name, code=1).stderr


def test_a_decompression_bomb_is_refused_before_it_is_decoded(infer: Run, echo: Echo, tmp_path: Path) -> None:
    model, _ = echo("float32", ("N", 1, 28, 28), ImageInput())
    (tmp_path / "bomb.png").write_bytes(bytes_of(Image.new("1", (9000, 9000)), "PNG"))
    assert "the limit is" in infer(model, "--image", tmp_path / "bomb.png", code=1).stderr


def test_random_changes_of_images_never_crash_it(infer_program: Path, infer: Run, echo: Echo, tmp_path: Path) -> None:
    import subprocess

    model, _ = echo("float32", ("N", 3, 28, 28), ImageInput(3, mean=(0, 0, 0), std=(1, 1, 1)))
    generator = np.random.default_rng(11)
    originals = [bytes_of(picture("P", (20, 20)), "PNG"), bytes_of(picture("RGB", (20, 20)), "JPEG", progressive=True)]
    for i in range(60):
        data = np.frombuffer(originals[i % 2], np.uint8).copy()
        places = generator.integers(8, len(data), 4)
        data[places] = generator.integers(0, 256, 4)
        (tmp_path / "changed").write_bytes(data.tobytes())
        done = subprocess.run([infer_program, model, "--image", tmp_path / "changed"], capture_output=True, timeout=60)
        assert done.returncode in (0, 1), (i, done.stderr)
        assert done.stderr.count(b"\n") == done.returncode
