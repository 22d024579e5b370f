"""The notes' stack of uneven strides: its layers, the sizes that the notes state, and the strips it learns from."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from slipway.data import mnist
from slipway.errors import UsageError
from slipway.recipes.conv_stack import PLACES, Config, data, lower_layers, signature

#: The note's comment behind each convolution and pooling, as height, width, channels.
COMMENTS = [
    (500, 20, 32), (1000, 25, 64), (500, 13, 192), (1000, 25, 192), (500, 13, 192), (1000, 25, 192), (500, 13, 192),
    (1000, 25, 192),
]  # fmt: skip


def along(size: int, layer: nn.Conv2d | nn.MaxPool2d, axis: int) -> int:
    """Return the note's ``floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)`` of one axis."""
    values = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    kernel, stride, padding, dilation = (int(value[axis] if isinstance(value, tuple) else value) for value in values)
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def counted(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return height, width and channels after each convolution and pooling, by the formula."""
    sizes, channels = [], 1
    for layer in lower_layers(Config()):
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            height, width = along(height, layer, 0), along(width, layer, 1)
            channels = layer.out_channels if isinstance(layer, nn.Conv2d) else channels
            sizes.append((height, width, channels))
    return sizes


def computed(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return the same sizes from tensors of these sizes."""
    sizes, x = [], torch.zeros(1, 1, height, width)
    with torch.no_grad():
        for layer in lower_layers(Config()):
            x = layer(x)
            if not isinstance(layer, nn.ReLU):
                sizes.append((x.shape[2], x.shape[3], x.shape[1]))
    return sizes


def test_the_layers_are_those_of_the_note() -> None:
    printed = [str(layer) for layer in lower_layers(Config())]
    assert printed == [
        "Conv2d(1, 32, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3))",
        "ReLU(inplace=True)",
        "Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        "ReLU(inplace=True)",
        "MaxPool2d(kernel_size=3, stride=(3, 2), padding=1, dilation=1, ceil_mode=False)",
        "Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        "ReLU(inplace=True)",
        "MaxPool2d(kernel_size=3, stride=(4, 2), padding=1, dilation=1, ceil_mode=False)",
        "Conv2d(128, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        "ReLU(inplace=True)",
        "MaxPool2d(kernel_size=3, stride=(3, 2), padding=1, dilation=1, ceil_mode=False)",
        "Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        "ReLU(inplace=True)",
    ]


@pytest.mark.parametrize("size", [(1000, 40), (1000, 50), (144, 28), (73, 29)])
def test_the_sizes_follow_the_notes_formula(size: tuple[int, int]) -> None:
    assert computed(*size) == counted(*size)


def test_of_the_notes_comments_two_are_right_each_for_an_input_of_its_own() -> None:
    sizes = counted(1000, 40)
    assert sizes == [
        (500, 20, 32), (500, 20, 64), (167, 10, 64), (167, 10, 128), (42, 5, 128), (42, 5, 256), (14, 3, 256),
        (14, 3, 256),
    ]  # fmt: skip
    assert sizes[0] == COMMENTS[0]
    assert counted(2000, 50)[1] == COMMENTS[1]
    assert {channels for _, _, channels in COMMENTS[2:]} == {192}
    assert 192 not in {channels for _, _, channels in sizes}


def test_the_list_gives_the_same_function_in_every_container() -> None:
    torch.manual_seed(0)
    config = Config(channels=(4, 6, 8, 10, 12))
    layers = lower_layers(config)
    forms = [
        nn.Sequential(*layers),
        nn.Sequential(OrderedDict((f"layer{n}", layer) for n, layer in enumerate(layers))),
    ]
    x = torch.randn(2, 1, 100, 30)
    by_hand = x.clone()
    for layer in nn.ModuleList(layers):
        by_hand = layer(by_hand)
    for form in forms:
        torch.testing.assert_close(form(x.clone()), by_hand, rtol=0, atol=0)


def test_each_digit_stands_once_on_its_strip_and_nothing_else_does() -> None:
    config = Config(height=90, width=33)
    dataset, digits = data("embedded", config), mnist.load("embedded")
    assert len(dataset.train) == PLACES * len(digits.train)
    assert len(dataset.test) == len(digits.test)
    for split, whole in ((dataset.train, digits.train), (dataset.test, digits.test)):
        for n in range(0, len(split), 97):
            strip, digit = split.raws[n], whole.raws[n % len(whole)]
            places = np.lib.stride_tricks.sliding_window_view(strip, digit.shape)
            assert strip.shape == (90, 33)
            assert (places == digit).all(axis=(2, 3)).any()
            assert strip.sum(dtype=np.int64) == digit.sum(dtype=np.int64)
            assert split.targets[n] == whole.targets[n % len(whole)]
    tops = {int(np.flatnonzero(strip.any(axis=1))[0]) for strip in dataset.train.raws}
    assert min(tops) <= 5
    assert max(tops) >= 62


def test_strips_are_the_same_every_time_and_no_more_than_asked_for() -> None:
    config = Config(strips=50)
    first, again = data("embedded", config), data("embedded", config)
    assert len(first.train) == len(first.test) == 50
    assert first.source.rows == {"train": 50, "test": 50}
    np.testing.assert_array_equal(np.stack(first.train.raws), np.stack(again.train.raws))
    assert signature(config, first).inputs[0].dims == ("N", 1, 144, 28)


@pytest.mark.parametrize("config", [Config(height=27), Config(width=20)])
def test_a_strip_smaller_than_a_digit_is_refused(config: Config) -> None:
    with pytest.raises(UsageError, match="cannot hold digits of 28x28"):
        data("embedded", config)


def test_a_folder_of_pictures_is_read_as_it_is(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for name in ("1.png", "2.png"):
            Image.fromarray(np.full((50, 9), 7, dtype=np.uint8)).save(tmp_path / label / name)
    dataset = data(str(tmp_path), Config())
    assert dataset.labels == ("a", "b")
    assert dataset.train.raws[0].shape == (50, 9)
