"""The time below which no float32 engine can go on a machine: arithmetic, memory or gates, whichever takes longest.

The work is counted while eager PyTorch runs the very inputs: its packed sequences compute no padding, and its loops
turn as often as the data asks. What may be computed once and for all is not counted: the input products of a recurrent
layer that reads an embedding are a lookup in a table of as many rows as the vocabulary has.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slipway.bench.machine import Peaks
from slipway.bundle import ONNX, Bundle
from slipway.signature import LengthInput

if TYPE_CHECKING:
    import onnx
    import torch

Arrays = Mapping[str, NDArray[np.generic]]

#: Nodes between an embedding and its recurrent layer that move values but compute nothing.
_MOVES = {"Transpose", "Identity", "Squeeze", "Unsqueeze", "Reshape"}
_GATES = {"sigmoid": "sigmoids", "sigmoid_": "sigmoids", "tanh": "tanhs", "tanh_": "tanhs"}


@dataclass
class Work:
    """What one run must do.

    Args:
        flops: Of matrix products and convolutions, two per multiply-add.
        sigmoids: Values.
        tanhs: Values.
        weights: Bytes of each weight that a product uses, by its place.
        uses: How many products use each: a recurrent layer's weights are read at every step.
        ports: Bytes of inputs and outputs.
    """

    flops: int = 0
    sigmoids: int = 0
    tanhs: int = 0
    weights: dict[int, int] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)
    ports: int = 0

    def as_json(self) -> dict[str, int]:
        """Return the counts for a result file."""
        again = sum((uses - 1) * self.weights[key] for key, uses in self.uses.items())
        return {
            "flops": self.flops,
            "sigmoids": self.sigmoids,
            "tanhs": self.tanhs,
            "weight_bytes": sum(self.weights.values()),
            "weight_bytes_read_again": again,
            "port_bytes": self.ports,
        }


@dataclass(frozen=True)
class Floor:
    """Microseconds that each resource takes for the work; the largest is the floor."""

    arithmetic_us: float
    memory_us: float
    gates_us: float

    @property
    def us(self) -> float:
        """The floor in microseconds."""
        return max(self.arithmetic_us, self.memory_us, self.gates_us)

    @property
    def bound(self) -> str:
        """What bounds it: ``arithmetic``, ``memory`` or ``gates``."""
        figures = {"arithmetic": self.arithmetic_us, "memory": self.memory_us, "gates": self.gates_us}
        return max(figures, key=figures.__getitem__)


def floor_of(work: Work, peaks: Peaks) -> Floor:
    """Return the floor that a machine sets.

    All weights are read once from the levels that hold them together; a second read of one comes from the levels that
    hold it alone.
    """
    seconds = peaks.read_seconds(sum(work.weights.values()) + work.ports)
    for key, uses in work.uses.items():
        seconds += (uses - 1) * peaks.read_seconds(work.weights[key])
    gates = work.sigmoids / peaks.sigmoids + work.tanhs / peaks.tanhs
    return Floor(work.flops / peaks.flops * 1e6, seconds * 1e6, gates * 1e6)


def count_work(bundle: Bundle, inputs: Arrays) -> Work:
    """Run eager once and count.

    Raises:
        UnavailableError: Eager cannot be rebuilt (a user's own recipe).
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    from slipway.runtime.eager import Eager

    model = Eager().load(bundle)
    places = {p.untyped_storage().data_ptr() for p in model.module.parameters()}
    work = Work()

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's class has no types
        """Sees every operator below autograd."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            packet = func.overloadpacket
            if packet in flop_registry:
                work.flops += int(flop_registry[packet](*args, **(kwargs or {}), out_val=out))
                _count_weights(work, args, places)
            gate = _GATES.get(packet.__name__)
            if gate is not None:
                setattr(work, gate, getattr(work, gate) + out.numel())
            return out

    # Without oneDNN an LSTM is a chain of products and gates, which is what is counted.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TF32 on other machines, when oneDNN's switch is touched
        with torch.backends.mkldnn.flags(enabled=False), Count():  # type: ignore[no-untyped-call]
            outputs = model.run(inputs)
    work.ports = sum(array.nbytes for array in (*inputs.values(), *outputs.values()))
    work.flops -= foldable_flops(bundle, inputs)
    return work


def _count_weights(work: Work, operands: Any, places: set[int]) -> None:
    import torch

    for operand in operands:
        if isinstance(operand, torch.Tensor) and (place := _storage(operand)) in places:
            work.weights[place] = max(work.weights.get(place, 0), operand.numel() * operand.element_size())
            work.uses[place] += 1


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def foldable_flops(bundle: Bundle, inputs: Arrays) -> int:
    """Return the operations of input products that a table made at load could hold.

    Those are of recurrent nodes whose input is a row of a constant, chosen by a Gather.
    """
    import onnx

    graph = onnx.load_from_string(bundle.read(ONNX)).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    total = 0
    for node in graph.node:
        if node.op_type not in {"RNN", "GRU", "LSTM"} or node.input[1] not in constants:
            continue
        words = _chosen_by(node.input[0], makers, constants)
        if words is not None:
            total += 2 * _steps(bundle, inputs, words) * int(np.prod(constants[node.input[1]].dims))
    return total


def _chosen_by(name: str, makers: Mapping[str, onnx.NodeProto], constants: Mapping[str, Any]) -> str | None:
    """Return the indices that choose rows of a constant to make a value, or None if it is made otherwise."""
    node = makers.get(name)
    while node is not None and node.op_type in _MOVES:
        node = makers.get(node.input[0])
    if node is None or node.op_type != "Gather" or node.input[0] not in constants:
        return None
    return str(node.input[1])


def _steps(bundle: Bundle, inputs: Arrays, words: str) -> int:
    """Return the steps that are computed: without padding where the model knows lengths."""
    for port in bundle.signature.inputs:
        if isinstance(port.spec, LengthInput) and port.spec.of == words:
            return int(inputs[port.name].astype(np.int64).sum())
    return int(inputs[words].size) if words in inputs else 0
