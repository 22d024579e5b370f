"""Synthetic pairs of sentences with binary parses: a small grammar whose inferences are known by construction.

A premise says who (perhaps of what kind), does what, and where. An entailed hypothesis repeats or generalises some of
that (man -> adult, in a park -> outside) and leaves out the rest; a contradiction replaces one part by another (one
does one thing in one place); a neutral one has a detail that is not the premise's. Every part stands in hypotheses of
every label, so that the hypothesis alone says little.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

#: A leaf is a word, a node a pair.
Tree = str | tuple["Tree", "Tree"]

_TRAIN, _TEST = 3000, 600

#: Noun -> what it also is.
_WHO = {
    "man": "adult", "woman": "adult", "boy": "child", "girl": "child", "dog": "animal", "horse": "animal",
}  # fmt: skip
#: Each can be true together with each other.
_DETAILS = ("tall", "tired", "happy", "wet")
#: What is done -> what that also is.
_ACTIONS: dict[Tree, Tree] = {
    "running": "moving",
    "sleeping": "resting",
    ("eating", ("some", "bread")): ("having", "food"),
    ("watching", ("a", "bird")): ("looking", "around"),
}
#: Where -> what that also is.
_PLACES: dict[Tree, Tree] = {
    ("in", ("a", "park")): "outside",
    ("on", ("the", "street")): "outside",
    ("in", ("the", "kitchen")): "inside",
    ("in", ("a", "classroom")): "inside",
}


@dataclass(frozen=True)
class _Scene:
    """What a sentence says; None is left unsaid."""

    who: str
    action: Tree
    detail: str | None
    place: Tree | None


def generated_pairs(seed: int = 0) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return training and test rows (premise, hypothesis, label), parses both; no pair occurs twice."""
    rng = random.Random(seed)
    rows: dict[tuple[str, str], str] = {}
    while len(rows) < _TRAIN + _TEST:
        label = ("entailment", "neutral", "contradiction")[len(rows) % 3]
        premise = _premise(rng)
        hypothesis = _HYPOTHESES[label](rng, premise)
        rows.setdefault((_sentence(premise), _sentence(hypothesis)), label)
    pairs = [(*texts, label) for texts, label in rows.items()]
    return pairs[:_TRAIN], pairs[_TRAIN:]


def bracketed(tree: Tree) -> str:
    """Write a tree as SNLI writes its binary parses.

    Example:
        >>> bracketed((("a", "man"), "sleeps"))
        '( ( a man ) sleeps )'
    """
    return tree if isinstance(tree, str) else f"( {bracketed(tree[0])} {bracketed(tree[1])} )"


def _sentence(scene: _Scene) -> str:
    noun: Tree = scene.who if scene.detail is None else (scene.detail, scene.who)
    article = "an" if (scene.detail or scene.who)[0] in "aeiou" else "a"
    doing: Tree = ("is", scene.action if scene.place is None else (scene.action, scene.place))
    return bracketed(((article, noun), (doing, ".")))


def _premise(rng: random.Random) -> _Scene:
    return _Scene(rng.choice(list(_WHO)), rng.choice(list(_ACTIONS)), rng.choice(_DETAILS), rng.choice(list(_PLACES)))


def _entailed(rng: random.Random, said: _Scene) -> _Scene:
    """Keep, generalise or leave out each part."""
    place = None if said.place is None else rng.choice((said.place, _PLACES[said.place], None))
    return _Scene(
        who=rng.choice((said.who, _WHO[said.who])),
        action=rng.choice((said.action, _ACTIONS[said.action])),
        detail=said.detail if rng.random() < 0.75 else None,
        place=place,
    )


def _neutral(rng: random.Random, said: _Scene) -> _Scene:
    other = rng.choice([detail for detail in _DETAILS if detail != said.detail])
    return replace(_entailed(rng, said), detail=other)


def _contradicted(rng: random.Random, said: _Scene) -> _Scene:
    """Replace one part by one that excludes it; what is general must differ too."""
    kept = _entailed(rng, said)
    assert said.place is not None
    part = rng.choice(("who", "action", "place"))
    if part == "who":
        return replace(kept, who=rng.choice([who for who in _WHO if _WHO[who] != _WHO[said.who]]))
    if part == "action":
        other = rng.choice([a for a in _ACTIONS if _ACTIONS[a] != _ACTIONS[said.action]])
        return replace(kept, action=rng.choice((other, _ACTIONS[other])))
    elsewhere = rng.choice([p for p in _PLACES if _PLACES[p] != _PLACES[said.place]])
    return replace(kept, place=rng.choice((elsewhere, _PLACES[elsewhere])))


_HYPOTHESES = {"entailment": _entailed, "neutral": _neutral, "contradiction": _contradicted}
