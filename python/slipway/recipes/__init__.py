"""Recipes, one file each: a file in this folder that ends in ``RECIPE = Recipe(...)`` is found by itself.

Importing this module loads no torch: names are listed for shells that complete them, too.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import UsageError
from slipway.recipes._own import is_own as is_own
from slipway.recipes._own import load_object

if TYPE_CHECKING:
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
    from slipway.recipes._recipe import Recipe

    if is_own(name):
        recipe, module = load_object(name, default="RECIPE")
        if not isinstance(recipe, Recipe):
            found = sorted(key for key, value in vars(module).items() if isinstance(value, Recipe))
            raise UsageError(
                f"{name} is not a Recipe; recipes in it: {', '.join(found) or 'none'}; it is of type "
                f"{type(recipe).__name__} (a trained module goes through slipway export FILE.py:NAME --inputs)"
            )
        return recipe
    return load_builtin(name)


def load_builtin(name: str) -> Recipe:
    """Load a recipe of slipway's own; for names that a file says: no other code runs, whatever the name is.

    Raises:
        UsageError: There is no such recipe; the message lists those there are.
    """
    if not is_recipe_name(name) or name not in recipe_names():
        known = ", ".join(recipe_names())
        raise UsageError(f"there is no recipe {name!r}; there are {known}; your own is given as path/to/file.py:RECIPE")
    built_in: Recipe = importlib.import_module(f"slipway.recipes.{name.replace('-', '_')}").RECIPE
    return built_in


def is_recipe_name(name: str) -> bool:
    """Say whether a text can name a recipe and its bundle: small letters, digits and single dashes."""
    return _NAME.fullmatch(name) is not None
