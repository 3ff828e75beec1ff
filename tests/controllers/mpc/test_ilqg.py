from __future__ import annotations

import importlib.util
from pathlib import Path

import mujoco
import numpy as np
import pytest
from embodied_controllers.mpc import PlannerOptions, SamplingPlanner
from embodied_controllers.mpc.ilqg import Ilqg, IlqgSearch
from embodied_controllers.mpc.plan_models import plan_model, robot_spec
from embodied_controllers.mpc.rollouts import full_state

_spec = importlib.util.spec_from_file_location("toys", Path(__file__).with_name("toys.py"))
assert _spec is not None and _spec.loader is not None
toys = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toys)


def point_residuals(states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    return np.stack([states[..., 1] - 0.5, 0.3 * states[..., 2], 0.1 * controls[..., 0]], axis=-1)


def test_double_integrator_is_solved_in_few_sweeps() -> None:
    free = toys.DOUBLE_INTEGRATOR.replace('ctrlrange="-1 1" ctrllimited="true"', "")
    model = mujoco.MjModel.from_xml_string(free)
    solver = Ilqg(model, point_residuals, horizon=60)
    start = full_state(model, mujoco.MjData(model))
    solved = solver.optimise(start, np.zeros((60, 1)), iterations=10)
    assert solved.iterations <= 4  # linear-quadratic: one sweep, then convergence
    rng = np.random.default_rng(0)
    for _ in range(20):  # no neighbour is better
        other = solver.rollout(start, solved.controls + 0.01 * rng.standard_normal((60, 1)))
        assert other.cost >= solved.cost - 1e-9


def test_cart_pole_swing_up_by_trajectory_optimisation() -> None:
    model = mujoco.MjModel.from_xml_string(toys.CART_POLE)

    def residuals(states: np.ndarray, controls: np.ndarray) -> np.ndarray:
        x, angle, dx, da = (states[..., i] for i in (1, 2, 3, 4))
        return np.stack(
            [
                3 * (1 + np.cos(angle)),
                np.sin(angle),
                0.2 * x,
                0.1 * dx,
                0.1 * da,
                0.02 * controls[..., 0],
            ],
            axis=-1,
        )

    solver = Ilqg(model, residuals, horizon=100)
    start = full_state(model, mujoco.MjData(model))
    still = solver.rollout(start, np.zeros((100, 1)))
    guess = 3.0 * np.sign(np.sin(np.linspace(0, 3 * np.pi, 100)))[:, None]
    solved = solver.optimise(start, guess, iterations=60)
    assert solved.cost < 0.6 * still.cost
    assert np.cos(solved.states[-1, 2]) < -0.8


def test_derivatives_on_a_free_body_match_a_small_rollout() -> None:
    model = plan_model(robot_spec("quadruped"))
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.qpos[2] = 0.6  # in the air: smooth
    horizon = 3

    def residuals(states: np.ndarray, controls: np.ndarray) -> np.ndarray:
        return states[..., 1:4] - np.array([0.0, 0.0, 0.5])

    solver = Ilqg(model, residuals, horizon=horizon)
    path = solver.rollout(full_state(model, data), np.tile(data.ctrl, (horizon, 1)))
    A, B, r, rx, _ = solver.derivatives(path)
    assert A.shape == (3, 36, 36) and B.shape == (3, 36, 12)
    assert np.allclose(rx[0][:, :3], np.eye(3), atol=1e-5)
    assert np.allclose(r[0], path.states[0, 1:4] - [0, 0, 0.5])
    rng = np.random.default_rng(0)
    du = 1e-3 * rng.standard_normal(12)
    controls = path.controls.copy()
    controls[0] += du
    moved = solver.rollout(path.states[0], controls)
    dx = solver._difference(path.states[1][None], moved.states[1][None])[0]
    assert np.allclose(dx, B[0] @ du, atol=1e-5 + 0.02 * np.abs(dx).max())


def ilqg_planner(
    xml: str, residuals, horizon: int, n_samples: int = 8
) -> tuple[SamplingPlanner, mujoco.MjModel]:
    model = mujoco.MjModel.from_xml_string(xml)
    options = PlannerOptions(
        horizon_s=horizon * model.opt.timestep,
        n_knots=horizon,
        interpolation="zero",
        n_samples=n_samples,
    )
    solver = Ilqg(model, residuals, horizon=horizon)
    return SamplingPlanner(model, options, IlqgSearch(solver)), model


def test_ilqg_drives_the_planner_like_any_other_optimiser() -> None:
    planner, _ = ilqg_planner(toys.DOUBLE_INTEGRATOR, point_residuals, 30, n_samples=6)
    data, mean_cost = toys.drive(planner, toys.goal_at_half, 3.0)
    assert abs(data.qpos[0] - 0.5) < 0.03
    assert mean_cost < 0.07  # standing still costs 0.25


def test_ilqg_swings_the_pole_up_in_closed_loop() -> None:
    def residuals(states: np.ndarray, controls: np.ndarray) -> np.ndarray:
        x, angle, dx, da = (states[..., i] for i in (1, 2, 3, 4))
        up = 3 * (1 + np.cos(angle)), np.sin(angle)
        rest = 0.6 * x, 0.2 * dx, 0.3 * da, 0.02 * controls[..., 0]
        return np.stack([*up, *rest], axis=-1)

    planner, model = ilqg_planner(toys.CART_POLE, residuals, 60)
    data = mujoco.MjData(model)
    data.qpos[1] = 2.2  # hanging straight down the gradient is zero
    plan = planner.start(np.zeros(1), 0.0)
    for _ in range(150):
        plan = planner.plan(full_state(model, data), toys.pole_up, plan)
        data.ctrl[:] = plan.control(data.time)
        mujoco.mj_step(model, data)
    assert np.cos(data.qpos[1]) < -0.9


def test_equal_inputs_give_bit_identical_plans() -> None:
    plans = []
    for _ in range(2):
        planner, model = ilqg_planner(toys.DOUBLE_INTEGRATOR, point_residuals, 20)
        state = full_state(model, mujoco.MjData(model))
        plans.append(planner.plan(state, toys.goal_at_half, planner.start(np.zeros(1), 0.0)))
    assert np.array_equal(plans[0].knots, plans[1].knots)
    assert plans[0].cost <= plans[0].nominal_cost


def test_ilqg_needs_a_knot_for_every_step() -> None:
    planner, model = ilqg_planner(toys.DOUBLE_INTEGRATOR, point_residuals, 20)
    few = PlannerOptions(horizon_s=0.4, n_knots=4, interpolation="zero", n_samples=8)
    wrong = SamplingPlanner(model, few, planner.optimiser)
    with pytest.raises(ValueError, match="one knot per step, 20 in all, got 4"):
        wrong.plan(
            full_state(model, mujoco.MjData(model)), toys.goal_at_half, wrong.start(np.zeros(1), 0)
        )
