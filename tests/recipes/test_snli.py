"""SNLI: pairs are read as words or parses, the generated ones are sound, and the notes' loop is the packed RNN."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from slipway.data import snli
from slipway.data._snli_pairs import bracketed
from slipway.data._vocabulary import UNKNOWN
from slipway.errors import DataError
from slipway.preprocess import encode
from slipway.recipes import load_recipe
from slipway.recipes._snli import Config, Merger, RecurrentPair
from slipway.recipes._texts import PackedEncoder
from slipway.recipes.snli_rnn import NotesEncoder
from slipway.train.batches import Batches, make_batch
from slipway.train.metrics import measure, wilson

PREMISE = "( ( A man ) ( sleeps . ) )"
ROWS = [
    {"gold_label": "neutral", "sentence1_binary_parse": PREMISE, "sentence2_binary_parse": "( ( A ( tall man ) ) . )"},
    {"gold_label": "-", "sentence1_binary_parse": PREMISE, "sentence2_binary_parse": "( A dog )"},
    {"gold_label": "contradiction", "sentence1_binary_parse": PREMISE, "sentence2_binary_parse": "( He ( 'll run ) )"},
]


def write(folder: Path, train: str, test: str) -> Path:
    folder.mkdir()
    for name in (train, test):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return folder


@pytest.fixture
def subset(tmp_path: Path) -> Path:
    write(tmp_path / "snli_subset", "train.jsonl", "test.jsonl")
    return tmp_path


def test_pairs_without_agreement_are_left_out(subset: Path) -> None:
    dataset = snli.load(str(subset))
    assert dataset.train.raws == [
        {"premise": "A man sleeps .", "hypothesis": "A tall man ."},
        {"premise": "A man sleeps .", "hypothesis": "He 'll run"},
    ]
    assert [dataset.labels[i] for i in dataset.train.targets.tolist()] == ["neutral", "contradiction"]
    assert "subset" in dataset.source.name


def test_one_pair_to_learn_from_is_refused(subset: Path) -> None:
    (subset / "snli_subset" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:2]))
    with pytest.raises(DataError, match=r"train\.jsonl: got 1 labelled pair to learn from, expected at least 2"):
        snli.load(str(subset))


def test_the_whole_corpus_is_taken_before_the_subset(subset: Path) -> None:
    write(subset / "snli_1.0", "snli_1.0_train.jsonl", "snli_1.0_test.jsonl")
    assert snli.load(str(subset)).source.name == "SNLI 1.0"
    assert snli.load(str(subset / "snli_1.0")).source.name == "SNLI 1.0"
    assert "subset" in snli.load(str(subset / "snli_subset")).source.name


def test_a_parse_keeps_its_brackets_which_stand_first_in_the_vocabulary(subset: Path) -> None:
    dataset = snli.load(str(subset), "parse", least=1)
    assert dataset.train.raws[0]["premise"] == PREMISE
    assert dataset.facts["vocabulary"][:6] == ("(", ")", UNKNOWN, ".", "a", "man")
    assert dataset.facts["unknown"] == 2
    assert dataset.facts["fold"] == {}


@pytest.mark.parametrize(
    "line",
    [
        "nothing",
        "[]",
        "{}",
        json.dumps(ROWS[0] | {"gold_label": "maybe"}),
        json.dumps(ROWS[0] | {"sentence1_binary_parse": "( )"}),
        json.dumps(ROWS[0] | {"sentence2_binary_parse": 3}),
    ],
)
def test_a_broken_line_is_named(subset: Path, line: str) -> None:
    path = subset / "snli_subset" / "test.jsonl"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"test\.jsonl, line 4"):
        snli.load(str(subset))


def test_a_typed_sentence_has_the_words_of_the_corpus(subset: Path) -> None:
    recipe = load_recipe("snli-gru")
    signature = recipe.signature(Config(), snli.load(str(subset), least=1))
    typed = {"premise": "a man sleeps.", "hypothesis": "He'll run"}
    tokens = {"premise": "A man sleeps .", "hypothesis": "he 'll run"}
    arrays = encode(signature, [typed, tokens])
    assert arrays["premise_lengths"].tolist() == [4, 4]
    assert arrays["hypothesis_lengths"].tolist() == [3, 3]
    assert (arrays["premise"][:, 0] == arrays["premise"][:, 1]).all()
    assert (arrays["hypothesis"][:, 0] == arrays["hypothesis"][:, 1]).all()


def test_generated_parses_are_binary_trees_and_no_pair_occurs_twice() -> None:
    dataset = snli.load("embedded", "parse")
    pairs = [tuple(raw.values()) for split in (dataset.train, dataset.test) for raw in split.raws]
    assert len(set(pairs)) == len(pairs) == len(dataset.train) + len(dataset.test)
    for parse in {parse for pair in pairs for parse in pair}:
        depth, tokens = 0, parse.split()
        for token in tokens:  # "(" is skipped, a word is shifted, ")" reduces two to one
            depth += {"(": 0, ")": -1}.get(token, 1)
            assert depth >= 1 or token == "("
        assert depth == 1
        assert tokens.count("(") == tokens.count(")") == len(snli.words_of(parse).split()) - 1
    assert torch.bincount(dataset.train.targets).tolist() == [1000, 1000, 1000]
    assert "synthetic" in dataset.source.name
    assert bracketed((("a", "man"), "sleeps")) == "( ( a man ) sleeps )"


def test_both_forms_hold_the_same_words() -> None:
    words, parses = snli.load("embedded"), snli.load("embedded", "parse")
    for plain, parse in zip(words.test.raws, parses.test.raws, strict=True):
        assert plain == {side: snli.words_of(text) for side, text in parse.items()}
    assert set(parses.facts["vocabulary"]) - set(words.facts["vocabulary"]) == {"(", ")"}


def test_the_packed_rnn_is_the_notes_encoder_at_any_length() -> None:
    torch.manual_seed(0)
    packed = PackedEncoder("rnn", 6, 5)
    assert isinstance(packed.rnn, nn.RNN)
    notes = NotesEncoder.from_rnn(packed.rnn)
    words, lengths = torch.randn(9, 7, 6), torch.tensor([9, 1, 4, 9, 2, 8, 3])
    torch.testing.assert_close(packed(words, lengths), notes(words, lengths), rtol=0, atol=1e-6)
    packed(words, lengths).square().sum().backward()
    notes(words, lengths).square().sum().backward()
    halves = [packed.rnn.get_parameter(f"weight_{side}_l0").grad for side in ("ih", "hh")]
    joined = torch.cat([half for half in halves if half is not None], dim=1)
    torch.testing.assert_close(joined, notes.rnn.input2hidden.weight.grad, rtol=1e-5, atol=1e-5)


def test_the_merger_joins_premise_hypothesis_difference_and_product() -> None:
    merger = Merger(2, 0.5).eval()
    p, h = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 5.0]])
    expected = torch.tensor([[1.0, 2, 3, 5, -2, -3, 3, 10]])
    torch.testing.assert_close(merger(p, h), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
def test_layers_and_directions_follow_the_config(kind: str, layers: int, bidirectional: bool) -> None:
    config = Config(hidden=8, embedding=6, layers=layers, bidirectional=bidirectional)
    recipe = load_recipe(f"snli-{kind}")
    dataset = snli.load("embedded")
    module = recipe.build(config, dataset).eval()
    assert isinstance(module, RecurrentPair)
    rnn = module.encoder.rnn
    assert isinstance(rnn, nn.LSTM if kind == "lstm" else nn.GRU)
    assert (rnn.num_layers, rnn.bidirectional, rnn.dropout) == (
        layers,
        bidirectional,
        config.dropout if layers > 1 else 0,
    )
    signature = recipe.signature(config, dataset)
    batch = make_batch(signature, dataset.test, range(4), torch.device("cpu"))
    with torch.no_grad():
        assert module(*batch.inputs).shape == (4, 3)
        for n in range(4):  # each text stops at its own length
            alone = make_batch(signature, dataset.test, [n], torch.device("cpu"))
            torch.testing.assert_close(module(*alone.inputs)[0], module(*batch.inputs)[n], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_a_share_is_wilsons(correct: int, total: int, low: float, high: float) -> None:
    """The third is the example of R. G. Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson(correct, total) == pytest.approx((low, high), abs=5e-5)


def test_a_classifier_is_judged_against_chance() -> None:
    recipe, dataset = load_recipe("snli-gru"), snli.load("embedded")
    signature = recipe.signature(Config(), dataset)
    module = recipe.build(Config(hidden=8, embedding=8), dataset)
    score, metrics = measure(recipe, signature, module, Batches(signature, dataset.test, 256, torch.device("cpu")))
    values = metrics.values
    assert values["accuracy, 95 % from"] < score < values["accuracy, 95 % to"]
    assert values["accuracy by chance"] == pytest.approx(torch.bincount(dataset.test.targets).max() / len(dataset.test))
