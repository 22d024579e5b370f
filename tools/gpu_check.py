"""One command on a machine with a GPU: is every CUDA kernel right there, and how fast is it?

    make gpu-check                                    # all parts, one after the other
    python tools/gpu_check.py ops bundles             # some of them
    python tools/gpu_check.py bench --models mnist-cnn,names-gru --batches 1,64

Parts, of at most nine minutes each:

    floors     what the card can do: copies, float32 products, an empty launch, a graph of ten
    ops        the operators' tests on the device, each against its oracle
    bundles    every bundle of --zoo against eager PyTorch
    sanitize   compute-sanitizer (memcheck, racecheck, initcheck, synccheck) over the operators' smallest cases
    bench      every model and batch against PyTorch eager, recorded as a CUDA graph, and compiled

Needs no network. Results: one JSON file per part in --out (benchmarks/results/). Exit code 3 where something is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BATCHES = (1, 64, 1024)
#: Models, and the batches that are not the usual ones.
MODELS: dict[str, tuple[int, ...]] = {
    "mnist-mlp": BATCHES,
    "mnist-cnn": BATCHES,
    "mnist-cnn-deep": BATCHES,
    "cifar-cnn": BATCHES,
    "mnist-resnet": BATCHES,
    "mnist-inception": BATCHES,
    "bottleneck": (1, 64),
    "conv-stack": (1, 16),
    "linknet": (1, 16),
    "names-gru": (1, 64, 256, 1024),
    "names-bigru": (1, 256, 1024),
    "names-lstm": (1, 64, 256, 1024),
    "names-rnn": (1, 64, 256),
    "trec": (1, 64, 256),
    "snli-gru": (1, 64),
}
WRONG = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which [all]")
    parser.add_argument("--zoo", type=Path, default=ROOT / "zoo", help="folder of bundles [zoo]")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder for the results")
    parser.add_argument("--models", default="", help="for bundles and bench: names, separated by commas [all]")
    parser.add_argument("--batches", default="", help="for bench: batches, separated by commas")
    parser.add_argument("--runtimes", default="", help="for bench: names, separated by commas")
    parser.add_argument("--seconds", type=float, default=480, help="for bench: stop beginning cells after so long")
    parser.add_argument("--page", action="store_true", help="renew docs/benchmarks.md from the results; no GPU needed")
    wanted = parser.parse_args(arguments)
    if wanted.page:
        page(wanted)
        return 0
    wanted.out.mkdir(parents=True, exist_ok=True)
    ok = True
    for name in wanted.parts or list(PARTS):
        start = time.perf_counter()
        result = PARTS[name](wanted)
        result["seconds"] = round(time.perf_counter() - start, 1)
        path = wanted.out / f"cuda-{name}.json"
        path.write_text(as_text({"device": describe_device(), **result}), encoding="utf-8")
        say(f"{name}: {'ok' if result['ok'] else 'WRONG'}, {result['seconds']} s -> {path}")
        ok = ok and bool(result["ok"])
    return 0 if ok else WRONG


def page(wanted: argparse.Namespace) -> None:
    """Renew the GPU's part of docs/benchmarks.md, and its picture, from the results in --out."""
    from slipway.bench.cuda_page import PICTURE, picture, renew
    from slipway.bench.page import PAGE

    bench_result, floors_result = (
        json.loads((wanted.out / f"cuda-{part}.json").read_text(encoding="utf-8")) for part in ("bench", "floors")
    )
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (ROOT / PAGE).write_text(renew(text, bench_result, floors_result), encoding="utf-8")
    (ROOT / PICTURE).write_text(picture(bench_result), encoding="utf-8")


