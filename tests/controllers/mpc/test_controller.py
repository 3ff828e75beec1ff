from __future__ import annotations

import time

import numpy as np
import pytest
from embodied_controllers.mpc import Plan, PlanCondition, PlannerOptions
from embodied_controllers.mpc.arm import ArmView
from embodied_controllers.mpc.controller import Mode, PlanInputs
from embodied_controllers.mpc.quadruped import QuadrupedView

from embodied.language.reward import VOCABULARIES, make_term
from embodied.routes.reward.setup import build_setup
from embodied.types import (
    Command,
    ControlStatus,
    GripperGoal,
    RewardCondition,
    RewardGoal,
    RewardGuard,
    RewardProgram,
    RewardStage,
    RewardTerm,
)

SMALL = PlannerOptions(horizon_s=0.2, n_knots=3, n_samples=6)


def program(*stages: RewardStage, robot: str = "quadruped") -> RewardProgram:
    return RewardProgram(robot=robot, stages=stages, source="test")


SIT = RewardStage(terms=(make_term("torso_height", height=0.15), make_term("posture")))


def test_every_word_of_the_vocabularies_has_a_residual_and_a_sensor() -> None:
    for robot, view in (("quadruped", QuadrupedView), ("fr3-hand", ArmView)):
        words = VOCABULARIES[robot]
        assert set(view.RESIDUALS) - set(view.DERIVED) == set(words.terms)
        assert {"stage_time", *view.SENSORS} == set(words.sensors)


def test_sitting_down_lowers_the_torso() -> None:
    rig = build_setup(
        "quadruped", options=PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=12), seed=0
    )
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(SIT)), observation)
    for _ in range(100):
        command, state, status = rig.controller.step(state, observation)
        observation = rig.world.step(command).observation
    assert status is ControlStatus.RUNNING
    assert float(rig.judge.measure(observation).value("torso_height")[0, 0]) < 0.2
    rig.close()


def test_stages_end_by_time_and_by_condition() -> None:
    quick = RewardStage(terms=SIT.terms, duration_s=0.05)
    at_once = RewardStage(
        terms=SIT.terms, until=RewardCondition(sensor="torso_height", op=">=", value=0.1)
    )
    rig = build_setup("quadruped", options=SMALL)
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(quick, at_once)), observation)
    seen = []
    for _ in range(12):
        command, state, status = rig.controller.step(state, observation)
        seen.append(state.stage)
        if status is ControlStatus.REACHED:
            break
        observation = rig.world.step(command).observation
    assert status is ControlStatus.REACHED
    assert seen == [0] * 5 + [1, 2]
    rig.close()


def test_a_guard_leads_back_and_is_ignored_after_too_many_returns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("embodied_controllers.mpc.controller.RETURNS_MAX", 2)
    high = RewardCondition(sensor="torso_height", op=">=", value=0.9)
    stages = (
        RewardStage(terms=SIT.terms, duration_s=0.02),
        RewardStage(
            terms=SIT.terms, duration_s=0.05, guards=(RewardGuard(condition=high, back=1),)
        ),
    )
    rig = build_setup("quadruped", options=SMALL)
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(*stages)), observation)
    seen, status = [], ControlStatus.RUNNING
    while status is ControlStatus.RUNNING:
        command, state, status = rig.controller.step(state, observation)
        seen.append(state.stage)
        observation = rig.world.step(command).observation
    assert seen == [0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 2]
    assert state.returns == 2
    rig.close()


def test_runs_with_equal_seeds_are_bit_identical() -> None:
    def run() -> list[np.ndarray]:
        rig = build_setup("quadruped", options=SMALL, seed=3)
        observation = rig.world.reset(seed=3)
        state = rig.controller.init(RewardGoal(program=program(SIT)), observation)
        out = []
        for _ in range(20):
            command, state, _ = rig.controller.step(state, observation)
            observation = rig.world.step(command).observation
            out.append(command.q)
        rig.close()
        return out

    assert all(np.array_equal(a, b) for a, b in zip(run(), run(), strict=True))


