"""Runs a model in float64 whatever it holds in float32, so that an fp64 reference is fp64 throughout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class InDouble(TorchFunctionMode):
    """Inside, float32 means float64: asked for by name (``x.float()``, ``dtype=torch.float32``), or held by a tensor.

    Tensors that ``module.double()`` does not know are plain attributes and constants.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        name = getattr(func, "__name__", "")
        if name in ("__get__", "__set__"):  # attributes: a copy has others
            return func(*args, **(kwargs or {}))
        kept = 1 if name in ("__setitem__", *_IN_PLACE) or name.strip("_") + "_" == name else 0
        others = (_doubled(value) for value in args[kept:])
        return func(*args[:kept], *others, **{name: _doubled(value) for name, value in (kwargs or {}).items()})


#: What changes its first argument, which therefore stays what it is, beside methods that end in an underscore.
_IN_PLACE = tuple(f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or"))


def _doubled(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.double() if value.dtype is torch.float32 else value
    if type(value) in (list, tuple):
        return type(value)(map(_doubled, value))
    return torch.float64 if value is torch.float32 else value
