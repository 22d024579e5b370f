"""Vocabularies: which words a model knows, counted on its training texts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from slipway.preprocess import split_words

#: Stands for every word that is not in a vocabulary.
UNKNOWN = "<unknown>"

#: Sets punctuation apart from words (a ``fold`` of ``TextInput``), so that a typed sentence has the tokens of a corpus.
APART: Mapping[str, str] = {mark: f" {mark} " for mark in '.,?!;:"()'} | {"'": " '"}


def vocabulary(
    texts: Iterable[str], least: int, first: Sequence[str] = (), fold: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """List the words of ``texts`` in lower case: ``first``, ``UNKNOWN``, then the most frequent ones first.

    Args:
        texts: Training texts.
        least: Occurrences that a word needs; rarer ones become ``UNKNOWN``, which so is trained as well.
        first: Tokens that stand first whatever their count.
        fold: The signature's replacement of characters.

    Returns:
        Each token once; the place of ``UNKNOWN`` is ``len(first)``. Words of equal count are in alphabetical order.
    """
    counts = Counter(word for text in texts for word in split_words(text, fold or {}, lowercase=True))
    words = sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))
    head = (*first, UNKNOWN)
    return head + tuple(word for word in words if word not in head)
