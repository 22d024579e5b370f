"""fizzbuzz: bits as the notes write them, and the notes' freehand model as an oracle for loss, gradients and steps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from slipway.data.fizzbuzz import LABELS, load, say
from slipway.recipes import fizzbuzz
from slipway.train.loop import Run, train
from slipway.train.settings import resolve


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def binary(number: int) -> list[int]:
    """The notes' ``binary_encoder(10)``."""
    ret = [int(i) for i in f"{number:b}"]
    return [0] * (10 - len(ret)) + ret


def one_hot(number: int) -> list[int]:
    """The notes' targets, in this project's order of labels."""
    if number % 15 == 0:
        return [0, 0, 0, 1]
    if number % 5 == 0:
        return [0, 0, 1, 0]
    return [0, 1, 0, 0] if number % 3 == 0 else [1, 0, 0, 0]


def freehand(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """The notes' freehand model: digits [N, 10] to scores [N, 4]."""
    h2 = x.matmul(w1).add(b1).sigmoid()
    return h2.matmul(w2).add(b2).sigmoid()


def test_the_digits_of_every_number_are_those_of_the_notes_encoder() -> None:
    numbers = torch.arange(1024, dtype=torch.float32).unsqueeze(1)
    expected = torch.tensor([binary(n) for n in range(1024)], dtype=torch.float32)
    net = fizzbuzz.FizzBuzzNet(fizzbuzz.RECIPE.config)
    assert torch.equal(net.digits(numbers), expected)
    assert torch.equal(net.double().digits(numbers.double()), expected.double())


def test_what_is_said_follows_the_rule() -> None:
    assert [say(n) for n in (1, 3, 5, 6, 10, 15, 30, 98)] == [
        "number", "fizz", "buzz", "fizz", "buzz", "fizzbuzz", "fizzbuzz", "number",
    ]  # fmt: skip
    dataset = load("embedded")
    assert [raw[0] for raw in dataset.test.raws] == list(range(1, 101))
    assert [raw[0] for raw in dataset.train.raws] == list(range(101, 1024))
    assert dataset.labels == LABELS
    for split in (dataset.train, dataset.test):
        hot = torch.nn.functional.one_hot(split.targets, 4).tolist()
        assert hot == [one_hot(int(raw[0])) for raw in split.raws]


def test_loss_gradients_and_steps_are_those_of_the_freehand_model() -> None:
    torch.manual_seed(4)
    net = fizzbuzz.FizzBuzzNet(fizzbuzz.RECIPE.config).double()
    w1, w2 = (layer.weight.detach().t().clone().requires_grad_() for layer in (net.hidden, net.out))
    b1, b2 = (layer.bias.detach().unsqueeze(0).clone().requires_grad_() for layer in (net.hidden, net.out))
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    for start in range(0, 640, 64):
        numbers = range(101 + start, 101 + start + 64)
        x = torch.tensor([binary(n) for n in numbers], dtype=torch.float64)
        error = freehand(x, w1, b1, w2, b2) - torch.tensor([one_hot(n) for n in numbers])
        output = error.pow(2).sum() / 2.0
        output.backward()
        targets = torch.tensor([LABELS.index(say(n)) for n in numbers])
        loss = 64 * fizzbuzz.loss(net(torch.tensor(numbers, dtype=torch.float64).unsqueeze(1)), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.testing.assert_close(loss, output)
        for ours, theirs in ((net.hidden, (w1, b1)), (net.out, (w2, b2))):
            assert theirs[0].grad is not None
            assert theirs[1].grad is not None
            torch.testing.assert_close(ours.weight.grad, theirs[0].grad.t())
            torch.testing.assert_close(ours.bias.grad, theirs[1].grad[0])
        optimizer.step()
        with torch.no_grad():  # the notes' parameter update
            for parameter in (w1, w2, b1, b2):
                parameter -= 0.01 * parameter.grad
                parameter.grad.zero_()
    torch.testing.assert_close(net.hidden.weight.detach(), w1.detach().t())


@pytest.mark.slow
def test_one_to_a_hundred_are_said_right() -> None:
    config, training = resolve(fizzbuzz.RECIPE)
    assert train(Run(fizzbuzz.RECIPE, config, training, "embedded", seed=1)).score >= 0.95
