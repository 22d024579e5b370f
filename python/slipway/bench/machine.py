"""What this machine is, and what it can do at most: the ground under a benchmark's floor."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "onnxruntime-gpu", "onnxruntime", "openvino", "MNN", "tract", "numpy")
_CACHES = {1: "L1", 2: "L2", 3: "L3"}
#: Where the system does not tell: sizes of a common server core, bytes.
_USUAL = {"L1": 32 << 10, "L2": 1 << 20, "L3": 16 << 20}
_MEMORY = "memory"
_LEAST_MEMORY = 128 << 20


@dataclass(frozen=True)
class Peaks:
    """The most that so many threads reach together, per second.

    Args:
        flops: Floating-point operations, two per multiply-add.
        bytes_read: By cache level ("L1", "L2", "L3") and "memory".
        sigmoids: Values.
        tanhs: Values.
        caches: Sizes in bytes; L1 and L2 belong to one thread, L3 to all.
        threads: How many.
    """

    flops: float
    bytes_read: dict[str, float]
    sigmoids: float
    tanhs: float
    caches: dict[str, int]
    threads: int

    def read_seconds(self, size: float) -> float:
        """Return the least time to read ``size`` bytes, shared out evenly among the threads.

        Each level serves what it can hold beyond the nearer ones, as if it had kept just that since the last run.
        """
        seconds, served = 0.0, 0.0
        for level, rate in self.bytes_read.items():
            owners = 1 if level == "L3" else self.threads
            reach = min(size, self.caches[level] * owners) if level in self.caches else size
            part = max(0.0, reach - served)
            seconds += part / rate
            served += part
        return seconds


def describe_machine() -> dict[str, Any]:
    """Return names and versions, and the load that others put on the machine."""
    import torch

    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "cuda": cuda,
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def best_of(a: Peaks, b: Peaks) -> Peaks:
    """Return the better of each figure of two measurements of one machine with as many threads."""
    return Peaks(
        flops=max(a.flops, b.flops),
        bytes_read={level: max(rate, b.bytes_read[level]) for level, rate in a.bytes_read.items()},
        sigmoids=max(a.sigmoids, b.sigmoids),
        tanhs=max(a.tanhs, b.tanhs),
        caches=a.caches,
        threads=a.threads,
    )


def measure_peaks(threads: int, seconds: float = 0.03, tries: int = 5) -> Peaks:
    """Measure what ``threads`` threads reach, for about ``seconds`` per figure and try; the best try counts."""
    from slipway._engine import measure_peak

    def best(what: str, size: int = 1) -> float:
        return max(measure_peak(what, size, seconds, threads) for _ in range(tries))

    caches = cache_sizes()
    inner = {"L1": caches["L1"] // 2, "L2": caches["L2"] // 2}
    # Beyond the second level, but a small part of the third, which other tenants of the machine may share.
    inner["L3"] = max(4 * caches["L2"], caches["L3"] // 8)
    inner[_MEMORY] = max(4 * caches["L3"], _LEAST_MEMORY)
    bytes_read = {level: best("read", size) for level, size in inner.items()}
    return Peaks(best("flops"), bytes_read, best("sigmoid"), best("tanh"), caches, threads)


def cache_sizes(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> dict[str, int]:
    """Return the sizes of the data caches in bytes, L1 first."""
    sizes = dict(_USUAL)
    for index in sorted(folder.glob("index*")):
        try:
            facts = [(index / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size")]
        except OSError:
            continue
        if facts[0].isdecimal() and int(facts[0]) in _CACHES and facts[1] != "Instruction":
            sizes[_CACHES[int(facts[0])]] = _bytes(facts[2])
    return sizes


def peaks_as_json(peaks: Sequence[Peaks]) -> dict[str, Any]:
    """Return the peaks by number of threads, for a result file."""
    return {
        str(p.threads): {
            "flops_per_s": p.flops,
            "bytes_per_s": p.bytes_read,
            "sigmoids_per_s": p.sigmoids,
            "tanhs_per_s": p.tanhs,
        }
        for p in peaks
    } | {"cache_bytes": peaks[0].caches if peaks else {}}


def _bytes(text: str) -> int:
    factors = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * factors[text[-1]] if text[-1:] in factors else int(text)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
