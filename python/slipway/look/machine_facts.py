"""Gathers the facts that ``findings.py`` judges: from the processor, the system, packages, the engine, and bundles."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from slipway.bundle import ONNX, Bundle
from slipway.data._root import cache_folder
from slipway.errors import DataError, SlipwayError, UnavailableError
from slipway.look.findings import BundleFacts, Facts, requirements
from slipway.runtime import find_onnx_runtime

_LIBRARIES = ("cudart", "cublas", "cudnn")


def gather(packages: Mapping[str, str], bundles: Sequence[Path]) -> Facts:
    """Look at everything once; a fact that cannot be had is left at its default.

    Args:
        packages: Installed versions by the names of packages.
        bundles: Folders to load in onnxruntime and in the engine.
    """
    engine_error, isas, chosen, isa_error, devices = _engine()
    needs = _requires()
    torch_error, torch_cuda = _torch()
    variables = {name: value for name, value in os.environ.items() if name.startswith("SLIPWAY_")}
    return Facts(
        packages={**installed([name for name, _ in requirements(needs)]), **packages},
        requires=needs,
        engine_error=engine_error,
        isas=isas,
        chosen_isa=chosen,
        isa_error=isa_error,
        processor_flags=_processor_flags(),
        glibc=_glibc(),
        driver_cuda=_driver_cuda(),
        torch_error=torch_error,
        torch_cuda=torch_cuda,
        cuda_libraries=_cuda_libraries(),
        providers=_providers(),
        engine_devices=devices,
        variables=variables,
        files={value: _kind(Path(value)) for value in variables.values() if value},
        cache=cache_facts(),
        bundles=tuple(_bundle(path) for path in bundles),
    )


def _requires() -> tuple[str, ...]:
    try:
        return tuple(requires("slipway") or ())
    except PackageNotFoundError:
        return ()


def _engine() -> tuple[str | None, tuple[str, ...], str | None, str | None, tuple[tuple[str, ...], str]]:
    """Return why there is no engine, its instruction sets, the one it takes, why it takes none, and its devices."""
    try:
        engine = import_module("slipway._engine")
    except ImportError as error:
        return str(error), (), None, None, ((), "")
    isas = tuple(engine.isas())
    devices, why = engine.devices()
    cuda = (tuple(device for device in devices if device.startswith("cuda")), str(why))
    try:
        text = import_module("slipway.session").Session(_sigmoid()).stage_text("plan", {"x": [1, 64]})
    except SlipwayError as error:
        return None, isas, None, str(error), cuda
    kernel = re.search(r"\[(\w+)\]", text)
    return None, isas, kernel[1] if kernel else None, None, cuda


def _sigmoid() -> bytes:
    """Return a model of one node that has a kernel for every instruction set."""
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 64]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["y"])], "g", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def _processor_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    match = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(match[1].split()) if match else frozenset()


def _glibc() -> tuple[int, int] | None:
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError, AttributeError):  # another C library, or no POSIX
        return None
    match = re.search(r"(\d+)\.(\d+)", name)
    return (int(match[1]), int(match[2])) if match else None


def _driver_cuda() -> tuple[int, int] | None:
    """Ask the driver's own library, which needs no device to answer."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    number = ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(number)) != 0:
        return None
    return number.value // 1000, number.value % 1000 // 10


def load_torch() -> Any:
    """Import torch, for those to whom it is one fact among others.

    Raises:
        UnavailableError: It is not there, or does not work.
    """
    try:
        torch = import_module("torch")
        torch.version  # noqa: B018  # a folder that an uninstallation left behind imports, and holds nothing
    except Exception as error:  # of names, libraries and values: whatever a broken one meets
        raise UnavailableError(f"torch cannot be imported: {error}") from error
    return torch


def _torch() -> tuple[str | None, tuple[int, int] | None]:
    """Return why torch cannot be imported, and the CUDA that it is built for."""
    try:
        cuda = load_torch().version.cuda
    except UnavailableError as error:
        return str(error.__cause__), None
    match = re.match(r"(\d+)\.(\d+)", cuda or "")
    return None, (int(match[1]), int(match[2])) if match else None


def _cuda_libraries() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {name: set() for name in _LIBRARIES}
    for file in _library_files():
        match = re.match(r"lib(\w+)\.so\.(\d+)", file.name)
        if match and match[1] in found:
            found[match[1]].add(int(match[2]))
    return {name: frozenset(versions) for name, versions in found.items()}


def _library_files() -> Iterator[Path]:
    """Yield libraries of CUDA from where wheels, the toolkit and the system put them."""
    packages = dict.fromkeys(map(Path, (sysconfig.get_path("purelib"), *sys.path)))
    folders = [
        *(lib for folder in packages for lib in folder.glob("nvidia/*/lib")),
        Path("/usr/local/cuda/lib64"),
        *Path("/usr/lib").glob("*-linux-gnu"),
    ]
    folders += [Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
    for folder in folders:
        for name in _LIBRARIES:
            yield from folder.glob(f"lib{name}.so.*")


def _providers() -> tuple[str, ...]:
    try:
        return tuple(import_module("onnxruntime").get_available_providers())
    except (ImportError, AttributeError):  # a folder of two overlapping packages may import and hold nothing
        return ()


def _kind(path: Path) -> str:
    try:
        if path.is_file():
            return "file"
        if not path.is_dir():
            return "nothing"
        return "folder" if any(path.iterdir()) else "empty folder"
    except OSError:  # a name that is too long, a folder that may not be read
        return "nothing"


def cache_facts() -> tuple[str, bool]:
    """Return the cache of data sets, and whether it can be written."""
    try:
        folder = cache_folder()
    except DataError:
        return "of a user without a home folder", False
    return str(folder), _is_writable(folder)


def _is_writable(folder: Path) -> bool:
    """Say whether a folder can be written, or made where it is not there yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _bundle(path: Path) -> BundleFacts:
    import onnx

    try:
        bundle = Bundle.open(path)
        content = bundle.read(ONNX)
        bundle.signature  # noqa: B018  # reads the metadata, or says what is wrong with it
    except SlipwayError as error:
        return BundleFacts(str(path), error=str(error))
    model = onnx.load_model_from_string(content)
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    errors = (_load_error("onnxruntime-cpu", content), _load_error("native-cpu", content))
    return BundleFacts(str(path), None, model.ir_version, opset, *errors)


def _load_error(name: str, content: bytes) -> str | None:
    """Say why a runtime does not load a file; one that is not there is another finding's business."""
    runtime = find_onnx_runtime(name)
    if runtime.unavailable() is not None:
        return None
    try:
        runtime.open(content)
    except Exception as error:  # every runtime has its own errors
        return " ".join(str(error).split())
    return None


def installed(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
