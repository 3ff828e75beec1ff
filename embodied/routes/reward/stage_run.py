"""One stage of a reward program being carried out, and what the stages of a program share."""

from __future__ import annotations

from dataclasses import replace

from embodied_controllers.mpc.controller import RewardState
from embodied_controllers.mpc.terms import condition_holds

from embodied.route import Run, StageRun
from embodied.routes.reward.setup import RewardSetup
from embodied.routes.reward.trace import Trace, judged
from embodied.types import Command, ControlStatus, RewardGoal, RewardProgram
from embodied.verdict import Verdict

SETTLE_S = 8.0
"""Longest simulated time for a last stage that has no duration of its own; a motion that goes on,
such as a walk, is judged over just so long."""
LEAST_S = 1.5
JUDGED_OVER_S = 0.5
JUDGED_EVERY_STEPS = 10


class Execution:
    """A reward program under model-predictive control, one control period after the other.

    The controller changes stages: on when a stage is over, back when a guard fails. What was judged
    of a stage stands until the stage is entered again.

    Args:
        setup: The robot.
        program: What is asked for.
        run: What may be touched.
        warm: Control so far, whose plan is the warm start; None at the beginning.

    Attributes:
        control: State of the controller.
        status: ``RUNNING`` as long as the program is neither over nor stuck.
        stage: The stage that the controller is in, -1 before the first control period.
        trace: Recorded states and costs.
    """

    def __init__(
        self, setup: RewardSetup, program: RewardProgram, run: Run, warm: RewardState | None
    ) -> None:
        self.setup, self.program, self.run = setup, program, run
        controller, observation = setup.controller, run.body.observation
        if warm is None:
            self.control = controller.init(RewardGoal(program=program), observation)
        else:
            self.control = controller.redirect(replace(warm, observation=observation), program)
        self.trace = Trace(program, setup.judge.view, setup.judge.layout)
        self.status = ControlStatus.RUNNING
        self.stage = -1
        self.begun_s = observation.time
        self._next: Command | None = None
        self._steps = 0
        self._verdicts: dict[int, Verdict] = {}

    def skip_to(self, stage: int) -> None:
        """Begin at a stage: an interrupted run has had the ones before."""
        time_s = self.run.body.observation.time
        self.control = replace(self.control, stage=stage, stage_time=time_s)

    def look(self) -> None:
        """Let the controller decide on the next control period, if it has not yet."""
        if self._next is None and self.status is ControlStatus.RUNNING:
            command, self.control, self.status = self.setup.controller.step(
                self.control, self.run.body.observation
            )
            self._enter(self.control.stage)
            if self.status is ControlStatus.RUNNING:
                self._next = command

    def step(self) -> bool:
        """One control period; False, without motion, when the program is over or stuck."""
        self.look()
        if self._next is None:
            return False
        command, self._next = self._next, None
        self.run.body.step(command)
        world = self.setup.world
        state = world.full_state()
        self.trace.add(self.stage, state, self.setup.judge.sensors_of(state, world.data.ctrl))
        self._steps += 1
        return True

    def settled(self) -> bool:
        """The last stage has no duration of its own, and is reached or had its time."""
        last = len(self.program.stages) - 1
        if self.stage != last or self.program.stages[last].duration_s is not None:
            return False
        elapsed = self.run.body.observation.time - self.control.stage_time
        if elapsed >= SETTLE_S - 1e-9:
            return True
        if self.setup.robot.view.goes_on(self.program.stages[last]):
            return False
        due = elapsed >= LEAST_S and self._steps % JUDGED_EVERY_STEPS == 0
        return due and not self._judge(last).unmet

    def verdict(self, stage: int) -> Verdict:
        """What was measured of a stage when it was left last, or is measured of it now."""
        if stage == self.stage and self._steps:
            return self._judge(stage)
        return self._verdicts.get(stage, Verdict(text=f"stage {stage + 1}"))

    def verdicts(self) -> tuple[Verdict, ...]:
        """What was measured of every stage that was entered."""
        entered = {*self._verdicts, self.stage} & set(range(len(self.program.stages)))
        return tuple(self.verdict(i) for i in sorted(entered)) if self._steps else ()

    def _enter(self, stage: int) -> None:
        """Judge the stage that is left; a step back takes back what was judged of later ones."""
        if stage == self.stage:
            return
        back = stage < self.stage
        if back:
            self._verdicts = {i: g for i, g in self._verdicts.items() if i < stage}
        elif self.stage >= 0:
            self._verdicts[self.stage] = self._judge(self.stage)
        self.stage = stage
        if stage < len(self.program.stages):
            self.run.say("stage", part="move", state="started", stage=stage, back=back)

    def _judge(self, stage: int) -> Verdict:
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
            return Verdict(text=text, holds=(words,) if met else ())
        whole, now = self.trace.view(stage), self.trace.view(stage, JUDGED_OVER_S)
        found = judged(self.trace.asked(stage), now, whole, self.setup.speech.vocabulary)
        return Verdict(
            text=text,
            holds=found.holds,
            unmet=found.unmet,
            off=found.off,
            numbers=whole.numbers(),
        )


class RewardStageRun(StageRun):
    """A stage of a reward program: over when the controller moves on to the next one.

    Args:
        execution: What the stages of the program share.
        number: Which stage.
    """

    def __init__(self, execution: Execution, number: int) -> None:
        self.execution, self.number = execution, number

    def advance(self) -> str:
        """Move until the stage is over; see ``StageRun.advance``."""
        execution = self.execution
        with execution.run.timed("move", silent=True):
            while True:
                execution.look()
                if execution.status is ControlStatus.STUCK:
                    return f"stopped: {execution.control.message}"
                if execution.stage > self.number or not execution.step() or execution.settled():
                    return ""

    def verdict(self) -> Verdict:
        """What was measured of the stage when it was left last."""
        return self.execution.verdict(self.number)

    def review(self, verdict: Verdict) -> Verdict:
        """The stage may have been entered again since."""
        del verdict
        return self.verdict()

    def stop_safe(self, problem: str) -> None:
        """Hold the joints where they are."""
        del problem
        self.execution.run.body.stop()
