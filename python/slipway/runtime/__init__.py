"""Everything that can run a bundle, by name and in the order of reports."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.errors import UsageError
from slipway.runtime.checked import Checked as Checked
from slipway.runtime.eager import Eager as Eager
from slipway.runtime.native import Native as Native
from slipway.runtime.ort import Ort as Ort
from slipway.runtime.protocol import OnnxRuntime as OnnxRuntime
from slipway.runtime.protocol import Runnable as Runnable
from slipway.runtime.protocol import Runtime as Runtime
from slipway.runtime.reference import OnnxReference
from slipway.runtime.torchscript import TorchScript

#: Every runtime, in the order of reports. ``eager`` comes first: it judges the others.
RUNTIMES: tuple[Runtime, ...] = (Eager(), TorchScript(), Ort("cpu"), Ort("cuda"), Native("cpu"), Native("cuda"))

#: Every runtime that takes any ONNX file.
ONNX_RUNTIMES: tuple[OnnxRuntime, ...] = (Ort("cpu"), Ort("cuda"), Native("cpu"), Native("cuda"), OnnxReference())


def find_runtime(name: str, device: str = "cpu") -> Runtime:
    """Return a runtime by its name, or by its short name (``native``, ``onnxruntime``) and a device.

    ``checked:native-cpu:onnxruntime-cpu`` runs the first one and lets the second one judge every output.

    Raises:
        UsageError: There is no such runtime; the message lists those there are.
    """
    if name.startswith("checked:") and name.count(":") == 2:
        _, first, second = name.split(":")
        return Checked(find_runtime(first, device), find_runtime(second, device))
    by_name = {runtime.name: runtime for runtime in RUNTIMES}
    found = by_name.get(name) or by_name.get(f"{name}-{device.partition(':')[0]}")
    if found is None:
        raise UsageError(f"there is no runtime {name!r} for device {device}; there are {', '.join(by_name)}")
    return found


def find_runtimes(names: str) -> Sequence[Runtime]:
    """Return the runtimes of a comma-separated list of names, or every one for ``all``.

    Raises:
        UsageError: One of them does not exist.
    """
    if names == "all":
        return RUNTIMES
    return tuple(find_runtime(name.strip()) for name in names.split(","))


def find_onnx_runtime(name: str) -> OnnxRuntime:
    """Return a runtime of ONNX files by its name, or by its short name on the CPU.

    Raises:
        UsageError: There is none of that name; the message lists those there are.
    """
    by_name = {runtime.name: runtime for runtime in ONNX_RUNTIMES}
    found = by_name.get(name) or by_name.get(f"{name}-cpu")
    if found is None:
        raise UsageError(f"no runtime {name!r} runs ONNX files; there are {', '.join(by_name)}")
    return found
