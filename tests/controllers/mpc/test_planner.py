from __future__ import annotations

import importlib.util
import tracemalloc
from pathlib import Path

import mujoco
import numpy as np
import pytest
from embodied_controllers.mpc import (
    Cem,
    Mppi,
    Optimiser,
    PlanCondition,
    PlannerOptions,
    PredictiveSampling,
    SamplingPlanner,
)
from embodied_controllers.mpc.rollouts import full_state
from embodied_controllers.optimiser import Distribution

_spec = importlib.util.spec_from_file_location("toys", Path(__file__).with_name("toys.py"))
assert _spec is not None and _spec.loader is not None
toys = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toys)


@pytest.fixture(scope="module")
def point() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(toys.DOUBLE_INTEGRATOR)


@pytest.fixture(scope="module")
def pole() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(toys.CART_POLE)


@pytest.mark.parametrize("optimiser", [PredictiveSampling(noise=0.4), Cem(noise=0.4), Mppi()])
@pytest.mark.parametrize("interpolation", ["zero", "linear", "cubic"])
def test_double_integrator_reaches_the_goal(
    point: mujoco.MjModel, optimiser: Optimiser, interpolation: str
) -> None:
    options = PlannerOptions(horizon_s=1.0, n_knots=5, interpolation=interpolation, n_samples=32)
    planner = SamplingPlanner(point, options, optimiser)
    data, mean_cost = toys.drive(planner, toys.goal_at_half, 4.0)
    assert abs(data.qpos[0] - 0.5) < 0.03
    assert abs(data.qvel[0]) < 0.1
    assert mean_cost < 0.06  # standing still costs 0.25


@pytest.mark.parametrize("halvings", [(), (0.3,)])
def test_cart_pole_swings_up(pole: mujoco.MjModel, halvings: tuple[float, ...]) -> None:
    options = PlannerOptions(horizon_s=1.2, n_knots=6, n_samples=48, halvings=halvings)
    planner = SamplingPlanner(pole, options, PredictiveSampling(noise=0.6))
    data, mean_cost = toys.drive(planner, toys.pole_up, 5.0)
    assert np.cos(data.qpos[1]) < -0.9
    assert mean_cost < 10.0  # hanging costs 20


def test_halving_saves_steps(pole: mujoco.MjModel) -> None:
    state = full_state(pole, mujoco.MjData(pole))
    spent = []
    for halvings in [(), (0.25, 0.5)]:
        planner = SamplingPlanner(pole, PlannerOptions(halvings=halvings, horizon_s=0.8))
        spent.append(planner.plan(state, toys.pole_up, planner.start(np.zeros(1), 0.0)).steps)
    assert spent[1] < 0.6 * spent[0]


