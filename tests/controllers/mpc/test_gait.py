# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import time
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from embodied_controllers.mpc import Plan, PlannerOptions
from embodied_controllers.mpc.controller import Mode, PlanInputs
from embodied_controllers.mpc.gait import STANDING_M, gait_of
from embodied_controllers.mpc.legs import FEET, Legs
from embodied_controllers.mpc.path import LAG_M, Path, Pose2
from embodied_controllers.mpc.plan_models import robot_spec
from embodied_controllers.mpc.quadruped import QuadrupedView

from embodied.language.reward import make_term
from embodied.language.reward.building import (
    at_height,
    facing,
    lifting,
    spinning,
    stage,
    trot,
    walking,
)
from embodied.routes.reward.setup import RewardSetup, build_setup
from embodied.types import RewardGoal, RewardProgram, RewardStage, RewardTerm

FEW = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=8)


def model(*, longer: float = 1.0, heavier: float = 1.0) -> mujoco.MjModel:
    spec = robot_spec("quadruped")
    for foot in FEET:
        calf, sole = spec.body(f"{foot}_calf"), spec.site(foot)
        calf.pos = calf.pos * longer
        sole.pos = sole.pos * (2 - longer)
    spec.body("torso").mass *= heavier
    return spec.compile()


def feet_of(compiled: mujoco.MjModel, q: np.ndarray) -> tuple[mujoco.MjData, np.ndarray]:
    data = mujoco.MjData(compiled)
    data.qpos[:7] = [0, 0, 0, 1, 0, 0, 0]
    data.qpos[7:] = q
    mujoco.mj_forward(compiled, data)
    return data, np.array([data.site(foot).xpos for foot in FEET])


def program(*stages: RewardStage) -> RewardProgram:
    return RewardProgram(robot="quadruped", stages=stages, source="test")


def moved(rig: RewardSetup, asked: RewardProgram, seconds: float) -> np.ndarray:
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=asked), observation)
    rows = [rig.world.full_state()]
    while observation.time < seconds - 1e-9:
        command, state, _ = rig.controller.step(state, observation)
        observation = rig.world.step(command).observation
        rows.append(rig.world.full_state())
    return np.array(rows)


@pytest.mark.parametrize("longer", [0.8, 1.0, 1.15])
def test_set_points_put_the_feet_where_they_are_asked_by_the_models_own_lengths(
    longer: float,
) -> None:
    compiled = model(longer=longer)
    legs = Legs.of(compiled)
    rng = np.random.default_rng(1)
    for _ in range(50):
        foot = np.empty((4, 3))
        foot[:, :2] = legs.home + rng.uniform(-0.08, 0.08, (4, 2))
        foot[:, 2] = rng.uniform(-0.31, -0.2, 4)
        q = legs.set_points(foot, np.zeros(4))
        assert np.allclose(feet_of(compiled, q)[1], foot, atol=1e-9)


def test_a_load_moves_set_points_by_the_torque_that_it_needs() -> None:
    compiled = model(heavier=1.3)
    legs = Legs.of(compiled)
    assert legs.weight_n == pytest.approx(9.81 * compiled.body_mass.sum())
    foot = np.column_stack([legs.home + [[0.03, -0.02]], np.full(4, -0.26)])
    load = np.array([20.0, 30.0, 40.0, 50.0])
    q = legs.set_points(foot, np.zeros(4))
    data, _ = feet_of(compiled, q)
    torque = np.zeros(compiled.nv)
    for name, force in zip(FEET, load, strict=True):
        jacobian = np.zeros((3, compiled.nv))
        mujoco.mj_jacSite(compiled, data, jacobian, None, compiled.site(name).id)
        torque += jacobian.T @ [0.0, 0.0, -force]
    asked = (legs.set_points(foot, load) - q) * compiled.actuator_gainprm[:, 0]
    assert np.allclose(asked, torque[6:], atol=1e-6)


def test_feet_out_of_reach_give_finite_set_points_within_the_ranges() -> None:
    legs = Legs.of(model())
    foot = np.random.default_rng(0).uniform(-1.0, 1.0, (500, 4, 3))
    q = legs.set_points(foot, np.full((500, 4), 100.0))
    assert ((q >= legs.lower) & (q <= legs.upper)).all()


