"""An ONNX file in parts: every value of its graph as an output, or a few nodes as a file of their own.

A node with bodies (Loop, Scan, If) is one part; what its bodies read from outside counts as its input.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from slipway.errors import ModelError
from slipway_export.origin import class_of, module_of

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Part:
    """A node's output: where it stands, and the module it came from (None where the file does not say)."""

    index: int
    node: str
    op: str
    output: str
    module: str | None
    module_class: str | None


@dataclass(frozen=True)
class Parts:
    """An ONNX file, taken apart; make one with :meth:`of`."""

    model: onnx.ModelProto

    @staticmethod
    def of(content: bytes) -> Parts:
        """Parse a file and infer what shapes and types can be inferred.

        Raises:
            ModelError: It is no ONNX file.
        """
        try:
            model = onnx.load_model_from_string(content)
        except Exception as error:  # protobuf's own error types differ between its implementations
            raise ModelError(f"the file cannot be parsed as ONNX: {error}") from error
        if not model.HasField("graph"):
            raise ModelError("the file cannot be parsed as ONNX: it has no graph")
        try:
            return Parts(onnx.shape_inference.infer_shapes(model))
        except onnx.shape_inference.InferenceError:  # of a model that breaks rules, what it states itself is known
            return Parts(model)

    @cached_property
    def weights(self) -> Mapping[str, onnx.TensorProto]:
        """The constants by name."""
        return {tensor.name: tensor for tensor in self.model.graph.initializer}

    @cached_property
    def facts(self) -> Mapping[str, onnx.ValueInfoProto]:
        """Type and shape of each value where they are known."""
        graph = self.model.graph
        known = {value.name: value for value in (*graph.value_info, *graph.input, *graph.output)}
        return {name: value for name, value in known.items() if value.type.tensor_type.elem_type}

    @cached_property
    def reads(self) -> Sequence[Sequence[str]]:
        """What each node reads: its inputs, and what its bodies take from outside."""
        return [list(dict.fromkeys(_free_names([node]))) for node in self.model.graph.node]

    @cached_property
    def maker(self) -> Mapping[str, int]:
        """The node that makes each value."""
        return {name: i for i, node in enumerate(self.model.graph.node) for name in node.output if name}

    @cached_property
    def values(self) -> Sequence[Part]:
        """Every output of every node whose type is known, in the order of the file, which is topological."""
        learned = {name for name, tensor in self.weights.items() if tensor.data_type == onnx.TensorProto.FLOAT}
        return [
            Part(i, node.name, node.op_type, name, module_of(node, learned), class_of(node))
            for i, node in enumerate(self.model.graph.node)
            for name in node.output
            if name and name in self.facts
        ]

    def shape(self, name: str) -> list[int | str | None] | None:
        """Return a value's dimensions: numbers, names, None where one is unknown; None where its rank is."""
        fact = self.facts.get(name)
        if fact is None or not fact.type.tensor_type.HasField("shape"):
            return None
        dims = fact.type.tensor_type.shape.dim
        return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in dims]

    def dtype(self, name: str) -> str | None:
        """Return the element type of a value, or None where it is unknown."""
        fact = self.facts.get(name)
        return None if fact is None else str(helper.tensor_dtype_to_np_dtype(fact.type.tensor_type.elem_type))

    def exposed(self) -> bytes:
        """Return the whole model with every value as an output."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        present = {output.name for output in model.graph.output}
        model.graph.output.extend(self._port(v.output) for v in self.values if v.output not in present)
        content: bytes = model.SerializeToString()
        return content

    def ancestors(self, index: int) -> set[int]:
        """Return a node and all that it needs."""
        found, open_nodes = {index}, [index]
        while open_nodes:
            for name in self.reads[open_nodes.pop()]:
                maker = self.maker.get(name)
                if maker is not None and maker not in found:
                    found.add(maker)
                    open_nodes.append(maker)
        return found

    def inputs_of(self, nodes: Collection[int]) -> list[str]:
        """Return what some nodes read that is neither a constant nor made by one of them."""
        own = {name for i in nodes for name in self.model.graph.node[i].output}
        names = dict.fromkeys(name for i in sorted(nodes) for name in self.reads[i])
        return [name for name in names if name not in own and name not in self.weights]

    def cut(
        self, nodes: Collection[int], outputs: Sequence[str], given: Arrays, metadata: Mapping[str, str] | None = None
    ) -> bytes:
        """Return some nodes as a file of their own, constants inside.

        Args:
            nodes: Places in the graph.
            outputs: Which of their values are its outputs.
            given: An array for each value of :meth:`inputs_of`; gives its type, and its shape where none is known.
            metadata: What the file says of itself.
        """
        chosen = [self.model.graph.node[i] for i in sorted(nodes)]
        used = {name for i in nodes for name in self.reads[i]}
        inputs = [self._input(name, given[name]) for name in self.inputs_of(nodes)]
        constants = [tensor for name, tensor in self.weights.items() if name in used]
        graph = helper.make_graph(chosen, "part", inputs, [self._port(name) for name in outputs], constants)
        own = {name for node in chosen for name in node.output}
        graph.value_info.extend(self.facts[n] for n in sorted(own - set(outputs)) if n in self.facts)
        model = helper.make_model(
            graph,
            opset_imports=self.model.opset_import,
            functions=self.model.functions,
            ir_version=self.model.ir_version,
        )
        helper.set_model_props(model, dict(metadata or {}))
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _port(self, name: str) -> onnx.ValueInfoProto:
        fact = self.facts[name]
        return helper.make_tensor_value_info(name, fact.type.tensor_type.elem_type, None)

    def _input(self, name: str, array: NDArray[np.generic]) -> onnx.ValueInfoProto:
        fact = self.facts.get(name)
        if fact is not None and len(fact.type.tensor_type.shape.dim) == array.ndim:
            return fact
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def every_graph(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield a graph and the bodies inside it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from every_graph(attribute.g)


def _free_names(nodes: Sequence[onnx.NodeProto]) -> Iterator[str]:
    """Yield the names that nodes in order read and that none of them makes."""
    made: set[str] = set()
    for node in nodes:
        yield from (name for name in node.input if name and name not in made)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                body = attribute.g
                own = made | {value.name for value in (*body.input, *body.initializer)}
                yield from (name for name in _free_names(body.node) if name not in own)
                inner = {name for inner in body.node for name in inner.output} | own
                yield from (output.name for output in body.output if output.name not in inner)
        made.update(node.output)
