"""The beginning: first calls after loading and at a new shape, and a process's way to its first answer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.bench.protocol import quiet
from slipway.bundle import ONNX, Bundle

Arrays = Mapping[str, NDArray[np.generic]]
Run = Callable[[dict[str, NDArray[np.generic]]], object]

#: Repetitions; the median counts.
FIRST_CALLS = 7
PROCESSES = 9

_ORT_PROCESS = """
import sys
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
feeds = dict(pair.split("=", 1) for pair in sys.argv[2:])
print(session.run(None, {name: np.load(file) for name, file in feeds.items()})[0].ravel()[0])
"""

_SLIPWAY_PROCESS = """
import sys
import numpy as np
import slipway
session = slipway.Session(sys.argv[1])
feeds = dict(pair.split("=", 1) for pair in sys.argv[2:])
outputs = session.run({name: np.load(file) for name, file in feeds.items()})
print(next(iter(outputs.values())).ravel()[0])
"""


def first_calls(bundle: Bundle, small: Arrays, large: Arrays) -> list[dict[str, Any]]:
    """Return microseconds of loading, the first and the second call, and the first call at another shape.

    Args:
        bundle: The model.
        small: Inputs of the first calls.
        large: Inputs of another shape.
    """
    model = bundle.read(ONNX)
    rows = []
    for name, load in (("native-cpu", _native), ("onnxruntime-cpu", _ort)):
        columns: dict[str, list[float]] = {"load_us": [], "first_us": [], "second_us": [], "new_shape_us": []}
        for _ in range(FIRST_CALLS):
            with quiet():
                start = time.perf_counter()
                run = load(model)
                columns["load_us"].append(time.perf_counter() - start)
                for column, inputs in (("first_us", small), ("second_us", small), ("new_shape_us", large)):
                    feeds = dict(inputs)
                    start = time.perf_counter()
                    run(feeds)
                    columns[column].append(time.perf_counter() - start)
        medians = {column: float(np.median(seconds)) * 1e6 for column, seconds in columns.items()}
        rows.append({"bundle": bundle.name, "runtime": name, **medians})
    return rows


def cold_starts(bundle: Bundle, program: Path | None) -> list[dict[str, Any]]:
    """Return milliseconds from the start of a process to its end, with one answer on the way.

    Args:
        bundle: The model; its first golden is the question.
        program: ``slipway-infer``; None leaves it out.
    """
    case = bundle.path / "goldens" / bundle.goldens[0].name
    feeds = [f"{name}={case / name}.npy" for name in bundle.goldens[0].inputs]
    model = str(bundle.path / ONNX)
    commands: dict[str, Sequence[str]] = {
        "Python + slipway": [sys.executable, "-c", _SLIPWAY_PROCESS, model, *feeds],
        "Python + onnxruntime": [sys.executable, "-c", _ORT_PROCESS, model, *feeds],
    }
    if program is not None:
        inputs = [part for feed in feeds for part in ("--input", feed)]
        commands = {"slipway-infer": [str(program), model, *inputs], **commands}
    return [
        {"bundle": bundle.name, "process": name, "ms": process_milliseconds(command)}
        for name, command in commands.items()
    ]


def process_milliseconds(command: Sequence[str], count: int = PROCESSES) -> float:
    """Return the median time of a command that must succeed; one run before warms the files' cache."""
    seconds = []
    for _ in range(count + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:])) * 1e3


def _native(model: bytes) -> Run:
    from slipway.session import Session

    return Session(model).run


def _ort(model: bytes) -> Run:
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, feeds)
