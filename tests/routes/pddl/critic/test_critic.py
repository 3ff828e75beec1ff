"""The logistic model on data whose answer is known, and the features on a scene."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.errors import ConfigurationError
from embodied.routes.pddl.critic.features import GROUPS, NAMES, features
from embodied.routes.pddl.critic.learned import OutcomeCritic
from embodied.routes.pddl.critic.logistic import (
    LogisticModel,
    brier_score,
    calibration_error,
    discrimination,
    fit,
)
from embodied.types import GroundAction
from embodied.world.fake import FakeWorld
from embodied.world.scene import load_scene


def test_the_fit_finds_the_weights_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    true = np.array([0.5, -2.0, 1.0])
    x = rng.normal(size=(6000, 3))
    y = (rng.random(6000) < 1 / (1 + np.exp(-x @ true))).astype(float)
    model = fit(x, y, ("a", "b", "c"), l2=0.1)
    np.testing.assert_allclose(model.weights, true, atol=0.15)
    p = model.probability(x)
    assert calibration_error(p, y) < 0.02
    assert brier_score(p, y) < brier_score(np.full(6000, y.mean()), y)
    assert discrimination(p, y) > 0.8


def test_calibration_error_of_a_braggart() -> None:
    y = np.array([1.0, 0.0] * 50)
    assert calibration_error(np.full(100, 0.99), y) == pytest.approx(0.49)
    assert calibration_error(np.full(100, 0.5), y) < 0.01
    assert np.isnan(discrimination(np.ones(3), np.ones(3)))


def test_weights_survive_json_and_wrong_ones_are_refused() -> None:
    model = LogisticModel(names=("a", "b"), weights=np.array([1.0, -0.25]))
    again = LogisticModel.from_json(model.as_json(), ("a", "b"))
    np.testing.assert_allclose(again.weights, model.weights)
    with pytest.raises(ConfigurationError, match="c"):
        LogisticModel.from_json({"a": 1.0, "c": 2.0}, ("a", "b"))


def test_features_see_the_geometry() -> None:
    world = FakeWorld(load_scene("blocks"))
    seen = world.reset(seed=1)

    def value(text: str, name: str, attempt: int = 0, sigma_m: float = 0.0) -> float:
        action = GroundAction.parse(text)
        x = features(action, seen, world.spec, attempt=attempt, pose_sigma_m=sigma_m)
        return float(x[NAMES.index(name)])

    assert value("(pick red-block table)", "take") == 1.0
    assert value("(pick red-block table)", "stack") == 0.0
    assert value("(stack red-block blue-block)", "stack:small-support") == pytest.approx(
        0.04 / 0.045
    )
    assert value("(pick red-block table)", "take:attempt", attempt=2) == 2.0
    assert value("(pick red-block table)", "take:uncertain", sigma_m=0.005) == pytest.approx(0.5)
    with pytest.raises(ValueError, match=", ".join(GROUPS)):
        features(GroundAction("pour", ("a",)), seen, world.spec, attempt=0, pose_sigma_m=0.0)


def test_the_critic_is_a_probability_and_shrugs_at_what_it_does_not_know() -> None:
    world = FakeWorld(load_scene("blocks"))
    seen = world.reset(seed=1)
    model = LogisticModel(names=NAMES, weights=np.linspace(-1.0, 1.0, len(NAMES)))
    critic = OutcomeCritic(world.spec, model)
    assert 0.0 < critic.chance(GroundAction.parse("(pick red-block table)"), seen, attempt=0) < 1.0
    assert critic.chance(GroundAction.parse("(sing)"), seen, attempt=0) == 1.0
