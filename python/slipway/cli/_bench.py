"""``slipway bench``: the time of one run, per runtime, batch and number of threads."""

from __future__ import annotations

import csv
import io
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from slipway.cli import _complete as complete
from slipway.cli._bundles import bundle_folders
from slipway.cli._console import JsonOption, checked_file, notice, status, table, write_result
from slipway.errors import ExitCode, UnavailableError, UsageError

if TYPE_CHECKING:
    from slipway.bundle import Bundle

EXAMPLES = """[b]Examples[/b]

slipway bench artifacts/names-gru --batch 1,16,256 --threads 1,2 --json bench.json

slipway bench artifacts/* --runtimes native,onnxruntime,openvino --duration 5 --html bench.html --csv bench.csv

slipway bench artifacts/names-gru --runtimes native --compare bench.json --fail-slower 5%
"""

#: Seconds per cell that never shorten a measurement: ``--duration`` alone says how long.
_ALL_ROUNDS = 1e9

#: Columns for people; files hold more.
_COLUMNS = (
    "bundle", "runtime", "batch", "threads", "p50_us", "p90_us", "p99_us", "p999_us", "cold_us", "idle_us", "load_us",
    "throughput_per_s", "resident_bytes",
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
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", callback=checked_file, help="Write the rows as CSV.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", callback=checked_file, help="Write a page with charts.")
    ] = None,
    old: Annotated[
        Path | None, typer.Option("--compare", metavar="OLD.json", help="Compare with an earlier --json file.")
    ] = None,
    fail_slower: Annotated[
        str | None,
        typer.Option(metavar="5%", help="Exit code 5 where a median grew by more than this, and more than the noise."),
    ] = None,
) -> int:
    """Measure the latency of bundles; a runtime whose answer is wrong is not measured but an error (exit code 3)."""
    from slipway.bench.compare import common_places, read_result, rows_of
    from slipway.bench.competitors import GROUPS, find_competitors
    from slipway.bench.protocol import Settings
    from slipway.bench.survey import Survey, measure_survey
    from slipway.runtime import RUNTIMES

    allowed = share("--fail-slower", fail_slower) if fail_slower is not None else None
    if allowed is not None and old is None:
        raise UsageError("--fail-slower needs --compare OLD.json: slower than what?")
    if not math.isfinite(duration):
        raise UsageError(f"--duration is {duration}, expected a finite number of seconds")
    before = None if old is None else read_result(old)
    of_bundles = [runtime.name for runtime in RUNTIMES]
    batches, counts = numbers("--batch", batch), numbers("--threads", threads)
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        survey = Survey(
            bundles=_opened(bundles),
            batches=batches,
            threads=counts,
            competitors=_usable(find_competitors(runtimes), required=runtimes not in GROUPS),
            settings=Settings(turn_seconds=duration / Settings.rounds, cell_seconds=_ALL_ROUNDS),
            folder=Path(folder),
            must_be_right=of_bundles,
        )
        if before is not None:
            common_places(rows_of(before), survey.places())  # a run that cannot be compared is not begun
        with status() as tell:
            result = measure_survey(survey, tell)
    _tell_left_out(result["cells"], [] if runtimes in GROUPS else of_bundles)
    if before is not None:
        result["comparison"] = _comparison(before, result, allowed)
    _write(result, json, csv_file, html_file)
    slower = result.get("comparison", {}).get("slower", 0)
    return ExitCode.SLOWER if slower and allowed is not None else ExitCode.OK


def numbers(option: str, text: str) -> list[int]:
    """Parse a list of numbers with commas; one that comes again counts once.

    Raises:
        UsageError: It is none.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"0*[0-9]{1,7}", part) and 0 < int(part[-7:]) <= 1 << 20 for part in parts):
        raise UsageError(
            f"{option} {text[:80]!r} is not a list of numbers of 1 to {1 << 20} with commas, such as 1,16,256"
        )
    return list(dict.fromkeys(int(part[-7:]) for part in parts))


def share(option: str, text: str) -> float:
    """Parse a percentage, with its sign or without.

    Returns:
        A share: 0.05 for ``5%``.

    Raises:
        UsageError: It is none, or not from 0 to 1000.
    """
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 1000:
        raise UsageError(f"{option} {text!r} is not a percentage from 0 to 1000, such as 5%")
    return percent / 100


def _opened(paths: Sequence[Path]) -> list[Bundle]:
    """Open bundles, each once, however often and by whatever path it is named."""
    from slipway.bundle import Bundle

    first: dict[Path, Path] = {}
    for path in bundle_folders(paths):
        first.setdefault(path.resolve(), path)
    return [Bundle.open(path) for path in first.values()]


def _usable(competitors: Sequence[Any], *, required: bool) -> list[Any]:
    from slipway.bench.suite import available

    usable, absent = available(competitors)
    for name, reason in absent.items():
        if required:
            raise UnavailableError(f"{name}: {reason}")
        notice(f"{name} is left out: {reason}")
    return usable


def _tell_left_out(cells: Sequence[Mapping[str, Any]], required: Sequence[str]) -> None:
    left_out = [(cell["bundle"], left["runtime"], left["reason"]) for cell in cells for left in cell["left_out"]]
    for bundle, name, reason in dict.fromkeys(left_out):
        if name in required:
            raise UnavailableError(f"{bundle}, {name}: {reason}")
        notice(f"{bundle}: {name} is left out: {reason}")


def _comparison(before: Mapping[str, Any], result: Mapping[str, Any], allowed: float | None) -> dict[str, Any]:
    """Compare with an earlier result, and tell what makes that hard."""
    from slipway.bench.compare import compare, differences, missing, rows_of

    old, new = rows_of(before), rows_of(result)
    cells = compare(old, new, allowed or 0.0)
    gone = missing(old, new)
    for note in differences(before, result):
        notice(f"note: {note}")
    if gone:
        notice(f"note: {len(gone)} of {len(old)} earlier rows were not measured now: {'; '.join(gone[:5])}")
    return {"slower": sum(cell["verdict"] == "slower" for cell in cells), "cells": cells, "missing": gone}


def _write(result: Mapping[str, Any], json: str | None, csv_file: Path | None, html_file: Path | None) -> None:
    from slipway.bench.charts import bench_page

    files = {}
    if csv_file is not None:
        files[csv_file] = _csv(result["rows"])
    if html_file is not None:
        files[html_file] = bench_page(result)
    contents = {file: text.encode("utf-8", "backslashreplace") for file, text in files.items()}
    write_result(result, json, *_texts(result), files=contents)


def _texts(result: Mapping[str, Any]) -> list[Table | str]:
    """Return the result for people."""
    from slipway.bench import compare

    texts: list[Table | str] = [table(_COLUMNS, [[row[c] for c in _COLUMNS] for row in result["rows"]])]
    for part in result["waterfalls"][:1]:
        place = f"{part['bundle']}, batch {part['batch']}, threads {part['threads']}"
        rows = [(p["name"], p["us"], f"{p['us'] / part['run_us']:.1%}") for p in part["parts"]]
        texts.append(table((f"session.run of {place}", "us", "share"), rows))
    if "comparison" in result:
        cells = result["comparison"]["cells"]
        texts.append(table(compare.COLUMNS, [[cell[c] for c in compare.COLUMNS] for cell in cells]))
    return [*texts, "\n".join(f"{subject}: {sentence}." for subject, sentence in result["protocol"].items())]


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    from slipway.bench.survey import COLUMNS

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS] for row in rows)
    return text.getvalue()
