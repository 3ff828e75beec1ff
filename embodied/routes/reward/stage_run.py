"""One reward program being carried out: motion, recorded costs, the verdict on every stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from embodied_controllers.mpc.controller import RewardState
from embodied_controllers.mpc.terms import condition_holds, term_label

from embodied.app.settings import Goal
from embodied.language.reward import program_to_json
from embodied.protocols import Emit, Event
from embodied.routes.reward.setup import Rig
from embodied.routes.reward.trace import Trace, judged
from embodied.types import Command, ControlStatus, Observation, RewardGoal, RewardProgram

SETTLE_S = 8.0
"""Longest simulated time for a last stage that has no duration of its own."""
LEAST_S = 1.5
JUDGED_OVER_S = 0.5
JUDGED_EVERY_STEPS = 10


def announce(program: RewardProgram, emit: Emit) -> None:
    """Say what a program asks for."""
    stages = [", ".join(term_label(t) for t in s.terms) for s in program.stages]
    emit(
        Event(
            kind="program",
            data={
                "stages": stages,
                "source": program.source,
                "notes": program.notes,
                "reward": json.loads(program_to_json(program)),
            },
        )
    )


class Pursuit:
    """A program that the robot follows, one control step after the other.

    Args:
        rig: The robot.
        program: What is asked for.
        state: Control so far, whose plan is the warm start; None at the beginning.
        observation: The last observation.
        advance: Moves the world by one control period.
        emit: Told when a stage begins.
    """

    def __init__(
        self,
        rig: Rig,
        program: RewardProgram,
        state: RewardState | None,
        observation: Observation,
        *,
        advance: Callable[[Command], Observation],
        emit: Emit,
    ) -> None:
        self.rig, self.program = rig, program
        controller = rig.controller
        if state is None:
            self.control = controller.init(RewardGoal(program=program), observation)
        else:
            self.control = controller.redirect(replace(state, observation=observation), program)
        self.trace = Trace(program, rig.judge.view, rig.judge.layout)
        self.status = ControlStatus.RUNNING
        self._observation, self._advance, self._emit = observation, advance, emit
        self._steps = 0
        self._stage = -1
        self._goals: dict[int, Goal] = {}

    def step(self) -> bool:
        """One control period; False, without motion, when the program is over or stuck."""
        command, self.control, self.status = self.rig.controller.step(
            self.control, self._observation
        )
        self._enter(self.control.stage)
        if self.status is not ControlStatus.RUNNING:
            return False
        self._observation = self._advance(command)
        world = self.rig.world
        state = world.full_state()
        self.trace.add(self._stage, state, self.rig.judge.sensors_of(state, world.data.ctrl))
        self._steps += 1
        return True

    def settled(self) -> bool:
        """The last stage has no duration of its own, and is reached or had its time."""
        last = len(self.program.stages) - 1
        if self._stage != last or self.program.stages[last].duration_s is not None:
            return False
        elapsed = self._observation.time - self.control.stage_time
        if elapsed >= SETTLE_S:
            return True
        due = elapsed >= LEAST_S and self._steps % JUDGED_EVERY_STEPS == 0
        return due and not self._goal(last).unmet

    def goals(self) -> tuple[Goal, ...]:
        """What was measured of every stage that was entered."""
        now = dict(self._goals)
        if 0 <= self._stage < len(self.program.stages) and self._steps:
            now[self._stage] = self._goal(self._stage)
        return tuple(now[i] for i in sorted(now))

    def _enter(self, stage: int) -> None:
        """Judge the stage that is left; a step back takes back what was judged of later ones."""
        if stage == self._stage:
            return
        if stage < self._stage:
            self._goals = {i: g for i, g in self._goals.items() if i < stage}
        elif self._stage >= 0:
            self._goals[self._stage] = self._goal(self._stage)
        back = stage < self._stage
        self._stage = stage
        if stage < len(self.program.stages):
            data = {"part": "move", "state": "started", "stage": stage, "back": back}
            self._emit(Event(kind="stage", data=data))

    def _goal(self, stage: int) -> Goal:
        """What was measured of a stage.

        A stage on the way that ends by a condition is judged by that condition alone; a time-out
        there does not count against the whole: the stages after it show whether it mattered.
        """
        text = f"stage {stage + 1}"
        asked = self.program.stages[stage]
        if asked.until is not None and stage + 1 < len(self.program.stages):
            condition = asked.until
            words = " ".join([condition.sensor, *condition.arguments])
            words = f"{words} {condition.op} {condition.value:g}"
            now = self.trace.view(stage, 0.0)
            met = condition_holds(condition, now, self.trace.seconds(stage))
            return Goal(text=text, holds=(words,) if met else ())
        holds, unmet = judged(asked, self.trace.view(stage, JUDGED_OVER_S))
        return Goal(text=text, holds=holds, unmet=unmet)
