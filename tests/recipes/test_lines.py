"""polynomial, linear, logistic: steps by hand equal autograd and the library's SGD, and what the notes predict."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from slipway.data import curves, points
from slipway.errors import UsageError
from slipway.preprocess import decode, encode
from slipway.recipes import linear, load_recipe, logistic, polynomial
from slipway.recipes._recipe import Recipe
from slipway.train._trained import Trained
from slipway.train.batches import Batches
from slipway.train.loop import Run, train
from slipway.train.settings import resolve


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(recipe: Recipe, preset: str = "default", **changes: object) -> Trained:
    config, training = resolve(recipe, preset, changes)
    return train(Run(recipe, config, training, "embedded"))


def training_points(recipe: Recipe, points: str = "parabola") -> tuple[Tensor, Tensor]:
    config, _ = resolve(recipe, "default", {"points": points})
    dataset = recipe.data("embedded", config)
    return torch.from_numpy(encode(recipe.signature(config, dataset), dataset.train.raws)["x"]), dataset.train.targets


def test_the_gradient_by_hand_equals_autograds() -> None:
    x, y = training_points(polynomial.RECIPE)
    x, y = x.double(), y.double()
    module = polynomial.Polynomial().double()
    polynomial.RECIPE.loss(module(x), y).backward()
    torch.testing.assert_close(polynomial.gradient(module.w.detach(), x, y), module.w.grad, rtol=1e-12, atol=1e-12)


def test_the_notes_loop_lands_at_the_weights_of_both_the_step_by_hand_and_sgd() -> None:
    recipe = polynomial.RECIPE
    config, training = resolve(recipe, "notes")
    dataset = recipe.data("embedded", config)
    torch.manual_seed(5)
    by_hand, by_library = polynomial.Polynomial(), polynomial.Polynomial()
    by_library.load_state_dict(by_hand.state_dict())
    w = by_hand.w.detach().clone().requires_grad_()
    for _ in range(50):  # the notes' loop: [x, x^2, 1], squared error, one point at a time
        for a, b in zip([1, 2, 3], [2, 4, 6], strict=True):
            error = pow(w.dot(torch.Tensor([a, pow(a, 2), 1])) - b, 2)
            error.backward()
            assert w.grad is not None
            w.data = w.data - 0.001 * w.grad.data
            w.grad.data.zero_()
    batches = Batches(recipe.signature(config, dataset), dataset.train, 1, torch.device("cpu"))
    for module, optimizer in (
        (by_hand, polynomial.optimizers(by_hand, training)[0]),
        (by_library, torch.optim.SGD(by_library.parameters(), training.lr)),
    ):
        for _ in range(50):
            for batch in batches:
                optimizer.zero_grad()
                recipe.loss(module(*batch.inputs), batch.targets).backward()
                optimizer.step()
        torch.testing.assert_close(module.w.detach(), w.detach(), rtol=1e-5, atol=1e-6)


def test_a_run_follows_the_descent_without_autograd_and_finds_the_curves_factors() -> None:
    run = trained(polynomial.RECIPE, epochs=100)
    x, y = training_points(polynomial.RECIPE)
    torch.manual_seed(0)
    w, losses = polynomial.descend(torch.rand(3), x, y, 0.1, 100)
    np.testing.assert_allclose([row["loss"] for row in run.history], losses, rtol=1e-4)
    assert isinstance(run.module, polynomial.Polynomial)
    torch.testing.assert_close(run.module.w.detach(), w, rtol=1e-4, atol=1e-5)
    # three factors from 64 points with noise of 0.1: their standard errors are below 0.02
    np.testing.assert_allclose(run.module.w.detach(), curves.QUADRATIC, atol=0.06)


def test_another_optimizer_than_the_step_by_hand_is_refused() -> None:
    with pytest.raises(UsageError, match="optimizer is adam, expected sgd"):
        trained(polynomial.RECIPE, optimizer="adam")


def test_the_notes_polynomial_learns_the_line_from_single_points() -> None:
    assert trained(polynomial.RECIPE, "notes").score > 0.9


def test_the_line_predicts_about_eight_for_four() -> None:
    for run in (trained(linear.RECIPE), trained(linear.RECIPE, "notes", epochs=200)):
        with torch.no_grad():
            assert abs(run.module(torch.tensor([[4.0]])).item() - 8) < 0.1
        assert run.score > 0.999


@pytest.mark.parametrize("kind", linear.OPTIMIZERS, ids=lambda kind: kind.__name__)
def test_the_loop_and_the_picture_learn_alike_with_each_of_the_eight(kind: type[torch.optim.Optimizer]) -> None:
    run = trained(linear.RECIPE, optimizer=kind.__name__.lower(), epochs=30)
    dataset = points.line("embedded")
    x = torch.tensor(dataset.train.raws)
    module, losses = linear.learn(kind, 0.01, 30, 0, x, dataset.train.targets)
    np.testing.assert_allclose([row["loss"] for row in run.history], losses, rtol=1e-4, atol=1e-9)
    assert losses[-1] < losses[0]
    for one, other in zip(module.parameters(), run.module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_probability_of_a_pass_crosses_one_half_between_two_and_three_hours() -> None:
    run = trained(logistic.RECIPE)
    arrays = encode(run.signature, [[hours] for hours in (0, 1, 2, 3, 4, 100)])
    with torch.no_grad():
        probabilities = run.module(torch.from_numpy(arrays["hours"])).numpy()
    assert (np.diff(probabilities[:, 0]) >= 0).all()
    assert probabilities[2, 0] < 0.1
    assert probabilities[3, 0] > 0.9
    assert decode(run.signature, {"probability": probabilities}) == ["fail"] * 3 + ["pass"] * 3


@pytest.mark.parametrize(
    ("name", "picture"), [("polynomial", "fit"), ("linear", "optimisers"), ("logistic", "sigmoid")]
)
def test_the_picture_is_the_same_for_the_same_run(name: str, picture: str) -> None:
    recipe = load_recipe(name)
    first, second = (trained(recipe, epochs=20).pictures[picture] for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second
    assert trained(recipe, epochs=5).pictures[picture] != first
