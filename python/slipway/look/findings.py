"""What is wrong with an installation, and its cure: pure functions over gathered facts.

``broken``: something that was installed or asked for cannot work. ``warning``: it works, but not as it could.
``note``: good to know. Every check sees only :class:`Facts`, so that a test can plant each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["broken", "warning", "note"]

#: What torch's wheels are built for (manylinux_2_28).
_LEAST_GLIBC = (2, 28)
#: Processor flags that each instruction set of the engine needs (cpp/base/cpu.cc).
_FLAGS = {
    "amx": {"amx_tile", "amx_bf16", "avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx2": {"avx2", "fma"},
    "neon": {"asimd"},
}
#: Slowest first; scalar is the meaning of every operator, not a choice for speed, and amx is only for who asks for it.
_ISAS = ("scalar", "amx", "baseline", "avx2", "neon", "avx512")
#: Environment variables that something reads at run time.
KNOWN_VARIABLES = (
    "SLIPWAY_CUDA_PLUGIN", "SLIPWAY_DATA", "SLIPWAY_ISA", "SLIPWAY_OFFLINE", "SLIPWAY_ORT_LIBRARY",
    "SLIPWAY_SPIN_MICROSECONDS", "SLIPWAY_WIDE_UNITS",
)  # fmt: skip
_FILE_VARIABLES = ("SLIPWAY_CUDA_PLUGIN", "SLIPWAY_ORT_LIBRARY")


@dataclass(frozen=True)
class BundleFacts:
    """A bundle, and what its ``model.onnx`` meets here; each error is None where all is well."""

    name: str
    error: str | None = None
    ir_version: int = 0
    opset: int = 0
    onnxruntime_error: str | None = None
    engine_error: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that the checks may look at.

    Args:
        packages: Installed versions by the names of packages.
        requires: slipway's own requirements, as ``importlib.metadata.requires`` gives them.
        engine_error: Why the engine cannot be imported, or None.
        isas: Instruction sets that the engine has and the processor runs.
        chosen_isa: The one that the engine takes, or None where it refuses to choose.
        isa_error: Why it refuses.
        processor_flags: As the kernel lists them; empty where it does not.
        glibc: Version, or None with another C library.
        driver_cuda: The newest CUDA that the NVIDIA driver runs, (major, minor), or None without a driver.
        torch_error: Why torch cannot be imported, or None.
        torch_cuda: The CUDA that torch is built for, or None.
        cuda_libraries: Major versions of the libraries that can be found, by name: ``cudart``, ``cublas``, ``cudnn``.
        providers: Execution providers of onnxruntime.
        engine_devices: The engine's CUDA devices, and why there are none.
        variables: Environment variables that start with ``SLIPWAY_``.
        files: Which of the paths that they name exist: ``file``, ``folder``, ``empty folder`` or ``nothing``.
        cache: The cache of data sets, and whether it can be written.
        bundles: The bundles that were asked about.
    """

    packages: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    engine_error: str | None = None
    isas: tuple[str, ...] = ()
    chosen_isa: str | None = None
    isa_error: str | None = None
    processor_flags: frozenset[str] = frozenset()
    glibc: tuple[int, int] | None = None
    driver_cuda: tuple[int, int] | None = None
    torch_error: str | None = None
    torch_cuda: tuple[int, int] | None = None
    cuda_libraries: Mapping[str, frozenset[int]] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    engine_devices: tuple[tuple[str, ...], str] = ((), "")
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    cache: tuple[str, bool] = ("", True)
    bundles: tuple[BundleFacts, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    subject: str
    what: str
    cure: str


def find_all(facts: Facts) -> list[Finding]:
    """Return every finding, the broken things first."""
    found = [finding for check in _CHECKS for finding in check(facts)]
    order: tuple[Severity, ...] = ("broken", "warning", "note")
    return sorted(found, key=lambda finding: order.index(finding.severity))


def requirements(lines: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return names and least versions of what every installation needs; lines with a condition are left out."""
    matches = (re.match(r"([\w.-]+)\s*(?:>=\s*([\d.]+))?", line) for line in lines if ";" not in line)
    return [(match[1], match[2]) for match in matches if match]


def _check_engine(facts: Facts) -> Iterator[Finding]:
    if facts.engine_error is not None:
        cure = "build it where slipway's sources are: pip install ."
        yield Finding("broken", "engine", f"it cannot be imported: {facts.engine_error}", cure)
    elif facts.isa_error is not None:
        cure = f"unset it, or choose one of {', '.join(facts.isas)}"
        yield Finding("broken", "engine", f"no session can be opened: {facts.isa_error}", cure)


def _check_instruction_sets(facts: Facts) -> Iterator[Finding]:
    if facts.engine_error is not None or facts.chosen_isa is None:
        return
    best = max(facts.isas, key=_ISAS.index)
    if facts.chosen_isa != best:
        what = f"the engine runs {facts.chosen_isa} kernels, this processor has {best}"
        yield Finding("warning", "instruction set", what, "unset SLIPWAY_ISA")
    for isa, flags in _FLAGS.items():
        if flags <= facts.processor_flags and isa not in facts.isas:
            what = f"the processor has {isa}, the engine was built without it"
            yield Finding("warning", "instruction set", what, "build it again with GCC 11 or Clang 14, or newer")
            return


def _check_requirements(facts: Facts) -> Iterator[Finding]:
    for name, least in requirements(facts.requires):
        have = facts.packages.get(name)
        wanted = f"{name}>={least}" if least else name
        if have is None:
            yield Finding("broken", name, "it is not installed", f"pip install '{wanted}'")
        elif least and _numbers(have) < _numbers(least):
            what = f"version {have} is too old, slipway is written for {least} and newer"
            yield Finding("broken", name, what, f"pip install '{wanted}'")


def _check_torch(facts: Facts) -> Iterator[Finding]:
    names = [name for name, _ in requirements(facts.requires)]
    if facts.torch_error is not None and ("torch" in facts.packages or "torch" not in names):
        what = f"it cannot be imported: {facts.torch_error}"
        yield Finding("broken", "torch", what, "pip install --force-reinstall torch")


def _check_onnxruntime(facts: Facts) -> Iterator[Finding]:
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if name in facts.packages]
    if len(both) == 2:
        what = "it is installed beside onnxruntime-gpu; both are the same folder, and the later one overwrote the other"
        cure = "pip uninstall onnxruntime onnxruntime-gpu, then install the one that is wanted"
        yield Finding("warning", "onnxruntime", what, cure)
    if not both:
        what = "it is not installed; nothing can be verified against it"
        yield Finding("warning", "onnxruntime", what, "pip install onnxruntime")


def _check_glibc(facts: Facts) -> Iterator[Finding]:
    if facts.glibc is not None and facts.glibc < _LEAST_GLIBC:
        have, least = (".".join(map(str, version)) for version in (facts.glibc, _LEAST_GLIBC))
        what = f"version {have}; torch and onnxruntime are published for {least} and newer"
        yield Finding("warning", "glibc", what, "use a newer system, or a container of one")


def _check_cuda(facts: Facts) -> Iterator[Finding]:
    if facts.driver_cuda is None:
        if facts.torch_cuda is not None:
            what = "no NVIDIA driver is found; everything runs on the processor"
            yield Finding(
                "note", "cuda", what, "nothing to do, unless this machine has an NVIDIA GPU: install its driver"
            )
        return
    driver = ".".join(map(str, facts.driver_cuda))
    if facts.torch_error is None and facts.torch_cuda is None:
        what = f"the driver runs CUDA {driver}, torch is built without CUDA"
        yield Finding("warning", "cuda", what, "install torch from an index of its CUDA builds")
    elif facts.torch_cuda is not None and facts.torch_cuda[0] > facts.driver_cuda[0]:
        built = ".".join(map(str, facts.torch_cuda))
        what = f"torch is built for CUDA {built}, the driver runs {driver} at most"
        yield Finding("broken", "cuda", what, f"update the driver, or install a torch for CUDA {facts.driver_cuda[0]}")
    yield from _check_cuda_of_onnxruntime(facts)
    devices, why = facts.engine_devices
    if not devices and facts.engine_error is None:
        yield Finding("warning", "cuda", f"the engine has no device: {why}", "docs/cuda.md tells how it is built")


def _check_cuda_of_onnxruntime(facts: Facts) -> Iterator[Finding]:
    if "onnxruntime-gpu" not in facts.packages:
        return
    if "CUDAExecutionProvider" not in facts.providers:
        what = "onnxruntime-gpu is installed, but what is imported has no CUDA provider"
        yield Finding("broken", "onnxruntime", what, "pip install --force-reinstall onnxruntime-gpu")
    missing = [name for name in ("cudart", "cublas", "cudnn") if not facts.cuda_libraries.get(name)]
    if missing:
        what = f"lib{', lib'.join(missing)} cannot be found, which its CUDA provider needs"
        yield Finding("warning", "onnxruntime", what, "pip install 'onnxruntime-gpu[cuda,cudnn]'")
    elif facts.driver_cuda is not None and min(facts.cuda_libraries["cudart"]) > facts.driver_cuda[0]:
        what = (
            f"the CUDA libraries are of {min(facts.cuda_libraries['cudart'])}, the driver runs {facts.driver_cuda[0]}"
        )
        yield Finding("broken", "cuda", what, "update the driver, or install libraries of its CUDA")


def _check_variables(facts: Facts) -> Iterator[Finding]:
    for name, value in sorted(facts.variables.items()):
        if name not in KNOWN_VARIABLES:
            cure = f"unset it; there are {', '.join(KNOWN_VARIABLES)}"
            yield Finding("note", name, "nothing reads this variable", cure)
        elif name in _FILE_VARIABLES and value and facts.files.get(value) != "file":
            yield Finding("broken", name, f"it names {value}, which is no file", "name the library, or unset it")
        elif name == "SLIPWAY_SPIN_MICROSECONDS" and value and not value.isdecimal():
            what = f"it is {value!r}, expected a number of microseconds; sessions with threads refuse to start"
            yield Finding("broken", name, what, "unset it, or give a number such as 50")
        elif name in ("SLIPWAY_ISA", "SLIPWAY_SPIN_MICROSECONDS", "SLIPWAY_WIDE_UNITS") and value:
            what = f"it is {value}, so the engine does not choose by itself"
            yield Finding("note", name, what, "unset it, unless that is what you want")
        elif name == "SLIPWAY_OFFLINE" and value:
            what = "nothing is downloaded; recipes use the small data inside the packages"
            yield Finding("note", name, what, "unset it to let recipes fetch the full data")


def _check_data(facts: Facts) -> Iterator[Finding]:
    folder = facts.variables.get("SLIPWAY_DATA", "")
    kind = facts.files.get(folder, "nothing")
    if folder and kind in ("file", "nothing"):
        what = f"it names {folder}, which is no folder; every recipe refuses to train"
        yield Finding("broken", "SLIPWAY_DATA", what, "name a folder with the data sets (docs/notes.md), or unset it")
    elif folder and kind == "empty folder":
        what = f"the folder {folder} is empty; every recipe that reads files refuses to train"
        yield Finding("warning", "SLIPWAY_DATA", what, "put the data sets there (docs/notes.md), or unset it")
    cache, is_writable = facts.cache
    if not is_writable:
        what = f"the cache {cache} cannot be written; nothing can be downloaded"
        yield Finding("warning", "data", what, "give it to this user, or set XDG_CACHE_HOME to another folder")


def _check_bundles(facts: Facts) -> Iterator[Finding]:
    for bundle in facts.bundles:
        if bundle.error is not None:
            yield Finding("broken", bundle.name, bundle.error, "export it again; slipway selftest checks a bundle")
            continue
        says = f"IR version {bundle.ir_version}, opset {bundle.opset}"
        if bundle.onnxruntime_error is not None:
            have = next(
                (f" {facts.packages[n]}" for n in ("onnxruntime-gpu", "onnxruntime") if n in facts.packages), ""
            )
            what = f"onnxruntime{have} does not load model.onnx ({says}): {bundle.onnxruntime_error}"
            yield Finding("broken", bundle.name, what, "install a newer onnxruntime, or export with a lower --opset")
        if bundle.engine_error is not None:
            what = f"the engine does not load model.onnx ({says}): {bundle.engine_error}"
            yield Finding("broken", bundle.name, what, "install a newer slipway, or export with --opset 20")


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _check_engine, _check_instruction_sets, _check_requirements, _check_torch, _check_onnxruntime, _check_glibc,
    _check_cuda, _check_variables, _check_data, _check_bundles,
)  # fmt: skip


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without what stands behind them (``2.11.0+cu130``, ``1.0rc1``)."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
