"""Every competitor by name, and the groups that a command line may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bench._inductor import AotInductor, TorchCompile
from slipway.bench._mnn import Mnn
from slipway.bench._native import NativeBound, NativeRun
from slipway.bench._openvino import OpenVino
from slipway.bench._ort import OnnxRuntime
from slipway.bench._torch import EagerTorch, FrozenTorchScript
from slipway.bench._tract import Tract
from slipway.bench.competitor import Competitor, OfRuntime
from slipway.errors import UsageError
from slipway.runtime import RUNTIMES

NATIVE = "native-cpu"
NATIVE_BOUND = "native-cpu-bound"
#: With one thread in a cell of more: no rival, and nobody's name on a command line.
NATIVE_ALONE = NativeRun("native-cpu, one thread", threads=1)

#: Everything that runs on the CPU, in the order of reports.
ON_CPU: tuple[Competitor, ...] = (
    NativeRun(NATIVE),
    NativeBound(NATIVE_BOUND),
    EagerTorch(),
    TorchCompile(),
    AotInductor(),
    FrozenTorchScript(),
    OnnxRuntime(),
    OnnxRuntime("onnxruntime-cpu-bound", bound=True),
    OnnxRuntime("onnxruntime-cpu-bound-sleeping", bound=True, spinning=False),
    OpenVino(),
    OpenVino("openvino-dynamic", static=False),
    Mnn(),
    Tract(),
)

#: Names that stand for several competitors: the runtimes of bundles, everything on the CPU, a few.
GROUPS = ("all", "peers", "quick")
#: Those few.
QUICK = (NATIVE, NATIVE_BOUND, "eager", "onnxruntime-cpu", "onnxruntime-cpu-bound")


def runtimes() -> tuple[Competitor, ...]:
    """Return the runtimes of bundles, each by the competitor of its name or as it stands."""
    known = {competitor.name: competitor for competitor in ON_CPU}
    return tuple(known.get(runtime.name) or OfRuntime(runtime) for runtime in RUNTIMES)


def find_competitors(names: str) -> Sequence[Competitor]:
    """Return the competitors of a comma-separated list.

    ``all`` stands for the runtimes of bundles, ``peers`` for everything that runs on the CPU, ``quick`` for a few.

    Raises:
        UsageError: One of them does not exist; the message lists those that do.
    """
    if names in GROUPS:
        few = tuple(competitor for competitor in ON_CPU if competitor.name in QUICK)
        return {"all": runtimes(), "peers": ON_CPU, "quick": few}[names]
    known = {competitor.name: competitor for competitor in (*runtimes(), *ON_CPU)}
    found = []
    for name in (part.strip() for part in names.split(",")):
        competitor = known.get(name) or known.get(f"{name}-cpu")
        if competitor is None:
            raise UsageError(f"there is no runtime {name!r}; there are {', '.join(known)}, and the groups all, peers")
        found.append(competitor)
    return tuple(dict.fromkeys(found))
