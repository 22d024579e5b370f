"""``slipway run`` with texts: several per item, lines of a pipe, and a person at a terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from slipway.cli import _converse
from slipway.errors import InputError
from slipway.preprocess import encode, text_inputs, text_items, token_counts
from slipway.signature import BinaryOutput, InputPort, LengthInput, OutputPort, Signature, TableInput, TextInput

WORDS = TextInput(unit="word", vocabulary=("?", "a", "b"), limit=3, unknown=0)
Array = NDArray[np.generic]
Say = Callable[[Sequence[str], bool], tuple[str, str]]


def signature(count: int) -> Signature:
    ports = [
        port
        for n in range(count)
        for port in (
            InputPort(f"text{n}", "int64", (f"T{n}", "N"), WORDS),
            InputPort(f"lengths{n}", "int64", ("N",), LengthInput(of=f"text{n}")),
        )
    ]
    return Signature(tuple(ports), (OutputPort("p", ("N", 1), BinaryOutput()),), ("shorter", "longer"))


def longer(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    """Say whether the last text has more words than the first, or than two words."""
    lengths = [array for name, array in inputs.items() if name.startswith("lengths")]
    first = lengths[0] if len(lengths) > 1 else np.array([2])
    return {"p": np.where(np.greater(lengths[-1], first), 0.75, 0.25).astype(np.float32).reshape(-1, 1)}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    def run(typed: str, count: int = 1, as_json: bool = False, terminal: bool = False) -> tuple[str, str]:
        monkeypatch.setattr(sys, "stdin", Terminal(typed) if terminal else io.StringIO(typed))
        _converse.converse(signature(count), longer, 1, as_json)
        done = capsys.readouterr()
        return done.out, done.err

    return run


def test_two_texts_become_one_item_with_two_time_axes() -> None:
    items = text_items(signature(2), ["a b a", "b", "a", "b b"])
    assert items == [{"text0": "a b a", "text1": "b"}, {"text0": "a", "text1": "b b"}]
    arrays = encode(signature(2), items)
    assert arrays["text0"].tolist() == [[1, 1], [2, 0], [1, 0]]
    assert arrays["text1"].tolist() == [[2, 2], [0, 2]]
    assert (arrays["lengths0"].tolist(), arrays["lengths1"].tolist()) == ([3, 1], [1, 2])
    assert token_counts(signature(2), items) == [3, 1]


def test_one_text_stays_a_plain_string() -> None:
    assert text_items(signature(1), ["a", "b"]) == ["a", "b"]


def test_texts_that_are_no_multiple_are_refused_with_the_inputs() -> None:
    with pytest.raises(InputError, match="got 3 texts, the model takes 2 texts at a time: text0, text1"):
        text_items(signature(2), ["a", "b", "a"])


def test_a_model_of_a_text_and_a_table_takes_no_texts_alone() -> None:
    mixed = Signature((*signature(1).inputs, InputPort("x", "float32", ("N", 2), TableInput())), ())
    assert text_inputs(mixed) == []
    with pytest.raises(InputError, match="not texts alone: text0, x"):
        text_items(mixed, ["a"])


def test_lines_are_answered_with_tabs(say: Callable[..., tuple[str, str]]) -> None:
    assert say("a b a\na\r\nb b b")[0] == "a b a\tlonger\t0.750000\na\tshorter\t0.750000\nb b b\tlonger\t0.750000\n"


def test_a_line_of_two_texts_has_a_tab_and_json_lists_them(say: Callable[..., tuple[str, str]]) -> None:
    out, _ = say("a\tb b\n", count=2, as_json=True)
    row = json.loads(out)
    assert (row["input"], row["label"]) == (["a", "b b"], "longer")
    assert say("a\tb b\n", count=2)[0] == "a | b b\tlonger\t0.750000\n"


@pytest.mark.parametrize("line", ["a", "a\tb\ta", "a\tb\ta\tb"])
def test_a_line_with_another_number_of_texts_is_named(say: Callable[..., tuple[str, str]], line: str) -> None:
    with pytest.raises(InputError, match=r"line 2: got \d texts?, expected 2 with tabs"):
        say(f"a\tb\n{line}\n", count=2)


def test_a_terminal_asks_for_each_text_and_goes_on_after_an_empty_one(say: Callable[..., tuple[str, str]]) -> None:
    out, err = say("a b a\n\nb\n", terminal=True)
    assert out == "text> longer\t0.750000\ntext> text> shorter\t0.750000\ntext> \n"
    assert err == ""
    out, err = say("a\nb b\n\nb\na\nb\n", count=2, terminal=True)
    assert out.replace("text0> text1> ", "> ") == "> longer\t0.750000\n> > shorter\t0.750000\ntext0> \n"
    assert "input \"text0\", item 0: the text '' is empty" in err