def test_a_path_is_the_integral_of_its_speeds() -> None:
    path = Path(
        begin_s=2.0, begin=Pose2(x=1.0, y=-1.0, heading=0.7), forward=0.5, left=-0.2, rate=0.9
    )
    t = np.linspace(2.0, 6.0, 40001)
    x, y, heading = path.at(t)
    clock = np.where(t < 2.5, (t - 2.0) / 0.5, 1.0)
    assert np.allclose(np.gradient(heading, t), 0.9 * clock, atol=1e-3)
    c, s = np.cos(heading), np.sin(heading)
    assert np.allclose(np.gradient(x, t), clock * (0.5 * c + 0.2 * s), atol=1e-3)
    assert np.allclose(np.gradient(y, t), clock * (0.5 * s - 0.2 * c), atol=1e-3)
    straight = replace(path, rate=0.0, share=1.0)
    assert straight.at(np.array([3.0]))[0][0] == pytest.approx(
        1 + 0.5 * np.cos(0.7) + 0.2 * np.sin(0.7)
    )


def test_a_path_waits_for_a_robot_that_is_held_up_and_keeps_its_heading() -> None:
    path = Path(
        begin_s=0.0, begin=Pose2(x=0.0, y=0.0, heading=0.0), forward=1.0, left=0.0, rate=0.0
    )
    near = Pose2(x=1.6, y=0.1, heading=0.1)
    assert path.waiting(2.0, near) is path
    held = Pose2(x=0.0, y=0.0, heading=0.5)
    waited = path.waiting(5.0, held)
    x, y, heading = (v[0] for v in waited.at(np.array([5.0])))
    assert (x, y, heading) == pytest.approx((LAG_M, 0.0, 0.0))
    turning = replace(path, forward=0.0, rate=2.0).waiting(1.5, held)
    assert turning.at(np.array([1.5]))[2][0] == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("terms", "steps"),
    [
        (walking(0.5, 0.0), True),
        (spinning(0.8), True),
        (facing(1.0), True),
        (at_height(0.2), False),
        (lifting({"front_left": 0.1}), False),
        ((*walking(0.5, 0.0), make_term("foot_lift", foot="rear_left", height=0.1)), False),
        ((*walking(0.5, 0.0)[:-2], make_term("posture")), False),
        ((*spinning(0.5)[:3], *spinning(0.5)[5:], make_term("torso_pitch", angle=1.2)), False),
    ],
)
def test_only_stages_whose_four_feet_step_and_do_nothing_else_are_searched_as_a_gait(
    terms: tuple[RewardTerm, ...], steps: bool
) -> None:
    assert (gait_of(stage(*terms), model()) is not None) == steps


def test_a_stepping_stage_gets_the_path_of_its_own_speeds_and_no_other_does() -> None:
    added = {
        name: [t.name for t in QuadrupedView.completed(stage(*terms)).terms[len(terms) :]]
        for name, terms in {
            "walk": walking(0.5, 0.1),
            "face": facing(0.3),
            "sit": at_height(0.12),
            "march": trot(),
            "free to turn": tuple(t for t in walking(0.5, 0.1) if t.name != "torso_turn_rate"),
            "paw": lifting({"front_left": 0.1}),
        }.items()
    }
    assert added == {
        "walk": ["torso_path", "torso_path_heading"],
        "face": ["torso_path"],
        "sit": [],
        "march": ["torso_path", "torso_path_heading"],
        "free to turn": [],
        "paw": [],
    }


def test_feet_swing_in_the_rhythm_height_and_length_that_the_terms_ask_for() -> None:
    compiled = model()
    terms = tuple(
        replace(t, parameters={**t.parameters, "swing_height": 0.05, "swing_forward": 0.12})
        if t.name == "foot_stepping"
        else t
        for t in walking(0.3, 0.0)
    )
    gait = gait_of(stage(*terms), compiled)
    assert gait is not None
    times = np.arange(0.0, 0.4, 0.005)
    q = gait.controls(times, np.zeros((1, len(times), 6)))[0]
    loaded = np.array([feet_of(compiled, row)[1] for row in q])
    air = (2.5 * times) % 1.0 < 0.5
    soles = loaded[:, :, 2] + STANDING_M - gait.legs.sole_m
    swing = soles[air][:, [0, 3]]
    assert swing.max() == pytest.approx(0.05, abs=1e-3)
    # A foot that carries weight is asked to be lower than it will be, never higher.
    assert soles[~air][:, [0, 3]].max() < 1e-6
    assert soles[air][:, [1, 2]].max() < 1e-6
    assert np.ptp(loaded[air][:, 0, 0]) == pytest.approx(0.12, abs=0.01)


