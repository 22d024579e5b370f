"""What torch.export refuses, in the words of whoever wrote the module."""

from __future__ import annotations

import re

from torch import nn

from slipway.recipes._own import place_in_own_file
from slipway.signature import is_time
from slipway_export.packed import LOOPS

#: What torch.export says of a named dimension that is not free.
_BROKEN = re.compile(
    r"Not all values of (?P<name>\w+) = (?P<source>L\['(?P<argument>\w+)'\]\.size\(\)\[(?P<axis>\d+)\]) "
    r"in the specified range satisfy the generated guard (?P<guard>.+)"
)
#: What it says of a named dimension that is one number.
_FROZEN = re.compile(
    r"You marked (?P<name>\w+) as dynamic but your code specialized it to be a constant \((?P<size>\d+)\)"
)


def explain(error: Exception, model: nn.Module) -> str:
    """Return one sentence: what the module does that has no exported form, where, and what to do instead."""
    if bound := _bound(str(error)) or _frozen(str(error)):
        return f"{type(model).__name__} cannot be exported at every size: {bound}"
    if "data-dependent" in str(error):
        place = place_in_own_file(error)
        return (
            f"{type(model).__name__} asks in Python what values a tensor holds{f' ({place})' if place else ''}: its "
            "answer would be frozen into the exported file; in place of if, while or assert of a tensor choose by "
            "torch.where(condition, a, b), and give sizes that values decide as numbers (F.one_hot(x, 10))"
        )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("- ")), lines[0] if lines else type(error).__name__)
    return (
        f"{type(model).__name__} cannot be exported by torch.export: {first.lstrip('- ')} "
        "(a dimension that varies must not be turned into a Python number: no stored batch size, no loop over time)"
    )


def _bound(message: str) -> str | None:
    """Name the dimension and the bound of a size that may be anything from 1 up, and what to do; None without one."""
    found = _BROKEN.search(message)
    if found is None:
        return None
    name, guard = found["name"], found["guard"].replace(found["source"], found["name"])
    # A size of 1 is never asked for, and infinity is no bound.
    rules = [rule for rule in guard.strip(" .").split(" and ") if "Inf" not in rule and rule != f"2 <= {name}"]
    most = re.fullmatch(rf"{name} <= (\d+)", " and ".join(rules))
    way = "the model asks for the size in Python, or has it stored: compute alike at every size"
    if most is not None and name != "N":
        way = (
            f"where a table of {most[1]} rows is sliced (table[:x.size(1)]), take its rows by an index instead "
            "(table[torch.arange(x.size(1))]); otherwise compute alike at every size"
        )
    place = f"{name}, axis {found['axis']} of {found['argument']}"
    return f"it would be right only where {' and '.join(rules) or guard} ({place}); {way}"


def _frozen(message: str) -> str | None:
    """Name a size that became the example's, and what to do; None without one."""
    found = _FROZEN.search(message)
    if found is None:
        return None
    way = "compute with x.size(axis) itself: no stored size, no int() of it, no Python loop over it"
    if is_time(found["name"]):
        way = f"a Python loop over time is written with {LOOPS}; a stored length is x.size(axis)"
    return f"{found['name']} was frozen to {found['size']}, the example's, as a Python number; {way}"
