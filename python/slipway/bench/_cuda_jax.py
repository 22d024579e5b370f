"""JAX on a CUDA device: the bundle's ONNX graph in JAX's own operations, compiled by XLA for its shapes.

Convolutional and dense models only: JAX has no packed sequences, and a padded loop would be another model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from slipway.bench._cuda import REPEATS, CudaPrepared, on_device
from slipway.bench.competitor import Job, reason_of
from slipway.bench.protocol import Call
from slipway.bundle import ONNX
from slipway.errors import UnavailableError

Arrays = Sequence[Any]
Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class JaxCuda:
    """A jitted function of arrays that lie on the device.

    Args:
        tf32: Whether convolutions and products may round to TF32, which is JAX's default there.
    """

    tf32: bool = False

    @property
    def name(self) -> str:
        """``jax-cuda`` or ``jax-tf32-cuda``."""
        return f"jax{'-tf32' if self.tf32 else ''}-cuda"

    def unavailable(self) -> str | None:
        """Say why JAX has no CUDA device."""
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the others need memory too
        try:
            devices = import_module("jax").devices()
        except (ImportError, RuntimeError) as error:
            return reason_of(error)
        return None if devices[0].platform == "gpu" else "jax finds no CUDA device"

    def prepare(self, job: Job) -> CudaPrepared:
        """Translate and compile, once for a run and once for ``REPEATS`` of them."""
        jax: Any = import_module("jax")
        graph = onnx.load_from_string(job.bundle.read(ONNX)).graph
        arrays = [jax.device_put(np.array(job.inputs[name])) for name in job.input_names]
        model = partial(run_graph, graph, job.input_names, job.output_names)
        once = jax.jit(model)
        many = jax.jit(partial(_repeat, model))
        try:
            with self._mode():
                jax.block_until_ready((once(*arrays), many(*arrays)))
        except (RuntimeError, TypeError, ValueError) as error:
            raise UnavailableError(reason_of(error)) from error
        found: list[Any] = [None]

        def run() -> None:
            found[0] = once(*arrays)

        def wait() -> None:
            jax.block_until_ready(found[0])

        def outputs() -> dict[str, np.ndarray]:
            with self._mode():
                results = once(*arrays)
            return {name: np.asarray(result) for name, result in zip(job.output_names, results, strict=True)}

        recorded = Call(lambda: jax.block_until_ready(many(*arrays)), turn=self._mode)
        return replace(on_device(run, wait, outputs, self._mode), recorded=recorded)

    def _mode(self) -> AbstractContextManager[None]:
        """What a call is compiled under; one under another precision is compiled anew, so that all are made in it."""
        precision = "default" if self.tf32 else "highest"
        mode: AbstractContextManager[None] = import_module("jax").default_matmul_precision(precision)
        return mode


def _repeat(model: Callable[..., Arrays], *arrays: Any) -> Arrays:
    """Run ``REPEATS`` times; each waits for the one before it, and none is left out."""
    lax: Any = import_module("jax").lax

    def body(_: int, state: tuple[Arrays, Arrays]) -> tuple[Arrays, Arrays]:
        inputs, _before = state
        return lax.optimization_barrier((inputs, model(*inputs)))  # type: ignore[no-any-return]

    results: Arrays = lax.fori_loop(1, REPEATS, body, (arrays, model(*arrays)))[1]
    return results


def run_graph(graph: onnx.GraphProto, inputs: Sequence[str], outputs: Sequence[str], *arrays: Any) -> Arrays:
    """Evaluate a graph in JAX; every constant becomes one of XLA's.

    Raises:
        UnavailableError: An operator has no translation here.
    """
    values: dict[str, Any] = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    values.update(zip(inputs, arrays, strict=True))
    for node in graph.node:
        translate = OPERATORS.get(node.op_type)
        if translate is None:
            raise UnavailableError(f"operator {node.op_type} is not translated to JAX")
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = translate([values[name] if name else None for name in node.input], attributes)
    return tuple(values[name] for name in outputs)


# ---- operators ----


def _lax() -> Any:
    return import_module("jax").lax


def _pads(attributes: Attributes) -> list[tuple[int, int]]:
    pads = list(attributes.get("pads", [0, 0, 0, 0]))
    return list(zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True))


def _conv(inputs: Arrays, attributes: Attributes) -> Any:
    x, weights, *bias = inputs
    y = _lax().conv_general_dilated(
        x,
        weights,
        tuple(attributes.get("strides", [1, 1])),
        _pads(attributes),
        rhs_dilation=tuple(attributes.get("dilations", [1, 1])),
        feature_group_count=attributes.get("group", 1),
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
    )
    return y if not bias else y + bias[0].reshape(1, -1, 1, 1)


def _window(x: Any, start: float, reduce: Any, attributes: Attributes) -> Any:
    if attributes.get("ceil_mode", 0):
        raise UnavailableError("ceil_mode of a pooling is not translated to JAX")
    kernel = tuple(attributes["kernel_shape"])
    strides = tuple(attributes.get("strides", [1] * len(kernel)))
    return _lax().reduce_window(
        x, start, reduce, (1, 1, *kernel), (1, 1, *strides), [(0, 0), (0, 0), *_pads(attributes)]
    )


def _max_pool(inputs: Arrays, attributes: Attributes) -> Any:
    return _window(inputs[0], -np.inf, _lax().max, attributes)


def _average_pool(inputs: Arrays, attributes: Attributes) -> Any:
    total = _window(inputs[0], 0.0, _lax().add, attributes)
    if attributes.get("count_include_pad", 0):
        return total / np.prod(attributes["kernel_shape"])
    return total / _window(np.ones_like(inputs[0][:1, :1]), 0.0, _lax().add, attributes)


def _gemm(inputs: Arrays, attributes: Attributes) -> Any:
    a, b, *c = inputs
    a = a.T if attributes.get("transA", 0) else a
    b = b.T if attributes.get("transB", 0) else b
    y = attributes.get("alpha", 1.0) * _numpy().matmul(a, b)
    return y + attributes.get("beta", 1.0) * c[0] if c else y


def _numpy() -> Any:
    return import_module("jax").numpy


def _reduce(name: str) -> Callable[[Arrays, Attributes], Any]:
    def reduce(inputs: Arrays, attributes: Attributes) -> Any:
        axes = tuple(int(axis) for axis in inputs[1]) if len(inputs) > 1 else None
        return getattr(_numpy(), name)(inputs[0], axis=axes, keepdims=bool(attributes.get("keepdims", 1)))

    return reduce


def _reshape(inputs: Arrays, attributes: Attributes) -> Any:
    x, shape = inputs
    sizes = [
        x.shape[i] if size == 0 and not attributes.get("allowzero", 0) else int(size) for i, size in enumerate(shape)
    ]
    return x.reshape(sizes)


def _each(name: str) -> Callable[[Arrays, Attributes], Any]:
    return lambda inputs, _: getattr(_numpy(), name)(*inputs)


OPERATORS: dict[str, Callable[[Arrays, Attributes], Any]] = {
    "Add": _each("add"),
    "And": _each("logical_and"),
    "AveragePool": _average_pool,
    "Concat": lambda inputs, attributes: _numpy().concatenate(inputs, axis=attributes["axis"]),
    "Conv": _conv,
    "Div": _each("divide"),
    "Equal": _each("equal"),
    "Floor": _each("floor"),
    "Gemm": _gemm,
    "MaxPool": _max_pool,
    "Mul": _each("multiply"),
    "ReduceMax": _reduce("max"),
    "ReduceMean": _reduce("mean"),
    "Relu": lambda inputs, _: _numpy().maximum(inputs[0], 0),
    "Reshape": _reshape,
    "Sigmoid": lambda inputs, _: import_module("jax").nn.sigmoid(inputs[0]),
    "Sub": _each("subtract"),
    "Where": _each("where"),
}
