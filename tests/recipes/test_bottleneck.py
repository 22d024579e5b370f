"""The bottleneck's three forms are one function of one list of weights, and its shape is the notes'."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from slipway.recipes import load_recipe
from slipway.recipes.bottleneck import Bottleneck, Form, bottleneck
from slipway.train.settings import resolve

FORMS: list[Form] = ["sequential", "ordered_dict", "module_list"]


def with_weights_of(source: nn.Module, target: nn.Module) -> nn.Module:
    """Copy parameters and running statistics in their order; their names differ from form to form."""
    theirs, ours = list(source.state_dict().items()), list(target.state_dict().items())
    assert [value.shape for _, value in theirs] == [value.shape for _, value in ours]
    target.load_state_dict({name: value for (name, _), (_, value) in zip(ours, theirs, strict=True)})
    return target


def run(module: nn.Module, x: Tensor) -> list[Tensor]:
    """Return outputs and gradients in train mode, then outputs in eval mode with the statistics that this leaves."""
    module.train()
    y = module(x)
    y.square().mean().backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    return [y.detach(), *gradients, module.eval()(x).detach()]


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_equal_outputs_and_gradients_with_equal_weights(form: Form) -> None:
    torch.manual_seed(0)
    source = bottleneck("sequential", 8, 12)
    other = with_weights_of(source, bottleneck(form, 8, 12))
    x = torch.randn(3, 8, 7, 5)
    for ours, theirs in zip(run(source, x), run(other, x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_the_whole_net_is_one_function_in_all_forms() -> None:
    recipe = load_recipe("bottleneck")
    dataset = recipe.data("embedded", recipe.config)
    nets = [recipe.build(resolve(recipe, "smoke", {"form": form})[0], dataset).eval() for form in FORMS]
    outputs = [with_weights_of(nets[0], net)(torch.ones(2, 1, 28, 28)) for net in nets]
    assert all(torch.equal(outputs[0], output) for output in outputs)


def test_channels_narrow_to_a_quarter_and_height_and_width_stay() -> None:
    block = Bottleneck(64, 128)
    seen: list[tuple[int, ...]] = []
    for layer in (block.layer1, block.layer2, block.layer3):
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape)))
    block(torch.zeros(2, 64, 9, 6))
    assert seen == [(2, 16, 9, 6), (2, 16, 9, 6), (2, 128, 9, 6)]


def test_the_block_is_what_the_layers_compute_by_hand() -> None:
    torch.manual_seed(1)
    block = Bottleneck(8, 12).eval()
    x = torch.randn(2, 8, 5, 4, dtype=torch.float64)
    block.double()
    y = x
    for layer in (block.layer1, block.layer2, block.layer3):
        conv, norm = layer[0], layer[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        side = conv.kernel_size[0]
        columns = nn.functional.unfold(y, side, padding=side // 2)  # [N, C * side * side, H * W]
        assert conv.bias is not None
        z = torch.einsum("oc,ncp->nop", conv.weight.flatten(1), columns) + conv.bias[:, None]
        z = (z - norm.running_mean[:, None]) / (norm.running_var[:, None] + norm.eps).sqrt()  # type: ignore[index]  # set
        y = (z * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0).unflatten(2, (5, 4))
    torch.testing.assert_close(block(x), y)
