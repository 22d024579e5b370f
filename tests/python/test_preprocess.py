"""Raw input to tensors and outputs to labels, against docs/bundle-format.md."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slipway.errors import InputError
from slipway.preprocess import decode, encode, fold_table, probabilities, token_counts
from slipway.readers import read_csv, read_image
from slipway.resize import resize
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
    ImageInput,
    InputPort,
    InputSpec,
    LengthInput,
    OutputPort,
    OutputSpec,
    Signature,
    TableInput,
    TensorInput,
    TensorOutput,
    TextInput,
)


def text_signature(spec: TextInput, dims: tuple[int | str, ...] = ("T", "N")) -> Signature:
    dtype = "float32" if spec.one_hot else "int64"
    lengths = InputPort("lengths", "int64", ("N",), LengthInput("x"))
    return Signature((InputPort("x", dtype, dims, spec), lengths), ())


def one_input(spec: InputSpec, dims: tuple[int | str, ...]) -> Signature:
    return Signature((InputPort("x", "float32", dims, spec),), ())


def one_output(spec: OutputSpec, labels: tuple[str, ...], dims: tuple[int | str, ...] = ("N", 3)) -> Signature:
    return Signature((), (OutputPort("y", dims, spec),), labels)


# --- text -----------------------------------------------------------------------------------------------------------


def test_characters_are_code_points_time_first_and_padded() -> None:
    arrays = encode(text_signature(TextInput()), ["Ada", "Li"])
    np.testing.assert_array_equal(arrays["x"], [[65, 76], [100, 105], [97, 0]])
    np.testing.assert_array_equal(arrays["lengths"], [3, 2])
    assert arrays["x"].dtype == np.int64
    assert arrays["x"].flags.c_contiguous


def test_batch_first_dims_give_batch_first_arrays() -> None:
    assert encode(text_signature(TextInput(pad=9), ("N", "T")), ["ab", "a"])["x"].tolist() == [[97, 98], [97, 9]]


def test_a_character_outside_the_limit_is_named_with_its_place() -> None:
    with pytest.raises(InputError, match=r'"x", item 1 .*character .*U\+1F600.* at place 3 .*code points below 128'):
        encode(text_signature(TextInput()), ["ok", "ab\U0001f600"])


def test_unknown_characters_become_the_unknown_number() -> None:
    assert encode(text_signature(TextInput(unknown=1)), ["a\u4e00"])["x"].tolist() == [[97], [1]]


def test_fold_comes_before_lowering_and_may_change_the_length() -> None:
    arrays = encode(text_signature(TextInput(fold={"ß": "SS", "\u0301": ""}, lowercase=True)), ["ße\u0301"])
    assert bytes(arrays["x"][:, 0].astype(np.uint8)) == b"sse"
    assert arrays["lengths"].tolist() == [3]


def test_only_ascii_letters_are_lowered() -> None:
    vocabulary = ("É", "a")
    assert encode(text_signature(TextInput(vocabulary=vocabulary, lowercase=True)), ["ÉA"])["x"].tolist() == [[0], [1]]


def test_words_split_at_ascii_space_only() -> None:
    spec = TextInput(unit="word", vocabulary=("a", "b\u00a0c"), unknown=7, limit=9)
    assert encode(text_signature(spec), ["  a\t\nb\u00a0c  zz "])["x"].ravel().tolist() == [0, 1, 7]


def test_one_hot_pads_with_zero_rows() -> None:
    spec = TextInput(vocabulary=("a", "b"), limit=2, one_hot=True)
    x = encode(text_signature(spec, ("T", "N", 2)), ["b", "ab"])["x"]
    assert x.dtype == np.float32
    assert x.tolist() == [[[0, 1], [1, 0]], [[0, 0], [0, 1]]]


@pytest.mark.parametrize("text", ["", "\u0301"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        encode(text_signature(TextInput(fold=fold_table())), [text])


def test_bytes_that_are_not_utf_8_are_refused_where_unknown_characters_are_taken() -> None:
    signature = text_signature(TextInput(unit="word", vocabulary=("<unknown>", "a"), limit=2, unknown=0))
    with pytest.raises(InputError, match=r"item 1: .* is not valid UTF-8 at character 6"):
        encode(signature, ["a", "a caf\udce9"])


def test_no_items_and_wrong_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="got 0 items"):
        encode(text_signature(TextInput()), [])
    with pytest.raises(InputError, match="got int, expected a text"):
        encode(text_signature(TextInput()), [3])


def test_a_token_beyond_the_limit_of_a_vocabulary_is_unknown() -> None:
    with pytest.raises(InputError, match="accepted are a b c"):
        encode(text_signature(TextInput(vocabulary=("a", "b", "c"), limit=2)), ["c"])


def test_token_counts_are_the_lengths() -> None:
    signature = text_signature(TextInput(fold={"ß": "ss"}))
    assert token_counts(signature, ["ß", "abc"]) == encode(signature, ["ß", "abc"])["lengths"].tolist()
    assert token_counts(one_input(TensorInput(), ("N",)), [0]) is None


def test_fold_table_gives_ascii_and_knows_both_spellings() -> None:
    table = fold_table()
    assert all(len(key) == 1 and not key.isascii() and value.isascii() for key, value in table.items())
    for name, plain in [("Łukasz", "Lukasz"), ("Strauß", "Strauss"), ("O’Neill", "O'Neill"), ("Đặng", "Dang")]:
        for form in ("NFC", "NFD"):
            assert unicodedata.normalize(form, name).translate(str.maketrans(table)) == plain  # type: ignore[arg-type]


# --- images ---------------------------------------------------------------------------------------------------------


def test_an_image_is_scaled_in_double_and_rounded_once() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    signature = one_input(ImageInput(height=None, width=None, mean=(0.1307,), std=(0.3081,)), ("N", 1, "H", "W"))
    expected = ((image / 255.0 - 0.1307) / 0.3081).astype(np.float32)
    np.testing.assert_array_equal(encode(signature, [image])["x"], expected[None, None])


def test_grey_is_the_fixed_point_formula() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    signature = one_input(ImageInput(height=None, width=None), ("N", 1, "H", "W"))
    expected = np.asarray(Image.fromarray(image).convert("L"))
    np.testing.assert_array_equal(encode(signature, [image])["x"][0, 0], (expected / 255).astype(np.float32))


def test_alpha_is_composed_over_black() -> None:
    image = np.array([[[200, 100, 51, 0], [200, 100, 51, 255], [255, 100, 51, 128]]], dtype=np.uint8)
    spec = ImageInput(channels=3, height=None, width=None, mean=(0,) * 3, std=(1 / 255,) * 3)
    x = encode(one_input(spec, ("N", 3, "H", "W")), [image])["x"]
    assert np.rint(x[0, :, 0].T).tolist() == [[0, 0, 0], [200, 100, 51], [128, 50, 26]]


def test_grey_images_fill_three_channels() -> None:
    spec = ImageInput(channels=3, height=2, width=2, mean=(0, 0, 0), std=(1, 1, 1))
    x = encode(one_input(spec, ("N", 3, 2, 2)), [np.full((4, 4), 51, np.uint8)])["x"]
    np.testing.assert_array_equal(x, np.full((1, 3, 2, 2), 0.2, np.float32))


@pytest.mark.parametrize("size", [(28, 28), (80, 99), (37, 20), (10, 53), (1, 1)])
def test_resize_is_pillows_bilinear_up_to_one_level(size: tuple[int, int]) -> None:
    plane = np.random.default_rng(1).integers(0, 256, (37, 53), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(plane).resize(size[::-1], Image.Resampling.BILINEAR))
    assert np.abs(resize(plane, *size).astype(int) - expected).max() <= 1


def test_resize_keeps_constants_and_rounds_halves_up() -> None:
    assert (resize(np.full((9, 5), 137, np.uint8), 28, 28) == 137).all()
    assert resize(np.array([[0, 1]], np.uint8), 1, 1).item() == 1


@pytest.mark.parametrize("image", [np.zeros((2, 2), np.float32), np.zeros((2, 2, 5), np.uint8), np.zeros(3, np.uint8)])
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected an image, uint8"):
        encode(one_input(ImageInput(), ("N", 1, 28, 28)), [image])


def test_images_of_two_sizes_do_not_share_a_batch() -> None:
    signature = one_input(ImageInput(height=None, width=None), ("N", 1, "H", "W"))
    with pytest.raises(InputError, match="images of one size"):
        encode(signature, [np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)])


@pytest.mark.parametrize(("mode", "channels"), [("1", 0), ("L", 0), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("P", 3)])
def test_png_files_of_eight_bits_are_read(tmp_path: Path, mode: str, channels: int) -> None:
    Image.new(mode, (3, 2)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png").shape == ((2, 3, channels) if channels else (2, 3))


def test_images_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(path)
    with pytest.raises(InputError, match="8 bits"):
        read_image(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot read image"):
        read_image(path)
    Image.new("CMYK", (2, 2)).save(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="kind CMYK"):
        read_image(tmp_path / "x.jpg")
    Image.new("L", (2, 2)).save(path, save_all=True, append_images=[Image.new("L", (2, 2), 9)])
    with pytest.raises(InputError, match="animated"):
        read_image(path)


# --- tables and arrays ----------------------------------------------------------------------------------------------


def test_a_table_is_standardised_in_double() -> None:
    signature = one_input(TableInput(("a", "b"), mean=(0.1, 1e9), std=(3.0, 1e-3)), ("N", 2))
    expected = np.array([[(0.7 - 0.1) / 3.0, (1e9 + 1 - 1e9) / 1e-3]], np.float64).astype(np.float32)
    np.testing.assert_array_equal(encode(signature, [[0.7, 1e9 + 1]])["x"], expected)


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="row 1: got 3 numbers, expected 2"):
        encode(one_input(TableInput(), ("N", 2)), [[1, 2], [1, 2, 3]])


def test_csv_headers_are_skipped_and_cells_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\ufeffa, b\n1,2e3\n\n-.5,+7\n", encoding="utf-8")
    assert read_csv(path, ("a", "b")) == [[1.0, 2000.0], [-0.5, 7.0]]
    path.write_text("1,2\n3,x\n")
    with pytest.raises(InputError, match="line 2, cell 2: 'x' is not a number"):
        read_csv(path, ("a", "b"))
    path.write_text("a,b\n")
    with pytest.raises(InputError, match="no rows"):
        read_csv(path, ("a", "b"))


def test_arrays_are_stacked_at_the_batch_axis() -> None:
    x = encode(one_input(TensorInput(), (2, "N")), [np.array([1, 2]), np.array([3, 4])])["x"]
    assert x.tolist() == [[1, 3], [2, 4]]


def test_items_of_several_things_are_taken_apart_by_port() -> None:
    ports = (InputPort("a", "int64", ("N", "T"), TextInput()), InputPort("b", "float32", ("N", 1), TableInput()))
    arrays = encode(Signature(ports, ()), [{"a": "x", "b": [1.0]}, {"a": "y", "b": [2.0]}])
    assert arrays["a"].tolist() == [[120], [121]]
    assert arrays["b"].tolist() == [[1], [2]]
    with pytest.raises(InputError, match='item 1 has nothing for input "b"'):
        encode(Signature(ports, ()), [{"a": "x", "b": [1.0]}, {"a": "y"}])


# --- labels ---------------------------------------------------------------------------------------------------------


def test_the_first_of_equal_scores_wins() -> None:
    scores = {"y": np.array([[1, 3, 3], [5, 4, 3]], np.float32)}
    assert decode(one_output(ClassOutput(), ("a", "b", "c")), scores) == ["b", "a"]


def test_steps_are_joined_per_item() -> None:
    scores = np.zeros((2, 3, 2), np.float32)  # T 2, N 3
    scores[0, 1, 1] = scores[1, 2, 1] = 1
    assert decode(one_output(ClassOutput(per_step=True, join="-"), ("x", "y")), {"y": scores}) == ["x-x", "y-x", "x-y"]


def test_a_binary_label_needs_more_than_the_threshold() -> None:
    scores = {"y": np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(1))]], np.float32)}
    assert decode(one_output(BinaryOutput(), ("no", "yes")), scores) == ["no", "yes"]
    logits = {"y": np.array([[0.0], [1e-3], [-1000.0]], np.float32)}
    assert decode(one_output(BinaryOutput("logits"), ("no", "yes")), logits) == ["no", "yes", "no"]


def test_the_probability_of_a_logit_far_from_0_is_0_or_1_without_a_warning() -> None:
    found = probabilities(BinaryOutput("logits"), np.array([[-1000.0], [0.0], [1000.0]], np.float32))
    assert found is not None
    assert found.tolist() == [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]


def test_plain_tensors_have_no_labels() -> None:
    assert decode(one_output(TensorOutput(), ()), {"y": np.zeros((2, 3))}) == []