def test_nominal_is_sample_zero_so_a_plan_never_gets_worse(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(point, PlannerOptions(n_samples=8), PredictiveSampling(noise=3.0))
    state = full_state(point, mujoco.MjData(point))
    plan = planner.start(np.array([0.3]), 0.0)
    for _ in range(5):
        plan = planner.plan(state, toys.goal_at_half, plan)
        assert plan.cost <= plan.nominal_cost
        assert plan.knots.min() >= -1 and plan.knots.max() <= 1


def test_equal_inputs_give_bit_identical_plans(pole: mujoco.MjModel) -> None:
    state = full_state(pole, mujoco.MjData(pole))
    knots = []
    for threads in (0, 2):
        planner = SamplingPlanner(pole, PlannerOptions(threads=threads, halvings=(0.4,)), Cem())
        plan = planner.start(np.zeros(1), 0.0)
        for _ in range(4):
            plan = planner.plan(state, toys.pole_up, plan)
        knots.append(plan.knots)
        planner.close()
    assert np.array_equal(knots[0], knots[1])


def test_warm_start_is_shifted_in_simulated_time(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(point, PlannerOptions(n_samples=16))
    plan = planner.plan(
        full_state(point, mujoco.MjData(point)), toys.goal_at_half, planner.start(np.zeros(1), 0.0)
    )
    shifted = planner.shifted(plan, 0.1)
    assert shifted.mean[0] == pytest.approx(plan.control(0.1))
    assert shifted.mean[-1] == pytest.approx(plan.knots[-1])


def test_no_budget_keeps_the_previous_plan(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(point)
    plan = planner.plan(
        full_state(point, mujoco.MjData(point)),
        toys.goal_at_half,
        planner.start(np.array([0.7]), 0.0),
        n_samples=0,
    )
    assert plan.condition is PlanCondition.NO_BUDGET
    assert plan.control(0.0) == pytest.approx([0.7])


def test_nan_cost_and_nan_state_hold_the_last_command(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(point)
    start = planner.start(np.array([0.2]), 0.0)
    state = full_state(point, mujoco.MjData(point))
    plan = planner.plan(state, lambda t, s, y: np.full(s.shape[:2], np.nan), start)
    assert plan.condition is PlanCondition.DIVERGED
    assert plan.control(0.3) == pytest.approx([0.2])
    plan = planner.plan(np.full_like(state, np.nan), toys.goal_at_half, start)
    assert plan.condition is PlanCondition.DIVERGED
    assert plan.control(0.3) == pytest.approx([0.2])


def test_one_nan_sample_is_not_chosen(point: mujoco.MjModel) -> None:
    def cost(time: np.ndarray, states: np.ndarray, sensors: np.ndarray) -> np.ndarray:
        running = toys.goal_at_half(time, states, sensors)
        running[1:4] = np.nan
        return running

    planner = SamplingPlanner(point, PlannerOptions(n_samples=16), Mppi())
    state = full_state(point, mujoco.MjData(point))
    plan = planner.plan(state, cost, planner.start(np.zeros(1), 0.0))
    assert np.isfinite(plan.knots).all()
    assert plan.condition is PlanCondition.IMPROVED


def test_a_diverging_simulation_costs_infinity() -> None:
    wild = mujoco.MjModel.from_xml_string(
        toys.DOUBLE_INTEGRATOR.replace('ctrlrange="-1 1"', 'gear="1e12" ctrlrange="-1 1"')
    )
    planner = SamplingPlanner(wild, PlannerOptions(n_samples=8))
    state = full_state(wild, mujoco.MjData(wild))
    knots = np.ones((3, planner.options.n_knots, 1))
    knots[0] = 0.0
    costs = planner.evaluate(state, knots, lambda t, s, y: np.zeros(s.shape[:2]))
    assert costs[0] == 0.0
    assert np.isinf(costs[1:]).all()


def test_memory_does_not_grow_over_replans(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(point, PlannerOptions(n_samples=8, horizon_s=0.1))
    state = full_state(point, mujoco.MjData(point))
    plan = planner.start(np.zeros(1), 0.0)
    for _ in range(50):
        plan = planner.plan(state, toys.goal_at_half, plan)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            plan = planner.plan(state, toys.goal_at_half, plan)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000


def test_actuators_of_a_group_share_their_noise() -> None:
    two = mujoco.MjModel.from_xml_string(
        toys.DOUBLE_INTEGRATOR.replace("</actuator>", '<motor joint="x"/></actuator>')
    )
    state = full_state(two, mujoco.MjData(two))
    for shared in ((), ((0, 1),)):
        planner = SamplingPlanner(two, PlannerOptions(n_samples=16), shared=shared)
        plan = planner.plan(state, toys.goal_at_half, planner.start(np.zeros(2), 0.0))
        assert np.allclose(plan.knots[:, 0], plan.knots[:, 1]) == bool(shared)


class Recording(Mppi):
    """Keeps the knots of its last update."""

    knots = np.empty(0)

    def update(
        self, distribution: Distribution, knots: np.ndarray, costs: np.ndarray, scale: np.ndarray
    ) -> np.ndarray:
        self.knots = knots.copy()
        return super().update(distribution, knots, costs, scale)


def test_a_share_of_the_samples_moves_along_given_directions() -> None:
    two = mujoco.MjModel.from_xml_string(
        toys.DOUBLE_INTEGRATOR.replace("</actuator>", '<motor joint="x"/></actuator>')
    )
    state = full_state(two, mujoco.MjData(two))
    optimiser = Recording(noise=0.1)
    opposed = np.array([[0.1], [-0.1]])
    planner = SamplingPlanner(
        two, PlannerOptions(n_samples=16), optimiser, directions=lambda state: (opposed,)
    )
    planner.plan(state, toys.goal_at_half, planner.start(np.zeros(2), 0.0))
    opposite = np.isclose(optimiser.knots.sum(axis=2), 0.0).all(axis=1)
    assert list(np.flatnonzero(opposite)) == [0, *range(1, 16, 2)]
    assert (np.abs(optimiser.knots[1::2]).max(axis=(1, 2)) > 0).all()


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_noise_of_neighbouring_knots_is_correlated_as_asked(correlation: float) -> None:
    optimiser = Mppi(noise=0.5, correlation=correlation)
    start = optimiser.start(np.full((4, 2), 3.0))
    rng = np.random.default_rng(0)
    noise = optimiser.sample(start, np.array([1.0, 2.0]), 20_000, rng) - 3.0
    assert noise.std(axis=0) == pytest.approx(np.tile([0.5, 1.0], (4, 1)), rel=0.03)
    for k in range(3):
        measured = np.corrcoef(noise[:, k, 0], noise[:, k + 1, 0])[0, 1]
        assert measured == pytest.approx(correlation, abs=0.03)
    assert abs(np.corrcoef(noise[:, 0, 0], noise[:, 0, 1])[0, 1]) < 0.03


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="correlation"):
        Mppi(correlation=1.0)
    with pytest.raises(ValueError, match="halvings"):
        PlannerOptions(halvings=(0.5, 0.2))
    with pytest.raises(ValueError, match="horizon_s"):
        PlannerOptions(horizon_s=0.0)


@pytest.mark.slow
def test_memory_does_not_grow_over_ten_thousand_replans(point: mujoco.MjModel) -> None:
    planner = SamplingPlanner(
        point, PlannerOptions(n_samples=8, horizon_s=0.1, halvings=(0.5,)), Mppi()
    )
    state = full_state(point, mujoco.MjData(point))
    plan = planner.start(np.zeros(1), 0.0)
    for _ in range(100):
        plan = planner.plan(state, toys.goal_at_half, plan)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10_000):
            plan = planner.plan(state, toys.goal_at_half, plan)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert plan.index == 10_099
    assert grown < 20_000
