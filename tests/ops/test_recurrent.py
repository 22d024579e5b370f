"""What GRU, LSTM and RNN have in common: the oracle itself, refusals, lengths, and padding that nobody touches."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from harness import HOSTILE_INTS, Case, check_refused, columns_of, run
from recurrent_cases import make
from recurrent_oracle import (
    DEFAULTS,
    INITIAL_C,
    INITIAL_H,
    LENGTHS,
    B,
    R,
    W,
    X,
    by_onnxruntime,
    closed_form,
    torch_packed,
)

OPS = ("GRU", "LSTM", "RNN")
COLUMNS = [(op, column) for op in OPS for column in columns_of(op)]
#: Whose arithmetic the processor's flags tell of.
PROCESSOR = [(op, column) for op, column in COLUMNS if column != "cuda"]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_closed_form_equals_torch_on_packed_sequences(op: str, layout: int, direction: str) -> None:
    case = make(op, "torch", time=9, batch=5, features=4, hidden=7, lengths=[3, 9, 1, 9, 5], layout=layout,
                direction=direction)  # fmt: skip
    for ours, theirs in zip(closed_form(op, case), torch_packed(op, case, torch.float64), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


ONNXRUNTIME_CASES = [
    ("GRU", {"linear_before_reset": 0}),
    ("GRU", {"clip": 0.2}),
    ("GRU", {"direction": "reverse"}),
    ("LSTM", {"peepholes": True}),
    ("LSTM", {"input_forget": 1, "clip": 0.2}),
    ("LSTM", {"peepholes": True, "direction": "bidirectional", "clip": 0.4}),
    ("LSTM", {"activations": ["HardSigmoid", "Elu", "Softsign"], "activation_alpha": [0.3, 0.8]}),
    ("RNN", {"activations": ["Softplus"], "direction": "reverse"}),
    ("RNN", {"activations": ["ScaledTanh"], "activation_alpha": [0.7], "activation_beta": [0.6]}),
]


@pytest.mark.parametrize(("op", "options"), ONNXRUNTIME_CASES, ids=str)
def test_closed_form_equals_onnxruntime_where_torch_has_no_such_thing(op: str, options: dict[str, Any]) -> None:
    if options.get("activation_alpha") == [0.3, 0.8]:
        options = {**options, "activation_beta": [0.5]}
    case = make(op, "ort", lengths=[2, 4, 1], **options)
    for ours, theirs in zip(closed_form(op, case), by_onnxruntime(op, case), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("op", "column"), COLUMNS)
@pytest.mark.parametrize("hidden", [16, 100])
def test_error_against_float64_is_at_most_twice_that_of_torch(op: str, column: str, hidden: int) -> None:
    case = make(op, "names", time=19, batch=33, features=hidden, hidden=hidden, direction="bidirectional",
                lengths=[1 + (7 * i) % 19 for i in range(33)])  # fmt: skip
    exact = closed_form(op, case)
    eager = torch_packed(op, case, torch.float32)
    for ours, theirs, true in zip(run(op, case, column, all_constant=True), eager, exact, strict=True):
        rounding = np.finfo(np.float32).eps / 2 * np.abs(true).max()
        allowed = 2 * np.abs(theirs.astype(np.float64) - true).max() + rounding
        assert np.abs(ours.astype(np.float64) - true).max() <= allowed


@pytest.mark.parametrize(("op", "column"), COLUMNS)
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize(("batch", "hidden"), [(2, 37), (5, 37), (11, 37), (70, 37), (11, 100), (3, 130)])
def test_a_sequence_has_the_same_bits_in_every_batch(
    op: str, column: str, direction: str, batch: int, hidden: int
) -> None:
    lengths = [(5, 1, 7, 7, 2, 3, 6, 1, 4, 7, 5)[n % 11] for n in range(batch)]
    case = make(op, "batch", time=7, batch=batch, features=20, hidden=hidden, lengths=lengths,
                direction=direction)  # fmt: skip
    together = run(op, case, column, all_constant=True)
    for n in range(0, batch, 1 + batch // 20):
        alone = list(case.inputs)
        for i in {X, INITIAL_H, INITIAL_C} & set(range(len(alone))):
            whole = case.inputs[i]
            assert whole is not None
            alone[i] = whole[:, [n]]
        alone[LENGTHS] = np.array([lengths[n]], np.int32)
        single = run(op, Case("one", alone, case.attributes, case.outputs), column, all_constant=True)
        for i, (one, all_of_them) in enumerate(zip(single, together, strict=True)):
            axis = 2 if i == 0 else 1
            assert one.tobytes() == np.ascontiguousarray(all_of_them.take([n], axis)).tobytes()


FE_INVALID, FE_OVERFLOW = 1, 8  # <fenv.h> on x86-64


@pytest.fixture
def flags() -> Iterator[ctypes.CDLL]:
    """The C library's floating-point flags, cleared before and after."""
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.feclearexcept(FE_INVALID | FE_OVERFLOW)
    yield library
    library.feclearexcept(FE_INVALID | FE_OVERFLOW)


