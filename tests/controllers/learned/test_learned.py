from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from embodied_controllers.learned import (
    LearningOptions,
    OnlineLearner,
    PlanProposal,
    PlanStage,
    UniformProposal,
)
from embodied_controllers.learned.proposals import waypoints
from embodied_controllers.learned.recall import BestTrials

from embodied.bench.contact.push import PushWorld
from embodied.bench.contact.scenes import SCENES, ContactWorld


def line(*points: tuple[float, float, float], **more: Any) -> PlanStage:
    return PlanStage(path_in_world=np.array(points), **{"opening": 0.0, "noise_m": 0.0, **more})


def test_waypoints_begin_at_the_nearest_point_and_end_at_the_last() -> None:
    path = np.array([[0.0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0]])
    found = waypoints(path, np.array([0.05, 0.02, 0.01]), 0.04, 5)
    np.testing.assert_allclose(found[0], [0.09, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found[1], [0.1, 0.03, 0], atol=1e-12)
    np.testing.assert_allclose(found[-1], [0.1, 0.1, 0], atol=1e-12)


def test_without_noise_the_proposal_is_the_plan_and_a_held_gripper_is_not_pulled_harder() -> None:
    proposal = PlanProposal([line((0, 0, 0), (0.3, 0, 0))], step_m=0.02)
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = proposal.sample(rng, np.zeros(3), 3, 4)
        np.testing.assert_allclose(actions[..., 0], 0.02, atol=1e-12)
        np.testing.assert_allclose(actions[..., 1:], 0.0, atol=1e-12)


def test_stages_end_on_arrival() -> None:
    stages = [line((0, 0, 0), (0.1, 0, 0), opening=1.0), line((0.1, 0, 0), (0.1, 0, 0.1))]
    proposal = PlanProposal(stages)
    rng = np.random.default_rng(0)
    assert proposal.draw(rng, np.array([0.05, 0, 0]))[3] == 1.0
    assert proposal.draw(rng, np.array([0.095, 0, 0]))[3] == 0.0
    proposal.reset()
    assert proposal.draw(rng, np.array([0.05, 0, 0]))[3] == 1.0


def test_actions_stay_within_reach() -> None:
    rng = np.random.default_rng(0)
    plan = PlanProposal([line((0, 0, 0), (0.3, 0, 0), noise_m=0.5)], reach_m=0.06)
    for proposal in (plan, UniformProposal(reach_m=0.06)):
        actions = proposal.sample(rng, np.zeros(3), 50, 5)
        assert actions.shape == (50, 5, 4)
        assert np.abs(actions[..., :3]).max() <= 0.06


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((2, 2))])
def test_a_path_that_is_none_is_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="a path"):
        PlanStage(path_in_world=points, opening=0.0, noise_m=0.0)


def _script(name: str, press_m: float, pull_m: float) -> float:
    """Grasp, then move by hand; the largest opening that was measured."""
    world = ContactWorld(SCENES[name])
    state = world.reset(1)
    best = 0.0
    target = np.array([0.44, 0.0, 0.5])
    for step in range(world.steps):
        move = np.zeros(3)
        if step < 12:
            move = np.clip(target - state[:3], -0.03, 0.03)
        else:
            pull = np.array(SCENES[name].pull_in_world)
            move = pull_m * pull / np.linalg.norm(pull)
            move[2] = 0.5 - press_m - state[2]
            if step < 15 and press_m:
                move[0] = 0.0
        state = world.step(np.array([*move, float(step < 10)]))
        best = max(best, float(world.opening(state)))
    return best


def test_the_bolt_holds_the_door_until_the_lever_is_pressed() -> None:
    assert _script("door", 0.0, 0.04) < 0.05
    assert _script("door", 0.045, 0.025) == 1.0


@pytest.mark.parametrize("name", ["window", "fridge"])
def test_what_sticks_opens_only_with_enough_force(name: str) -> None:
    assert _script(name, 0.0, 0.015) < 0.15
    assert _script(name, 0.0, 0.05) == 1.0


