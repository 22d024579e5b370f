"""A trained module of the user's own, made ready for ``export_bundle``: its ports, and items to verify it with."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from slipway._files import read_file
from slipway.errors import ExportError, InputError, UsageError
from slipway.recipes._module import load_module, module_recipe
from slipway.recipes._own import told
from slipway.recipes._recipe import Dataset, Source, Split
from slipway.runtime._inputs import batch_axis, check_inputs, time_axis
from slipway.runtime.eager import plain_attention
from slipway.signature import DTypeName, InputPort, LengthInput, Signature, TensorInput
from slipway.train._trained import Trained
from slipway_export.cases import Pool, example_inputs, far_inputs, probe_inputs, random_inputs
from slipway_export.ports import output_ports

Arrays = Mapping[str, NDArray[Any]]

_MAX_WEIGHT_BYTES = 1 << 34


def trained_module(
    source: str,
    inputs: Sequence[InputPort],
    *,
    name: str,
    labels: Sequence[str] = (),
    examples: Arrays | None = None,
    weights: Path | None = None,
) -> Trained:
    """Return what ``export_bundle`` takes, of a module that is trained already.

    Args:
        source: ``FILE.py:NAME`` or ``package.module:NAME`` of a module, or of a function that returns one; runs it.
        inputs: The arguments of ``forward``, from :func:`slipway_export.ports.parse_inputs`.
        name: The bundle's name.
        labels: Class names, where an output has a score for each.
        examples: Real inputs by name, with one batch size, to draw the goldens and the cases of the verification
            from; inputs without one are drawn at random.
        weights: ``.safetensors``, or a file that ``torch.save`` wrote of a state dict; no code in it runs.

    Raises:
        UsageError: There is no such module, or weights, examples and labels do not fit it.
        InputError: An example does not fit its input.
        ExportError: The module fails on inputs of these shapes, or gives what has no port.
    """
    make = load_module(source)
    module = make()
    if weights is not None:
        _load_weights(module, weights)
    module = module.cpu().eval()
    unknown = Signature(tuple(inputs), ())
    raws = _items(unknown, _complete(unknown, dict(examples or {})))
    pool = Pool.of(unknown, raws)
    probes = (example_inputs(pool), probe_inputs(pool), far_inputs(pool))
    runs = [(arrays, _run(module, source, unknown, arrays)) for arrays in probes]
    signature = Signature(tuple(inputs), output_ports(inputs, runs, labels), tuple(labels))
    rows = {"test": len(raws)}
    given = Source("path", "the examples given", source, "the user's own", rows)
    drawn = Source("random", "random inputs", source, "none needed", rows)
    split = Split(raws, torch.zeros(len(raws)))
    recipe = module_recipe(name, source, make, signature)
    return Trained(
        recipe=recipe,
        config=recipe.config,
        training=recipe.training,
        dataset=Dataset(split, split, tuple(labels), given if examples else drawn),
        signature=signature,
        module=module,
        seed=0,
        score=None,
        history=(),
        seconds=0.0,
        recipe_path=source,
    )


def _load_weights(module: nn.Module, path: Path) -> None:
    import safetensors.torch

    try:
        content = read_file(path, _MAX_WEIGHT_BYTES)
        if path.suffix == ".safetensors":
            state = safetensors.torch.load(content)
        else:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except OSError as error:
        raise UsageError(f"--weights {path}: {error.strerror or error}") from error
    except Exception as error:  # neither library has an error type of its own, and torch advises to run the file's code
        raise UsageError(
            f"--weights {path} is neither .safetensors nor a state dict of torch.save(module.state_dict(), FILE)"
        ) from error
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[1:3]) or str(error)
        raise UsageError(f"--weights {path} does not fit {type(module).__name__}: {reason}") from error


def _complete(signature: Signature, examples: Arrays) -> dict[str, NDArray[Any]]:
    """Check the examples, and draw what is missing beside them, with as many items and steps."""
    names = [port.name for port in signature.inputs]
    unknown = sorted(set(examples) - set(names))
    if unknown:
        raise UsageError(f"--example: there is no input {', '.join(unknown)}; the inputs are {', '.join(names)}")
    empty = [f'"{name}" has shape {list(array.shape)}' for name, array in examples.items() if array.size == 0]
    if empty:
        raise InputError(f"--example: input {', '.join(empty)}, expected one item or more")
    known = {
        dim: size
        for port in signature.inputs
        if port.name in examples and examples[port.name].ndim == len(port.dims)
        for dim, size in zip(port.dims, examples[port.name].shape, strict=True)
        if isinstance(dim, str)
    }
    drawn = random_inputs(Pool.of(signature), known)
    arrays = check_inputs(signature, drawn | dict(examples))
    for port in signature.inputs:
        below = port.spec.below if isinstance(port.spec, TensorInput) else None
        if below is None:
            continue
        least, most = int(arrays[port.name].min()), int(arrays[port.name].max())
        if least < 0 or most >= below:
            raise InputError(f'--example: input "{port.name}" holds {least} to {most}, its range is 0 to {below - 1}')
    return arrays


def _items(signature: Signature, arrays: Arrays) -> list[dict[str, NDArray[Any]]]:
    """Split a batch into raw items, each sequence at its own length."""
    lengths = {p.spec.of: arrays[p.name] for p in signature.inputs if isinstance(p.spec, LengthInput)}
    count = arrays[signature.inputs[0].name].shape[batch_axis(signature.inputs[0]) or 0]
    ports = [port for port in signature.inputs if not isinstance(port.spec, LengthInput)]
    return [
        {port.name: _item(port, arrays[port.name], n, lengths.get(port.name)) for port in ports} for n in range(count)
    ]


def _item(port: InputPort, array: NDArray[Any], n: int, lengths: NDArray[Any] | None) -> NDArray[Any]:
    time = time_axis(port)
    if lengths is not None and time is not None:
        array = np.take(array, np.arange(lengths[n]), time)
    return np.array(np.take(array, n, batch_axis(port)))  # ascontiguousarray would give an item of no axes one


def _run(module: nn.Module, source: str, signature: Signature, arrays: Arrays) -> list[NDArray[Any]]:
    """Run a module; outputs have no ports yet."""
    shapes = ", ".join(f"{name} {array.dtype} {list(array.shape)}" for name, array in arrays.items())
    try:
        with torch.no_grad(), plain_attention():
            outputs = module(*(torch.from_numpy(np.array(arrays[port.name])) for port in signature.inputs))
    except Exception as error:  # the user's code may raise anything
        file = getattr(sys.modules.get(type(module).__module__), "__file__", None)
        raise ExportError(f"{source} fails on inputs {shapes}: {told(error, file or source)}") from error
    outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
    if not isinstance(outputs, tuple | list):
        raise ExportError(f"{source} gives {type(outputs).__name__}, expected a tensor or a tuple of tensors")
    nested = [(place, output) for place, output in enumerate(outputs) if not isinstance(output, torch.Tensor)]
    if nested:
        place, output = nested[0]
        raise ExportError(
            f"{source}: output {place} of {len(outputs)} is of type {type(output).__name__}, expected a tensor; end "
            "forward with one flat tuple of tensors, such as y, h, c in place of y, (h, c)"
        )
    for place, output in enumerate(outputs):
        if str(output.dtype).removeprefix("torch.") not in get_args(DTypeName):
            raise ExportError(
                f"{source}: output {place} has type {str(output.dtype).removeprefix('torch.')}, expected one of "
                f"{', '.join(get_args(DTypeName))}; end forward with a cast, such as .float()"
            )
    return [output.detach().numpy() for output in outputs]
