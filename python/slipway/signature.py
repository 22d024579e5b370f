"""What goes into a model and what comes out: ports, and how raw input becomes tensors.

A :class:`Signature` is declared by a recipe, drives training, export and verification, and is written into the
ONNX file's metadata (``docs/bundle-format.md``), from where ``slipway-infer`` reads it: preprocessing is data,
never code that two languages would each have to know. The encoders themselves are in ``slipway.preprocess``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

DTypeName = Literal["float32", "int64", "int32", "bool"]


@dataclass(frozen=True)
class TensorInput:
    """The caller gives the tensor itself (``.npy``); nothing is done to it.

    Whole numbers lie in ``[0, below)``; None means that their range is not declared.
    """

    below: int | None = None
    kind: Literal["tensor"] = "tensor"


@dataclass(frozen=True)
class TextInput:
    """Text becomes one integer per character or word, padded to the longest text of the batch.

    ``vocabulary`` lists the tokens, a token's index is its place; None means the character's code point, which
    must be below ``limit``. ``fold`` replaces characters first (``{"é": "e"}``). A token that is still unknown
    becomes ``unknown``, or is an error when that is None. ``one_hot`` gives float32 rows of ``limit`` values.
    The dims of the port say where batch (N) and time (T) stand.
    """

    unit: Literal["character", "word"] = "character"
    vocabulary: Sequence[str] | None = None
    limit: int = 128
    fold: Mapping[str, str] = field(default_factory=dict)
    unknown: int | None = None
    pad: int = 0
    one_hot: bool = False
    lowercase: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class LengthInput:
    """The number of tokens of each item of the port ``of``, int64 [N]: counted from texts, given beside arrays."""

    of: str
    kind: Literal["length"] = "length"


@dataclass(frozen=True)
class ImageInput:
    """An image becomes float32: resized, grey or RGB, ``(pixel / 255 - mean) / std`` per channel, [N, C, H, W].

    ``height`` and ``width`` None keep the image's own size (then a batch holds images of one size).
    Grey is ITU-R 601 as Pillow computes it. Arithmetic is double, rounded once to float32.
    """

    channels: Literal[1, 3] = 1
    height: int | None = 28
    width: int | None = 28
    mean: Sequence[float] = (0.0,)
    std: Sequence[float] = (1.0,)
    kind: Literal["image"] = "image"


@dataclass(frozen=True)
class TableInput:
    """A row of numbers becomes float32 ``(value - mean) / std``, computed in double, [N, D]."""

    columns: Sequence[str] = ()
    mean: Sequence[float] = ()
    std: Sequence[float] = ()
    kind: Literal["table"] = "table"


InputSpec = TensorInput | TextInput | LengthInput | ImageInput | TableInput


@dataclass(frozen=True)
class ClassOutput:
    """Scores over classes along the last axis; the label is the largest. ``scores`` says what they are.

    ``per_step`` outputs ([T, N, K]) give one label per time step, joined by ``join`` ("ohlol").
    """

    scores: Literal["logits", "log_probabilities", "probabilities"] = "logits"
    per_step: bool = False
    join: str = ""
    kind: Literal["class"] = "class"


@dataclass(frozen=True)
class BinaryOutput:
    """One score per item, [N, 1]; the second label is chosen when the probability is above ``threshold``."""

    scores: Literal["logits", "probabilities"] = "probabilities"
    threshold: float = 0.5
    kind: Literal["binary"] = "binary"


@dataclass(frozen=True)
class SegmentationOutput:
    """Scores over classes for every pixel, [N, K, H, W]; a pixel's class is that of the largest score.

    An image's label is the class of most pixels. What stands in place of probabilities is the share of the pixels that
    each class has.
    """

    kind: Literal["segmentation"] = "segmentation"


@dataclass(frozen=True)
class TensorOutput:
    """A plain tensor, printed as numbers."""

    kind: Literal["tensor"] = "tensor"


OutputSpec = ClassOutput | BinaryOutput | SegmentationOutput | TensorOutput


@dataclass(frozen=True)
class InputPort:
    """One argument of ``forward``, in order. ``dims`` are numbers, or names of dimensions that may vary.

    The names mean the same everywhere: ``N`` batch, ``T...`` time, ``H`` and ``W`` height and width.
    """

    name: str
    dtype: DTypeName
    dims: tuple[int | str, ...]
    spec: InputSpec


@dataclass(frozen=True)
class OutputPort:
    """One result of ``forward``, in order."""

    name: str
    dims: tuple[int | str, ...]
    spec: OutputSpec
    dtype: DTypeName = "float32"


def is_time(dim: int | str) -> bool:
    """Say whether a dimension is time: its name starts with ``T``, as several times of one model have several names."""
    return isinstance(dim, str) and dim.startswith("T")


@dataclass(frozen=True)
class Signature:
    """All ports of a model and the labels of its classes."""

    inputs: tuple[InputPort, ...]
    outputs: tuple[OutputPort, ...]
    labels: tuple[str, ...] = ()