def test_the_box_leaves_the_line_when_it_is_pushed_at_its_middle() -> None:
    world = PushWorld()
    ends = []
    for across in (0.0, 0.03):
        state = world.reset(1)
        reached = 0.0
        for _ in range(world.steps):
            to = np.array([0.0, across - state[1], 0.5 - state[2]])
            x = 0.02 if abs(to[1]) < 0.02 or state[0] > 0.27 else 0.0
            state = world.step(np.array([x, *np.clip(to[1:], -0.03, 0.03), 0.0]))
            reached = max(reached, float(world.opening(state)))
        ends.append(reached)
    assert ends[0] < 0.9
    assert ends[1] == 1.0  # pushed where its weight is


def test_the_best_trials_are_kept_and_followed_from_where_the_state_is_most_alike() -> None:
    best = BestTrials(noise_m=0.0)
    rng = np.random.default_rng(0)
    assert best.sample(rng, np.zeros(3), 4, 2) == []
    states = np.zeros((5, 3))
    states[:, 0] = 0.1 * np.arange(5)
    for opening in (0.1, 0.5, 1.0, 0.7):
        best.add(states, np.full((5, 4), 0.01 * opening), opening)
    assert len(best) == 2
    best.reset()
    at_second = best.sample(rng, np.array([0.21, 0.0, 0.0]), 3, 2)
    assert [a.shape for a in at_second] == [(3, 2, 4)] * 2
    np.testing.assert_allclose(at_second[0][:, 1, :3], 0.01)  # of the trial that opened most
    # the first action leads to where the recalled set-point was
    np.testing.assert_allclose(at_second[0][:, 0, 0], 0.01 + 0.2 - 0.21, atol=1e-12)
    best.follow(0)
    back = best.sample(rng, np.zeros(3), 1, 1)
    assert back[0][0, 0, 0] == pytest.approx(0.06)  # never back: clipped on the way to the third


class Toy:
    """A cart on a line that moves only when pushed by more than 2 cm."""

    n_state, steps = 4, 12

    def reset(self, seed: int) -> np.ndarray:
        self.x = np.zeros(4)
        return self.x.copy()

    def step(self, action: np.ndarray) -> np.ndarray:
        move = np.where(np.abs(action[:3]) > 0.02, action[:3], 0.0)
        self.x[:3] += move
        self.x[3] += move[0]
        return self.x.copy()

    def opening(self, states: np.ndarray) -> np.ndarray:
        return np.clip(states[..., 3] / 0.3, 0.0, 1.0)


def _needs_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra [learned])")
    torch.set_num_threads(1)


def test_a_toy_is_learned_from_a_few_trials() -> None:
    _needs_torch()
    stage = line((0, 0, 0), (0.5, 0, 0), noise_m=0.03)
    learner = OnlineLearner(
        Toy(),
        PlanProposal([stage], step_m=0.01),
        LearningOptions(samples=64, fit_steps=60),
        seed=0,
    )
    assert (
        not OnlineLearner(Toy(), PlanProposal([stage], step_m=0.01, noise=0.0), seed=0)
        .evaluate(0)
        .success
    )  # the plan alone pushes by 1 cm
    for trial in range(6):
        learner.try_once(trial)
    assert all(learner.evaluate(100 + i).success for i in range(3))


def test_the_ensemble_predicts_what_it_was_shown() -> None:
    _needs_torch()
    from embodied_controllers.learned.dynamics import EnsembleDynamics

    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(400, 3)), rng.normal(size=(400, 2))
    after = states + np.column_stack([actions[:, 0], actions[:, 1] * states[:, 0], actions[:, 0]])
    model = EnsembleDynamics(3, 2, seed=0)
    assert model.fit(states, actions, after, steps=600) < 0.1
    predicted = model.rollout(states[0], actions[:5, None])
    assert predicted.shape == (5, 1, 3)
    assert model.rollout(states[0], actions[:5, None], 2).shape == (5, 1, 3)
    np.testing.assert_allclose(predicted[0, 0], after[0], atol=0.5)
    with pytest.raises(ValueError, match="no transitions"):
        model.fit(states[:0], actions[:0], after[:0])
