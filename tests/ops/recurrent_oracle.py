"""GRU, LSTM and RNN in closed form, with a running bound of the rounding error; and by torch and onnxruntime.

``onnx.reference`` ignores ``sequence_lens``, and torch knows no clip, peepholes or other activations. So the formulas
of ONNX are written down once here in float64; ``test_recurrent.py`` holds them against torch's packed sequences and
against onnxruntime, each where it can express the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it has no stubs
import torch
from harness import Case
from onnx import TensorProto, helper

Array = npt.NDArray[Any]

GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}
OUTPUTS = {"GRU": 2, "LSTM": 3, "RNN": 2}
DEFAULTS = {"GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "RNN": ["Tanh"]}
#: By input position; the last two belong to LSTM.
X, W, R, B, LENGTHS, INITIAL_H, INITIAL_C, P = range(8)


@dataclass(frozen=True)
class Tracked:
    """A value and the sum of the magnitudes that were rounded on the way to it: times a few eps it bounds the error.

    Running error analysis: N. Higham, "Accuracy and Stability of Numerical Algorithms", section 3.3.
    """

    value: Array
    error: Array

    @classmethod
    def exact(cls, value: Array) -> Tracked:
        """An input: nothing has been rounded yet."""
        return cls(value, np.zeros_like(value))

    def __add__(self, other: Tracked) -> Tracked:
        value = self.value + other.value
        return Tracked(value, self.error + other.error + np.abs(value))

    def __mul__(self, other: Tracked) -> Tracked:
        value = self.value * other.value
        error = self.error * np.abs(other.value) + other.error * np.abs(self.value)
        return Tracked(value, error + np.abs(value))

    def times(self, matrix: Array) -> Tracked:
        """The product with the transpose of exact weights."""
        weights = np.abs(matrix).T
        return Tracked(self.value @ matrix.T, (self.error + np.abs(self.value)) @ weights)

    def complement(self) -> Tracked:
        """One minus this."""
        return Tracked(1 - self.value, self.error + np.abs(1 - self.value))

    def clipped(self, bound: float | None) -> Tracked:
        """Within plus and minus `bound`; None is none."""
        return self if bound is None else Tracked(np.clip(self.value, -bound, bound), self.error)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


#: Function, its largest slope (both of x, alpha, beta), and the defaults of alpha and beta, None where it takes none.
ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., float], float | None, float | None]] = {
    "Relu": (lambda x, a, b: np.maximum(x, 0), lambda a, b: 1.0, None, None),
    "Tanh": (lambda x, a, b: np.tanh(x), lambda a, b: 1.0, None, None),
    "Sigmoid": (lambda x, a, b: _sigmoid(x), lambda a, b: 0.25, None, None),
    "Affine": (lambda x, a, b: a * x + b, lambda a, b: abs(a), 1.0, 0.0),
    "LeakyRelu": (lambda x, a, b: np.where(x >= 0, x, a * x), lambda a, b: max(1.0, abs(a)), 0.01, None),
    "ThresholdedRelu": (lambda x, a, b: np.where(x >= a, x, 0), lambda a, b: 1.0, 1.0, None),
    "ScaledTanh": (lambda x, a, b: a * np.tanh(b * x), lambda a, b: abs(a * b), 1.0, 1.0),
    "HardSigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), lambda a, b: abs(a), 0.2, 0.5),
    "Elu": (lambda x, a, b: np.where(x >= 0, x, a * np.expm1(x)), lambda a, b: max(1.0, abs(a)), 1.0, None),
    "Softsign": (lambda x, a, b: x / (1 + np.abs(x)), lambda a, b: 1.0, None, None),
    "Softplus": (lambda x, a, b: np.logaddexp(0, x), lambda a, b: 1.0, None, None),
}


def _activations(op: str, attributes: Mapping[str, Any], directions: int) -> list[Callable[[Tracked], Tracked]]:
    alphas = list(attributes.get("activation_alpha", []))
    betas = list(attributes.get("activation_beta", []))
    found: list[Callable[[Tracked], Tracked]] = []
    for name in attributes.get("activations", DEFAULTS[op] * directions):
        function, slope, alpha, beta = ACTIVATIONS[name]
        # ONNX holds alpha and beta in float32.
        a = np.float64(np.float32(alphas.pop(0))) if alpha is not None and alphas else alpha
        b = np.float64(np.float32(betas.pop(0))) if beta is not None and betas else beta

        def apply(x: Tracked, function: Any = function, slope: Any = slope, a: Any = a, b: Any = b) -> Tracked:
            value = function(x.value, a, b)
            return Tracked(value, slope(a, b) * x.error + np.abs(value) + abs(b or 0.0))

        found.append(apply)
    return found


class _Cell:
    """One direction of one operator."""

    def __init__(self, op: str, inputs: list[Any], attributes: Mapping[str, Any], direction: int, size: int) -> None:
        self.op, self.size = op, size
        self.w, self.r = inputs[W][direction], inputs[R][direction]
        gates = GATES[op]
        bias = np.zeros(2 * gates * size) if inputs[B] is None else inputs[B][direction]
        self.wb, self.rb = np.split(bias, 2)
        self.p = np.zeros(3 * size) if inputs[P] is None else inputs[P][direction]
        self.clip: float | None = attributes.get("clip")
        self.attributes = attributes

    def rows(self, gate: int) -> slice:
        return slice(gate * self.size, (gate + 1) * self.size)

    def of_x(self, gate: int, x: Tracked) -> Tracked:
        rows = self.rows(gate)
        return x.times(self.w[rows]) + Tracked.exact(self.wb[rows])

    def of_h(self, gate: int, h: Tracked) -> Tracked:
        rows = self.rows(gate)
        return h.times(self.r[rows]) + Tracked.exact(self.rb[rows])

    def peephole(self, gate: int, c: Tracked) -> Tracked:
        return Tracked.exact(self.p[self.rows(gate)]) * c

    def step(
        self, x: Tracked, h: Tracked, c: Tracked, f: list[Callable[[Tracked], Tracked]]
    ) -> tuple[Tracked, Tracked]:
        if self.op == "RNN":
            return f[0]((self.of_x(0, x) + self.of_h(0, h)).clipped(self.clip)), c
        if self.op == "GRU":
            z, r = (f[0]((self.of_x(gate, x) + self.of_h(gate, h)).clipped(self.clip)) for gate in (0, 1))
            linear = self.attributes.get("linear_before_reset", 0)
            past = r * self.of_h(2, h) if linear else self.of_h(2, r * h)
            n = f[1]((self.of_x(2, x) + past).clipped(self.clip))
            return z.complement() * n + z * h, c
        i = f[0]((self.of_x(0, x) + self.of_h(0, h) + self.peephole(0, c)).clipped(self.clip))
        forget = f[0]((self.of_x(2, x) + self.of_h(2, h) + self.peephole(2, c)).clipped(self.clip))
        if self.attributes.get("input_forget", 0):
            forget = i.complement()
        new = f[1]((self.of_x(3, x) + self.of_h(3, h)).clipped(self.clip))
        c = forget * c + i * new
        o = f[0]((self.of_x(1, x) + self.of_h(1, h) + self.peephole(1, c)).clipped(self.clip))
        return o * f[2](c), c


def _run(op: str, inputs: tuple[Any, ...], attributes: Mapping[str, Any]) -> list[Tracked]:
    padded: list[Any] = [*inputs, *[None] * (8 - len(inputs))]
    batch_first = attributes.get("layout", 0) == 1
    x = padded[X].swapaxes(0, 1) if batch_first else padded[X]
    steps, batch, _ = x.shape
    directions, _, size = padded[R].shape
    lengths = np.full(batch, steps) if padded[LENGTHS] is None else padded[LENGTHS]
    y = Tracked.exact(np.zeros((steps, directions, batch, size)))
    last_h, last_c = (Tracked.exact(np.zeros((directions, batch, size))) for _ in range(2))
    functions = _activations(op, attributes, directions)
    for d in range(directions):
        cell = _Cell(op, padded, attributes, d, size)
        own = functions[d * len(DEFAULTS[op]) : (d + 1) * len(DEFAULTS[op])]
        backwards = d == 1 or attributes.get("direction") == "reverse"
        for n in range(batch):
            h, c = (
                Tracked.exact(np.zeros(size) if s is None else s[(n, d) if batch_first else (d, n)])
                for s in (padded[INITIAL_H], padded[INITIAL_C])
            )
            order = range(int(lengths[n]))
            for t in reversed(order) if backwards else order:
                h, c = cell.step(Tracked.exact(x[t, n]), h, c, own)
                y.value[t, d, n], y.error[t, d, n] = h.value, h.error
            for out, state in ((last_h, h), (last_c, c)):
                out.value[d, n], out.error[d, n] = state.value, state.error
    if batch_first:
        y = Tracked(y.value.transpose(2, 0, 1, 3), y.error.transpose(2, 0, 1, 3))
        last_h, last_c = (Tracked(s.value.swapaxes(0, 1), s.error.swapaxes(0, 1)) for s in (last_h, last_c))
    return [y, last_h, last_c][: OUTPUTS[op]]


def closed_form(op: str, case: Case) -> tuple[Array, ...]:
    """Y, Y_h (and Y_c) in float64."""
    with np.errstate(all="ignore"):
        return tuple(result.value for result in _run(op, _wide(case), case.attributes))


def magnitudes(op: str, case: Case) -> tuple[Array, ...]:
    """What the harness multiplies with a few eps to get the allowed error of each output."""
    with np.errstate(all="ignore"):
        return tuple(result.error for result in _run(op, _wide(case), case.attributes))


def _wide(case: Case) -> tuple[Any, ...]:
    return tuple(x.astype(np.float64) if x is not None and x.dtype.kind == "f" else x for x in case.inputs)


#: Where torch has our gate k: GRU r, z, n against z, r, h; LSTM i, f, g, o against i, o, f, c.
_TORCH_GATE = {"GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2), "RNN": (0,)}


def _copy_weights(op: str, module: torch.nn.Module, arrays: list[Any]) -> None:
    order = np.argsort(_TORCH_GATE[op])
    for d, suffix in enumerate(("_l0", "_l0_reverse")[: arrays[R].shape[0]]):
        bias_w, bias_r = arrays[B][d].chunk(2)
        for name, rows in (
            ("weight_ih", arrays[W][d]),
            ("weight_hh", arrays[R][d]),
            ("bias_ih", bias_w),
            ("bias_hh", bias_r),
        ):
            parts = rows.chunk(GATES[op])
            getattr(module, name + suffix).copy_(torch.cat([parts[i] for i in order]))


@torch.no_grad()
def torch_packed(op: str, case: Case, dtype: torch.dtype) -> tuple[Array, ...]:
    """The case by torch's own module on a packed sequence; forward or bidirectional, lengths of at least one."""
    arrays: list[Any] = [None if x is None else torch.from_numpy(x) for x in case.inputs]
    x, batch_first = arrays[X].to(dtype), case.attributes.get("layout", 0) == 1
    directions, _, hidden = arrays[R].shape
    kind = getattr(torch.nn, op)
    module = kind(x.shape[2], hidden, batch_first=batch_first, bidirectional=directions == 2, dtype=dtype)
    _copy_weights(op, module, arrays)
    lengths = arrays[LENGTHS].to(torch.int64)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
    states = [s.to(dtype) for s in arrays[INITIAL_H:]]
    if batch_first:
        states = [s.swapaxes(0, 1).contiguous() for s in states]
    out, last = module(packed, tuple(states) if op == "LSTM" else states[0])
    steps = x.shape[1 if batch_first else 0]
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(out, batch_first, total_length=steps)
    y = y.reshape(*y.shape[:2], directions, hidden)
    lasts = last if op == "LSTM" else (last,)
    if batch_first:
        return (y.numpy(), *(s.swapaxes(0, 1).numpy() for s in lasts))
    return (y.transpose(1, 2).numpy(), *(s.numpy() for s in lasts))


def by_onnxruntime(op: str, case: Case) -> list[Array]:
    """The case by onnxruntime, at opset 14."""
    feeds = {f"x{i}": x for i, x in enumerate(case.inputs) if x is not None}
    names = ["" if x is None else f"x{i}" for i, x in enumerate(case.inputs)]
    results = [f"y{i}" for i in range(case.outputs)]
    graph = helper.make_graph(
        [helper.make_node(op, names, results, **case.attributes)],
        op,
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in feeds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results],
    )
    model = helper.make_model(graph, opset_imports=[onnx.OperatorSetIdProto(domain="", version=14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(None, feeds)
    return outputs
