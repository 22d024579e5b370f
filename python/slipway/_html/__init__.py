"""Pages for people that are one file: style and scripts of ours inside, no network; for phones too, light and dark.

``slipway bench --html`` and a bundle's ``report.html`` are made of these parts. Every text that comes from elsewhere
goes through :func:`text` or, for scripts, through :func:`page`'s ``data``.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: What a browser may load: nothing but what stands in the page.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

#: Letters that have room beside a name on a phone.
_SHORT = 24


def page(title: str, body: str, *, scripts: Sequence[str] = (), data: Any = None) -> str:
    """Return a whole page.

    Args:
        title: Stands in the browser's tab and on top.
        body: HTML below the title.
        scripts: JavaScript texts of ours, run after the body stands, besides the one that sorts tables.
        data: What the scripts read, as JSON, from the element ``data``.
    """
    holder = "" if data is None else f'<script type="application/json" id="data">{_json(data)}</script>\n'
    run = "".join(f"<script>\n{script}</script>\n" for script in (own_file(Path(__file__), "page.js"), *scripts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{own_file(Path(__file__), 'page.css')}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{text(title)}</h1>\n{body}\n</main>\n{holder}{run}</body>\n</html>\n"
    )


def own_file(module: Path, name: str) -> str:
    """Return the text of a style or script that lies beside a module."""
    return module.with_name(name).read_text(encoding="utf-8")


def text(value: object) -> str:
    """Return a value as HTML text; inside quotes it is safe too."""
    return html.escape(str(value))


def number(value: object) -> str:
    """Return a value for people: fractions with four digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
    return str(value)


def section(title: str, content: str, *, note: str = "") -> str:
    """Return a part of a page: a heading, a line below it, and HTML."""
    below = f'<p class="note">{text(note)}</p>\n' if note else ""
    return f"<section>\n<h2>{text(title)}</h2>\n{below}{content}\n</section>"


def tiles(figures: Mapping[str, object]) -> str:
    """Return a few figures to see first, each with what it is."""
    shown = (f"<div><b>{text(number(value))}</b><span>{text(name)}</span></div>" for name, value in figures.items())
    return f'<div class="tiles">{"".join(shown)}</div>'


def facts(named: Mapping[str, object]) -> str:
    """Return names and what they stand for, side by side on a phone too where all of it is short."""
    short = all(len(number(value)) <= _SHORT for value in named.values())
    return (
        ('<dl class="short">' if short else "<dl>")
        + "".join(f"<dt>{text(k)}</dt><dd>{text(number(v))}</dd>" for k, v in named.items())
        + "</dl>"
    )


def folded(title: str, lines: Iterable[str]) -> str:
    """Return a list that shows only its title until it is opened."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<details><summary>{text(title)}</summary><ul>{items}</ul></details>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, marks: Mapping[str, str] | None = None) -> str:
    """Return a table that a click on a heading sorts, and that scrolls sideways where it is too wide.

    Args:
        columns: Headings.
        rows: Numbers, texts, booleans or None.
        marks: A class (``good``, ``bad``) for cells of a text, such as ``{"slower": "bad"}``.
    """
    head = "".join(f'<th scope="col"><button type="button">{text(column)}</button></th>' for column in columns)
    body = "".join("<tr>" + "".join(_cell(value, marks or {}) for value in row) + "</tr>\n" for row in rows)
    return (
        f'<div class="wide"><table class="sorted"><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'
    )


def picture(png: bytes, caption: str, *, small: bool = False) -> str:
    """Return a PNG inside the page, with its caption; a small one is shown larger, its pixels sharp."""
    source = base64.b64encode(png).decode("ascii")
    kind = ' class="small"' if small else ""
    image = f'<img src="data:image/png;base64,{source}" alt="{text(caption)}">'
    return f"<figure{kind}>{image}<figcaption>{text(caption)}</figcaption></figure>"


def _cell(value: object, marks: Mapping[str, str]) -> str:
    shown = number(value)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    names = [name for name in ("n" if numeric else "", marks.get(shown, "")) if name]
    kind = f' class="{" ".join(names)}"' if names else ""
    order = f' data-order="{value!r}"' if numeric else ""
    return f"<td{kind}{order}>{text(shown)}</td>"


def _json(value: Any) -> str:
    """Return JSON that cannot end the element that it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
