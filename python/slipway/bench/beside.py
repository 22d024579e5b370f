"""Files beside onnxruntime: one answer, then times in turn; for benchmarks/operators.py and networks.py."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway import _engine
from slipway.bench.protocol import Call, Settings, measure
from slipway.session import Session


def compare(
    name: str, model: bytes, inputs: Mapping[str, NDArray[Any]], threads: int, settings: Settings
) -> dict[str, Any]:
    """Time a model in both engines: ``{"case": name, "native": us, "onnxruntime": us, "ratio": times faster}``.

    The ratio is the median of those of the rounds: a machine may change its speed between them.

    Raises:
        AssertionError: They do not give the same answer, within float32's accuracy.
    """
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    other = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    own = Session(model, threads=threads)
    given = dict(inputs)
    for got, expected in zip(own.run(given).values(), other.run(None, given), strict=True):
        scale = float(np.abs(expected).max()) if expected.size and expected.dtype == np.float32 else 1.0
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * scale, err_msg=name)
    calls = {"native": Call(own.run, given), "onnxruntime": Call(lambda feed: other.run(None, feed), given)}
    figures = {engine: timing.figures() for engine, timing in measure(calls, settings).items()}
    rounds = zip(figures["onnxruntime"]["round_p50_us"], figures["native"]["round_p50_us"], strict=True)
    times = {engine: figure["p50_us"] for engine, figure in figures.items()}
    return {"case": name, **times, "ratio": statistics.median(other / own for other, own in rounds)}


def lines_of(rows: Sequence[Mapping[str, Any]], title: str) -> Iterator[str]:
    """Yield a table, slowest against onnxruntime first, and what it comes to."""
    yield f"{'ratio':>6}{'native us':>11}{'ort us':>9}  {title}"
    for row in sorted(rows, key=lambda row: float(row["ratio"])):
        yield f"{row['ratio']:>6.2f}{row['native']:>11.1f}{row['onnxruntime']:>9.1f}  {row['case']}"
    slower = sum(row["ratio"] < 1 for row in rows)
    mean = statistics.geometric_mean(row["ratio"] for row in rows)
    yield f"{slower} of {len(rows)} slower than onnxruntime; geometric mean {mean:.2f}x as fast"


def parser_of(description: str | None, what: str) -> argparse.ArgumentParser:
    """Return a parser of ``--only``, ``--threads`` and ``--json``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar=f"{what.upper()},...", help=f"these {what}s")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each engine [1]")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


def report(
    options: argparse.Namespace, title: str, cases: Sequence[tuple[str, Callable[[int], dict[str, Any]]]]
) -> None:
    """Run the cases, each a name and what measures it with so many threads; print, and write JSON where asked."""
    rows = []
    for i, (name, run) in enumerate(cases, 1):
        rows.append(run(options.threads))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{i} of {len(cases)}: {name}")
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    sys.stdout.write("\n".join(lines_of(rows, title)) + "\n")
    if options.json is not None:
        about = {"isa": _engine.isas()[-1], "threads": options.threads, "machine": platform.machine()}
        options.json.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
