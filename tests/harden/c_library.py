"""libslipway.so by ctypes: the structs and the caller of tests/consumer, and where the library was built."""

from __future__ import annotations

import importlib.util
import os
from ctypes import byref, c_char_p, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _abi() -> Any:
    spec = importlib.util.spec_from_file_location("c_abi", ROOT / "tests" / "consumer" / "test_c_abi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


abi = _abi()


def find_library() -> Path | None:
    """Return that of SLIPWAY_BUILD_DIR, else of the newest build of this tree without sanitizers."""
    named = os.environ.get("SLIPWAY_BUILD_DIR")
    folders = [Path(named)] if named else [p for p in (ROOT / "build").glob("*") if "san" not in p.name]
    built = [library for folder in folders if (library := folder / "cpp" / "libslipway.so").exists()]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


def open_library() -> Any:
    """Return an ``Engine`` of tests/consumer; skip where the library was not built."""
    path = find_library()
    if path is None:
        pytest.skip("the C library was not built in this tree (SLIPWAY_BUILD_DIR names another build)")
    engine = abi.Engine(path)
    engine.library.slipway_close.argtypes = [c_void_p]
    return engine


def read(engine: Any, model: bytes, **options: Any) -> c_void_p:
    """Open a model of these bytes."""
    session = c_void_p()
    code = engine.call("read", c_char_p(model), c_size_t(len(model)), byref(abi.options_of(**options)), byref(session))
    assert code == abi.OK, engine.message
    return session
