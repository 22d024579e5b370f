"""Every system of the notes, trained: from the reports of their bundles to one file of figures and docs/notes.md.

    make zoo                                   # trains every recipe, then runs this
    python benchmarks/zoo.py artifacts         # bundles -> benchmarks/results/zoo.json -> docs/notes.md
    python benchmarks/zoo.py                   # zoo.json -> docs/notes.md

The table and the paragraphs between the marks of docs/notes.md come from zoo.json and from the headers of the recipes;
everything else on the page is written by hand. Exit code 1 where a recipe has no bundle, or a score is below what its
recipe expects of that data.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from slipway._pages import with_part
from slipway.bundle import Bundle
from slipway.errors import ExitCode, SlipwayError
from slipway.recipes import load_recipe, recipe_names
from slipway.recipes._recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "benchmarks" / "results" / "zoo.json"
PAGE = ROOT / "docs" / "notes.md"

BEGIN = "<!-- made by benchmarks/zoo.py; do not edit -->"
END = "<!-- end of the generated part -->"

#: What stands beside an accuracy, and the metric it is.
_CHANCE = {"low": "accuracy, 95 % from", "high": "accuracy, 95 % to", "chance": "accuracy by chance"}


def main() -> int:
    """Collect the figures, if there is a folder of bundles, and renew the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", nargs="?", type=Path, help="folder of the bundles")
    folder: Path | None = parser.parse_args().artifacts
    faults: list[str] = []
    if folder is not None:
        rows, faults = collect(folder)
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    PAGE.write_text(renew(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")
    faults += below(figures)
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    sys.stdout.write(f"{len(figures)} of {len(recipe_names())} recipes in {PAGE.relative_to(ROOT)}\n")
    return int(ExitCode.ERROR if faults else ExitCode.OK)


def collect(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row of figures per bundle, in the order of the recipes, and what is missing."""
    rows, faults = [], []
    for name in recipe_names():
        try:
            rows.append(figures_of(Bundle.open(folder / name)))
        except SlipwayError as error:
            faults.append(f"{name}: {error}")
    return rows, faults


def figures_of(bundle: Bundle) -> dict[str, Any]:
    """Return what the page tells of one bundle."""
    report = bundle.report
    worst: dict[str, dict[str, float]] = {}
    for row in report["verify"]["rows"]:
        if row["skipped"] is None and row["max_abs"] is not None:
            known = worst.setdefault(row["runtime"], {"max_abs": 0.0, "fp64_ratio": 0.0})
            for key in known:
                known[key] = max(known[key], row[key])
    return {
        "recipe": bundle.recipe,
        "ok": report["verify"]["ok"],
        "data": {key: report["data"][key] for key in ("kind", "name", "rows")},
        "score": report["score"],
        "chance": {key: report["metrics"]["values"].get(name) for key, name in _CHANCE.items()},
        "missing": {name: reason for name, reason in report["missing"].items() if reason != "not asked for"},
        "seconds": {name: round(value, 1) for name, value in report["seconds"].items()},
        "worst": worst,
        "seed": report["seed"],
        "torch": report["torch"],
    }


def below(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for every score below what its recipe expects of the data it was trained on."""
    lines = []
    for row in figures:
        expected = load_recipe(row["recipe"]).expected.get(row["data"]["kind"])
        value = row["score"]["value"]
        if expected is not None and value < expected:
            lines.append(f"{row['recipe']}: {row['score']['name']} {value:.4f} is below the expected {expected}")
    return lines


def renew(page: str, figures: Sequence[Mapping[str, Any]]) -> str:
    """Return the page with a new generated part.

    Raises:
        ValueError: The page lacks a mark.
    """
    return with_part(page, BEGIN, END, generated(figures))


def generated(figures: Sequence[Mapping[str, Any]]) -> str:
    """Return tables and paragraphs in Markdown; a recipe without figures stands there too, and says so."""
    recipes = {name: load_recipe(name) for name in recipe_names()}
    rows = {row["recipe"]: row for row in figures}
    parts = [_places(recipes), _scores(recipes, rows), _agreement(rows), _differences(recipes)]
    return "\n\n".join(parts)


def _places(recipes: Mapping[str, Recipe]) -> str:
    lines = ["## Recipes", "", "| recipe | system | place in the notes | data sets |", "|---|---|---|---|"]
    for name, recipe in recipes.items():
        title = _header(name)[1].get("Title", recipe.title)
        lines.append(f"| `{name}` | {_cell(title)} | {_cell(recipe.notes)} | {', '.join(recipe.datasets)} |")
    return "\n".join(lines)


def _scores(recipes: Mapping[str, Recipe], rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        "## Scores", "",
        "On the test split, one run with the default settings and seed 0, two trainings at a time on two cores. An "
        "accuracy's 95 % interval (Wilson), and what always naming the commonest class gives, stand beside it.",
        "",
        "| recipe | trained on | score | measured | expected | seconds of training |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, recipe in recipes.items():
        expected = ", ".join(f"{value:g} ({kind})" for kind, value in recipe.expected.items())
        row = rows.get(name)
        if row is None:
            lines.append(f"| `{name}` | not measured | {recipe.score_name} | - | {expected} | - |")
            continue
        counts = " + ".join(f"{count:,}" for count in row["data"]["rows"].values())
        data = f"{row['data']['name']} ({row['data']['kind']}; {counts})"
        value, seconds = row["score"]["value"], row["seconds"]["train"]
        measured = f"**{value:.4f}**{_beside(row['chance'])}"
        cells = (f"`{name}`", _cell(data), recipe.score_name, measured, expected, f"{seconds:.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _beside(chance: Mapping[str, float | None]) -> str:
    if None in chance.values():
        return ""
    return " ({low:.3f} to {high:.3f}; chance {chance:.3f})".format(**chance)


def _agreement(rows: Mapping[str, Mapping[str, Any]]) -> str:
    runtimes = list(dict.fromkeys(name for row in rows.values() for name in row["worst"] if name != "eager"))
    lines = [
        "## Agreement", "",
        "Largest difference from eager PyTorch over every verification case and output, and in brackets the error "
        "against an eager run in double precision in units of eager's own (limit 8).", "",
        "| recipe | " + " | ".join(runtimes) + " | not in the bundle |", "|---" * (len(runtimes) + 2) + "|",
    ]  # fmt: skip
    for name, row in rows.items():
        cells = [_worst(row["worst"].get(runtime)) for runtime in runtimes]
        missing = "; ".join(f"{file}: {_cell(reason)}" for file, reason in row["missing"].items()) or "-"
        lines.append(f"| `{name}` | " + " | ".join(cells) + f" | {missing} |")
    return "\n".join(lines)


def _worst(value: Mapping[str, float] | None) -> str:
    return "-" if value is None else f"{value['max_abs']:.1e} ({value['fp64_ratio']:.2f})"


def _differences(recipes: Mapping[str, Recipe]) -> str:
    lines = ["## What differs from the notes, and why"]
    for name in recipes:
        paragraphs = _header(name)[2]
        if paragraphs:
            lines += [f"**{name}.** " + "\n\n".join(paragraphs)]
    return "\n\n".join(lines)


def _header(name: str) -> tuple[str, dict[str, str], list[str]]:
    """Return a recipe's first line, the fields of its header, and the paragraphs below them."""
    source = inspect.getsource(import_module(f"slipway.recipes.{name.replace('-', '_')}"))
    text = ast.get_docstring(ast.parse(source)) or ""
    first, *blocks = re.split(r"\n\s*\n", text.strip())
    fields: dict[str, str] = {}
    paragraphs = []
    for block in blocks:
        if re.match(r"Title:", block):
            joined = re.sub(r"\n[ \t]+", " ", block)
            fields |= {k: v.strip() for k, v in (line.split(":", 1) for line in joined.splitlines() if ":" in line)}
        else:
            paragraphs.append(block.replace("``", "`"))
    return first, fields, paragraphs


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
