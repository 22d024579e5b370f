"""torch's profiler around a run: where the time of a training step goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity

from slipway._files import write_atomically
from slipway.errors import UsageError

#: Steps that are recorded, after one that is passed over and one that warms the profiler up.
RECORDED_STEPS = 20
_FIRST_STEPS = 2
_ROWS = 30


def check_steps(path: Path | None, steps: int) -> None:
    """Refuse a profile of a run with so few steps to go that none would be recorded.

    Raises:
        UsageError: There are fewer than three.
    """
    if path is not None and steps <= _FIRST_STEPS:
        raise UsageError(
            f"--profile records steps after the first {_FIRST_STEPS}, the run has {steps} to go; give more --epochs"
        )


@contextmanager
def profiled(path: Path | None) -> Iterator[Callable[[], None]]:
    """Yield what is to be called after every step; at the end the profile is in ``path``, if there is one.

    The file is a Chrome trace (chrome://tracing, ui.perfetto.dev); ``path`` with the ending ``.txt`` holds the
    operators that took longest.
    """
    if path is None:
        yield lambda: None
        return
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # its library reports to stderr that there is no GPU
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])
    schedule = torch.profiler.schedule(wait=1, warmup=1, active=RECORDED_STEPS, repeat=1)

    def write(profiler: torch.profiler.profile) -> None:
        with tempfile.TemporaryDirectory(prefix="slipway-profile-") as folder:
            trace = Path(folder) / path.name
            profiler.export_chrome_trace(str(trace))
            write_atomically(path, trace.read_bytes())
        table = profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=_ROWS)
        write_atomically(path.with_suffix(".txt"), table.encode())

    with torch.profiler.profile(
        activities=activities, schedule=schedule, on_trace_ready=write, record_shapes=True
    ) as profiler:
        yield profiler.step
