"""Calls of single operators with a batch in one axis: what stands beside a row must not change a bit of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

N = "N"  # the axis of the batch in a shape
#: Around the vectors of every instruction set, one beyond a block of 256, and two blocks.
DEPTHS = (1, 3, 16, 17, 100, 257, 600)


@dataclass(frozen=True)
class Rows:
    """One operator. ``shape`` holds N once, ``weights`` are shapes or arrays, ``row`` is the output's axis of N."""

    op: str
    shape: tuple[int | str, ...]
    weights: Sequence[tuple[int, ...] | Array] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    row: int | None = None
    domain: str = ""

    @property
    def batch_axis(self) -> int:
        return self.shape.index(N)

    @property
    def output_axis(self) -> int:
        return self.batch_axis if self.row is None else self.row

    def __str__(self) -> str:
        attributes = "".join(f",{key}={value}" for key, value in self.attributes.items() if key != "hidden_size")
        weights = "x".join(str(w if isinstance(w, tuple) else w.tolist()) for w in self.weights[:2])
        return f"{self.op}{list(self.shape)}{weights}{attributes}".replace(" ", "")

    def draw(self, batch: int) -> tuple[Array, list[Array]]:
        """The input of that batch, and the weights."""
        rng = np.random.default_rng(7)
        weights = [rng.normal(size=w).astype(np.float32) * 0.3 if isinstance(w, tuple) else w for w in self.weights]
        if self.op == "BatchNormalization":
            weights[-1] = np.abs(weights[-1])
        x = rng.normal(size=[batch if size == N else size for size in self.shape]).astype(np.float32)
        return np.abs(x) if self.op in {"Log", "Pow", "Sqrt"} else x, weights


def _products() -> Iterator[Rows]:
    for d in DEPTHS:
        for n in (1, 3, 33):
            yield Rows("Gemm", (N, d), [(d, n), (n,)])
            yield Rows("Gemm", (N, d), [(n, d), (n,)], {"alpha": 0.3, "beta": 0.7, "transB": 1})
            yield Rows("Gemm", (d, N), [(d, n), (n,)], {"transA": 1}, row=0)
            yield Rows("MatMul", (N, d), [(d, n)])
            yield Rows("MatMul", (N, 5, d), [(d, n)])
            yield Rows("MatMul", (4, N, d), [(4, d, n)])
            activation = {"activation": "relu"}
            yield Rows("GemmActivation", (N, d), [(d, n), (n,)], activation, domain="slipway")


def _along_axes() -> Iterator[Rows]:
    reductions = ("Sum", "Mean", "Max", "Min", "L1", "L2", "LogSumExp", "LogSum", "SumSquare", "Prod")
    for d in DEPTHS:
        places: list[tuple[tuple[int | str, ...], int]] = [
            ((N, d), 1), ((d, N), 0), ((N, d, 3), 1), ((d, N, 5), 0), ((4, N, d), 2), ((N, d, 17), 1), ((d, 1, N), 0),
            ((N, d, 1), 1),
        ]  # fmt: skip
        for shape, axis in places:
            for op in ("Softmax", "LogSoftmax"):
                yield Rows(op, shape, (), {"axis": axis})
            for op in reductions:
                yield Rows(f"Reduce{op}", shape, [np.array([axis])])
            yield Rows("CumSum", shape, [np.array(axis)])
            yield Rows("ArgMax", shape, (), {"axis": axis})
        for op in reductions:
            yield Rows(f"Reduce{op}", (6, N, d), [np.array([0, 2])])
            yield Rows(f"Reduce{op}", (N, 6, 5, d), [np.array([1, 3])])
            yield Rows(f"Reduce{op}", (d, N, 5, 6), [np.array([0, 3])])
            yield Rows(f"Reduce{op}", (d, N, 1), [np.array([0, 2])])


