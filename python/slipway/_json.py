"""JSON of strangers (RFC 8259), read as strictly as ``cpp/infer/json_read.cc`` does; so both take the same texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

#: As in ``cpp/infer/json_read.cc``.
MAX_BYTES = 16 << 20
MAX_DEPTH = 64


def read_json(content: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is none: a word that JSON does not have (NaN), a key that stands twice, a number that is out of
            range, half a surrogate pair, more than 64 levels or 16 MiB.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {len(content)} bytes, the limit is {MAX_BYTES}")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite, parse_int=_integer
        )
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels") from error
    for depth, item in _walk(value):
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, str) and any("\ud800" <= c <= "\udfff" for c in item):
            raise ValueError(f"{item[:20]!a} holds half a surrogate pair")
    return value


def _walk(value: object) -> Iterator[tuple[int, object]]:
    """Yield every value, and every key, with the number of lists and objects around it."""
    waiting = [(0, value)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        if isinstance(item, dict):
            waiting += [(depth + 1, part) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(depth + 1, part) for part in item]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"the key {key[:40]!a} stands twice in one object")
        members[key] = value
    return members


def _constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number) or (number == 0 and re.match(r"-?[0.]*[1-9]", text)):
        raise ValueError(f"the number {text[:20]} is out of range")
    return number


def _integer(text: str) -> int:
    _finite(text)
    return int(text)
