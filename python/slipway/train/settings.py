"""What a run is asked to do: a recipe's defaults, changed by a preset, then by the command line."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch

from slipway._limits import MOST_THREADS
from slipway.errors import UnavailableError, UsageError
from slipway.recipes._recipe import Recipe, Training


def resolve(
    recipe: Recipe, preset: str = "default", changes: Mapping[str, object] | None = None
) -> tuple[Any, Training]:
    """Return the config and the training settings of a run.

    Args:
        recipe: The recipe.
        preset: ``default`` or one of the recipe's presets.
        changes: Field name -> value, for fields of the config or of ``Training``; texts are parsed by the field's type.

    Raises:
        UsageError: There is no such preset or field, or a value does not fit its field.
    """
    if preset != "default" and preset not in recipe.presets:
        known = ", ".join(["default", *sorted(recipe.presets)])
        raise UsageError(f"recipe {recipe.name} has no preset {preset!r}; it has {known}")
    config, training = recipe.config, recipe.training
    for source in (recipe.presets.get(preset, {}), changes or {}):
        config = _changed(recipe, config, {k: v for k, v in source.items() if k in _names(config)})
        training = _changed(recipe, training, {k: v for k, v in source.items() if k in _names(training)})
        for key in source:
            if key not in _names(config) and key not in _names(training):
                known = ", ".join(sorted(_names(config) | _names(training)))
                raise UsageError(f"recipe {recipe.name} has no setting {key!r}; it has {known}")
    _check(training)
    return config, training


def resolve_device(text: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into a device that is there.

    Raises:
        UsageError: The text is none of these.
        UnavailableError: CUDA is asked for and not there; nothing falls back silently.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,4})?", text):
        raise UsageError(f"device {text!r} is none of auto, cpu, cuda, cuda:N")
    kind, _, number = text.partition(":")
    if kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UnavailableError(f"device {text} was asked for, but torch {torch.__version__} finds no CUDA device here")
    if number and int(number) >= torch.cuda.device_count():
        raise UnavailableError(f"device {text} was asked for, but there are {torch.cuda.device_count()} CUDA devices")
    return torch.device(text)


def _names(settings: Any) -> set[str]:
    return {field.name for field in fields(settings)}


def _changed(recipe: Recipe, settings: Any, changes: Mapping[str, object]) -> Any:
    hints = get_type_hints(type(settings))
    parsed = {key: _parse(recipe, key, hints[key], value) for key, value in changes.items()}
    return replace(settings, **parsed)


def _parse(recipe: Recipe, key: str, kind: Any, value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return _from_text(kind, value)
    except ValueError as error:
        raise UsageError(f"recipe {recipe.name}: {key}={value!r} does not fit: {error}") from error


def _from_text(kind: Any, text: str) -> object:
    if get_origin(kind) in (Union, types.UnionType):
        if text.lower() == "none" and type(None) in get_args(kind):
            return None
        return _from_text(next(k for k in get_args(kind) if k is not type(None)), text)
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError(f"expected one of {', '.join(map(str, get_args(kind)))}")
        return text
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), text)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return text.lower() == "true"
    if kind is str:
        return text
    if kind in (int, float):
        return _number(kind, text)
    raise ValueError(f"fields of type {kind} cannot be set on the command line")


def _number(kind: type[int | float], text: str) -> int | float:
    with suppress(ValueError):
        number = kind(text)
        if kind is int or math.isfinite(number):
            return number
    raise ValueError(f"expected a {'whole' if kind is int else 'finite'} number")


def _tuple(kinds: tuple[Any, ...], text: str) -> tuple[object, ...]:
    parts = text.split(",")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(parts)
    if len(kinds) != len(parts):
        raise ValueError(f"expected {len(kinds)} values with commas between them")
    return tuple(_from_text(kind, part) for kind, part in zip(kinds, parts, strict=True))


def _check(training: Training) -> None:
    for name in ("epochs", "batch_size", "lr", "threads"):
        if not 0 < getattr(training, name) < math.inf:
            raise UsageError(f"{name} is {getattr(training, name)}, expected a finite number of more than 0")
    if training.threads > MOST_THREADS:
        raise UsageError(f"threads is {training.threads}, expected at most {MOST_THREADS}")
    if not 0 <= training.validation < 1:
        raise UsageError(f"validation is {training.validation}, expected a share from 0 up to 1")
    if training.gradient_clip is not None and not 0 < training.gradient_clip < math.inf:
        clip = training.gradient_clip  # torch takes a norm below 0, and then walks uphill
        raise UsageError(f"gradient_clip is {clip}, expected a finite number of more than 0, or none")
    for name in ("limit", "checkpoint_every"):
        value = getattr(training, name)
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}, expected at least 1")