def test_asynchronous_decisions_are_reproduced_bit_for_bit() -> None:
    taken: list[tuple[PlanInputs, Plan]] = []
    rig = build_setup(
        "quadruped",
        options=SMALL,
        mode=Mode.ASYNCHRONOUS,
        record=lambda i, p: taken.append((i, p)),
    )
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(SIT)), observation)
    for _ in range(40):
        command, state, _ = rig.controller.step(state, observation)
        observation = rig.world.step(command).observation
        time.sleep(0.002)
    costs = state.costs
    rig.controller.close()
    assert len(taken) >= 2
    again = build_setup("quadruped", options=SMALL)
    for inputs, plan in taken:
        repeated = again.controller.planner.plan(
            inputs.state, costs[inputs.stage], inputs.previous, n_samples=inputs.n_samples
        )
        assert np.array_equal(repeated.knots, plan.knots)
    again.close()


def test_a_correction_takes_over_at_the_next_step() -> None:
    rig = build_setup("quadruped", options=SMALL)
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(SIT)), observation)
    _, state, _ = rig.controller.step(state, observation)
    index = state.plan.index
    new = program(RewardStage(terms=(make_term("torso_height", height=0.3),)))
    state = rig.controller.redirect(state, new)
    _, state, _ = rig.controller.step(state, observation)
    assert state.program is new
    assert state.plan.index == index + 1
    rig.close()


def test_no_budget_keeps_a_legal_command_and_ends_stuck() -> None:
    rig = build_setup("quadruped", options=PlannerOptions(n_samples=0))
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(SIT)), observation)
    spec = rig.world.spec
    status = ControlStatus.RUNNING
    for _ in range(130):
        command, state, status = rig.controller.step(state, observation)
        assert (command.q >= spec.q_lower - 1e-9).all()
        assert (command.q <= spec.q_upper + 1e-9).all()
        observation = rig.world.step(command).observation
    assert status is ControlStatus.STUCK
    assert state.message == PlanCondition.NO_BUDGET.value
    rig.close()


def test_an_unknown_term_or_goal_is_refused() -> None:
    rig = build_setup("quadruped", options=SMALL)
    observation = rig.world.reset(seed=0)
    bad = program(RewardStage(terms=(RewardTerm(name="jump"),)))
    with pytest.raises(ValueError, match="no residual for jump, legal: torso_height"):
        rig.controller.init(RewardGoal(program=bad), observation)
    with pytest.raises(TypeError, match="RewardGoal"):
        rig.controller.init(GripperGoal(width_m=0.0), observation)
    rig.close()


def test_the_world_keeps_joints_within_limits_and_says_so() -> None:
    rig = build_setup("fr3-hand", scene=("apple",), options=SMALL)
    observation = rig.world.reset(seed=0)
    spec = rig.world.spec
    result = rig.world.step(Command(q=np.full(10, 9.0)))
    assert result.reasons
    moved = np.abs(result.applied.q - observation.q)
    assert (moved <= spec.dq_max * spec.control_dt_s + 1e-9).all()
    with pytest.raises(ValueError, match="10 finite numbers"):
        rig.world.step(Command(q=np.full(10, np.nan)))
    rig.close()


def test_the_estimator_restores_the_state_from_an_observation() -> None:
    rig = build_setup("fr3-hand", scene=("apple", "drawer", "faucet"), options=SMALL)
    rig.world.reset(seed=1)
    before = rig.world.step(Command(q=rig.world.spec.q_home)).observation
    after = rig.world.step(Command(q=rig.world.spec.q_home)).observation
    state = rig.judge.state(after, before)
    truth = rig.world.full_state()
    nq = rig.world.model.nq
    tips = [i for i in range(nq) if i >= 1]
    named = [1 + int(rig.world.model.joint(n).qposadr[0]) for n in rig.world.spec.joint_names]
    apple = 1 + int(rig.world.model.joint("apple").qposadr[0])
    assert tips and state[named] == pytest.approx(truth[named])
    assert state[apple : apple + 7] == pytest.approx(truth[apple : apple + 7])
    rig.close()