@pytest.mark.skipif(ctypes.util.find_library("m") is None, reason="no C mathematics library to ask")
@pytest.mark.parametrize(("op", "column"), PROCESSOR)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
def test_padding_enters_no_arithmetic(op: str, column: str, direction: str, layout: int, flags: ctypes.CDLL) -> None:
    """The padding holds signalling NaN: any operation on one would raise the processor's invalid flag."""
    lengths = [2, 7, 0, 4, 1, 7, 3]
    case = make(op, "traps", time=7, batch=7, hidden=17, lengths=lengths, direction=direction, layout=layout)
    clean = run(op, case, column)
    x = case.inputs[X]
    assert x is not None
    rows = x if layout else x.swapaxes(0, 1)
    for n, length in enumerate(lengths):
        rows.view(np.uint32)[n, length:] = 0x7FA00000
    flags.feclearexcept(FE_INVALID)
    trapped = run(op, case, column)
    assert flags.fetestexcept(FE_INVALID) == 0
    assert all(a.tobytes() == b.tobytes() for a, b in zip(clean, trapped, strict=True))
    rows.view(np.uint32)[1, 0] = 0x7FA00000
    run(op, case, column)
    assert flags.fetestexcept(FE_INVALID) != 0, "the probe itself does not work"


@pytest.mark.parametrize("column", [column for op, column in PROCESSOR if op == "RNN"])
def test_no_step_is_computed_beyond_a_length(column: str, flags: ctypes.CDLL) -> None:
    """A state that doubles with each step stays finite for 100 steps, and would overflow within the padding."""
    time, doubling = 3000, np.full((1, 1, 1), 2.0, np.float32)
    inputs = [np.zeros((time, 2, 1), np.float32), doubling, doubling, None, np.array([100, 60], np.int32)]
    case = Case("doubling", [*inputs, np.ones((1, 2, 1), np.float32)], {"activations": ["Relu"]}, 2)
    flags.feclearexcept(FE_OVERFLOW)
    y, last = run("RNN", case, column)
    assert flags.fetestexcept(FE_OVERFLOW) == 0
    assert last.ravel().tolist() == [2.0**100, 2.0**60]
    assert not y[100:].any()
    assert not y[60:, :, 1].any()
    inputs[LENGTHS] = np.array([time, 60], np.int32)
    run("RNN", Case("overflowing", [*inputs, np.ones((1, 2, 1), np.float32)], {"activations": ["Relu"]}, 2), column)
    assert flags.fetestexcept(FE_OVERFLOW) != 0, "the probe itself does not work"


