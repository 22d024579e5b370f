"""Nothing at all: empty tensors through every operator, batches of none, texts without a letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from empty_cases import Empty, empty_cases
from small_models import WORDS, Array, Small, bundles, made, normal

import slipway
from slipway import _engine
from slipway.errors import SlipwayError

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

# ---- operators ----


@pytest.mark.parametrize("isa", _engine.isas())
@pytest.mark.parametrize("case", empty_cases(), ids=str)
def test_an_operator_takes_nothing_as_onnx_says(case: Empty, isa: str) -> None:
    def run() -> Array:
        return _engine.run_op(case.op, list(case.inputs), dict(case.attributes), case.outputs, 20, case.domain, isa)[0]

    if isinstance(case.expected, str):
        with pytest.raises(SlipwayError, match=case.expected):
            run()
        return
    got = run()
    assert got.dtype == case.expected.dtype
    assert got.shape == case.expected.shape
    np.testing.assert_array_equal(got, case.expected)


def test_every_operator_is_among_them() -> None:
    """What runs graphs, and what the passes make of others, is asked for by the models below."""
    of_models = {"If", "Loop", "Scan", "Network", "EmbeddedGRU", "EmbeddedLSTM", "EmbeddedRNN"}
    assert {row["onnx"] for row in _engine.operators()} - of_models == {case.op for case in empty_cases()}


# ---- models ----


def sizes_of(outputs: dict[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in outputs.items()}


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("small", [*made(), *bundles()], ids=str)
def test_a_batch_of_none_gives_outputs_of_none(small: Small, threads: int, optimize: bool, figure: Figure) -> None:
    session = slipway.Session(small.model, threads=threads, optimize=optimize)
    two = session.run(small.draw(0, 2, 5))
    for _ in range(2):
        got = session.run(small.draw(0, 0, 5))
        assert sizes_of(got) == {
            name: tuple(0 if axis == small.rows.get(name, 0) else size for axis, size in enumerate(array.shape))
            for name, array in two.items()
        }
    again = session.run(small.draw(0, 2, 5))
    assert all(again[name].tobytes() == two[name].tobytes() for name in two)
    figure(f"a batch of none of {small.name}", 1)


@pytest.mark.parametrize("isa", _engine.isas())
def test_a_text_without_a_letter_has_the_first_state(isa: str) -> None:
    """ONNX lets a sequence have no step; torch's packed sequences do not, and the runtimes refuse it as eager does."""
    session = slipway.Session(WORDS, isa=isa)
    tokens = np.arange(20).reshape(5, 4)
    none = session.run({"tokens": tokens, "lengths": np.zeros(4, np.int64)})["y"]
    assert (none == none[0]).all()
    some = session.run({"tokens": tokens, "lengths": np.array([5, 0, 2, 0])})["y"]
    assert some[1].tobytes() == some[3].tobytes() == none[0].tobytes()
    assert some[0].tobytes() != none[0].tobytes()
    without_time = session.run({"tokens": tokens[:0], "lengths": np.zeros(4, np.int64)})["y"]
    assert without_time.tobytes() == none.tobytes()
    for lengths in ([6, 1, 1, 1], [1, 1, 1, -1]):
        with pytest.raises(slipway.RuntimeFault, match="sequence_lens"):
            session.run({"tokens": tokens, "lengths": np.array(lengths)})


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_packed_lengths_that_are_equal_one_or_none_are_what_torch_makes_of_them(kind: str) -> None:
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(3, 4)
    x, state = torch.from_numpy(normal(0, 6, 5, 3)), dict(layer.named_parameters())
    order = {"GRU": [1, 0, 2], "LSTM": [0, 3, 1, 2], "RNN": [0]}[kind]

    def parts(name: str) -> Array:
        blocks = state[f"{name}_l0"].detach().numpy().reshape(len(order), 4, -1)
        return blocks[order].reshape(1, len(order) * 4, -1)

    bias = np.concatenate([parts("bias_ih")[..., 0], parts("bias_hh")[..., 0]], axis=1)
    attributes: dict[str, Any] = {"hidden_size": 4} | ({"linear_before_reset": 1} if kind == "GRU" else {})

    def ours(lengths: Array) -> Array:
        weights = [parts("weight_ih"), parts("weight_hh"), bias]
        return _engine.run_op(kind, [x.numpy(), *weights, lengths.astype(np.int32)], attributes, 2)[1]

    for lengths in (np.full(5, 6), np.full(5, 1), np.array([6, 1, 3, 3, 1])):
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(lengths), enforce_sorted=False)
        with torch.no_grad():
            _, last = layer(packed)
        last = last[0] if kind == "LSTM" else last
        np.testing.assert_allclose(ours(lengths), last.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="greater than 0"):
        torch.nn.utils.rnn.pack_padded_sequence(x, torch.zeros(5, dtype=torch.int64), enforce_sorted=False)
    np.testing.assert_array_equal(ours(np.zeros(5)), np.zeros((1, 5, 4)))


# ---- the recipes, untrained ----


def exported(name: str) -> tuple[bytes, torch.nn.Module, Any]:
    """An untrained model of the recipe as it is exported, its module, and its signature."""
    from slipway.recipes import load_recipe
    from slipway.train.settings import resolve
    from slipway_export.capture import capture
    from slipway_export.cases import Pool, example_inputs, probe_inputs
    from slipway_export.clean import clean, engine_operators

    recipe = load_recipe(name)
    config, _ = resolve(recipe, "smoke")
    dataset = recipe.data("embedded", config)
    signature, module = recipe.signature(config, dataset), recipe.build(config, dataset).eval()
    pool = Pool.of(signature)
    captured = capture(module, signature, example_inputs(pool), probe_inputs(pool), formats=("onnx",))
    content = clean(captured.onnx, signature, name=name, operators=engine_operators(), metadata={})
    return content, module, signature


def test_recipes_take_a_batch_of_none_as_eager_does(effort: Effort, figure: Figure) -> None:
    from slipway.recipes import recipe_names

    names = recipe_names() if effort(short=0, long=1) else ["fizzbuzz", "names-gru"]
    refused = 0
    for name in names:
        model, module, signature = exported(name)
        inputs = {
            port.name: np.zeros(
                [0 if d == "N" else d if isinstance(d, int) else 32 if d in "HW" else 4 for d in port.dims], port.dtype
            )
            for port in signature.inputs
        }
        got = slipway.Session(model).run(inputs)
        assert all(array.size == 0 for array in got.values()), name
        try:
            with torch.no_grad():
                eager = module(*(torch.from_numpy(inputs[port.name]) for port in signature.inputs))
        except (RuntimeError, ValueError, IndexError):
            refused += 1
            continue
        eager = eager if isinstance(eager, tuple) else (eager,)
        assert [array.shape for array in got.values()] == [tuple(tensor.shape) for tensor in eager], name
    figure("recipes, of which eager refuses a batch of none", f"{len(names)}, {refused}")
