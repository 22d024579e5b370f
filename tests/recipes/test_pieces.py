"""Pieces of labelled pictures: what they show is where their classes say, and every run sees the same ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from slipway.data._dataset import Split
from slipway.data.pieces import Cut, Pieces, Variety, cut_pieces, draw_cut, relit

#: No change of light, and no change of size for a piece of the frame's own.
PLAIN = Variety(smallest=1.0, aspect=1.0, light=0.0)


def coded(frames: int = 3, height: int = 48, width: int = 60) -> Split:
    """Frames whose classes can be read off the picture: every 12x12 square has a grey of ten times its class."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 12, (frames, height // 12, width // 12)).repeat(12, 1).repeat(12, 2).astype(np.uint8)
    return Split([np.repeat(c[:, :, None] * 10, 3, 2).astype(np.uint8) for c in classes], torch.from_numpy(classes))


def test_the_whole_frame_in_its_size_is_itself_or_its_mirror_image() -> None:
    split = coded()
    pieces = cut_pieces(split, (48, 60), 8, PLAIN)
    mirrored = 0
    for place in range(len(pieces)):
        frame, target = split.raws[place % 3], split.targets[place % 3].numpy()
        if not np.array_equal(pieces.targets[place], target):
            frame, target, mirrored = frame[:, ::-1], target[:, ::-1], mirrored + 1
        np.testing.assert_array_equal(pieces.targets[place], target)
        np.testing.assert_array_equal(pieces.raws[place], frame)
    assert 0 < mirrored < len(pieces)


@pytest.mark.parametrize("size", [(48, 60), (24, 30), (70, 64)])
def test_classes_lie_where_the_picture_shows_them(size: tuple[int, int]) -> None:
    pieces = cut_pieces(coded(), size, 5, Variety(smallest=0.4, light=0.0))
    assert pieces.targets.shape == (15, *size)
    for picture, target in zip(pieces.raws, pieces.targets.numpy(), strict=True):
        assert picture.shape == (*size, 3)
        inside = np.abs(picture[:, :, 0].astype(int) - 10 * target.astype(int)) <= 3
        assert inside.mean() > 0.5  # the others lie where two squares are mixed, and there between the two
        assert picture.max() <= 110


def test_pieces_are_the_same_every_time_and_differ_among_each_other() -> None:
    first, again, other = (cut_pieces(coded(), (12, 15), 4, Variety(), seed) for seed in (0, 0, 1))
    for place in range(len(first)):
        np.testing.assert_array_equal(first.raws[place], again.raws[place])
        np.testing.assert_array_equal(first.raws[place], first.raws[place])
    assert not np.array_equal(np.stack(first.raws), np.stack(other.raws))
    assert len({picture.tobytes() for picture in first.raws}) == len(first) == 12
    assert isinstance(first.raws[2:5], Pieces)
    np.testing.assert_array_equal(first.raws[2:5][1], first.raws[3])


def test_a_cut_lies_inside_its_frame() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        left, top, right, bottom = draw_cut(rng, 0, 7, 3, Variety(smallest=0.01, aspect=3.0)).box
        assert 0 <= left < right <= 3
        assert 0 <= top < bottom <= 7


def test_light_does_what_its_numbers_say() -> None:
    grey = np.full((5, 4, 3), 64, np.uint8)
    plain = Cut(0, (0, 0, 4, 5), False, 1.0, (1.0, 1.0, 1.0), 1.0, (0.0, 0.0), 0.0, 0)
    np.testing.assert_array_equal(relit(grey, plain), grey)
    brighter = relit(grey, Cut(0, plain.box, False, 0.5, plain.gains, 1.0, plain.slopes, 0.0, 0))
    assert (brighter == round((64 / 255) ** 0.5 * 255)).all()
    redder = relit(grey, Cut(0, plain.box, False, 1.0, (2.0, 1.0, 1.0), 0.0, plain.slopes, 0.0, 0))
    assert (redder == round(64 * 4 / 3)).all()
    sloped = relit(grey, Cut(0, plain.box, False, 1.0, plain.gains, 1.0, (0.2, 0.0), 0.0, 0))
    assert (np.diff(sloped[:, 0, 0].astype(int)) > 0).all()
    noisy = relit(grey, Cut(0, plain.box, False, 1.0, plain.gains, 1.0, plain.slopes, 0.05, 3))
    assert noisy.std() > 3
    assert (noisy[:, :, 0] == noisy[:, :, 1]).all()
