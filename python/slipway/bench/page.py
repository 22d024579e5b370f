"""docs/benchmarks.md and its picture, from the figures of one run; the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway._pages import with_part
from slipway.bench._picture import picture as picture
from slipway.bench.verdict import GEOMETRIC_MEAN, TIMES_FASTER, TIMES_FLOOR

PAGE = "docs/benchmarks.md"
PICTURE = "docs/benchmarks.svg"

BEGIN = "<!-- made by benchmarks/runtimes.py; do not edit -->"
END = "<!-- end of the generated part -->"

Result = Mapping[str, Any]
Cell = Mapping[str, Any]


def renew(page: str, result: Result) -> str:
    """Return the page with a new generated part.

    Raises:
        ValueError: The page lacks a mark.
    """
    return with_part(page, BEGIN, END, generated(result))


def generated(result: Result) -> str:
    """Return the generated part in Markdown."""
    parts = [_machine(result), _summary(result), _verdicts(result), _times(result), _left_out(result)]
    return "\n\n".join([*parts, _beginnings(result)])


def summary_lines(result: Result) -> list[str]:
    """Return the verdict of every cell and of all together, for a terminal."""
    lines = []
    for cell in result["cells"]:
        verdict = cell["verdict"]
        place = f"{cell['bundle']:16} batch {cell['batch']:<4} threads {cell['threads']}"
        if verdict is None:
            lines.append(f"{place}  no rival, or no engine")
            continue
        met = "met" if verdict["met"] else f"missed by {verdict['missed_by']:.2f}"
        rival = f"{verdict['times_faster']:6.2f}x of {verdict['best_peer']} ({short(verdict['best_peer_us'])} us)"
        lines.append(f"{place}  {short(verdict['native_us']):>7} us  {rival}, {_floor(verdict)}: {met}")
    summary = result["summary"]
    if summary["geometric_mean"] is not None:
        lines.append(f"{summary['met']} of {summary['cells']} cells meet the target; {_mean(summary)}")
    return lines


def short(value: float | None) -> str:
    """Return a number with three digits, in full."""
    if value is None:
        return "-"
    if 0 < value < 0.005:
        return "<0.01"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def rounded(value: Any) -> Any:
    """Return a result with its fractions at four digits: more than repeats, and as many as the page shows."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def _machine(result: Result) -> str:
    machine, peaks = result["machine"], result["peaks"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines = [
        "## Machine",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        f"{versions}. Load when the run began: {machine['load']}.",
        *_data(result),
        "",
        "| threads | GFLOP/s | L1 GB/s | L2 GB/s | L3 GB/s | memory GB/s | sigmoids/ns | tanhs/ns |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for threads, peak in peaks.items():
        if threads == "cache_bytes":
            continue
        rates = [peak["flops_per_s"], *peak["bytes_per_s"].values(), peak["sigmoids_per_s"], peak["tanhs_per_s"]]
        lines.append(f"| {threads} | " + " | ".join(f"{rate / 1e9:.3g}" for rate in rates) + " |")
    return "\n".join(lines)


def _data(result: Result) -> Iterator[str]:
    """Say which models met other data than that of the notes: their vocabularies and lengths are other ones."""
    models = result.get("models", [])
    embedded = [f"`{model['bundle']}`" for model in models if model["data"][0] == "embedded"]
    if models:
        yield ""
        yield "Models of embedded data, all others of the notes' own: " + (", ".join(embedded) or "none") + "."


def _summary(result: Result) -> str:
    summary = result["summary"]
    lines = [
        "## Summary",
        "",
        f"- {summary['met']} of {summary['cells']} cells meet the target of a cell: {TIMES_FASTER:g}x faster than the "
        f"best float32-accurate rival, or within {TIMES_FLOOR:g}x of the floor where that would lie below it.",
        f"- {_mean(summary).capitalize()} (target {GEOMETRIC_MEAN:g}).",
        "- Slower than a rival: " + ("; ".join(summary["slower_than_a_peer"]) or "nowhere") + ".",
        "- Farthest from the target: " + ("; ".join(f"{n} ({m:.2f}x)" for n, m in summary["worst"]) or "none") + ".",
        "- Two threads slower than one: " + ("; ".join(summary["slower_with_more_threads"]) or "nowhere") + ".",
    ]
    for call in summary["tiny"]:
        verdict = "met" if call["met"] else "missed"
        lines.append(f"- `{call['bundle']}`, batch 1, {call['runtime']}: {call['us']:.2f} us ({verdict}).")
    return "\n".join(lines)


def _mean(summary: Mapping[str, Any]) -> str:
    mean = summary["geometric_mean"]
    return "no cell was judged" if mean is None else f"the geometric mean over all cells is {mean:.2f}x"


def _verdicts(result: Result) -> str:
    lines = [
        "## Every cell",
        "",
        "Medians in microseconds; `session.run` is judged, bound buffers stand beside it.",
        "",
        "![Times faster than the best accurate rival, per cell](benchmarks.svg)",
        "",
        "| model | batch | threads | native | bound | best rival | rival | faster | floor | times floor | target |",
        "|---" * 11 + "|",
    ]
    for cell in result["cells"]:
        verdict = cell["verdict"]
        place = f"| `{cell['bundle']}` | {cell['batch']} | {cell['threads']} |"
        if verdict is None:
            lines.append(f"{place} - | - | - | - | - | - | - | not judged |")
            continue
        met = "met" if verdict["met"] else f"missed by {verdict['missed_by']:.2f}x"
        bound = f" ({cell['floor']['bound']})" if cell.get("floor") else ""
        lines.append(
            f"{place} {short(verdict['native_us'])} | {short(verdict['bound_us'])} | {verdict['best_peer']} "
            f"| {short(verdict['best_peer_us'])} | **{verdict['times_faster']:.2f}** "
            f"| {short(verdict['floor_us'])}{bound} | {short(verdict['times_floor'])} | {met} |"
        )
    return "\n".join(lines)


def _times(result: Result) -> str:
    names = list(dict.fromkeys(row["runtime"] for row in result["rows"]))
    rows = {(row["bundle"], row["batch"], row["threads"], row["runtime"]): row for row in result["rows"]}
    lines = [
        "## Every time",
        "",
        "Median (99th percentile) in microseconds. `-`: left out, see below.",
        "",
        "| model | batch | threads | " + " | ".join(names) + " |",
        "|---" * (len(names) + 3) + "|",
    ]
    for cell in result["cells"]:
        place = (cell["bundle"], cell["batch"], cell["threads"])
        found = [rows.get((*place, name)) for name in names]
        times = [f"{short(row['p50_us'])} ({short(row['p99_us'])})" if row else "-" for row in found]
        lines.append(f"| `{place[0]}` | {place[1]} | {place[2]} | " + " | ".join(times) + " |")
    return "\n".join(lines)


def _left_out(result: Result) -> str:
    lines = ["## Left out", ""]
    lines += [f"- {name}, everywhere: {_plain(reason)}." for name, reason in result["absent"].items()]
    grouped: dict[tuple[str, str], list[str]] = {}
    for cell in result["cells"]:
        for left in cell["left_out"]:
            what = left["reason"] if left["error"] is None else left["reason"].partition(":")[0]
            grouped.setdefault((left["runtime"], what), []).append(cell["bundle"])
    for (runtime, what), bundles in grouped.items():
        errors = _errors(result["cells"], runtime, what)
        known = dict.fromkeys(cell["bundle"] for cell in result["cells"])
        everywhere = len(known) > 1 and set(bundles) == set(known)
        models = "every model" if everywhere else ", ".join(f"`{name}`" for name in dict.fromkeys(bundles))
        lines.append(f"- {runtime}, {_plain(what)}{errors}: {models}.")
    return "\n".join(lines if len(lines) > 2 else [*lines, "- Nothing."])


def _errors(cells: Sequence[Cell], runtime: str, what: str) -> str:
    found = [
        left["error"]
        for cell in cells
        for left in cell["left_out"]
        if left["runtime"] == runtime and left["error"] is not None and left["reason"].startswith(what)
    ]
    return f" (off by {min(found):.2g} to {max(found):.2g} of the largest output)" if found else ""


def _plain(text: str) -> str:
    """Return foreign text as one line that Markdown takes as it is."""
    line = " ".join(text.split()).rstrip(".")
    return "".join(f"\\{c}" if c in "\\`*_<>|[]#" else c for c in line)


def _beginnings(result: Result) -> str:
    lines = [
        "## Beginnings",
        "",
        "Microseconds of loading a model, of the first and second call at batch 1, and of the first call at batch 16.",
        "",
        "| model | runtime | load | first call | second call | first call at a new shape |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["first_calls"]:
        figures = [short(row[column]) for column in ("load_us", "first_us", "second_us", "new_shape_us")]
        lines.append(f"| `{row['bundle']}` | {row['runtime']} | " + " | ".join(figures) + " |")
    lines += [
        "",
        "Milliseconds from the start of a process to its end, with the first golden answered on the way.",
        "",
        "| model | process | ms |",
        "|---|---|---|",
    ]
    lines += [f"| `{row['bundle']}` | {row['process']} | {row['ms']:.1f} |" for row in result["cold_starts"]]
    return "\n".join(lines)


def _floor(verdict: Mapping[str, Any]) -> str:
    return "no floor" if not verdict["times_floor"] else f"{short(verdict['times_floor'])}x of the floor"
