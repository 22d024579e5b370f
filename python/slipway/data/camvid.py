"""Road scenes labelled pixel by pixel: CamVid, or, where there is none, drawn scenes.

Layout of a data folder: ``camvid_subset`` or ``CamVid`` (or the folder itself) with ``train`` and ``test``, RGB PNG,
and ``trainannot`` and ``testannot``, 8-bit PNG of the same names whose pixels are classes, as in the SegNet tutorial.
All pictures of a split have one size. Nothing is downloaded: the publisher of this 11-class version offers a git
repository, without checksums. Licence: CC BY-NC 4.0 (the SegNet tutorial's version); cite Brostow, Fauqueur and
Cipolla, "Semantic object classes in video", Pattern Recognition Letters 30(2), 2009.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.data._dataset import Dataset, Source, Split
from slipway.data._root import Place, find
from slipway.errors import DataError, InputError
from slipway.readers import read_image

LABELS = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, CAR = 0, 1, 2, 3, 4, 5, 8
#: Unlabelled pixels: neither learned from nor counted.
VOID = 11

#: Size of the drawn scenes: small, and no power of two, so that every level of a network rounds somewhere.
HEIGHT, WIDTH = 60, 100
_DRAWN = {"train": 48, "test": 16}

Pixels = NDArray[np.uint8]

#: Mean colours of the drawn classes, red, green and blue.
_COLOURS = {
    SKY: (178, 200, 226), BUILDING: (134, 112, 98), POLE: (92, 92, 96), ROAD: (98, 98, 104), PAVEMENT: (150, 142, 136),
    TREE: (62, 84, 52), CAR: (120, 36, 40), VOID: (20, 20, 22),
}  # fmt: skip


def load(request: str) -> Dataset:
    """Load the scenes: raw items are uint8 [H, W, 3], targets uint8 [rows, H, W], a class or ``VOID`` per pixel.

    Raises:
        DataError: The data is not where ``request`` says, or damaged.
    """
    place = find(request, "CamVid", lambda folder: _room(folder) is not None)
    if place.folder is None:
        return _embedded(place)
    room = _room(place.folder)
    assert room is not None
    train, test = _split(room, "train"), _split(room, "test")
    source = Source(
        kind=place.kind,
        name="CamVid, 11 classes",
        where=str(room),
        licence="CC BY-NC 4.0",
        rows={"train": len(train), "test": len(test)},
    )
    return Dataset(train, test, LABELS, source)


def _room(folder: Path) -> Path | None:
    for room in (folder / "camvid_subset", folder / "CamVid", folder):
        if all((room / name).is_dir() for name in ("train", "trainannot", "test", "testannot")):
            return room
    return None


def _split(room: Path, part: str) -> Split:
    paths = sorted((room / part).glob("*.png"))
    if not paths:
        raise DataError(f"{room / part} holds no .png")
    pairs = [_pair(path, room / f"{part}annot" / path.name) for path in paths]
    sizes = {target.shape for _, target in pairs}
    if len(sizes) > 1:
        raise DataError(f"{room / part} holds pictures of {len(sizes)} sizes, expected one: {sorted(sizes)}")
    return Split([image for image, _ in pairs], torch.from_numpy(np.stack([target for _, target in pairs])))


def _pair(path: Path, labels: Path) -> tuple[Pixels, Pixels]:
    try:
        image, target = read_image(path), read_image(labels)
    except InputError as error:
        raise DataError(str(error)) from error
    if image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"{path} is {list(image.shape)}, expected a picture of three colours, [H, W, 3]")
    if target.shape != image.shape[:2]:
        raise DataError(
            f"{labels} is {list(target.shape)}, expected one class per pixel of {path}, {list(image.shape)}"
        )
    if target.max(initial=0) > VOID:
        raise DataError(f"{labels} has class {target.max()}, expected 0 to {VOID}")
    return image, target


def _embedded(place: Place) -> Dataset:
    splits = {}
    for part, count in _DRAWN.items():
        rng = np.random.default_rng(list(part.encode()))
        scenes = [draw_scene(rng) for _ in range(count)]
        splits[part] = Split([image for image, _ in scenes], torch.from_numpy(np.stack([t for _, t in scenes])))
    source = Source(
        kind="embedded",
        name=f"synthetic road scenes of {WIDTH}x{HEIGHT}, drawn by a seeded generator",
        where="slipway",
        licence="MIT",
        rows={part: len(split) for part, split in splits.items()},
        reason=place.reason,
    )
    return Dataset(splits["train"], splits["test"], LABELS, source)


def draw_scene(rng: np.random.Generator, height: int = HEIGHT, width: int = WIDTH) -> tuple[Pixels, Pixels]:
    """Draw a street as a driver sees it.

    The road runs to a vanishing point between pavements; behind them stand houses and trees under the sky, on it a
    car or two. Brightness, light from the side and noise differ from scene to scene; road, pavement and house are
    nearly of one grey, so that colour alone does not tell them apart.

    Returns:
        The picture, uint8 [height, width, 3], and its classes, uint8 [height, width].
    """
    rows, columns = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)  # 0 to 1
    horizon, vanishing = rng.uniform(0.35, 0.5), rng.uniform(0.35, 0.65)
    target = np.full((height, width), SKY, np.uint8)
    _draw_sides(target, rng, rows, columns, horizon)
    depth = np.clip((rows - horizon) / (1 - horizon), 0, None)  # 0 at the horizon, 1 at the lower edge
    offset = np.abs(columns - vanishing - rng.uniform(-0.15, 0.15) * depth**2)
    road = rng.uniform(0.3, 0.5)
    target[rows >= horizon] = PAVEMENT
    beyond = offset > (road + rng.uniform(0.15, 0.25)) * depth + 0.03
    target[(rows >= horizon) & beyond] = rng.choice([BUILDING, TREE])
    target[(rows >= horizon) & (offset <= road * depth + 0.015)] = ROAD
    for _ in range(int(rng.integers(0, 3))):
        _draw_car(target, rng, horizon, vanishing, road)
    target[rng.random(target.shape) < 0.01] = VOID
    return _paint(target, rng, rows, columns), target


def _draw_sides(
    target: Pixels, rng: np.random.Generator, rows: NDArray[np.float64], columns: NDArray[np.float64], horizon: float
) -> None:
    left = 0.0
    while left < 1.0:
        right = left + rng.uniform(0.08, 0.25)
        top = horizon * rng.uniform(0.05, 0.8)
        kind = rng.choice([BUILDING, BUILDING, TREE, SKY])
        target[(columns >= left) & (columns < right) & (rows >= top) & (rows < horizon)] = kind
        left = right
    for _ in range(int(rng.integers(0, 3))):
        at = rng.uniform(0, 1)
        target[(np.abs(columns - at) < 0.01) & (rows > 0.15) & (rows < horizon)] = POLE


def _draw_car(target: Pixels, rng: np.random.Generator, horizon: float, vanishing: float, road: float) -> None:
    height, width = target.shape
    depth = rng.uniform(0.15, 0.6)
    bottom, centre = horizon + depth * (1 - horizon), vanishing + rng.uniform(-0.7, 0.7) * road * depth
    half, tall = 0.22 * depth + 0.02, 0.3 * depth + 0.03
    top, left = max(0, int((bottom - tall) * height)), max(0, int((centre - half) * width))
    target[top : int(bottom * height), left : max(left, int((centre + half) * width))] = CAR


def _paint(target: Pixels, rng: np.random.Generator, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Pixels:
    colours = np.zeros((VOID + 1, 3))
    for kind, colour in _COLOURS.items():
        colours[kind] = np.array(colour) + rng.normal(0, 10, 3)
    light = rng.uniform(0.75, 1.15) + rng.uniform(-0.15, 0.15) * columns + rng.uniform(-0.1, 0.1) * rows
    coarse = rng.normal(0, 8, (-(-target.shape[0] // 6), -(-target.shape[1] // 6))).repeat(6, 0).repeat(6, 1)
    texture = coarse[: target.shape[0], : target.shape[1], None] + rng.normal(0, 6, (*target.shape, 1))
    noise = rng.normal(0, 5, (*target.shape, 3))
    return np.clip(colours[target] * light[:, :, None] + texture + noise, 0, 255).astype(np.uint8)
