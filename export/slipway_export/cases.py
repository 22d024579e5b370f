"""Inputs to export and verify with: real items where there are some, at sizes that the export has never seen.

Everything follows from the signature: the dimension ``N`` is the batch, names that start with ``T`` are time, other
names (``H``, ``W``) are sizes, and length ports say how much of each time axis is real. Every name of time has lengths
of its own: two sequences of a model are as long as each other by chance only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.preprocess import encode
from slipway.runtime._inputs import batch_axis, time_axis
from slipway.signature import ImageInput, InputPort, LengthInput, Signature, TensorInput, TextInput, is_time

Array = NDArray[Any]
#: The real length of each item, by name of time; a model without time has one entry, for its batch size.
Lengths = Mapping[str, Array]

#: Longest sequence to assume where no real items are given.
_DEFAULT_LONGEST = 9
#: Any other size that varies, where no real items are given.
_SIZE = 32
_POOL_ITEMS = 256
#: Height and width that images are cut to for cases and goldens where a model takes any size. A batch of 17 whole video
#: frames in double, in every runtime, would take minutes and show nothing more; one whole frame is among the cases.
#: Halved again and again, 90 and 127, and what cases add to them, round up at some levels and not at others.
_CUT = (90, 127)
#: What the names of a batch in another order, and of one with an item twice, end in.
PERMUTED, REPEATED = "_permuted", "_repeated"


@dataclass(frozen=True)
class Case:
    """Inputs by port; ``items`` says which items of case ``of`` they are, in which order."""

    name: str
    inputs: Mapping[str, Array]
    of: str | None = None
    items: Array | None = None


@dataclass(frozen=True)
class Pool:
    """What cases are drawn from.

    Args:
        signature: The model's ports.
        rows: Per port without time: real values along axis 0, or None where there are none.
        streams: Per port with time: all real tokens one after the other along axis 0, or None.
        longest: The longest real sequence.
        whole: A raw item as it was before it was cut; None where nothing was cut.
    """

    signature: Signature
    rows: Mapping[str, Array | None]
    streams: Mapping[str, Array | None]
    longest: int
    whole: object | None = None

    @staticmethod
    def of(signature: Signature, raws: Sequence[object] = ()) -> Pool:
        """Encode some raw items; without any, cases hold random values in the ports' ranges."""
        whole = [raws[n] for n in range(min(len(raws), _POOL_ITEMS))]
        some = cut_images(signature, whole)
        arrays: Mapping[str, Array] = encode(signature, some) if some else {}
        rows: dict[str, Array | None] = {}
        streams: dict[str, Array | None] = {}
        longest = 0
        for port in signature.inputs:
            axis, array = batch_axis(port), arrays.get(port.name)
            items = None if array is None or axis is None else np.moveaxis(array, axis, 0)
            if time_axis(port) is None:
                rows[port.name] = items
            else:
                sequences = [] if items is None else _sequences(signature, port, items, arrays)
                streams[port.name] = np.concatenate(sequences) if sequences else None
                longest = max([longest, *(len(s) for s in sequences)])
        is_cut = len(some) > 0 and some is not whole and np.asarray(some[0]).shape != np.asarray(whole[0]).shape
        return Pool(signature, rows, streams, longest or _DEFAULT_LONGEST, whole[0] if is_cut else None)


def cut_images(signature: Signature, raws: Sequence[object]) -> Sequence[object]:
    """Return the middles of images, at most 90x127, where a model takes images of any size; else the items."""
    specs = [port.spec for port in signature.inputs]
    if len(specs) != 1 or not isinstance(specs[0], ImageInput) or None not in (specs[0].height, specs[0].width):
        return raws
    return [_middle(np.asarray(raw)) for raw in raws]


