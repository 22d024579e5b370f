"""Synthetic questions in TREC's classes: templates whose slots are filled at random; not real questions.

The words of the slots stand under several classes ("Who invented the violin", "Where was the violin invented"), so that
the class has to be read off the whole question.
"""

from __future__ import annotations

import random
import re

_TRAIN, _TEST = 1200, 240

_SLOTS = {
    "person": ("the king of Spain", "Ada Lovelace", "Galileo", "Marie Curie", "the first astronaut", "Mozart"),
    "role": ("the inventor", "the author", "the owner", "the discoverer", "the founder", "the captain"),
    "thing": ("telephone", "telescope", "violin", "compass", "steam engine", "volcano", "glacier", "comet", "orchid"),
    "things": ("telephones", "violins", "comets", "rivers", "languages", "colors", "volcanoes", "bones", "planets"),
    "place": ("France", "Peru", "Kenya", "Japan", "Canada", "Egypt", "Norway", "Brazil"),
    "done": ("invented", "discovered", "painted", "founded", "wrote about", "paid for", "visited"),
    "event": ("the first flight", "the great fire", "the Olympic games", "the last eclipse", "the world fair"),
    "code": ("NASA", "DNA", "BBC", "UNESCO", "CPU", "AIDS", "NATO", "RSVP"),
    "kind": ("animal", "color", "food", "sport", "language", "instrument", "plant", "disease"),
    "verb": ("work", "float", "shine", "grow", "burn", "freeze"),
    "measure": ("tall", "old", "deep", "long", "heavy", "fast"),
}  # fmt: skip

_TEMPLATES = (
    ("ABBR:exp", "What does {code} stand for in {place} ?"),
    ("ABBR:exp", "What is the full form of {code} on the {thing} ?"),
    ("ABBR:abb", "What is the abbreviation for {event} in {place} ?"),
    ("ABBR:exp", "What do the letters {code} mean to {person} ?"),
    ("DESC:def", "What is a {thing} to {person} ?"),
    ("DESC:manner", "How does a {thing} {verb} ?"),
    ("DESC:reason", "Why did {person} come to {place} ?"),
    ("DESC:reason", "Why do {things} {verb} ?"),
    ("DESC:desc", "What happened at {event} in {place} ?"),
    ("ENTY:animal", "What {kind} did {person} like most ?"),
    ("ENTY:other", "What is the {kind} of {role} of {place} called ?"),
    ("ENTY:product", "What thing was {done} by {person} ?"),
    ("ENTY:other", "Which {kind} is found in {place} ?"),
    ("HUM:ind", "Who {done} the {thing} ?"),
    ("HUM:ind", "What is the name of {role} of the {thing} ?"),
    ("HUM:gr", "Which people {done} {things} in {place} ?"),
    ("HUM:ind", "Who was {role} of {things} from {place} ?"),
    ("LOC:country", "What country was {person} or {role} born in ?"),
    ("LOC:other", "Where was the {thing} {done} ?"),
    ("LOC:city", "What is the capital of {place} or {place} ?"),
    ("LOC:other", "Where did {person} see {event} ?"),
    ("NUM:count", "How many {things} are there in {place} ?"),
    ("NUM:date", "When was the {thing} {done} ?"),
    ("NUM:dist", "How {measure} is the {thing} of {person} ?"),
    ("NUM:date", "What year did {event} happen in {place} ?"),
)


def generated_questions(seed: int = 0) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return training and test rows (question, class); no question occurs twice.

    Templates are drawn evenly, so that those with few questions run out.
    """
    rng = random.Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < _TRAIN + _TEST:
        label, template = rng.choice(_TEMPLATES)
        rows.setdefault(re.sub(r"{(\w+)}", lambda slot: rng.choice(_SLOTS[slot[1]]), template), label)
    questions = list(rows.items())
    rng.shuffle(questions)
    return questions[:_TRAIN], questions[_TRAIN:]
