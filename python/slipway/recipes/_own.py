"""Python objects of the user's own: ``FILE.py:NAME`` or ``package.module:NAME``; finding one runs its code."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from slipway.errors import UsageError

_PREFIX = "slipway_user_"


def is_own(text: str) -> bool:
    """Say whether a name on the command line means a file or module of the user's own."""
    return ":" in text or text.endswith(".py")


def load_object(text: str, default: str | None = None) -> tuple[object, ModuleType]:
    """Return the object that ``FILE.py:NAME`` or ``package.module:NAME`` names, and the module that holds it.

    The folder of the file, or the current folder, may be imported from too, after everything that is installed.

    Args:
        text: The file or module, and the name in it.
        default: The name where the text has none.

    Raises:
        UsageError: There is no such file, module or name, or its code fails; then the message holds the line.
    """
    place, _, name = text.rpartition(":") if ":" in text else (text, "", "")
    name = name or default or ""
    if not place or not name:
        raise UsageError(f"{text!r} is not of the form FILE.py:NAME or package.module:NAME")
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    if not hasattr(module, name):
        known = sorted(key for key, value in vars(module).items() if _is_of(module, key, value))
        raise UsageError(f"{place} has no name {name!r}; it has {', '.join(known) or 'no names'}")
    return getattr(module, name), module


def place_in_own_file(error: BaseException) -> str | None:
    """Return the file and line of the user's own where an error arose, or None if it arose elsewhere."""
    files = {getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(_PREFIX)}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f"{frames[-1].filename}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else None


def told(error: BaseException, file: str) -> str:
    """Return an error with the line where a file's code was left."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines = [error.lineno]
    where = f"line {lines[-1]}, " if lines else ""
    return f"{where}{type(error).__name__}: {getattr(error, 'msg', None) or error}"


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file {path}; a recipe of your own is given as path/to/file.py:RECIPE")
    name = f"{_PREFIX}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up by name
    _also_import_from(path.resolve().parent)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"{path} cannot be loaded: {told(error, str(spec.origin))}") from error
    return module


def _import_module(name: str) -> ModuleType:
    _also_import_from(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"module {name} cannot be loaded: {error}") from error
        hint = f"; a file is given as {name}.py:NAME" if Path(f"{name}.py").is_file() else ""
        raise UsageError(f"there is no module {error.name} on Python's path or in {Path.cwd()}{hint}") from error
    except (Exception, SystemExit) as error:
        spec = importlib.util.find_spec(name)
        file = spec.origin if spec is not None and spec.origin else name
        raise UsageError(f"module {name} cannot be loaded: {told(error, file)}") from error


def _also_import_from(folder: Path) -> None:
    """Put a folder last on the path, where it hides nothing that is imported later."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _is_of(module: ModuleType, key: str, value: object) -> bool:
    """Say whether a name is a public one that the module did not import."""
    named = inspect.isroutine(value) or inspect.isclass(value)
    is_imported = inspect.ismodule(value) or (named and value.__module__ != module.__name__)
    return not key.startswith("_") and not is_imported
