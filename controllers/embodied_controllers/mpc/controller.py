"""The reward controller: a reward program in, joint set-points out.

``SYNCHRONOUS`` plans inside ``step`` and is deterministic. ``ASYNCHRONOUS`` plans in a thread, from
the state predicted for the moment that the plan will be ready, and takes finished plans over whole.
Both call the same pure ``SamplingPlanner.plan``, so equal inputs give bit-identical plans; the
inputs of every asynchronous replan can be recorded and replayed.
"""

from __future__ import annotations

import time as wall_clock
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

import numpy as np

from embodied.types import (
    Command,
    ControlGoal,
    ControlStatus,
    Observation,
    RewardGoal,
    RewardProgram,
)
from embodied_controllers.mpc.estimator import Estimator
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.planner import Plan, PlanCondition, RunningCost, SamplingPlanner
from embodied_controllers.mpc.search_space import SearchSpace
from embodied_controllers.mpc.terms import StageCost, condition_holds, stage_costs

STUCK_AFTER_S = 1.0
REPLAN_DT_S = 0.02  # simulated time between two replans
RETURNS_MAX = 12
"""How often a program may step back to an earlier stage; after that its guards are ignored."""


class Mode(Enum):
    """When planning happens."""

    SYNCHRONOUS = "synchronous"
    ASYNCHRONOUS = "asynchronous"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanInputs:
    """Everything that a replan depends on, for recording and replaying."""

    state: Array
    stage: int
    cost: RunningCost
    previous: Plan
    n_samples: int
    space: SearchSpace | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewardState:
    """State of the controller between two steps.

    Attributes:
        program: What is asked for.
        costs: One running cost per stage.
        spaces: What to search in at every stage; None for the controls themselves.
        stage: Index of the active stage; ``len(costs)`` when the program is over.
        stage_time: Simulated time at which it began, s.
        plan: Plan in force.
        replan_time: Simulated time of the next replan, s.
        observation: The last observation.
        trouble_time: Since when every plan diverged, s; infinite while all is well.
        message: What a person should know, empty when all is well.
        pending: The replan under way, in asynchronous mode.
        returns: How often a guard led back to an earlier stage.
    """

    program: RewardProgram
    costs: tuple[StageCost, ...]
    spaces: tuple[SearchSpace | None, ...]
    stage: int
    stage_time: float
    plan: Plan
    replan_time: float
    observation: Observation
    trouble_time: float = np.inf
    message: str = ""
    pending: Future[Plan] | None = None
    returns: int = 0


class Drive(Protocol):
    """What the controls of a plan are to the robot."""

    def command(self, control: Array) -> Command:
        """The command of controls (nu,)."""
        ...

    def hold(self, observation: Observation) -> Array:
        """Controls (nu,) that keep a robot where it is measured."""
        ...


class Joints:
    """Every control is the set-point of a joint, in the order of the world's ``joint_names``."""

    def command(self, control: Array) -> Command:
        """The set-points (nu,)."""
        return Command(q=control)

    def hold(self, observation: Observation) -> Array:
        """The measured positions (nu,)."""
        return observation.q


