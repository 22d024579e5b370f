"""``slipway run`` without an input option: a model of texts answers each line as it is typed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slipway.cli._answer import Answer, Array, name_of, shown
from slipway.cli._console import fail, json_text, one_line, write_out
from slipway.errors import InputError
from slipway.preprocess import decode, encode, text_inputs, text_items
from slipway.signature import Signature

#: As slipway-infer has it, there in bytes.
_MAX_LINE = 1 << 20


def converse(
    signature: Signature, run: Callable[[Mapping[str, Array]], Mapping[str, Array]], top: int, as_json: bool
) -> None:
    """Answer standard input until it ends, each item before the next one is read.

    From a terminal each text has a prompt, and what cannot be read is said and asked again. Else a line is an item,
    with tabs between its texts where there are several, and the answer repeats it, as slipway-infer does.

    Raises:
        InputError: A line of a pipe or file cannot be encoded; the message names it.
    """
    typed = sys.stdin.isatty()
    for place, texts in enumerate(_typed(signature) if typed else _lines(signature), 1):
        try:
            item = _item(signature, texts)
            arrays = encode(signature, [item])
            outputs = run(arrays)
        except InputError as error:
            if not typed:
                raise InputError(f"line {place}: {error}") from error
            fail(str(error))
            continue
        answer = Answer.of(signature, arrays, outputs, decode(signature, outputs))
        [row] = answer.as_json([name_of(item)], top)
        _say(json_text(row) if as_json else _text(row, "" if typed else shown(name_of(item))))


def _item(signature: Signature, texts: list[str]) -> Any:
    count = len(text_inputs(signature))
    if len(texts) != count:
        raise InputError(
            f"got {len(texts)} {'text' if len(texts) == 1 else 'texts'}, expected {count} with tabs between them"
        )
    return text_items(signature, texts)[0]


def _typed(signature: Signature) -> Iterator[list[str]]:
    ports = text_inputs(signature)
    prompts = ["text> "] if len(ports) == 1 else [f"{port.name}> " for port in ports]
    try:
        while True:
            texts = [input(prompt) for prompt in prompts]
            if any(text.strip() for text in texts):
                yield texts
    except EOFError:
        _say("")


def _lines(signature: Signature) -> Iterator[list[str]]:
    several = len(text_inputs(signature)) > 1
    try:
        while line := sys.stdin.readline(_MAX_LINE + 1):
            if len(line) > _MAX_LINE:
                raise InputError(f"a line of standard input has more than {_MAX_LINE} characters")
            text = line.removesuffix("\n").removesuffix("\r")
            yield text.split("\t") if several else [text]
    except UnicodeDecodeError as error:
        raise InputError(f"standard input is not UTF-8: {error}") from error


def _text(row: Mapping[str, Any], name: str) -> str:
    """Write the answer: one line per label shown, ``name``, label and probability with tabs between them."""
    if row["label"] is None:
        rows = [[f"{port} {values}"] for port, values in row["outputs"].items()]
    elif row["top"]:
        rows = [[best["label"], f"{best['probability']:.6f}"] for best in row["top"]]
    else:
        rows = [[row["label"]]]
    return "\n".join("\t".join(one_line(cell) for cell in ([name, *cells] if name else cells)) for cells in rows)


def _say(line: str) -> None:
    write_out(line + "\n")
