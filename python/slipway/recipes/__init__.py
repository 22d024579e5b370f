"""Recipes, one file each: a file in this folder that ends in ``RECIPE = Recipe(...)`` is found by itself."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from slipway.errors import UsageError
from slipway.recipes._recipe import Recipe

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def recipe_names() -> list[str]:
    """Return the names of the built-in recipes, sorted; nothing is imported."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem.replace("_", "-") for file in files if not file.stem.startswith("_"))


def load_recipe(name: str) -> Recipe:
    """Load a recipe: a built-in one by name, or a user's own as ``path/to/file.py:NAME`` (which runs that file).

    Raises:
        UsageError: There is no such recipe, file or name; the message lists what there is.
    """
    if ".py:" in name or name.endswith(".py"):
        path, _, variable = name.rpartition(":") if ".py:" in name else (name, "", "RECIPE")
        return _find(_import_file(Path(path)), variable, path)
    if not _NAME.fullmatch(name) or name not in recipe_names():
        known = ", ".join(recipe_names())
        raise UsageError(f"there is no recipe {name!r}; there are {known}; your own is given as path/to/file.py:RECIPE")
    return _find(importlib.import_module(f"slipway.recipes.{name.replace('-', '_')}"), "RECIPE", name)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file {path}; a recipe of your own is given as path/to/file.py:RECIPE")
    name = f"slipway_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _find(module: ModuleType, variable: str, where: str) -> Recipe:
    recipe = getattr(module, variable, None)
    if not isinstance(recipe, Recipe):
        found = sorted(name for name, value in vars(module).items() if isinstance(value, Recipe))
        raise UsageError(f"{where}: {variable} is not a Recipe; recipes in it: {', '.join(found) or 'none'}")
    return recipe
