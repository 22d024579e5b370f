"""hello-embedding and the cells of the names family: layouts agree, and any length and batch is taken."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from slipway.data import hello
from slipway.preprocess import decode, encode
from slipway.recipes import hello_embedding, load_recipe, names_gru
from slipway.train.loop import Run, train
from slipway.train.settings import resolve


def test_time_first_and_batch_first_give_the_same_answers() -> None:
    torch.manual_seed(0)
    time_first = hello_embedding.HelloEmbedding(hello_embedding.Config()).eval()
    batch_first = hello_embedding.HelloEmbedding(hello_embedding.Config(batch_first=True)).eval()
    batch_first.load_state_dict(time_first.state_dict())
    for length, batch in ((1, 1), (5, 1), (3, 7), (40, 2)):
        letters = torch.randint(4, (length, batch))
        with torch.no_grad():
            torch.testing.assert_close(time_first(letters), batch_first(letters.t()))


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_word_is_learned_and_its_beginnings_are_said_alike(batch_first: bool) -> None:
    config, training = resolve(hello_embedding.RECIPE, "default", {"batch_first": batch_first})
    run = train(Run(hello_embedding.RECIPE, config, training, "embedded"))
    assert run.score == 1.0
    for texts, expected in ((["hello"], ["ohlol"]), (["hel", "hel"], ["ohl", "ohl"]), (["h"], ["o"])):
        letters = torch.from_numpy(encode(run.signature, texts)["letters"])
        with torch.no_grad():
            assert decode(run.signature, {"scores": run.module(letters).numpy()}) == expected


def test_the_layers_are_those_of_the_notes() -> None:
    net = hello_embedding.HelloEmbedding(hello_embedding.Config())
    assert tuple(net.embedding.weight.shape) == (len(hello.LETTERS), 10)
    assert (net.rnn.input_size, net.rnn.hidden_size, net.rnn.num_layers) == (10, 8, 2)
    assert tuple(net.linear.weight.shape) == (4, 8)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("names-gru", nn.GRU), ("names-bigru", nn.GRU), ("names-lstm", nn.LSTM), ("names-rnn", nn.RNN)],
)
def test_a_packed_batch_answers_like_each_name_alone_without_padding(name: str, kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    recipe = load_recipe(name)
    module = names_gru.NameClassifier(recipe.config, 18).eval()
    assert type(module.recurrent) is kind
    lengths = torch.tensor([2, 9, 1, 5])
    tokens = torch.randint(32, 127, (9, 4))
    with torch.no_grad():
        together = module(tokens, lengths)
        for n, length in enumerate(lengths.tolist()):
            output, _ = module.recurrent(module.embedding(tokens[:length, n : n + 1]))  # [length, 1, hidden]
            size = recipe.config.hidden
            last = output[-1, :, :size]
            if recipe.config.bidirectional:
                last = torch.cat((output[0, :, size:], last), dim=1)
            torch.testing.assert_close(together[n : n + 1], module.linear(last), rtol=1e-4, atol=1e-5)


def test_the_cells_have_four_three_and_one_set_of_weights() -> None:
    configs = [replace(names_gru.Config(), cell=cell) for cell in ("lstm", "gru", "rnn")]
    counts = [sum(p.numel() for p in names_gru.NameClassifier(c, 18).recurrent.parameters()) for c in configs]
    assert [4 * counts[2], 3 * counts[2], counts[2]] == counts
    assert all(more > fewer for more, fewer in pairwise(counts))
