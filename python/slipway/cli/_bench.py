"""``slipway bench``: the time of one run, per runtime, batch and number of threads."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway._files import write_atomically
from slipway.cli import _complete as complete
from slipway.cli._console import JsonOption, notice, table, write_result
from slipway.errors import ExitCode, UnavailableError, UsageError

EXAMPLES = """[b]Examples[/b]

slipway bench artifacts/names-gru --batch 1,16,256 --threads 1,2 --json bench.json

slipway bench artifacts/* --runtimes native,onnxruntime,openvino --duration 5 --html bench.html
"""

#: Seconds per cell that never shorten a measurement: ``--duration`` alone says how long.
_ALL_ROUNDS = 1e9

_COLUMNS = (
    "bundle", "runtime", "device", "batch", "threads", "p50_us", "p90_us", "p99_us", "mean_us", "samples",
    "throughput_per_s", "transfers_included",
)  # fmt: skip


def bench_verb(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE", autocompletion=complete.bundles, help="Bundle folders.")
    ],
    runtimes: Annotated[
        str,
        typer.Option(
            metavar="all|peers|a,b",
            autocompletion=complete.some_runtimes,
            help="Runtimes of bundles, everything on the CPU, or a list.",
        ),
    ] = "all",
    batch: Annotated[str, typer.Option(metavar="LIST", help="Batch sizes.")] = "1,16,256",
    threads: Annotated[str, typer.Option(metavar="LIST", help="Numbers of threads.")] = "1",
    duration: Annotated[float, typer.Option(min=0.01, metavar="S", help="Seconds per runtime, batch, threads.")] = 1.0,
    json: JsonOption = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the table as a page.")] = None,
) -> int:
    """Measure the latency of bundles; a runtime whose answer is wrong is not measured but an error (exit code 3)."""
    from slipway.bench.cell import measure_cell
    from slipway.bench.competitor import Job
    from slipway.bench.competitors import GROUPS, find_competitors
    from slipway.bench.inputs import bench_inputs
    from slipway.bench.machine import describe_machine
    from slipway.bench.protocol import Settings
    from slipway.bundle import Bundle
    from slipway.runtime import RUNTIMES

    batches, counts = numbers("--batch", batch), numbers("--threads", threads)
    usable = _usable(find_competitors(runtimes), required=runtimes not in GROUPS)
    settings = Settings(turn_seconds=duration / Settings.rounds, cell_seconds=_ALL_ROUNDS)
    of_bundles = [runtime.name for runtime in RUNTIMES]
    cells: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        for path in bundles:
            bundle = Bundle.open(path)
            for size in batches:
                inputs = bench_inputs(bundle, size)
                for count in counts:
                    job = Job(bundle, inputs, count, Path(folder))
                    cells.append(measure_cell(job, usable, settings, must_be_right=of_bundles))
    left_out = [(cell["bundle"], left["runtime"], left["reason"]) for cell in cells for left in cell["left_out"]]
    for bundle_name, name, reason in dict.fromkeys(left_out):
        if runtimes not in GROUPS and name in of_bundles:
            raise UnavailableError(f"{bundle_name}, {name}: {reason}")
        notice(f"{bundle_name}: {name} is left out: {reason}")
    rows = [row for cell in cells for row in cell["rows"]]
    result = {"machine": describe_machine(), "rows": rows}
    if html_file is not None:
        write_atomically(html_file, _page(result).encode())
    write_result(result, json, table(_COLUMNS, [[row[c] for c in _COLUMNS] for row in rows]))
    return ExitCode.OK


def numbers(option: str, text: str) -> list[int]:
    """Parse a list of numbers with commas.

    Raises:
        UsageError: It is none.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= 1 << 20 for part in parts):
        raise UsageError(f"{option} {text!r} is not a list of numbers with commas, such as 1,16,256")
    return [int(part) for part in parts]


def _usable(competitors: Sequence[Any], *, required: bool) -> list[Any]:
    from slipway.bench.suite import available

    usable, absent = available(competitors)
    for name, reason in absent.items():
        if required:
            raise UnavailableError(f"{name}: {reason}")
        notice(f"{name} is left out: {reason}")
    return usable


def _page(result: Mapping[str, Any]) -> str:
    def cells(tag: str, values: Sequence[object]) -> str:
        texts = (f"{v:.1f}" if isinstance(v, float) else str(v) for v in values)
        return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts) + "</tr>"

    body = "".join(cells("td", [row[column] for column in _COLUMNS]) for row in result["rows"])
    machine = html.escape(", ".join(f"{key} {value}" for key, value in result["machine"].items()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>slipway bench</title>'
        "<style>body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}"
        "td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}</style>"
        f"<h1>slipway bench</h1><p>{machine}</p><table>{cells('th', _COLUMNS)}{body}</table></html>\n"
    )