def as_text(result: dict[str, Any]) -> str:
    """Return a result as JSON with a line per row."""
    from slipway.bench.page import rounded

    lines = []
    for key, value in rounded(result).items():
        rows = ",\n".join(f"  {json.dumps(row)}" for row in value) if isinstance(value, list) and value else ""
        lines.append(f" {json.dumps(key)}: " + (f"[\n{rows}\n ]" if rows else json.dumps(value)))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def say(text: str) -> None:
    """Print at once: a run that is cut off has shown what it knows."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def describe_device() -> dict[str, Any]:
    """Return what the results were measured on."""
    import torch

    if not torch.cuda.is_available():
        return {"name": "none"}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(),
    }


# ---- floors ----


def floors(_: argparse.Namespace) -> dict[str, Any]:
    """Measure what bounds every kernel."""
    import torch

    big = torch.randn(1 << 28, device="cuda")
    copy = torch.empty_like(big)
    seconds = device_seconds(lambda: copy.copy_(big))
    matrix = torch.randn(8192, 8192, device="cuda")
    product = torch.empty_like(matrix)
    torch.backends.cuda.matmul.allow_tf32 = False
    exact = device_seconds(lambda: torch.mm(matrix, matrix, out=product))
    torch.backends.cuda.matmul.allow_tf32 = True
    rounded = device_seconds(lambda: torch.mm(matrix, matrix, out=product))
    torch.backends.cuda.matmul.allow_tf32 = False
    one = torch.zeros(1, device="cuda")
    launch = device_seconds(lambda: one.add_(1), repeats=200)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(10):
            one.add_(1)
    nodes = device_seconds(graph.replay, repeats=50)
    return {
        "ok": True,
        "copy_bytes_per_s": 2 * big.nbytes / seconds,
        "fp32_flops_per_s": 2 * 8192**3 / exact,
        "tf32_flops_per_s": 2 * 8192**3 / rounded,
        "launch_us": launch * 1e6,
        "graph_of_ten_us": nodes * 1e6,
    }


def device_seconds(run: Callable[[], object], repeats: int = 5, rounds: int = 7) -> float:
    """Return the median seconds per run, between two events of the stream."""
    import torch

    for _ in range(3):
        run()
    found = []
    for _ in range(rounds):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(repeats):
            run()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end) / 1e3 / repeats)
    return float(np.median(found))


# ---- right or wrong ----


def ops(_: argparse.Namespace) -> dict[str, Any]:
    """Run tests/ops for the CUDA column."""
    workers = min(8, os.cpu_count() or 1)
    return pytest(["tests/ops", "-k", "cuda", "-n", str(workers)])


def pytest(arguments: list[str], before: Sequence[str] = ()) -> dict[str, Any]:
    """Run pytest and return its last lines."""
    command = [
        *before,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        "--no-header",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tail = done.stdout.splitlines()[-60:]
    for line in tail if done.returncode else tail[-1:]:
        say(f"  {line[:300]}")
    if done.returncode and not tail:
        say(done.stderr[-2000:])
    return {"ok": done.returncode == 0, "command": " ".join(command[1:]), "summary": tail[-1:]}


def bundles(wanted: argparse.Namespace) -> dict[str, Any]:
    """Compare every bundle's outputs with eager's in double, at several batches, from host and device arrays."""
    from slipway.bench.accuracy import Judge
    from slipway.bench.inputs import bench_inputs

    rows = []
    for bundle in opened(wanted):
        for batch in (1, 7, 64):
            row: dict[str, Any] = {"bundle": bundle.name, "batch": batch}
            try:
                inputs = bench_inputs(bundle, batch)
                judge = Judge.of(bundle, inputs)
                outputs, again = run_both_ways(bundle, inputs)
                row |= {
                    "error": judge.error(outputs),
                    "error_of_eager": judge.own_error,
                    "same_bits": all(np.array_equal(outputs[k], again[k], equal_nan=True) for k in outputs),
                }
                row["ok"] = row["same_bits"] and judge.accepts(row["error"])
            except Exception as error:  # every bundle gets its row
                row |= {"ok": False, "reason": f"{type(error).__name__}: {error}"[:400]}
            rows.append(row)
            say("  " + json.dumps(row))
    expected = {"snli-spinn"}  # its loop runs on the processor only
    return {"ok": all(row["ok"] for row in rows if row["bundle"] not in expected), "rows": rows}


def run_both_ways(bundle: Any, inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run with host arrays, then three times with device arrays: launches, and the recorded graph."""
    import torch

    from slipway.bundle import ONNX
    from slipway.session import Session

    session = Session(bundle.read(ONNX), device="cuda")
    first = {name: array.copy() for name, array in session.run(inputs).items()}
    tensors = {name: torch.from_numpy(np.array(array)).cuda() for name, array in inputs.items()}
    results = {name: torch.full_like(array, -77) for name, array in session.run(tensors).items()}
    call = session.bind_on_cuda(tensors, results)
    for _ in range(4):
        call()
    call.finish()
    return first, {name: array.cpu().numpy() for name, array in results.items()}


