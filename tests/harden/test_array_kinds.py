"""Arrays of every kind that Python has: each is read for what it is, or refused in one clear sentence."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_models import PERCEPTRON, Array, model_of, normal

import slipway

X = normal(0, 3, 30)
INT8 = model_of("g (int8[N] x) => (int8[N] y) { y = Identity (x) }")


@pytest.fixture(scope="module")
def session() -> slipway.Session:
    return slipway.Session(PERCEPTRON)


@pytest.fixture(scope="module")
def expected(session: slipway.Session) -> Array:
    return session.run({"x": X})["y"]


class Lent:
    """An array of somebody's own library, which speaks DLPack and nothing else."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **_: object) -> object:
        return self.array.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Subclass(np.ndarray):
    """May hide anything."""


def broken(**methods: Callable[..., object]) -> Lent:
    """A lent array with methods that do something else."""
    return type("Broken", (Lent,), methods)(X)  # type: ignore[no-any-return]


def fail(error: Exception) -> Callable[..., object]:
    def raise_it(*_: object, **__: object) -> object:
        raise error

    return raise_it


def unaligned(array: Array) -> Array:
    memory = np.empty(array.nbytes + 1, np.uint8)
    copy = memory[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def mapped(array: Array, path: Path) -> Array:
    there = np.memmap(path, array.dtype, "w+", shape=array.shape)
    there[...] = array
    there.flush()
    return np.memmap(path, array.dtype, "r", shape=array.shape)


READ: dict[str, Callable[[Path], Any]] = {
    "a subclass": lambda _: X.view(Subclass),
    "a matrix": lambda _: X.view(np.matrix),
    "masked, with nothing under the mask": lambda _: np.ma.array(X),
    "read-only": lambda _: read_only(X),
    "Fortran's order": lambda _: np.asfortranarray(X),
    "every second": lambda _: X.repeat(2, axis=1)[:, ::2],
    "backwards": lambda _: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "broadcast": lambda _: X,
    "unaligned": lambda _: unaligned(X),
    "of a memmap": lambda path: mapped(X, path / "x"),
    "of a bytearray": lambda _: np.frombuffer(bytearray(X.tobytes()), np.float32).reshape(3, 30),
    "a tensor": lambda _: torch.from_numpy(X),
    "a tensor in other order": lambda _: torch.from_numpy(np.ascontiguousarray(X.T)).T,
    "a detached parameter": lambda _: torch.nn.Parameter(torch.from_numpy(X)).detach(),
    "lent by NumPy": lambda _: Lent(X),
    "lent by torch": lambda _: Lent(torch.from_numpy(X)),
}


@pytest.mark.parametrize("kind", READ)
def test_an_array_is_read_for_what_it_is(kind: str, session: slipway.Session, expected: Array, tmp_path: Path) -> None:
    x = READ[kind](tmp_path)
    got = session.run({"x": x})["y"]
    assert np.asarray(got).tobytes() == expected.tobytes()
    assert isinstance(got, torch.Tensor) == isinstance(x, torch.Tensor)
    assert np.asarray(slipway.ops.relu(x)).tobytes() == np.maximum(X, 0).tobytes()


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "float16": (lambda: X.astype(np.float16), "float16"),
    "longdouble": (lambda: X.astype(np.longdouble), "float128"),
    "complex": (lambda: X.astype(np.complex64), "complex64"),
    "big-endian": (lambda: X.astype(">f4"), ">f4"),
    "objects": (lambda: X.astype(object), "object"),
    "text": (lambda: X.astype(str), "<U"),
    "records": (lambda: np.zeros((3, 30), [("a", "f4")]), "'a'"),
    "dates": (lambda: np.zeros((3, 30), "M8[s]"), "datetime64"),
    "masked": (lambda: np.ma.array(X, mask=X > 0), "masked elements.*fill"),
    "61 dimensions": (lambda: X.reshape((1,) * 59 + (3, 30)), "rank|dimensions"),
    "bfloat16": (lambda: torch.from_numpy(X).bfloat16(), "does not share its memory"),
    "a parameter": (lambda: torch.nn.Parameter(torch.from_numpy(X)), "does not share its memory.*grad"),
    "sparse": (lambda: torch.from_numpy(X).to_sparse(), "does not share its memory"),
    "sparse rows": (lambda: torch.from_numpy(X).to_sparse_csr(), "does not share its memory"),
    "conjugate": (lambda: torch.zeros(3, 30, dtype=torch.complex64).conj(), "does not share its memory"),
    "negated": (lambda: torch.ones(3, 30, dtype=torch.complex64).conj().imag, "negated view.*resolve_neg"),
    "quantised": (lambda: torch.quantize_per_tensor(torch.from_numpy(X), 1.0, 0, torch.qint8), "share its memory"),
    "of no device": (lambda: torch.empty(3, 30, device="meta"), "does not say where it lies"),
    "a list": (lambda: X.tolist(), "got list"),
    "a generator": (lambda: (row for row in X), "got generator"),
    "a class of arrays": (lambda: np.ndarray, "got type"),
    "a class of tensors": (lambda: torch.Tensor, "got _?Tensor"),
    "__array__ alone": (lambda: type("Asked", (), {"__array__": fail(ValueError("no"))})(), "got Asked"),
    "no capsule": (lambda: broken(__dlpack__=lambda *_, **__: 42), "does not share its memory"),
    "a capsule that is not given": (lambda: broken(__dlpack__=fail(KeyError("no"))), "does not share its memory"),
    "a device that is not said": (lambda: broken(__dlpack_device__=fail(OSError("gone"))), "where it lies: gone"),
    "no device": (lambda: broken(__dlpack_device__=lambda _: "here"), "where it lies"),
    "two devices": (lambda: broken(__dlpack_device__=lambda _: (1, 0, 2, 0)), "where it lies"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_an_array_that_cannot_be_read_is_refused_in_one_sentence(kind: str, session: slipway.Session) -> None:
    make, message = REFUSED[kind]
    buffer = np.zeros((3, 19), np.float32)
    calls: list[Callable[[Any], object]] = [
        lambda x: session.run({"x": x}),
        lambda x: session.bind({"x": x}, {"y": buffer}),
        lambda x: session.run({"x": X}, {"y": x}),
        lambda x: slipway.ops.relu(x),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(slipway.SlipwayError) as caught:
            call(make())
        text = str(caught.value)
        assert text.isprintable()
        if number < 2:
            assert caught.match(message)
            assert '"x"' in text or "rank" in text
    assert not buffer.any()


def test_an_array_on_another_device_is_not_moved(session: slipway.Session) -> None:
    with pytest.raises(slipway.UnavailableError, match='input "x" lies on another device'):
        session.run({"x": broken(__dlpack_device__=lambda _: (10, 0))})  # type: ignore[dict-item]  # of ROCm


def test_numbers_of_numpy_are_arrays_without_dimensions() -> None:
    assert slipway.ops.relu(np.float32(-1)).shape == ()  # type: ignore[type-var]
    assert slipway.ops.relu(np.array(2, np.float32)) == 2


def test_empty_arrays_of_every_order_are_read(session: slipway.Session) -> None:
    for x in (X[:0], np.empty((30, 0), np.float32).T, np.empty((0, 30), np.float32, order="F")):
        assert session.run({"x": x})["y"].shape == (0, 19)
    for strange in (np.lib.stride_tricks.as_strided(X, (0, 30), (2**40, -8)),):
        assert session.run({"x": strange})["y"].shape == (0, 19)


# ---- what a library lends is given back ----


def test_what_was_lent_is_given_back_whatever_comes_of_the_run(session: slipway.Session) -> None:
    """A tensor is held by its capsule until the deleter of the capsule has run."""

    def held(call: Callable[[Any], object]) -> bool:
        tensor = torch.from_numpy(X.copy())
        storage = tensor.numpy()  # lives as long as the tensor's memory is referred to
        gone = weakref.ref(storage.base if storage.base is not None else storage)
        with contextlib.suppress(slipway.SlipwayError):
            call(Lent(tensor))
        del tensor, storage
        return gone() is not None

    assert not held(lambda lent: session.run({"x": lent}))
    assert not held(lambda lent: session.run({"x": lent, "z": X}))
    assert not held(lambda lent: slipway.ops.matmul(lent, X))
    assert not held(lambda lent: session.bind({"x": lent}, {"y": np.zeros((3, 19), np.float32)})())


# ---- buffers ----


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (read_only, "is read-only"),
        (np.asfortranarray, "not C-contiguous"),
        (unaligned, "not C-contiguous"),
        (lambda y: np.lib.stride_tricks.as_strided(y, y.shape, (0, 4)), "not C-contiguous"),
        (lambda y: y.astype(np.float64), "has type float64"),
        (lambda y: y[:2], r"is float32 \[2, 19\]"),
        (lambda y: torch.zeros(1, 19).expand(3, 19), "not C-contiguous"),
        (lambda y: torch.zeros(3, 19, requires_grad=True), "does not share its memory"),
        (lambda y: None, "got NoneType"),
    ],
)
def test_a_buffer_that_cannot_be_written_is_refused(
    make: Callable[[Array], Any], message: str, session: slipway.Session
) -> None:
    for call in (session.run, session.bind):
        with pytest.raises(slipway.InputError, match=f'output "y".*{message}'):
            call({"x": X}, {"y": make(np.zeros((3, 19), np.float32))})


@pytest.mark.parametrize("into", [[1], 3, (item for item in ()), "y"])
def test_buffers_that_are_no_dict_are_refused(into: Any, session: slipway.Session) -> None:
    for call in (session.run, session.bind):
        with pytest.raises(slipway.InputError, match=r"outputs got .*expected a dict"):
            call({"x": X}, into)
        with pytest.raises(slipway.InputError, match=r"inputs got .*expected a dict"):
            call(into, {"y": X})


# ---- keys ----


def test_keys_without_end_make_a_short_message(session: slipway.Session) -> None:
    names: dict[Any, Any] = {f"name {i}": X for i in range(10_000)}
    for call in (lambda: session.run({"x": X, **names}), lambda: session.run({"x": X}, names)):
        with pytest.raises(slipway.InputError) as caught:
            call()
        assert len(str(caught.value)) < 300
        assert caught.match("name 7 and 9992 more")


def test_keys_of_any_kind_are_told(session: slipway.Session) -> None:
    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError

    keys: Mapping[Any, Any] = {"x": X, Mute(): X, b"x": X, None: X, 7: X, "a\nb\0": X, "\N{WAVING BLACK FLAG}": X}
    with pytest.raises(slipway.InputError) as caught:
        session.run(keys)
    assert str(caught.value).isprintable()
    assert caught.match("a key of type Mute, a key of type bytes, a key of type NoneType, 7, 'a")
    with pytest.raises(slipway.InputError, match=r"unknown: 'y{80}'"):
        session.run({"x": X, "y" * 10_000: X})


def test_what_a_key_raises_comes_through(session: slipway.Session, expected: Array) -> None:
    class Same(str):
        __slots__ = ()

    class Bad(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

    assert session.run({Same("x"): X})["y"].tobytes() == expected.tobytes()
    with pytest.raises(ZeroDivisionError):
        session.run({Bad("x"): X})


def test_a_dict_that_changes_while_it_is_read_harms_nobody(session: slipway.Session, expected: Array) -> None:
    class Emptying(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            inputs.clear()
            return True

    inputs: dict[str, Array] = {Emptying("x"): X.copy()}
    with contextlib.suppress(slipway.InputError, RuntimeError, KeyError):
        session.run(inputs)
    assert not inputs
    assert session.run({"x": X})["y"].tobytes() == expected.tobytes()