def _middle(image: Array) -> Array:
    top, left = (max(0, (size - wanted) // 2) for size, wanted in zip(image.shape[:2], _CUT, strict=True))
    return image[top : top + _CUT[0], left : left + _CUT[1]]


def example_inputs(pool: Pool) -> dict[str, Array]:
    """Return inputs to export with: N = 4, lengths falling from T = 7, no two dynamic dimensions of one size."""
    sizes = {"H": 0, "W": 8} | _others(pool, step=3)
    lengths = {name: np.array([7, 5, 3, 2]) + 4 * place for place, name in enumerate(_times(pool))}
    return _draw(pool, np.random.default_rng(0), lengths, sizes=sizes)


def probe_inputs(pool: Pool) -> dict[str, Array]:
    """Return inputs of another size than the example's in every dynamic dimension.

    Lengths fall, so that every module takes them; of several sequences the first is now the longest.
    """
    sizes = {"H": 16, "W": 0} | _others(pool, step=5)
    lengths = {name: np.array([9, 4, 1]) + 4 * place for place, name in enumerate(reversed(_times(pool)))}
    return _draw(pool, np.random.default_rng(1), lengths, sizes=sizes)


def far_inputs(pool: Pool) -> dict[str, Array]:
    """Return inputs far from the example's and the probe's sizes, where what they happen to share shows."""
    sizes = {"H": 96, "W": 160} | _others(pool, step=37)
    lengths = {name: np.array([31, 20, 5, 2, 1]) + 6 * place for place, name in enumerate(_times(pool))}
    return _draw(pool, np.random.default_rng(2), lengths, sizes=sizes)


def random_inputs(pool: Pool, known: Mapping[str, int], seed: int = 3) -> dict[str, Array]:
    """Return a batch of random inputs, where sizes that are ``known`` are kept; otherwise 24 items, T at most 9."""
    rng = np.random.default_rng(seed)
    steps = max((size for name, size in known.items() if is_time(name)), default=pool.longest)
    lengths = {}
    for name in _times(pool):
        longest = known.get(name, steps)
        lengths[name] = rng.integers(1, longest + 1, known.get("N", 24))
        lengths[name][0] = longest
    return _draw(pool, rng, lengths, exact=known)


def sized_inputs(pool: Pool, sizes: Mapping[str, int], seed: int = 4) -> dict[str, Array]:
    """Return inputs of exactly these sizes, one for every dynamic dimension; lengths fall from T to half of it."""
    n = sizes.get("N", 2)
    longest = {time: sizes.get(time, 1) for time in _times(pool)}
    lengths = {time: np.linspace(most, (most + 1) // 2, n).astype(np.int64) for time, most in longest.items()}
    return _draw(pool, np.random.default_rng(seed), lengths, exact=sizes)


def _times(pool: Pool) -> tuple[str, ...]:
    """Return the names of time in the ports' order, or one that no port has."""
    dims = (str(dim) for port in pool.signature.inputs for dim in port.dims)
    return tuple(dict.fromkeys(dim for dim in dims if is_time(dim))) or ("T",)


def _others(pool: Pool, step: int) -> dict[str, int]:
    """Return what is added to the sizes whose names mean nothing here, no two alike."""
    dims = {dim for port in pool.signature.inputs for dim in port.dims if isinstance(dim, str)}
    names = sorted(dim for dim in dims if dim not in ("N", "H", "W") and not is_time(dim))
    return {name: step * (place + 1) for place, name in enumerate(names)}


def verification_cases(pool: Pool, seed: int = 0) -> list[Case]:
    """Return the cases that every runtime has to answer like eager PyTorch.

    Batches of 1, 2, 3 and 17; lengths all one, all the longest, rising (so unsorted), equal, longer than any real
    one, and all shorter than T; of several sequences each the longest in turn; other heights and widths, among them
    those of a whole image; and a batch in another order and one with an item twice, where the items' outputs stay.
    """
    rng = np.random.default_rng(seed)
    times = _times(pool)

    def case(name: str, lengths: Callable[[], Array], padding: int = 0, **sizes: int) -> Case:
        return Case(name, _draw(pool, rng, {time: lengths() for time in times}, padding, sizes))

    def any_lengths(n: int) -> Callable[[], Array]:
        return lambda: rng.integers(1, longest + 1, n)

    longest = pool.longest
    cases = [case(f"batch_{n}", any_lengths(n)) for n in (1, 2, 3, 17)]
    if pool.streams:
        cases += [
            case("lengths_all_one", lambda: np.full(3, 1)),
            case("lengths_all_longest", lambda: np.full(3, longest)),
            case("lengths_rising", lambda: np.linspace(1, longest, 6).astype(np.int64)),
            case("lengths_equal", lambda: np.full(5, max(1, longest // 2))),
            case("lengths_longer_than_seen", lambda: np.array([1, 2 * longest + 3, longest])),
        ]
        if any(isinstance(port.spec, LengthInput) for port in pool.signature.inputs):
            cases.append(case("time_beyond_the_longest", lambda: np.array([max(1, longest // 2), 1, 1]), padding=2))
    if len(times) > 1:
        cases += [_sequences_case(pool, rng, times), _sequences_case(pool, rng, times[::-1])]
    if any(name in ("H", "W") for port in pool.signature.inputs for name in port.dims):
        cases += [
            case("size_taller", lambda: np.full(2, longest), H=16),
            case("size_wider", lambda: np.full(2, longest), W=24),
        ]
    if others := _others(pool, step=11):
        cases.append(case("size_other", lambda: np.full(2, longest), **others))
    if pool.whole is not None:
        cases.append(Case("size_whole", encode(pool.signature, [pool.whole])))
    reordered = _selected(pool, cases[3], PERMUTED, rng.permutation(_count(pool, cases[3])))
    return [*cases, reordered, _selected(pool, cases[2], REPEATED, np.array([0, 1, 2, 0]))]


def _sequences_case(pool: Pool, rng: np.random.Generator, times: Sequence[str]) -> Case:
    """Draw a batch whose sequences are the longer the later their name of time stands in ``times``."""
    lengths = {time: rng.integers(1, pool.longest + 2 * place + 1, 3) for place, time in enumerate(times)}
    for place, time in enumerate(times):
        lengths[time][place % 3] = pool.longest + 2 * place
    return Case(f"longest_in_{times[-1]}", _draw(pool, rng, lengths))


def _count(pool: Pool, case: Case) -> int:
    """Return the size of a batch."""
    axes = ((port.name, batch_axis(port)) for port in pool.signature.inputs)
    count: int = next(case.inputs[name].shape[axis] for name, axis in axes if axis is not None)
    return count


def _selected(pool: Pool, case: Case, suffix: str, items: Array) -> Case:
    """Make a batch of items of another one; what belongs to no item stays."""
    inputs = {
        port.name: case.inputs[port.name] if (axis := batch_axis(port)) is None
        else np.ascontiguousarray(np.take(case.inputs[port.name], items, axis))
        for port in pool.signature.inputs
    }  # fmt: skip
    return Case(f"{case.name}{suffix}", inputs, of=case.name, items=items)


def _sequences(signature: Signature, port: InputPort, items: Array, arrays: Mapping[str, Array]) -> list[Array]:
    """Split items [N, T, ...] into their real parts, [length, ...] each."""
    lengths = next(
        (arrays[p.name] for p in signature.inputs if isinstance(p.spec, LengthInput) and p.spec.of == port.name), None
    )
    time = _time_after_batch(port)
    items = np.moveaxis(items, time, 1)
    return [item if lengths is None else item[: lengths[n]] for n, item in enumerate(items)]


def _time_after_batch(port: InputPort) -> int:
    """The axis of time once the batch has been moved to the front."""
    batch, time = batch_axis(port), time_axis(port)
    assert time is not None
    return time + 1 if batch is not None and batch > time else time


def _draw(
    pool: Pool,
    rng: np.random.Generator,
    lengths: Lengths,
    padding: int = 0,
    sizes: Mapping[str, int] | None = None,
    exact: Mapping[str, int] | None = None,
) -> dict[str, Array]:
    """Draw a batch; ``sizes`` adds to the real height, width and other sizes, ``exact`` replaces them."""
    n = len(next(iter(lengths.values())))
    steps = {time: int(of_time.max()) + padding for time, of_time in lengths.items()}
    exact = {**(exact or {}), "N": n, **steps}
    inputs = {}
    for port in pool.signature.inputs:
        if isinstance(port.spec, LengthInput):
            array = lengths[_time_of(pool.signature, port.spec)].astype(port.dtype)
        elif (axis := time_axis(port)) is not None:
            time = str(port.dims[axis])
            array = _draw_sequences(pool.streams[port.name], port, rng, lengths[time], steps[time])
        else:
            array = _draw_rows(pool.rows[port.name], port, rng, n)
        inputs[port.name] = _resized(array, port, sizes or {}, exact)
    return inputs


def _time_of(signature: Signature, spec: LengthInput) -> str:
    """Return the name of time of the sequences whose lengths a port holds."""
    port = next(port for port in signature.inputs if port.name == spec.of)
    axis = time_axis(port)
    assert axis is not None
    return str(port.dims[axis])


def _resized(array: Array, port: InputPort, added: Mapping[str, int], exact: Mapping[str, int]) -> Array:
    """Lengthen or cut the dimensions of these names; values beyond the end come again from the start."""
    for axis, dim in enumerate(map(str, port.dims)):
        size = exact.get(dim, array.shape[axis] + added.get(dim, 0))
        if size != array.shape[axis]:
            array = np.take(array, np.arange(size), axis=axis, mode="wrap")
    return np.ascontiguousarray(array)


def _draw_sequences(
    stream: Array | None, port: InputPort, rng: np.random.Generator, lengths: Array, steps: int
) -> Array:
    if stream is None:
        stream = _random_tokens(port, rng, 4096)
    pad = port.spec.pad if isinstance(port.spec, TextInput) and not port.spec.one_hot else 0
    batch = np.full((len(lengths), steps, *stream.shape[1:]), pad, dtype=port.dtype)
    for n, length in enumerate(lengths):
        start = rng.integers(len(stream))
        batch[n, :length] = np.take(stream, np.arange(start, start + length), axis=0, mode="wrap")
    batch_at, time_at = batch_axis(port), time_axis(port)
    assert batch_at is not None
    assert time_at is not None
    return np.ascontiguousarray(np.moveaxis(batch, (0, 1), (batch_at, time_at)))


def _draw_rows(rows: Array | None, port: InputPort, rng: np.random.Generator, n: int) -> Array:
    axis = batch_axis(port)
    if rows is None:
        shape = [d if isinstance(d, int) else _SIZE for d in port.dims if d != "N"]
        rows = _random(port, rng, (max(n, 1), *shape))
    chosen = rows[rng.integers(len(rows), size=n)] if axis is not None else rows[0]
    return np.moveaxis(chosen, 0, axis) if axis is not None else chosen


def _random_tokens(port: InputPort, rng: np.random.Generator, count: int) -> Array:
    if isinstance(port.spec, TextInput):
        limit = port.spec.limit if port.spec.vocabulary is None else len(port.spec.vocabulary)
        numbers = rng.integers(limit, size=count)
        return np.eye(port.spec.limit, dtype=np.float32)[numbers] if port.spec.one_hot else numbers.astype(port.dtype)
    features = tuple(d for axis, d in enumerate(port.dims) if axis not in (batch_axis(port), time_axis(port)))
    return _random(port, rng, (count, *(d if isinstance(d, int) else _SIZE for d in features)))


def _random(port: InputPort, rng: np.random.Generator, shape: Sequence[int]) -> Array:
    """Normal floats, as images and tables are standardised; whole numbers in their range, else 0 and 1."""
    if port.dtype == "float32":
        return rng.standard_normal(shape).astype(np.float32)
    below = port.spec.below if isinstance(port.spec, TensorInput) and port.dtype != "bool" else None
    return rng.integers(below or 2, size=shape).astype(port.dtype)
