"""A trained module as a recipe: what export, verification and the runtimes ask of a recipe, and no way to train."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import nn

from slipway.bundle import Bundle
from slipway.errors import UsageError
from slipway.recipes import load_recipe
from slipway.recipes._own import is_own, load_object, told
from slipway.recipes._recipe import Recipe, Training
from slipway.signature import Signature


@dataclass(frozen=True)
class NoConfig:
    """A module has no settings that slipway knows of."""


def load_module(source: str) -> Callable[[], nn.Module]:
    """Return a function that gives a new copy of the module behind ``FILE.py:NAME`` or ``package.module:NAME``.

    Args:
        source: Names a module, or something callable that returns one: a function, or the module's class.

    Raises:
        UsageError: Nothing is found there, or it is no module.
    """
    found, _ = load_object(source)
    if isinstance(found, Recipe):
        raise UsageError(f"{source} is a Recipe, expected a module: train-and-export {source} trains and exports it")
    return _maker(found, source)


def module_recipe(name: str, source: str, make: Callable[[], nn.Module], signature: Signature) -> Recipe:
    """Return a recipe that builds a module of the user's own; its data, loss and score raise UsageError."""
    return Recipe(
        name=name,
        title=f"The module {source}",
        task="classification" if signature.labels else "regression",
        notes="not in the notes",
        datasets=(),
        config=NoConfig(),
        data=_refuse,
        signature=lambda config, dataset: signature,
        build=lambda config, dataset: make(),
        loss=_refuse,
        score=_refuse,
        score_name="score",
        expected={},
        training=Training(epochs=0, batch_size=1, lr=0.0),
    )


def recipe_of_bundle(source: str, bundle: Bundle) -> Recipe:
    """Return the recipe of a bundle that the user's own recipe or module made, by running its file.

    Raises:
        UsageError: ``source`` is neither a recipe nor a module.
    """
    found = load_object(source, "RECIPE")[0] if is_own(source) else load_recipe(source)
    if isinstance(found, Recipe):
        return found
    return module_recipe(bundle.recipe, source, _maker(found, source), bundle.signature)


def _maker(found: Any, source: str) -> Callable[[], nn.Module]:
    if isinstance(found, nn.Module):
        return lambda: copy.deepcopy(_own_module(found, source))
    if not callable(found):
        raise UsageError(
            f"{source} is of type {type(found).__name__}, expected a torch.nn.Module or a function that returns one"
        )

    def make() -> nn.Module:
        try:
            module: object = found()
        except Exception as error:
            file = inspect.getsourcefile(found) if inspect.isroutine(found) or inspect.isclass(found) else None
            raise UsageError(f"{source} cannot be called without arguments: {told(error, file or source)}") from error
        if not isinstance(module, nn.Module):
            raise UsageError(f"{source} returned {type(module).__name__}, expected a torch.nn.Module")
        return _own_module(module, source)

    return make


def _own_module(module: nn.Module, source: str) -> nn.Module:
    """Return the module that torch.compile was given, or the module itself.

    Raises:
        UsageError: It is TorchScript, which torch.export does not take.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError(f"{source} is a TorchScript module, expected the torch.nn.Module that it was made from")
    inner = getattr(module, "_orig_mod", None)
    return inner if isinstance(inner, nn.Module) else module


def _refuse(*_: Any) -> NoReturn:
    raise UsageError("a module that slipway export took cannot be trained; write a recipe for it")
