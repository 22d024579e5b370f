"""Pages of the documentation that are partly written by hand and partly made by a command."""

from __future__ import annotations


def with_part(page: str, begin: str, end: str, content: str) -> str:
    """Return a page whose part between two marks is ``content``; all else is as it was.

    Raises:
        ValueError: The page lacks a mark.
    """
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no part between {begin!r} and {end!r}")
    return f"{head}{begin}\n\n{content}\n\n{end}{tail}"
