"""Pieces of pictures that are labelled pixel by pixel, each with a place, a size, a side and a light of its own.

Few labelled frames teach a network those frames by heart. A piece is a part of a frame, shrunk or stretched to a fixed
size, mirrored or not, brighter or darker, with less colour or more, lit from one side, with some noise: what differs
between two drives, but does not change what is road. Pieces are made when they are asked for, from numbers drawn once
from a seed, so there may be many more of them than fit into memory, and they are the same ones in every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data._dataset import Split

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Variety:
    """How much pieces differ.

    Args:
        smallest: Smallest share of the frame's height and width that a piece shows; the largest is 1.
        aspect: Largest factor between the stretching of height and width.
        light: Spread of the logarithms of brightness: of each colour and from one side of the piece to the other, and
            half of that of the gamma exponent. 0 leaves light, colour and noise as they are.
        saturation: Smallest and largest factor of the distance from grey.
        noise: Largest deviation of the noise of half of the pieces, from 0 to 1.
    """

    smallest: float = 0.7
    aspect: float = 1.09
    light: float = 0.15
    saturation: tuple[float, float] = (0.3, 1.4)
    noise: float = 0.04


@dataclass(frozen=True)
class Cut:
    """Which part of which frame a piece shows, and how; ``box`` is (left, top, right, bottom) in pixels."""

    frame: int
    box: tuple[int, int, int, int]
    mirrored: bool
    gamma: float
    gains: tuple[float, float, float]
    saturation: float
    slopes: tuple[float, float]
    noise: float
    seed: int


class Pieces(Sequence[Pixels]):
    """The pictures of the pieces, uint8 [height, width, 3] each, made anew whenever one is asked for."""

    def __init__(self, frames: Sequence[Pixels], cuts: Sequence[Cut], size: tuple[int, int], lit: bool) -> None:
        self._frames, self._cuts, self._size, self._lit = frames, cuts, size, lit

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self._cuts)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pixels]: ...
    def __getitem__(self, index: int | slice) -> Pixels | Sequence[Pixels]:
        """Make a piece, or name a range of them."""
        if isinstance(index, slice):
            return Pieces(self._frames, self._cuts[index], self._size, self._lit)
        from PIL import Image

        cut, (height, width) = self._cuts[index], self._size
        frame = Image.fromarray(np.ascontiguousarray(self._frames[cut.frame]))
        part = np.asarray(frame.resize((width, height), Image.Resampling.BILINEAR, box=cut.box))
        part = part[:, ::-1] if cut.mirrored else part
        return relit(part, cut) if self._lit else np.ascontiguousarray(part)


def cut_pieces(split: Split, size: tuple[int, int], count: int, variety: Variety, seed: int = 0) -> Split:
    """Cut ``count`` pieces of ``size`` (height, width) from each frame of a split, with their classes.

    Args:
        split: Frames, uint8 [H, W, 3] all of one size, and classes uint8 [rows, H, W].
        size: Height and width of a piece.
        count: Pieces of each frame.
        variety: How much they differ.
        seed: Seed of places and lights.
    """
    rng = np.random.default_rng(seed)
    height, width = split.targets.shape[1:]
    cuts = [draw_cut(rng, frame, height, width, variety) for _ in range(count) for frame in range(len(split))]
    targets = torch.empty(len(cuts), *size, dtype=split.targets.dtype)
    for place, cut in enumerate(cuts):
        left, top, right, bottom = cut.box
        rows, columns = _nearest(top, bottom, size[0]), _nearest(left, right, size[1])
        part = split.targets[cut.frame][rows][:, columns]
        targets[place] = part.flip(1) if cut.mirrored else part
    return Split(Pieces(split.raws, cuts, size, variety.light > 0), targets)


def draw_cut(rng: np.random.Generator, frame: int, height: int, width: int, variety: Variety) -> Cut:
    """Draw the part of a frame of ``height`` x ``width`` that a piece shows, and its light."""
    share, aspect = rng.uniform(variety.smallest, 1), variety.aspect ** rng.uniform(-1, 1)
    rows = max(1, min(height, round(height * share * aspect)))
    columns = max(1, min(width, round(width * share / aspect)))
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    light = variety.light
    red, green, blue, down, across = (float(value) for value in rng.uniform(-light, light, 5))
    return Cut(
        frame=frame,
        box=(left, top, left + columns, top + rows),
        mirrored=bool(rng.integers(2)),
        gamma=float(np.exp(rng.uniform(-2 * light, 2 * light))),
        gains=(float(np.exp(red)), float(np.exp(green)), float(np.exp(blue))),
        saturation=float(rng.uniform(*variety.saturation)),
        slopes=(down, across),
        noise=float(rng.uniform(0, variety.noise)) * int(rng.integers(2)),
        seed=int(rng.integers(2**31)),
    )


def relit(picture: Pixels, cut: Cut) -> Pixels:
    """Return a picture, uint8 [H, W, 3], in the light of ``cut``."""
    height, width = picture.shape[:2]
    lit = (np.arange(256, dtype=np.float32) / 255) ** np.float32(cut.gamma)
    values = lit[picture] * np.array(cut.gains, np.float32)
    grey = values.mean(axis=2, keepdims=True)
    values = grey + (values - grey) * np.float32(cut.saturation)
    down = np.exp(cut.slopes[0] * np.linspace(-1, 1, height, dtype=np.float32))
    across = np.exp(cut.slopes[1] * np.linspace(-1, 1, width, dtype=np.float32))
    values *= (down[:, None] * across)[:, :, None]
    if cut.noise > 0:
        grain = np.random.default_rng(cut.seed).standard_normal((height, width, 1), np.float32)
        values += grain * np.float32(cut.noise)
    lit_picture: Pixels = (values.clip(0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
    return lit_picture


def _nearest(start: int, stop: int, size: int) -> torch.Tensor:
    """Return, for each of ``size`` equal parts from ``start`` to ``stop``, the pixel that its middle lies in."""
    return start + ((torch.arange(size) + 0.5) * ((stop - start) / size)).long()
