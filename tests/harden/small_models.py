"""Models to run at any batch and length: small ones made here, and the bundles of ``zoo/`` where there are some.

``SLIPWAY_ZOO`` names another folder of bundles. Nothing is trained: weights are drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper, parser

from slipway.bundle import Bundle
from slipway.cli._random import random_arrays
from slipway.runtime._inputs import batch_axis, time_axis

Array = npt.NDArray[np.generic]
Arrays = dict[str, Array]

ROOT = Path(__file__).resolve().parents[2]
ZOO = Path(os.environ.get("SLIPWAY_ZOO", ROOT / "zoo"))


@dataclass(frozen=True)
class Small:
    """A model and its inputs.

    Args:
        name: For ``ids=``.
        model: What ``slipway.Session`` opens.
        draw: ``(seed, batch, length)`` to the inputs.
        rows: For every input and output the axis of the batch.
    """

    name: str
    model: bytes | Path
    draw: Callable[[int, int, int], Arrays]
    rows: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def model_of(text: str, weights: Mapping[str, tuple[int, ...]] | None = None, seed: int = 0) -> bytes:
    """The model whose graph is ``text``, with float32 weights drawn for these names and shapes."""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>\n{text}')
    rng = np.random.default_rng(seed)
    for name, shape in (weights or {}).items():
        drawn = (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(drawn, name))
    data: bytes = model.SerializeToString()
    return data


def normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


PERCEPTRON = model_of(
    """g (float[N, 30] x) => (float[N, 19] y) {
        a = Gemm (x, w, b)
        r = Relu (a)
        c = Gemm (r, v, d)
        y = Softmax (c)
    }""",
    {"w": (30, 70), "b": (70,), "v": (70, 19), "d": (19,)},
)

CONVOLUTION = model_of(
    """g (float[N, 1, 14, 14] x) => (float[N, 10] y) {
        a = Conv <kernel_shape = [3, 3]> (x, w, b)
        p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (a)
        r = Relu (p)
        c = Conv <kernel_shape = [3, 3]> (r, v)
        f = Flatten (c)
        y = Gemm (f, u, d)
    }""",
    {"w": (10, 1, 3, 3), "b": (10,), "v": (20, 10, 3, 3), "u": (320, 10), "d": (10,)},
)

#: A word is a packed sequence: the state at the end of each length, not of the padding.
WORDS = model_of(
    """g (int64[T, N] tokens, int64[N] lengths) => (float[N, 18] y) {
        e = Gather (table, tokens)
        n = Cast <to = 6> (lengths)
        all, last = GRU <hidden_size = 20> (e, w, r, b, n)
        axes = Constant <value_ints = [0]> ()
        h = Squeeze (last, axes)
        y = Gemm (h, v, d)
    }""",
    {"table": (40, 12), "w": (1, 60, 12), "r": (1, 60, 20), "b": (1, 120), "v": (20, 18), "d": (18,)},
)

LOOP = model_of(
    """g (int64 steps, float[N, 8] x) => (float[N, 8] y) {
        always = Constant <value = bool {1}> ()
        y = Loop (steps, always, x) <body = body (int64 i, bool c, float[N, 8] s) => (bool c2, float[N, 8] t) {
            c2 = Identity (c)
            m = MatMul (s, w)
            t = Tanh (m)
        }>
    }""",
    {"w": (8, 8)},
)

ATTENTION = model_of(
    """g (float[N, T, 16] x) => (float[N, T, 16] y) {
        q = MatMul (x, wq)
        k = MatMul (x, wk)
        v = MatMul (x, wv)
        t = Transpose <perm = [0, 2, 1]> (k)
        s = MatMul (q, t)
        p = Softmax (s)
        a = MatMul (p, v)
        r = Add (x, a)
        y = LayerNormalization (r, g, b)
    }""",
    {"wq": (16, 16), "wk": (16, 16), "wv": (16, 16), "g": (16,), "b": (16,)},
)

#: The shape of the output is a value of the input, so the plan goes on behind its first segment.
GROWN = model_of(
    """g (int64[1] n, float[1, D] x) => (float[M, D] y) {
        one = Constant <value_ints = [1]> ()
        shape = Concat <axis = 0> (n, one)
        wide = Expand (x, shape)
        y = Exp (wide)
    }"""
)


def _draw_words(seed: int, batch: int, length: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {"tokens": rng.integers(0, 40, (length, batch)), "lengths": rng.integers(1, length + 1, batch)}


def made() -> list[Small]:
    """The models of this file."""
    return [
        Small("perceptron", PERCEPTRON, lambda s, n, t: {"x": normal(s, n, 30)}, {"x": 0, "y": 0}),
        Small("convolution", CONVOLUTION, lambda s, n, t: {"x": normal(s, n, 1, 14, 14)}, {"x": 0, "y": 0}),
        Small("words", WORDS, _draw_words, {"tokens": 1, "lengths": 0, "y": 0}),
        Small("loop", LOOP, lambda s, n, t: {"steps": np.array(t), "x": normal(s, n, 8)}, {"x": 0, "y": 0}),
        Small("attention", ATTENTION, lambda s, n, t: {"x": normal(s, n, t, 16)}, {"x": 0, "y": 0}),
        Small("grown", GROWN, lambda s, n, t: {"n": np.array([n]), "x": normal(s, 1, t)}),
    ]


def small_of(path: Path) -> Small:
    """A bundle as such a model; images whose size is open are 32 x 32."""
    signature = Bundle.open(path, check=False).signature
    ports = [*signature.inputs, *signature.outputs]

    def draw(seed: int, batch: int, length: int) -> Arrays:
        shapes = {
            port.name: [
                dim if isinstance(dim, int) else batch if dim == "N" else length if axis == time_axis(port) else 32
                for axis, dim in enumerate(port.dims)
            ]
            for port in signature.inputs
        }
        return random_arrays(signature, shapes, seed)

    return Small(path.name, path, draw, {port.name: batch_axis(port) or 0 for port in ports})


@cache
def bundles() -> tuple[Small, ...]:
    """The bundles of the zoo; none where it is not there."""
    return tuple(small_of(path.parent) for path in sorted(ZOO.glob("*/model.onnx")))


def row_of(small: Small, arrays: Mapping[str, Array], i: int) -> Arrays:
    """Item ``i`` of the batch, alone; what has no batch stays whole."""
    return {
        name: np.ascontiguousarray(np.take(array, [i], small.rows[name])) if name in small.rows else array
        for name, array in arrays.items()
    }


def bits_of(outputs: Mapping[str, Array]) -> dict[str, bytes]:
    """The outputs, to be compared bit by bit."""
    return {name: array.tobytes() for name, array in outputs.items()}
