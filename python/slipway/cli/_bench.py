"""``slipway bench``: the time of one run, per runtime, batch and number of threads.

The answer is checked before the clock starts. Runtimes take turns in short rounds, so that a machine that slows down
slows all of them down; the figures are percentiles over all rounds.
"""

from __future__ import annotations

import html
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from slipway._files import write_atomically
from slipway.cli._console import JsonOption, notice, table, write_result
from slipway.cli._look import processor
from slipway.errors import ExitCode, MismatchError, UnavailableError, UsageError

if TYPE_CHECKING:
    from slipway.bundle import Bundle
    from slipway.runtime import Runnable, Runtime

Array = NDArray[np.generic]

EXAMPLES = """[b]Examples[/b]

slipway bench artifacts/names-gru --batch 1,16,256 --threads 1,2 --json bench.json

slipway bench artifacts/* --runtimes native-cpu,onnxruntime-cpu --duration 5 --html bench.html
"""

#: Rounds of a measurement; within one, every runtime has its turn.
ROUNDS = 5
#: Runs before the clock starts: memory is laid out, caches are warm.
WARMUP = 3
#: Most samples kept per runtime; a fast model would fill the memory otherwise.
_MOST = 200_000

_COLUMNS = (
    "bundle", "runtime", "device", "batch", "threads", "p50_us", "p90_us", "p99_us", "mean_us", "samples",
    "throughput_per_s", "transfers_included",
)  # fmt: skip


def bench_verb(
    bundles: Annotated[list[Path], typer.Argument(metavar="BUNDLE", help="Bundle folders.")],
    runtimes: Annotated[str, typer.Option(metavar="all|a,b", help="Runtimes to measure.")] = "all",
    batch: Annotated[str, typer.Option(metavar="LIST", help="Batch sizes.")] = "1,16,256",
    threads: Annotated[str, typer.Option(metavar="LIST", help="Numbers of threads.")] = "1",
    duration: Annotated[float, typer.Option(min=0.01, metavar="S", help="Seconds per runtime, batch, threads.")] = 1.0,
    json: JsonOption = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the table as a page.")] = None,
) -> int:
    """Measure the latency of bundles; a runtime whose answer is wrong is not measured but an error (exit code 3)."""
    from slipway.bundle import Bundle
    from slipway.runtime import find_runtimes

    batches, counts = _numbers("--batch", batch), _numbers("--threads", threads)
    found = find_runtimes(runtimes)
    rows: list[dict[str, Any]] = []
    for path in bundles:
        opened = Bundle.open(path)
        usable = _usable(opened, found, required=runtimes != "all")
        for size in batches:
            for count in counts:
                rows += _measure(opened, usable, size, count, duration)
    result = {"machine": _machine(), "rows": rows}
    if html_file is not None:
        write_atomically(html_file, _page(result).encode())
    write_result(result, json, table(_COLUMNS, [[row[c] for c in _COLUMNS] for row in rows]))
    return ExitCode.OK


def bench_inputs(bundle: Bundle, size: int, seed: int = 0) -> dict[str, Array]:
    """Return inputs for a batch of ``size``: items of the goldens, drawn again and again, in a seeded order."""
    from slipway.preprocess import encode
    from slipway_export.goldens import read_raw

    raws = [raw for golden in bundle.goldens for raw in read_raw(bundle, golden)]
    if raws:
        rng = np.random.default_rng(seed)
        return encode(bundle.signature, [raws[i] for i in rng.integers(len(raws), size=size)])
    inputs = bundle.goldens[-1].inputs
    axes = {p.name: p.dims.index("N") for p in bundle.signature.inputs if "N" in p.dims}
    return {
        name: np.ascontiguousarray(np.take(array, np.arange(size), axes[name], mode="wrap")) if name in axes else array
        for name, array in inputs.items()
    }


def _usable(bundle: Bundle, runtimes: Sequence[Runtime], *, required: bool) -> list[Runtime]:
    usable = []
    for runtime in runtimes:
        reason = runtime.unavailable()
        if reason is None:
            try:
                runtime.load(bundle)
            except UnavailableError as error:
                reason = str(error)
        if reason is None:
            usable.append(runtime)
        elif required:
            raise UnavailableError(f"{runtime.name}: {reason}")
        else:
            notice(f"{runtime.name} is left out: {reason}")
    return usable


def _measure(
    bundle: Bundle, runtimes: Sequence[Runtime], size: int, threads: int, duration: float
) -> Iterator[dict[str, Any]]:
    inputs = bench_inputs(bundle, size)
    wanted = _reference(bundle, runtimes).run(inputs)
    calls = {runtime.name: _checked_call(bundle, runtime, inputs, wanted, threads) for runtime in runtimes}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            _sample(call, duration / ROUNDS, samples[name])
    for name, seconds in samples.items():
        microseconds = np.asarray(seconds) * 1e6
        p50, p90, p99 = np.percentile(microseconds, (50, 90, 99)).tolist()
        yield {
            "bundle": bundle.name,
            "runtime": name,
            "device": "cuda" if name.endswith("-cuda") else "cpu",
            "batch": size,
            "threads": threads,
            "p50_us": p50,
            "p90_us": p90,
            "p99_us": p99,
            "mean_us": float(microseconds.mean()),
            "samples": len(seconds),
            "throughput_per_s": size / (p50 * 1e-6),
            "transfers_included": True,
        }


def _reference(bundle: Bundle, runtimes: Sequence[Runtime]) -> Runnable:
    """Return eager PyTorch; where it cannot be rebuilt (a user's own recipe), the first runtime judges the others."""
    from slipway.runtime import Eager

    try:
        return Eager().load(bundle)
    except UnavailableError:
        if not runtimes:
            raise
        return runtimes[0].load(bundle)


def _checked_call(
    bundle: Bundle, runtime: Runtime, inputs: Mapping[str, Array], wanted: Mapping[str, Array], threads: int
) -> Callable[[], Mapping[str, Array]]:
    """Load a model, compare its answer with the wanted one, warm it up, and return a call without arguments."""
    from slipway.runtime.checked import largest_difference, tolerance

    model = runtime.load(bundle, threads)
    got = model.run(inputs)
    for name, reference in wanted.items():
        difference = largest_difference(got[name], reference)
        if not difference <= tolerance(reference):
            raise MismatchError(f'{bundle.name}, {runtime.name}: output "{name}" is {difference:.3g} off; not measured')
    for _ in range(WARMUP):
        model.run(inputs)
    return lambda: model.run(inputs)


def _sample(call: Callable[[], object], seconds: float, samples: list[float]) -> None:
    end = time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        if len(samples) < _MOST:
            samples.append(now - start)
        if now >= end:
            return


def _numbers(option: str, text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= 1 << 20 for part in parts):
        raise UsageError(f"{option} {text!r} is not a list of numbers with commas, such as 1,16,256")
    return [int(part) for part in parts]


def _machine() -> dict[str, Any]:
    import torch

    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "cuda": cuda,
    }


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