def _images() -> Iterator[Rows]:
    kinds: list[tuple[int, int, int, int, dict[str, Any]]] = [
        (1, 5, 9, 3, {}), (3, 17, 8, 3, {"pads": [1] * 4}), (16, 33, 6, 3, {"pads": [1] * 4, "strides": [2, 2]}),
        (33, 16, 4, 1, {}), (64, 64, 5, 3, {"pads": [1] * 4}), (130, 20, 3, 3, {"pads": [1] * 4}),
        (4, 8, 9, 3, {"group": 2}), (8, 8, 9, 3, {"group": 8}), (3, 8, 15, 3, {"dilations": [2, 2]}),
        (300, 10, 2, 1, {}),
    ]  # fmt: skip
    for c, k, size, window, attributes in kinds:
        groups = attributes.get("group", 1)
        shape = (N, c, size, size + 2)
        yield Rows("Conv", shape, [(k, c // groups, window, window), (k,)], attributes)
        yield Rows("ConvTranspose", shape, [(c, k // groups, window, window), (k,)], attributes)
        yield Rows(
            "ConvActivation",
            shape,
            [(k, c // groups, window, window), (k,)],
            {**attributes, "activation": "relu"},
            domain="slipway",
        )
    for c, k, size, attributes in ((1, 4, 30, {}), (100, 10, 7, {"strides": [2]}), (8, 8, 50, {"group": 4})):
        groups = int(attributes.get("group", 1))  # type: ignore[call-overload]  # of a mixed dict
        yield Rows("Conv", (N, c, size), [(k, c // groups, 3), (k,)], attributes)
    for c in (1, 3, 17):
        for op in ("AveragePool", "MaxPool"):
            yield Rows(op, (N, c, 8, 9), (), {"kernel_shape": [2, 2], "strides": [2, 2]})
            yield Rows(op, (N, c, 7, 5), (), {"kernel_shape": [3, 3], "pads": [1] * 4})
        for op in ("GlobalAveragePool", "GlobalMaxPool"):
            yield Rows(op, (N, c, 17, 3))
        yield Rows("BatchNormalization", (N, c, 30), [(c,), (c,), (c,), (c,)])
        yield Rows("InstanceNormalization", (N, c, 30), [(c,), (c,)])
        for mode in ("nearest", "linear", "cubic"):
            for factors in ([1, 1, 2, 1.5], [1, 1, 0.5, 3], [1, 1, 2, 1]):
                to = [np.zeros(0, np.float32), np.array(factors, np.float32)]
                yield Rows("Resize", (N, c, 6, 7), to, {"mode": mode})


def _recurrent() -> Iterator[Rows]:
    for op, gates in (("GRU", 3), ("LSTM", 4), ("RNN", 1)):
        for d, h in ((1, 1), (4, 8), (33, 20), (100, 50), (5, 130), (300, 7)):
            for direction in ("forward", "reverse", "bidirectional"):
                both = 2 if direction == "bidirectional" else 1
                weights = [(both, gates * h, d), (both, gates * h, h), (both, 2 * gates * h)]
                yield Rows(op, (6, N, d), weights, {"hidden_size": h, "direction": direction}, row=2)


def _elements() -> Iterator[Rows]:
    ops = ("Exp", "Sigmoid", "Tanh", "Log", "Sqrt", "Relu", "LeakyRelu", "Gelu", "Erf", "Elu", "Floor", "Softplus",
           "Ceil", "Sin", "Cos", "HardSwish", "Mish", "Softsign", "ThresholdedRelu", "Selu", "HardSigmoid")  # fmt: skip
    for d in DEPTHS:
        for op in ops:
            yield Rows(op, (N, d))
        for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
            yield Rows(op, (N, d), [(d,)])
            yield Rows(op, (d, N), [(d, 1)])
        yield Rows("PRelu", (N, d), [(d,)])
        for exponents in ((d,), np.array([2], np.float32), np.array([1.7], np.float32)):
            yield Rows("Pow", (N, d), [exponents])
        yield Rows("Clip", (N, d), [np.array(-0.5, np.float32), np.array(0.5, np.float32)])
        yield Rows("LayerNormalization", (N, d), [(d,), (d,)])


def row_cases() -> list[Rows]:
    """All of them."""
    return [*_products(), *_along_axes(), *_images(), *_recurrent(), *_elements()]
