"""SPINN on a tensorised stack: equal to the list code of the notes, defined for every token sequence, exportable."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from torch import Tensor

from slipway.recipes import load_recipe
from slipway.recipes._recipe import Dataset
from slipway.recipes._spinn import CLOSE, REDUCE, SHIFT, Parse, Spinn
from slipway.recipes.snli_spinn import SpinnClassifier, loss, score
from slipway.train.batches import make_batch
from slipway_export.capture import capture
from slipway_export.cases import Pool, example_inputs, probe_inputs, verification_cases
from slipway_export.clean import Operator, clean

RECIPE = load_recipe("snli-spinn")
CONFIG = replace(RECIPE.config, d_embed=6, d_hidden=5, d_tracker=4, d_classifier=7)

# --- the notes' code, made to run: bundle, unbundle and tree_lstm are written out -----------------------------------


def bundle(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Entries [1, 2D] become hidden and cell states [N, D]."""
    hidden, memory = torch.cat(list(entries)).chunk(2, 1)
    return hidden, memory


def unbundle(states: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Hidden and cell states [N, D] become entries [1, 2D]."""
    return list(torch.split(torch.cat(states, 1), 1))


def tree_lstm(c1: Tensor, c2: Tensor, lstm_in: Tensor) -> tuple[Tensor, Tensor]:
    """A binary tree LSTM: hidden and cell state from both children's cell states and the gates [N, 5D]."""
    a, i, f1, f2, o = lstm_in.chunk(5, 1)
    c = a.tanh() * i.sigmoid() + f1.sigmoid() * c1 + f2.sigmoid() * c2
    return o.sigmoid() * c.tanh(), c


def notes_spinn(spinn: Spinn, buffers: list[list[Tensor]], transitions: Tensor | None) -> Tensor:
    """SPINN.forward of the notes with the weights of ``spinn``.

    Args:
        spinn: Gives the weights.
        buffers: For each sentence its entries [1, 2D], the last word first, and zeros below.
        transitions: int64 [steps, N]; None lets the tracker predict.
    """
    step: Any = spinn.loop.step
    buffers = [list(buf) for buf in buffers]
    stacks = [[buf[0], buf[0]] for buf in buffers]
    state = (torch.zeros(len(buffers), spinn.tracker_size), torch.zeros(len(buffers), spinn.tracker_size))
    steps = max(len(buf) for buf in buffers) * 2 - 3 if transitions is None else len(transitions)
    for t in range(steps):
        tops = ([buf[-1] for buf in buffers], [s[-1] for s in stacks], [s[-2] for s in stacks])
        state = step.tracker.rnn(torch.cat([bundle(entries)[0] for entries in tops], 1), state)
        if transitions is None:
            trans = legal(step.tracker.transition(state[0]), buffers, stacks)
        else:
            trans = transitions[t].tolist()
        lefts, rights, trackings = [], [], []
        for transition, buf, stack, tracking in zip(trans, buffers, stacks, unbundle(state), strict=True):
            if transition == 3:
                stack.append(buf.pop())
            elif transition == 2:
                rights.append(stack.pop())
                lefts.append(stack.pop())
                trackings.append(tracking)
        if rights:
            left, right = bundle(lefts), bundle(rights)
            lstm_in = step.reduce.left(left[0]) + step.reduce.right(right[0])
            lstm_in = lstm_in + step.reduce.track(bundle(trackings)[0])
            reduced = iter(unbundle(tree_lstm(left[1], right[1], lstm_in)))
            for transition, stack in zip(trans, stacks, strict=True):
                if transition == 2:
                    stack.append(next(reduced))
    return bundle([stack.pop() for stack in stacks])[0]


def legal(scores: Tensor, buffers: list[list[Tensor]], stacks: list[list[Tensor]]) -> list[int]:
    """The better of the legal moves of each sentence; both lists have padding of their own below (1 and 2 entries)."""
    moves = []
    for row, buf, stack in zip(scores, buffers, stacks, strict=True):
        options = [move for move, ok in ((2, len(stack) >= 4), (3, len(buf) >= 2)) if ok]
        moves.append(max(options, key=lambda move: float(row[move]), default=0))
    return moves


# --- sentences ------------------------------------------------------------------------------------------------------


def tree(rng: np.random.Generator, words: int) -> list[int]:
    """The tokens of a random binary tree, with words 2 to 9."""
    if words == 1:
        return [int(rng.integers(2, 10))]
    left = int(rng.integers(1, words))
    return [0, *tree(rng, left), *tree(rng, words - left), CLOSE]


def padded(sentences: Sequence[Sequence[int]], rows: int = 0) -> tuple[Tensor, Tensor]:
    """Tokens int64 [T, N] and lengths int64 [N]."""
    longest = max(rows, *(len(s) for s in sentences))
    columns = [torch.tensor([*s, *[0] * (longest - len(s))]) for s in sentences]
    return torch.stack(columns, dim=1), torch.tensor([len(s) for s in sentences])


def entries_of(tokens: Tensor, lengths: Tensor, size: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Random entries [N, T + 1, 2D] for the words of sentences, their number, and the moves."""
    words, count, moves = Parse()(tokens, lengths)
    entries = torch.randn(words.size(1), words.size(0), size, generator=torch.Generator().manual_seed(3))
    return torch.where((words.t() == 0).unsqueeze(2), torch.zeros(()), entries), count, moves


def buffers_of(entries: Tensor, count: Tensor) -> list[list[Tensor]]:
    zeros = torch.zeros(1, entries.size(2))
    return [
        [zeros, *(row[k].unsqueeze(0) for k in reversed(range(n)))]
        for row, n in zip(entries, count.tolist(), strict=True)
    ]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def trees() -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(0)
    return padded([tree(rng, n) for n in (7, 1, 2, 12, 3, 12, 5)], rows=41)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return RECIPE.data("embedded", CONFIG)


# --- the stack ------------------------------------------------------------------------------------------------------


def test_a_parse_becomes_words_and_moves() -> None:
    tokens, lengths = padded([[0, 0, 7, 8, CLOSE, 9, CLOSE], [5]], rows=8)
    words, count, moves = Parse()(tokens, lengths)
    assert words[:, 0].tolist() == [7, 8, 9, 0, 0, 0, 0, 0, 0]
    assert moves[:, 0].tolist() == [SHIFT, SHIFT, REDUCE, SHIFT, REDUCE, 0, 0, 0, 0]
    assert words[:, 1].tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0]
    assert moves[:, 1].tolist() == [SHIFT, 0, 0, 0, 0, 0, 0, 0, 0]
    assert count.tolist() == [3, 1]


def test_tokens_beyond_the_length_are_not_read() -> None:
    tokens = torch.tensor([[5], [6], [CLOSE], [7]])
    words, count, moves = Parse()(tokens, torch.tensor([2]))
    assert words[:, 0].tolist() == [5, 6, 0, 0, 0]
    assert count.tolist() == [2]
    assert moves[:, 0].tolist() == [SHIFT, SHIFT, 0, 0, 0]


def test_the_stack_equals_the_list_code_of_the_notes_with_gradients(trees: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    spinn = Spinn(5, 4, predict=False)
    entries, count, moves = entries_of(*trees)
    words = entries[entries.any(dim=2)].requires_grad_()  # the padding behind them stands for the notes' zeros
    entries = entries.masked_scatter(entries.any(dim=2, keepdim=True), words)
    weights = [words, *spinn.parameters()]
    encoded, _ = spinn(entries, count, moves)
    expected = notes_spinn(spinn, buffers_of(entries, count), moves)
    assert float(expected.detach().std()) > 0.05  # no empty comparison
    torch.testing.assert_close(encoded, expected, rtol=0, atol=1e-5)
    mix = torch.randn(encoded.shape, generator=torch.Generator().manual_seed(1))
    for got, want in zip(
        torch.autograd.grad((encoded * mix).sum(), weights, retain_graph=True),
        torch.autograd.grad((expected * mix).sum(), weights),
        strict=True,
    ):
        assert float(want.abs().max()) > 0
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5)


def test_predicted_moves_equal_those_of_the_list_code(trees: tuple[Tensor, Tensor]) -> None:
    taken: set[tuple[int, ...]] = set()
    for seed in range(4):
        torch.manual_seed(seed)
        spinn = Spinn(5, 4, predict=True).eval()
        with torch.no_grad():
            for weight in spinn.parameters():
                weight.mul_(4)  # moves then depend on what was read
            entries, count, moves = entries_of(*trees)
            encoded, _ = spinn(entries, count, moves)
            expected = notes_spinn(spinn, buffers_of(entries, count), None)
        torch.testing.assert_close(encoded, expected, rtol=0, atol=1e-5)
        taken.add(tuple(encoded.flatten().mul(100).long().tolist()))
    assert len(taken) == 4


def test_a_tracker_that_wants_only_reduces_or_only_shifts_still_builds_a_tree(trees: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    spinn = Spinn(5, 4, predict=True).eval()
    entries, count, _ = entries_of(*trees)
    encoded = []
    for wanted in (REDUCE, SHIFT):
        step: Any = spinn.loop.step
        with torch.no_grad():
            step.tracker.transition.bias[:] = torch.eye(4)[wanted] * 100
            predicted, _ = spinn(entries, count, torch.zeros(0, len(count), dtype=torch.int64))
            moves = [chain(n) if wanted == REDUCE else [SHIFT] * n + [REDUCE] * (n - 1) for n in count.tolist()]
            expected = notes_spinn(spinn, buffers_of(entries, count), padded(moves)[0])
        torch.testing.assert_close(predicted, expected, rtol=0, atol=1e-5)
        encoded.append(predicted)
    assert not torch.allclose(encoded[0], encoded[1])


def chain(words: int) -> list[int]:
    """Reduce as soon as it can be done."""
    return [SHIFT, *itertools.chain.from_iterable([SHIFT, REDUCE] for _ in range(words - 1))]


@pytest.mark.parametrize("predict", [False, True])
def test_any_tokens_have_a_meaning(predict: bool) -> None:
    torch.manual_seed(0)
    spinn = Spinn(5, 4, predict).eval()
    sentences = [
        [CLOSE],
        [0],
        [0, 0, CLOSE, CLOSE],
        [CLOSE, 5],
        [CLOSE, 5, CLOSE, CLOSE],
        [5, 6, 7],
        [5, 6, CLOSE, CLOSE],
    ]
    tokens, lengths = padded(sentences)
    encoded, _ = spinn(*entries_of(tokens, lengths))
    assert bool(torch.isfinite(encoded).all())
    assert (encoded[:3] == 0).all()  # without words the stack is empty
    assert (encoded[3:].abs().sum(dim=1) > 0).all()
    if not predict:
        entries, _, _ = entries_of(tokens, lengths)
        torch.testing.assert_close(encoded[3:6], torch.stack([entries[n, k, :5] for n, k in ((3, 0), (4, 0), (5, 2))]))


# --- learning to predict --------------------------------------------------------------------------------------------


def test_a_predicting_tracker_learns_the_moves_of_the_parses(dataset: Dataset) -> None:
    torch.manual_seed(0)
    config = replace(CONFIG, predict=True, d_hidden=16, d_tracker=16, dropout=0.0)
    module = RECIPE.build(config, dataset)
    batch = make_batch(RECIPE.signature(config, dataset), dataset.train, range(16), torch.device("cpu"))
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-2)
    losses = []
    for _ in range(25):
        outputs = module(*batch.inputs)
        assert outputs.shape == (16, 4)
        assert score(outputs, batch.targets)[1] == 16
        optimizer.zero_grad()
        loss(outputs, batch.targets).backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        optimizer.step()
        losses.append(float(outputs[:, 3].mean().detach()))
    assert losses[-1] < 0.4 * losses[0]


def test_brackets_are_ignored_where_they_are_predicted(dataset: Dataset) -> None:
    torch.manual_seed(0)
    config = replace(CONFIG, predict=True)
    module, signature = RECIPE.build(config, dataset).eval(), RECIPE.signature(config, dataset)
    plain = [{side: re.sub("[()]", "", text) for side, text in raw.items()} for raw in dataset.test.raws[:5]]
    with torch.no_grad():
        bracketed = module(*make_batch(signature, dataset.test, range(5), torch.device("cpu")).inputs)
        bare = module(*make_batch(signature, replace(dataset.test, raws=plain), range(5), torch.device("cpu")).inputs)
    torch.testing.assert_close(bare, bracketed, rtol=0, atol=1e-6)


# --- export ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("predict", [False, True])
def test_spinn_is_one_onnx_loop_that_answers_like_eager(dataset: Dataset, predict: bool) -> None:
    torch.manual_seed(0)
    config = replace(CONFIG, predict=predict)
    module, signature = RECIPE.build(config, dataset).eval(), RECIPE.signature(config, dataset)
    assert isinstance(module, SpinnClassifier)
    pool = Pool.of(signature, dataset.test.raws)
    captured = capture(module, signature, example_inputs(pool), probe_inputs(pool))
    assert captured.missing == {}
    names = {node.op_type for node in ir.traversal.RecursiveGraphIterator(captured.onnx.graph)}
    operators = [Operator(name, "", 1, 99) for name in names]
    content = clean(captured.onnx, signature, name="spinn", operators=operators, metadata={})
    assert [node.op_type for node in onnx.load_from_string(content).graph.node].count("Loop") == 1
    session = onnxruntime.InferenceSession(content)
    for case in verification_cases(pool):
        got = session.run(None, dict(case.inputs))[0]
        with torch.no_grad():
            want = module(*(torch.from_numpy(case.inputs[port.name]) for port in signature.inputs))
        np.testing.assert_allclose(got, want.numpy(), rtol=0, atol=1e-5, err_msg=case.name)
