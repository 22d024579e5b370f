"""What a data set is once loaded: raw items, targets, labels, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

#: A raw item as a person has it: a text, an image uint8 [H, W] or [H, W, 3], a row of numbers, or named arrays.
Raw = Any

SourceKind = Literal["embedded", "download", "path", "folder", "random"]


@dataclass(frozen=True)
class Source:
    """Where the data of a run came from; printed, and kept in the bundle.

    Args:
        kind: Built in, downloaded from the publisher, a folder that holds this data set, a folder of the user's own
            pictures, for which no score can be expected, or drawn at random (a module that slipway did not train).
        name: What the data is.
        where: The folder, or the package that holds it.
        licence: Its licence, as its publisher states it.
        rows: Number of items by split.
        reason: Why this source was chosen, where that is not obvious (a download that failed).
    """

    kind: SourceKind
    name: str
    where: str
    licence: str
    rows: Mapping[str, int]
    reason: str = ""


@dataclass(frozen=True)
class Split:
    """Raw items and their targets, index by index."""

    raws: Sequence[Raw]
    targets: torch.Tensor

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.raws)


@dataclass(frozen=True)
class Dataset:
    """A loaded data set: what to learn from, what to be judged by, and what the numbers mean."""

    train: Split
    test: Split
    labels: tuple[str, ...]
    source: Source
    #: Statistics that the signature needs (means, vocabularies), by name.
    facts: Mapping[str, Any] = field(default_factory=dict)
