"""The networks on MNIST: layers and sizes as the notes and the course give them, and their parts on their own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from slipway.recipes import load_recipe
from slipway.recipes.mnist_inception import Inception
from slipway.recipes.mnist_resnet import ResidualBlock
from slipway.train.loop import Run, train
from slipway.train.settings import resolve

NAMES = ["mnist-mlp", "mnist-cnn", "mnist-cnn-deep", "mnist-inception", "mnist-resnet"]


def net(name: str) -> nn.Module:
    recipe = load_recipe(name)
    return recipe.build(recipe.config, recipe.data("embedded", recipe.config))


def shapes(module: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(p.shape) for name, p in module.named_parameters() if name.endswith("weight")]


def sizes(module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> list[tuple[int, ...]]:
    """Return the shapes without N that the direct children of these kinds give, in the order of their calls."""
    seen: list[tuple[int, ...]] = []
    for child in module.children():
        if isinstance(child, kinds):
            child.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape[1:])))
    module(torch.zeros(2, 1, 28, 28))
    return seen


def test_the_fully_connected_network_has_the_notes_layers() -> None:
    assert shapes(net("mnist-mlp")) == [(512, 784), (256, 512), (128, 256), (64, 128), (10, 64)]


def test_the_second_network_has_the_notes_layers_and_sizes() -> None:
    module = net("mnist-cnn-deep")
    assert shapes(module) == [(10, 1, 5, 5), (20, 10, 5, 5), (30, 20, 3, 3), (20, 30), (15, 20), (10, 15)]
    assert sizes(module, (nn.MaxPool2d,)) == [(10, 12, 12), (20, 4, 4), (30, 1, 1)]


def test_inception_has_the_courses_sizes() -> None:
    module = net("mnist-inception")
    assert sizes(module, (nn.MaxPool2d, Inception)) == [(10, 12, 12), (88, 12, 12), (20, 4, 4), (88, 4, 4)]
    assert shapes(module)[-1] == (10, 1408)


def test_resnet_has_the_courses_sizes() -> None:
    module = net("mnist-resnet")
    assert sizes(module, (nn.MaxPool2d, ResidualBlock)) == [(16, 12, 12), (16, 12, 12), (32, 4, 4), (32, 4, 4)]
    assert shapes(module)[-1] == (10, 512)


def test_a_residual_block_whose_f_is_zero_is_relu() -> None:
    block = ResidualBlock(3)
    nn.init.zeros_(block.conv2.weight)
    assert block.conv2.bias is not None
    nn.init.zeros_(block.conv2.bias)
    x = torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(block(x), x.relu(), rtol=0, atol=0)


def test_a_residual_block_hands_the_gradient_past_f() -> None:
    block = ResidualBlock(3)
    for p in block.parameters():
        nn.init.zeros_(p)
    x = (torch.rand(2, 3, 5, 4) + 0.1).requires_grad_()
    (gradient,) = torch.autograd.grad(block(x).sum(), x)
    torch.testing.assert_close(gradient, torch.ones_like(x))


@pytest.mark.parametrize(("branch", "reach"), [(0, 0), (1, 2), (2, 2), (3, 1)])
def test_each_branch_of_inception_sees_as_far_as_its_kernels(branch: int, reach: int) -> None:
    torch.manual_seed(0)
    module = Inception(2, narrow=3, wide=4).double()
    x = torch.randn(1, 2, 9, 9, dtype=torch.float64, requires_grad=True)
    begin, end = (0, 3) if branch == 0 else (4 * branch - 1, 4 * branch + 3)
    (gradient,) = torch.autograd.grad(module(x)[0, begin:end, 4, 4].sum(), x)
    seen: Tensor = gradient[0].abs().sum(0) > 0
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[4 - reach : 5 + reach, 4 - reach : 5 + reach] = True
    assert torch.equal(seen, expected)


def test_the_pooled_branch_counts_the_padding_as_the_course_does() -> None:
    module = Inception(1, narrow=1, wide=1)
    nn.init.ones_(module.branch_pool.weight)
    assert module.branch_pool.bias is not None
    nn.init.zeros_(module.branch_pool.bias)
    pooled = module(torch.ones(1, 1, 5, 5))[0, 3]
    torch.testing.assert_close(pooled[0, 0], torch.tensor(4 / 9))
    torch.testing.assert_close(pooled[0, 2], torch.tensor(6 / 9))
    torch.testing.assert_close(pooled[2, 2], torch.tensor(1.0))


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_preset_is_plain_sgd_with_momentum(name: str) -> None:
    training = resolve(load_recipe(name), "notes")[1]
    assert (training.optimizer, training.lr, training.momentum, training.batch_size) == ("sgd", 0.01, 0.5, 64)
    assert (training.schedule, training.weight_decay) == ("constant", 0.0)


@pytest.mark.parametrize("name", ["mnist-cnn-deep", "mnist-resnet"])
def test_the_smoke_preset_learns(name: str) -> None:
    recipe = load_recipe(name)
    assert train(Run(recipe, *resolve(recipe, "smoke"), "embedded")).score > 0.5