def test_a_robot_that_is_low_slow_or_fast_is_corrected_by_its_feet() -> None:
    compiled = model()
    gait = gait_of(stage(*walking(0.3, 0.0)), compiled)
    assert gait is not None
    state = np.zeros(1 + compiled.nq + compiled.nv)
    state[3:5] = STANDING_M, 1.0
    v = 1 + compiled.nq
    state[v] = 0.3
    times, zero = np.array([0.199]), np.zeros((1, 1, 6))

    def soles(seen: np.ndarray) -> np.ndarray:
        return feet_of(compiled, gait.at(seen).controls(times, zero)[0, 0])[1]

    usual = soles(state)
    low, fast = state.copy(), state.copy()
    low[3] -= 0.02
    fast[v] = 0.7
    assert np.allclose(soles(low) - usual, [0.0, 0.0, -0.02], atol=5e-3)
    # The feet that are about to land step forward; those that land next are not yet there.
    ahead = (soles(fast) - usual)[:, 0]
    assert ahead[[0, 3]] == pytest.approx(0.02, abs=5e-3)
    assert np.abs(ahead[[1, 2]]).max() < 5e-3


def test_walking_covers_the_distance_with_diagonal_pairs() -> None:
    rig = build_setup("quadruped", seed=0)
    states = moved(rig, program(stage(*walking(0.5, 0.0))), 4.0)
    view = rig.judge.view_of(states[None])
    heading = view.heading()[0]
    c, s = np.cos(heading[0]), np.sin(heading[0])
    dx, dy = view.x()[0] - view.x()[0, 0], view.y()[0] - view.y()[0, 0]
    assert (c * dx + s * dy)[-1] == pytest.approx(0.5 * 3.75, abs=0.15)
    assert np.abs(c * dy - s * dx).max() < 0.15
    assert np.abs(np.unwrap(heading) - heading[0]).max() < 0.2
    assert np.abs(view.height()[0, 100:] - STANDING_M).max() < 0.04
    fl, fr, rl, rr = (view.foot_height(foot)[0, 50:] > 0.01 for foot in FEET)
    pairs = (fl & rr & ~fr & ~rl) | (fr & rl & ~fl & ~rr)
    assert pairs.mean() > 0.6
    rig.close()


def test_walking_then_standing_goes_over_without_a_jump_and_back() -> None:
    rig = build_setup("quadruped", options=FEW, seed=0)
    asked = program(
        stage(*walking(0.3, 0.0), seconds=0.5),
        stage(*at_height(0.27), seconds=0.5),
        stage(*walking(0.3, 0.0), seconds=0.5),
    )
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=asked), observation)
    searched, commands = [], []
    while state.stage < 3:
        command, state, _ = rig.controller.step(state, observation)
        observation = rig.world.step(command).observation
        searched.append(state.plan.space is not None)
        commands.append(command.q)
    assert searched[10] and not searched[60] and searched[110]
    jump = np.abs(np.diff(commands, axis=0)).max(axis=1)
    assert jump[50] < 0.3
    assert float(rig.judge.measure(observation).height()[0, 0]) > 0.2
    rig.close()


def test_asynchronous_walking_is_reproduced_bit_for_bit() -> None:
    taken: list[tuple[PlanInputs, Plan]] = []
    rig = build_setup(
        "quadruped", options=FEW, mode=Mode.ASYNCHRONOUS, record=lambda i, p: taken.append((i, p))
    )
    observation = rig.world.reset(seed=0)
    state = rig.controller.init(RewardGoal(program=program(stage(*walking(0.5, 0.0)))), observation)
    for _ in range(40):
        command, state, _ = rig.controller.step(state, observation)
        observation = rig.world.step(command).observation
        time.sleep(0.004)
    rig.controller.close()
    assert len(taken) >= 2
    again = build_setup("quadruped", options=FEW)
    for inputs, plan in taken:
        repeated = again.controller.planner.plan(
            inputs.state, inputs.cost, inputs.previous,
            n_samples=inputs.n_samples, space=inputs.space,
        )  # fmt: skip
        assert np.array_equal(repeated.knots, plan.knots)
        assert np.array_equal(repeated.control(plan.time), plan.control(plan.time))
    again.close()
