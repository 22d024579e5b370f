"""optimizer-race and init-study: each optimiser and each initialisation does what it does alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
import torch

from slipway.preprocess import encode
from slipway.recipes import init_study, optimizer_race
from slipway.recipes._recipe import Recipe, Result
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


def trained(recipe: Recipe, **changes: object) -> Trained:
    config, training = resolve(recipe, "default", changes)
    return train(Run(recipe, config, training, "embedded"))


def result(run: Trained) -> Result:
    return Result(run.config, run.training, run.dataset, run.signature, run.module, run.seed, run.history)


def test_each_racer_learns_as_it_would_alone() -> None:
    recipe, together = optimizer_race.RECIPE, trained(optimizer_race.RECIPE, epochs=2)
    torch.manual_seed(0)
    module = optimizer_race.Race(recipe.config)
    batches = Batches(together.signature, together.dataset.train, 32, torch.device("cpu"), 0)
    steps = optimizer_race.optimizers(module, together.training)
    for place, (net, optimizer) in enumerate(zip(module.nets.values(), steps, strict=True)):
        for epoch in (1, 2):
            batches.epoch = epoch
            for batch in batches:
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(net(*batch.inputs), batch.targets).backward()
                optimizer.step()
        x = torch.linspace(-1, 1, 21).unsqueeze(1)
        with torch.no_grad():
            torch.testing.assert_close(together.module(x)[place], net(x), rtol=1e-5, atol=1e-6)


def test_the_race_begins_with_equal_networks_and_ends_with_four() -> None:
    x = torch.linspace(-1, 1, 21).unsqueeze(1)
    run = trained(optimizer_race.RECIPE, epochs=1)
    with torch.no_grad():
        start, end = optimizer_race.Race(optimizer_race.RECIPE.config)(x), run.module(x)
    assert all(torch.equal(start[0], other) for other in start[1:])
    assert all(not torch.allclose(end[i], end[j], atol=1e-3) for i in range(4) for j in range(i))


def test_momentum_and_adaptive_steps_win_the_race_of_the_notes() -> None:
    run = trained(optimizer_race.RECIPE)
    losses = optimizer_race.run_again(result(run))
    last = {name: sum(values[-32:]) / 32 for name, values in losses.items()}
    assert {len(values) for values in losses.values()} == {12 * 32}
    assert max(last["rmsprop"], last["adam"]) < last["momentum"] < last["sgd"]
    assert run.pictures["race"].startswith(b"\x89PNG")


def test_the_score_is_the_mean_of_the_four() -> None:
    targets = torch.tensor([[0.0], [1.0], [2.0]])
    right, mean = targets.clone(), torch.ones_like(targets)
    correct, total = optimizer_race.score((right, right, right, mean), targets)
    assert correct / total == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("scheme", "low", "high", "deviation"),
    [
        ("uniform", 0, 1, 12**-0.5),
        ("normal", -9, 9, 1.0),
        ("constant", 0.1, 0.1, 0.0),
        ("ones", 1, 1, 0.0),
        ("zeros", 0, 0, 0.0),
        ("xavier_uniform", -((6 / 96) ** 0.5), (6 / 96) ** 0.5, (2 / 96) ** 0.5),
        ("xavier_normal", -9, 9, (2 / 96) ** 0.5),
        ("kaiming_uniform", -((6 / 64) ** 0.5), (6 / 64) ** 0.5, (2 / 64) ** 0.5),
    ],
)
def test_a_scheme_fills_the_weights_as_its_paper_says(scheme: str, low: float, high: float, deviation: float) -> None:
    torch.manual_seed(0)
    config, _ = resolve(init_study.RECIPE, "default", {"scheme": scheme})
    module = init_study.build(config, init_study.RECIPE.data("embedded", config))
    assert isinstance(module, init_study.Generator)
    weight = module.layers[1].weight.detach()  # 64 in, 32 out: 2048 values
    assert low - 1e-6 <= weight.min()
    assert weight.max() <= high + 1e-6
    assert weight.std().item() == pytest.approx(deviation, rel=0.1, abs=1e-6)
    assert all(not layer.bias.any() for layer in (*module.layers, module.out))


def test_every_scheme_of_the_config_is_known_and_xavier_on_a_bias_raises_as_the_docstring_says() -> None:
    assert set(get_args(init_study.Scheme)) == set(init_study.SCHEMES)
    with pytest.raises(ValueError, match="Fan in and fan out"):
        init_study.SCHEMES["xavier_uniform"](torch.empty(8))


def test_the_scale_of_the_activations_grows_stays_or_vanishes_with_the_scheme() -> None:
    run = result(trained(init_study.RECIPE, epochs=2))
    deviations = {}
    for scheme in ("ones", "normal", "kaiming_uniform", "xavier_uniform", "zeros"):
        trial = init_study.try_scheme(run, scheme, 2)
        assert [tuple(a.shape) for a in trial.activations] == [(354, 64), (354, 32), (354, 16)]
        assert len(trial.losses) == 2
        deviations[scheme] = [a.std().item() for a in trial.activations]
    assert deviations["zeros"] == [0, 0, 0]
    assert deviations["ones"][2] > 100 * deviations["ones"][0]
    assert deviations["normal"][2] > 10 * deviations["normal"][0]
    assert 0.3 < deviations["kaiming_uniform"][2] / deviations["kaiming_uniform"][0] < 3
    assert deviations["xavier_uniform"][2] < deviations["kaiming_uniform"][2]


def test_weights_of_zeros_learn_nothing_but_the_mean() -> None:
    run = trained(init_study.RECIPE, scheme="zeros", epochs=3)
    x = torch.from_numpy(encode(run.signature, run.dataset.test.raws)["x"])
    with torch.no_grad():
        assert run.module(x).unique().numel() == 1
    assert run.score <= 0