class RewardController:
    """Minimises the cost of a reward program (Controller protocol for ``RewardGoal``).

    Args:
        planner: Plans on the plan model.
        estimator: Reads observations into the plan model's state.
        mode: When planning happens.
        record: Called with the inputs and the result of every replan, if given.
        drive: What the planner's controls are to the robot.
    """

    def __init__(
        self,
        planner: SamplingPlanner,
        estimator: Estimator,
        *,
        mode: Mode = Mode.SYNCHRONOUS,
        record: Callable[[PlanInputs, Plan], None] | None = None,
        drive: Drive | None = None,
    ) -> None:
        self.planner, self.estimator = planner, estimator
        self.mode, self.record = mode, record
        self.drive: Drive = drive or Joints()
        self.n_samples = planner.options.n_samples
        self.latency_s = 0.0
        self._pool = ThreadPoolExecutor(1) if mode is Mode.ASYNCHRONOUS else None

    def init(self, goal: ControlGoal, observation: Observation) -> RewardState:
        """Start on a reward goal.

        Raises:
            TypeError: Another kind of goal.
            ValueError: The program uses a term that the robot's view does not have.
        """
        if not isinstance(goal, RewardGoal):
            raise TypeError(f"RewardController takes RewardGoal, got {type(goal).__name__}")
        hold = np.clip(self.drive.hold(observation), self.planner.lower, self.planner.upper)
        return RewardState(
            program=goal.program,
            costs=stage_costs(goal.program, self.estimator.view, self.estimator.layout),
            spaces=self._spaces(goal.program),
            stage=0,
            stage_time=observation.time,
            plan=self.planner.start(hold, observation.time),
            replan_time=observation.time,
            observation=observation,
        )

    def redirect(self, state: RewardState, program: RewardProgram) -> RewardState:
        """Go on with another program without stopping: the plan so far is the warm start."""
        return replace(
            state,
            program=program,
            costs=stage_costs(program, self.estimator.view, self.estimator.layout),
            spaces=self._spaces(program),
            stage=0,
            stage_time=state.observation.time,
            replan_time=state.observation.time,
            message="",
            returns=0,
        )

    def step(
        self, state: RewardState, observation: Observation
    ) -> tuple[Command, RewardState, ControlStatus]:
        """One control period: change stage if due, replan if due, give the set-points."""
        now = observation.time
        previous = state.observation
        state = self._staged(state, observation)
        if state.stage >= len(state.costs):
            return self.drive.command(state.plan.control(now)), state, ControlStatus.REACHED
        if self.mode is Mode.SYNCHRONOUS:
            if now >= state.replan_time - 1e-9:
                x = self.estimator.state(observation, previous)
                state = _followed(state, x)
                state = self._took_over(state, self._plan(x, state, self.n_samples), now)
        else:
            state = self._asynchronous(state, observation, previous)
        stuck = now - state.trouble_time >= STUCK_AFTER_S
        state = replace(state, observation=observation)
        status = ControlStatus.STUCK if stuck else ControlStatus.RUNNING
        return self.drive.command(state.plan.control(now)), state, status

    def close(self) -> None:
        """Wait for the planner thread and end it."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self.planner.close()

    def _spaces(self, program: RewardProgram) -> tuple[SearchSpace | None, ...]:
        view, layout = self.estimator.view, self.estimator.layout
        return tuple(view.search_space(stage, layout) for stage in program.stages)

    def _plan(self, x: Array, state: RewardState, n_samples: int) -> Plan:
        space = state.spaces[state.stage]
        inputs = PlanInputs(
            state=x,
            stage=state.stage,
            cost=state.costs[state.stage],
            previous=state.plan,
            n_samples=n_samples if space is None else min(n_samples, space.samples),
            space=space,
        )
        plan = self.planner.plan(
            x, inputs.cost, inputs.previous, n_samples=inputs.n_samples, space=space
        )
        if self.record is not None:
            self.record(inputs, plan)
        return plan

    def _staged(self, state: RewardState, observation: Observation) -> RewardState:
        """Step back when a guard fails; move on when the time is up or the condition holds."""
        if state.stage >= len(state.costs):
            return replace(state, observation=observation)
        stage = state.program.stages[state.stage]
        elapsed = observation.time - state.stage_time
        over = stage.duration_s is not None and elapsed >= stage.duration_s - 1e-9
        if elapsed > 0 and (stage.guards or stage.until is not None):
            view = self.estimator.measure(observation, state.observation)
            if state.returns < RETURNS_MAX:
                for guard in stage.guards:
                    if not condition_holds(guard.condition, view, elapsed):
                        back = replace(state, returns=state.returns + 1)
                        return _entered(back, state.stage - guard.back, observation.time)
            over = over or (stage.until is not None and condition_holds(stage.until, view, elapsed))
        return _entered(state, state.stage + 1, observation.time) if over else state

    def _took_over(self, state: RewardState, plan: Plan, now: float) -> RewardState:
        bad = plan.condition in (PlanCondition.DIVERGED, PlanCondition.NO_BUDGET)
        return replace(
            state,
            plan=plan,
            replan_time=max(state.replan_time, now - REPLAN_DT_S) + REPLAN_DT_S,
            trouble_time=min(state.trouble_time, now) if bad else np.inf,
            message=plan.condition.value if bad else "",
        )

    def _asynchronous(
        self, state: RewardState, observation: Observation, previous: Observation
    ) -> RewardState:
        """Take over a finished plan; start the next from the state predicted for its arrival."""
        assert self._pool is not None
        now = observation.time
        if state.pending is not None and state.pending.done():
            state = self._took_over(replace(state, pending=None), state.pending.result(), now)
        if state.pending is not None or now < state.replan_time - 1e-9:
            return state
        x = self.estimator.state(observation, previous)
        state = _followed(state, x)

        def replan() -> Plan:
            begin = wall_clock.perf_counter()
            predicted = self.predict(x, state.plan, self.latency_s)
            plan = self._plan(predicted, state, self.n_samples)
            self._adapt(wall_clock.perf_counter() - begin, plan.samples)
            return plan

        return replace(state, pending=self._pool.submit(replan))

    def _adapt(self, spent_s: float, samples: int) -> None:
        """Fit the number of samples to the replanning period, and learn the latency."""
        self.latency_s += 0.2 * (spent_s - self.latency_s)
        wanted = samples * 0.9 * REPLAN_DT_S / max(spent_s, 1e-6)
        most = self.planner.options.n_samples
        self.n_samples = int(np.clip(0.7 * self.n_samples + 0.3 * wanted, min(4, most), most))

    def predict(self, x: Array, plan: Plan, seconds: float) -> Array:
        """The state after ``seconds`` (rounded to plan steps) under a plan."""
        dt = float(self.planner.model.opt.timestep)
        steps = round(seconds / dt)
        if steps < 1:
            return x
        control = np.array([[plan.control(float(x[0]) + i * dt) for i in range(steps)]])
        states, _, ok = self.planner.rollouts.run(x[None], control)
        return states[0, -1].copy() if ok[0] else x


def _entered(state: RewardState, stage: int, time: float) -> RewardState:
    """The state at the beginning of a stage."""
    costs = tuple(c.reset() if i == stage else c for i, c in enumerate(state.costs))
    return replace(state, costs=costs, stage=stage, stage_time=time, replan_time=time)


def _followed(state: RewardState, x: Array) -> RewardState:
    """The state with the path of its stage started, or waiting for the robot."""
    costs = tuple(c.followed(x) if i == state.stage else c for i, c in enumerate(state.costs))
    return replace(state, costs=costs)
