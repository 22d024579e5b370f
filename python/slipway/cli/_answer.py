"""A model's answer to items: outputs, labels and probabilities, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from slipway._ranking import ranking
from slipway.cli._console import table
from slipway.preprocess import probabilities
from slipway.runtime._inputs import batch_axis
from slipway.signature import BinaryOutput, ClassOutput, OutputPort, SegmentationOutput, Signature, TensorOutput

Array = NDArray[np.generic]

#: What an item is called: a text, a file, a row; the list of its texts where there are several.
Name = str | list[str]


@dataclass(frozen=True)
class Answer:
    """A model's outputs, their labels, and probabilities [N, K] and their ranking where one label stands for an item.

    ``count`` is the number of items, None where neither labels nor inputs say what a batch is.
    """

    signature: Signature
    count: int | None
    outputs: Mapping[str, Array]
    labels: Sequence[str]
    probabilities: NDArray[np.float64] | None
    ranking: NDArray[np.int64] | None = None

    @staticmethod
    def of(
        signature: Signature, inputs: Mapping[str, Array], outputs: Mapping[str, Array], labels: Sequence[str]
    ) -> Answer:
        """Take the probabilities from the first output that has labels."""
        count = len(labels) if labels else _batch(signature, inputs)
        for port in signature.outputs:
            if isinstance(port.spec, ClassOutput | BinaryOutput | SegmentationOutput):
                scores = outputs[port.name]
                shares = probabilities(port.spec, scores)
                order = None if shares is None else ranking(port.spec, scores, shares)
                return Answer(signature, count, outputs, labels, shares, order)
        return Answer(signature, count, outputs, labels, None)

    def as_json(self, named: Sequence[Name] | None, top: int) -> list[dict[str, Any]]:
        """Return one object per item, as ``slipway-infer --json`` prints them; one in all where no batch is known.

        An output without a batch dimension goes whole to every item.
        """
        if self.count is None:
            whole = {name: array.tolist() for name, array in self.outputs.items()}
            return [{"input": 0, "outputs": whole, "label": None, "top": []}]
        items = []
        for n in range(self.count):
            outputs = {port.name: _part(port, self.outputs[port.name], n).tolist() for port in self.signature.outputs}
            label = self.labels[n] if self.labels else None
            item = n if named is None else named[n]
            items.append({"input": item, "outputs": outputs, "label": label, "top": self._top(n, top)})
        return items

    def as_text(self, named: Sequence[Name] | None, top: int) -> Table | str:
        """Return a table of labels and probabilities, or the arrays of a model without labels."""
        if not self.labels:
            return "\n".join(
                f"{name} {array.dtype} {list(array.shape)}\n{array}" for name, array in self.outputs.items()
            )
        rows: list[tuple[object, ...]] = []
        for n, label in enumerate(self.labels):
            best = self._top(n, top) or [{"label": label, "probability": None}]
            rows += [((shown(named[n]) if named else n) if k == 0 else "", *b.values()) for k, b in enumerate(best)]
        return table(("input", "label", "probability"), rows)

    def _top(self, n: int, top: int) -> list[dict[str, Any]]:
        if self.probabilities is None or self.ranking is None:
            return []
        row, order = self.probabilities[n], self.ranking[n][:top]
        names = self.signature.labels
        label = [names[i] if i < len(names) else str(i) for i in range(len(row))]
        return [{"label": label[i], "probability": float(row[i])} for i in order]


def name_of(item: str | Mapping[str, str]) -> Name:
    """Return what an item of texts is called: itself, or the list of its texts."""
    return item if isinstance(item, str) else list(item.values())


def shown(name: Name) -> str:
    """Return an item's name for people."""
    return name if isinstance(name, str) else " | ".join(name)


def _batch(signature: Signature, inputs: Mapping[str, Array]) -> int | None:
    sizes = (inputs[port.name].shape[axis] for port in signature.inputs if (axis := batch_axis(port)) is not None)
    return next(sizes, None)


def _part(port: OutputPort, array: Array, n: int) -> Array:
    """Return an item's part of an output: its place along the batch, or the whole of an output without one."""
    axis = batch_axis(port)
    if axis is None and not isinstance(port.spec, TensorOutput):  # scores have a batch, whatever it is called
        axis = 1 if isinstance(port.spec, ClassOutput) and port.spec.per_step else 0
    return array if axis is None or n >= array.shape[axis] else np.take(array, n, axis)
