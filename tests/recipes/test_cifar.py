"""cifar-cnn: its data in every layout, and the notes' loops against torch's own layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from slipway.data import cifar10
from slipway.errors import DataError
from slipway.recipes._teaching import Conv, MaxPool
from slipway.recipes.cifar_cnn import Config, SimpleCNNModel


def gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """Return the gradients of a weighted sum of a layer's outputs by its input and its parameters."""
    x = x.clone().requires_grad_()
    y = layer(x)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    return list(torch.autograd.grad((y * weights).sum(), [x, *layer.parameters()]))


@pytest.mark.parametrize(
    ("kernel", "padding", "size"), [(3, 0, (7, 7)), (3, 1, (5, 6)), (1, 0, (3, 2)), (5, 2, (4, 7))]
)
def test_the_loops_convolve_as_torch_does(kernel: int, padding: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    loops = Conv(3, 4, kernel, padding).double()
    native = nn.Conv2d(3, 4, kernel, padding=padding).double()
    loops.load_state_dict(native.state_dict())
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    torch.testing.assert_close(loops(x), native(x), rtol=1e-12, atol=1e-12)
    for mine, theirs in zip(gradients(loops, x), gradients(native, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kernel", "size"), [(2, (6, 8)), (2, (5, 7)), (3, (7, 11))])
def test_the_loops_pool_as_torch_does(kernel: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(MaxPool(kernel)(x), nn.MaxPool2d(kernel)(x), rtol=0, atol=0)
    torch.testing.assert_close(gradients(MaxPool(kernel), x), gradients(nn.MaxPool2d(kernel), x), rtol=0, atol=0)


def test_the_whole_network_takes_the_same_weights_either_way() -> None:
    torch.manual_seed(1)
    config = Config(channels=(2, 3), hidden=(12, 8))
    native = SimpleCNNModel(config)
    loops = SimpleCNNModel(config, conv=Conv, pool=MaxPool)
    assert list(loops.state_dict()) == list(native.state_dict())
    loops.load_state_dict(native.state_dict())
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(loops(x), native(x), rtol=1e-5, atol=1e-6)
    for mine, theirs in zip(gradients(loops, x), gradients(native, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_the_default_sizes_are_those_of_the_notes() -> None:
    shapes = {
        name: tuple(p.shape) for name, p in SimpleCNNModel(Config()).named_parameters() if name.endswith("weight")
    }
    assert shapes == {
        "conv1.weight": (6, 3, 5, 5), "conv2.weight": (16, 6, 5, 5),
        "fc1.weight": (120, 400), "fc2.weight": (84, 120), "fc3.weight": (10, 84),
    }  # fmt: skip


def some_images(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, 32, 32, 3), np.uint8), rng.integers(0, 10, count)


def test_a_subset_is_read(tmp_path: Path) -> None:
    (tmp_path / "cifar10_subset").mkdir()
    for part, count in (("train", 7), ("test", 3)):
        images, targets = some_images(count)
        np.savez(tmp_path / "cifar10_subset" / f"{part}.npz", x=images, y=targets)
    for request in (tmp_path, tmp_path / "cifar10_subset"):
        dataset = cifar10.load(str(request))
        assert (len(dataset.train), len(dataset.test), dataset.source.kind) == (7, 3, "path")
        np.testing.assert_array_equal(dataset.test.raws, some_images(3)[0])
        np.testing.assert_array_equal(dataset.test.targets, some_images(3)[1])


def test_the_binary_version_is_read_plane_by_plane(tmp_path: Path) -> None:
    room = tmp_path / "cifar-10-batches-bin"
    room.mkdir()
    for count, name in enumerate((*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"), 1):
        images, targets = some_images(count)
        planes = images.transpose(0, 3, 1, 2).reshape(count, -1)
        (room / name).write_bytes(np.concatenate([targets[:, None].astype(np.uint8), planes], 1).tobytes())
    dataset = cifar10.load(str(tmp_path))
    assert (len(dataset.train), len(dataset.test)) == (15, 6)
    np.testing.assert_array_equal(dataset.test.raws, some_images(6)[0])
    np.testing.assert_array_equal(dataset.train.targets[10:], some_images(5)[1])
    (room / "test_batch.bin").write_bytes(b"12345")
    with pytest.raises(DataError, match=r"test_batch\.bin has 5 bytes, expected a multiple of 3073"):
        cifar10.load(str(tmp_path))


def test_pickles_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DataError, match="pickles, which can run any program"):
        cifar10.load(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.full(4, 10)}, "labels from 10 to 10"),
        ({"y": np.zeros(3, np.int64)}, "as many labels"),
        ({"x": np.zeros((4, 32, 32, 3), np.float32)}, "expected uint8"),
        ({"y": np.array([object()] * 4)}, "not an .npz file with x and y"),
    ],
)
def test_a_damaged_subset_is_refused(tmp_path: Path, change: dict[str, np.ndarray], message: str) -> None:
    images, targets = some_images(4)
    np.savez(tmp_path / "test.npz", x=images, y=targets)
    np.savez(tmp_path / "train.npz", **({"x": images, "y": targets} | change))
    with pytest.raises(DataError, match=message):
        cifar10.load(str(tmp_path))


def test_a_folder_of_pictures_is_read_as_one(tmp_path: Path) -> None:
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for n, image in enumerate(some_images(4)[0]):
            Image.fromarray(image).save(tmp_path / label / f"{n}.png")
    dataset = cifar10.load(str(tmp_path))
    assert dataset.labels == ("cat", "dog")
    assert dataset.source.kind == "folder"


def test_the_embedded_tiles_are_in_one_split_only() -> None:
    dataset = cifar10.load("embedded")
    train = {tile.tobytes() for tile in dataset.train.raws}
    assert not any(tile.tobytes() in train for tile in dataset.test.raws)
    assert {tile.shape for tile in dataset.train.raws} == {(32, 32, 3)}
    assert set(dataset.test.targets.tolist()) == {0, 1, 2}