def sanitize(_: argparse.Namespace) -> dict[str, Any]:
    """Run a small choice of operators' tests under each tool of compute-sanitizer."""
    program = shutil.which("compute-sanitizer")
    if program is None:
        return {"ok": True, "reason": "compute-sanitizer is not on the PATH"}
    tools = {}
    for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
        before = [program, "--tool", tool, "--error-exitcode", "9", "--target-processes", "all"]
        tests = ["tests/ops/test_network.py", "tests/ops/test_embedded_gru.py", "tests/ops/test_gemm.py"]
        tools[tool] = pytest([*tests, "-k", "cuda", "-x"], before)
    return {"ok": all(result["ok"] for result in tools.values()), "tools": tools}


# ---- how fast ----


def bench(wanted: argparse.Namespace) -> dict[str, Any]:
    """Time every model and batch, in interleaved rounds."""
    from slipway.bench._cuda import cuda_competitors

    competitors = [one for one in cuda_competitors(wanted.runtimes) if one.unavailable() is None]
    end = time.perf_counter() + wanted.seconds
    batches = tuple(int(batch) for batch in wanted.batches.split(",") if batch)
    wanted_cells = [(b, n) for b in opened(wanted) for n in batches or MODELS.get(b.name, (1, 64))]
    with tempfile.TemporaryDirectory(prefix="slipway-gpu-") as folder:
        cells = [
            bench_cell(bundle, batch, competitors, Path(folder))
            for bundle, batch in wanted_cells
            if time.perf_counter() < end
        ]
    return {"ok": all(cell["ok"] for cell in cells), "cells": cells}


def bench_cell(bundle: Any, batch: int, competitors: Sequence[Any], folder: Path) -> dict[str, Any]:
    """Check, then time, one model at one batch."""
    import torch

    from slipway.bench._cuda import REPEATS, CudaPrepared
    from slipway.bench.cell import admit
    from slipway.bench.competitor import Job
    from slipway.bench.inputs import bench_inputs
    from slipway.bench.protocol import Settings, measure
    from slipway.bench.suite import DIMS
    from slipway.errors import SlipwayError

    cell: dict[str, Any] = {"bundle": bundle.name, "batch": batch, "ok": True, "rows": {}}
    try:
        job = Job(bundle, bench_inputs(bundle, batch, DIMS.get(bundle.name)), 1, folder)
        admitted = admit(job, competitors, ())
        prepared = {name: p for name, p in admitted.prepared.items() if isinstance(p, CudaPrepared)}
        settings = Settings(rounds=5, turn_seconds=0.02, cell_seconds=3)
        steady = measure({name: p.call for name, p in prepared.items()}, settings)
        waited = measure({name: p.waited for name, p in prepared.items()}, settings)
        recorded = measure({name: p.recorded for name, p in prepared.items() if p.recorded is not None}, settings)
        for name in prepared:
            cell["rows"][name] = {
                "device_us": recorded[name].figures()["p50_us"] / REPEATS if name in recorded else None,
                "steady_us": steady[name].figures()["p50_us"] / REPEATS,
                "waited_us": waited[name].figures()["p50_us"],
                "waited_p5_us": float(np.percentile([s for r in waited[name].rounds for s in r], 5) * 1e6),
                "error": admitted.errors[name],
            }
        cell["error_allowed"] = admitted.judge.limit
        cell["left_out"] = {left.runtime: left.reason for left in admitted.left_out}
        cell["ok"] = "native-cuda" in prepared or "native-cuda" not in {one.name for one in competitors}
    except SlipwayError as error:
        cell |= {"ok": False, "reason": str(error)[:400]}
    torch.cuda.synchronize()
    columns = ("device_us", "steady_us", "waited_us")
    rows = {n: tuple(round(row[k], 1) if row[k] else None for k in columns) for n, row in cell["rows"].items()}
    say(f"  {bundle.name} {batch}: {rows} {cell.get('reason', '')} {cell.get('left_out', {}).get('native-cuda', '')}")
    return cell


def opened(wanted: argparse.Namespace) -> list[Any]:
    """Return the bundles that are there, in the order of the table."""
    from slipway.bundle import Bundle

    chosen = [name for name in wanted.models.split(",") if name]
    names = chosen or [*MODELS, *sorted(p.name for p in wanted.zoo.iterdir() if p.is_dir() and p.name not in MODELS)]
    return [
        Bundle.open(wanted.zoo / name, check=False) for name in names if (wanted.zoo / name / "model.onnx").is_file()
    ]


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "floors": floors,
    "ops": ops,
    "bundles": bundles,
    "sanitize": sanitize,
    "bench": bench,
}

if __name__ == "__main__":
    sys.exit(main())