@pytest.mark.parametrize(("op", "column"), COLUMNS)
def test_length_zero_gives_zeros_and_the_initial_state(op: str, column: str) -> None:
    case = make(op, "zero", lengths=[0, 3, 0])
    y, *last = run(op, case, column)
    assert not y[:, :, [0, 2]].any()
    for state, initial in zip(last, case.inputs[INITIAL_H:], strict=True):
        assert initial is not None
        assert (state[:, [0, 2]] == initial[:, [0, 2]]).all()


@pytest.mark.parametrize(("op", "column"), COLUMNS)
@pytest.mark.parametrize("length", [-1, 5, 2**31 - 1, -(2**31)])
def test_lengths_outside_the_sequence_are_reported(op: str, column: str, length: int) -> None:
    case = make(op, "length", lengths=[1, length, 2])
    check_refused(op, case, rf"sequence_lens is {length}, allowed are 0 to 4", column)


@pytest.mark.parametrize(("op", "column"), COLUMNS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e-42, 3e38])
def test_special_values_stay_in_their_sequence(op: str, column: str, value: float) -> None:
    case = make(op, "special", batch=4, lengths=[4, 4, 2, 4])
    clean = run(op, case, column)
    x = case.inputs[X]
    assert x is not None
    x[1, 2] = value
    dirty = run(op, case, column)
    for i, (before, after) in enumerate(zip(clean, dirty, strict=True)):
        axis = 2 if i == 0 else 1
        others = [0, 1, 3]
        assert before.take(others, axis).tobytes() == after.take(others, axis).tobytes()
    if np.isnan(value):
        assert np.isnan(dirty[1][0, 2]).all()


def _with(case: Case, **attributes: Any) -> Case:
    return Case(case.name, case.inputs, {**case.attributes, **attributes}, case.outputs, case.opset)


def _replaced(case: Case, index: int, value: Any) -> Case:
    inputs = list(case.inputs)
    inputs[index] = value
    return Case(case.name, inputs, case.attributes, case.outputs, case.opset)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("size", HOSTILE_INTS)
def test_a_hidden_size_that_does_not_fit_the_weights_is_refused(op: str, size: int) -> None:
    check_refused(op, _with(make(op, "size"), hidden_size=size), "hidden_size|shape")


@pytest.mark.parametrize("op", OPS)
def test_unknown_and_ill_formed_attributes_are_refused_by_name(op: str) -> None:
    case = make(op, "refused")
    check_refused(op, _with(case, direction="sideways"), "direction is .*sideways")
    check_refused(op, _with(case, activations=["Swish"] * len(DEFAULTS[op])), "Swish.*supported are: Relu, Tanh")
    check_refused(op, _with(case, activations=["Tanh"] * 7), "7 names")
    check_refused(op, _with(case, activations=["Affine"] * len(DEFAULTS[op])), "Affine needs a value")
    check_refused(op, _with(case, activation_alpha=[1.0]), "more values")
    check_refused(op, _with(case, clip=-1.0), "clip is -1")
    check_refused(op, _with(case, clip=float("nan")), "clip is")
    check_refused(op, _with(case, layout=2), "layout is 2")
    check_refused(op, _with(make(op, "old", opset=13), layout=0), "layout")
    check_refused(op, _with(case, output_sequence=1), "output_sequence")
    other = {"GRU": "input_forget", "LSTM": "linear_before_reset", "RNN": "linear_before_reset"}[op]
    check_refused(op, _with(case, **{other: 1}), other)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("index", [X, W, R, B, LENGTHS, INITIAL_H])
def test_inputs_of_another_shape_or_type_are_refused(op: str, index: int) -> None:
    case = make(op, "shapes", lengths=[1, 2, 3])
    array = case.inputs[index]
    assert array is not None
    wider = np.concatenate([array, array[..., :1]], -1)
    check_refused(op, _replaced(case, index, wider), "shape")
    check_refused(op, _replaced(case, index, array[None]), "rank")
    check_refused(op, _replaced(case, index, array.astype(np.int64)), "type int64")
    check_refused(op, _replaced(case, index, np.zeros((0,) * array.ndim, array.dtype)), "shape")
