"""Batches of tensors from raw items: shuffled per epoch from a seed, texts of like length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slipway.preprocess import encode, token_counts
from slipway.recipes._recipe import Split
from slipway.signature import LengthInput, Signature

#: Texts are sorted by length within this many batches: padding nearly vanishes, and batches still vary by epoch.
POOL = 16


@dataclass(frozen=True)
class Batch:
    """The inputs of ``forward`` in order, and the targets, on the run's device (lengths stay on the CPU)."""

    inputs: tuple[Tensor, ...]
    targets: Tensor


class Batches:
    """All batches of an epoch; iterating again gives the same ones until ``epoch`` is changed.

    The order depends on ``seed`` and ``epoch`` alone, so a resumed run sees what the first run would have seen;
    ``skip`` leaves out the first batches, which it saw before. ``seed`` None keeps the items in their order.
    ``join`` adds a last item that would be shuffled into a batch alone to another batch.
    """

    def __init__(
        self,
        signature: Signature,
        split: Split,
        batch_size: int,
        device: torch.device,
        seed: int | None = None,
        join: bool = False,
    ) -> None:
        self.epoch = 0
        self.skip = 0
        self._signature = signature
        self._split = split
        self._batch_size = batch_size
        self._device = device
        self._seed = seed
        self._joins = join and seed is not None and 1 < batch_size < len(split) and len(split) % batch_size == 1
        self._counts = token_counts(signature, split.raws) if seed is not None else None

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self._split) // self._batch_size) - self._joins

    def __iter__(self) -> Iterator[Batch]:
        """Yield the epoch's batches, each encoded when it is asked for."""
        for indices in self._order()[self.skip :]:
            yield make_batch(self._signature, self._split, indices, self._device)

    def _order(self) -> list[list[int]]:
        n, size = len(self._split), self._batch_size
        if self._seed is None:
            return [list(range(k, min(k + size, n))) for k in range(0, n, size)]
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self.epoch)
        order = torch.randperm(n, generator=generator).tolist()
        counts = self._counts
        if counts is None:
            return self._joined([order[k : k + size] for k in range(0, n, size)])
        batches = []
        for k in range(0, n, size * POOL):
            pool = sorted(order[k : k + size * POOL], key=lambda i: -counts[i])
            batches += [pool[j : j + size] for j in range(0, len(pool), size)]
        batches = self._joined(batches)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def _joined(self, batches: list[list[int]]) -> list[list[int]]:
        return [*batches[:-2], batches[-2] + batches[-1]] if self._joins else batches


def make_batch(signature: Signature, split: Split, indices: Sequence[int], device: torch.device) -> Batch:
    """Encode the items at ``indices`` and move them to ``device``; packing wants lengths on the CPU, so they stay."""
    arrays = encode(signature, [split.raws[i] for i in indices])
    inputs = []
    for port in signature.inputs:
        tensor = torch.from_numpy(arrays[port.name])
        inputs.append(tensor if isinstance(port.spec, LengthInput) else tensor.to(device))
    return Batch(tuple(inputs), split.targets[list(indices)].to(device))
