"""One stage of a reward program being carried out, and what the stages of a program share."""

from __future__ import annotations

from dataclasses import replace

from embodied_controllers.mpc.controller import RewardState
from embodied_controllers.mpc.terms import condition_holds

from embodied.language.offline.translator import NAME
from embodied.language.reward.amending import subject
from embodied.route import Run, StageRun
from embodied.routes.reward.setup import Rig
from embodied.routes.reward.trace import Trace, condition_text, judged, related
from embodied.types import (
    Command,
    ControlStatus,
    RewardCondition,
    RewardGoal,
    RewardProgram,
    RewardStage,
)
from embodied.verdict import Verdict

SETTLE_S = 8.0
"""Longest simulated time for a last stage that has no duration of its own; a motion that goes on,
such as a walk, is judged over just so long."""
LEAST_S, GOING_LEAST_S = 1.5, 3.0
"""Shortest time over which a last stage is judged, of a posture and of a motion that goes on: for
one second, who only falls forward moves as fast as who walks."""
JUDGED_OVER_S = 0.5
JUDGED_EVERY_STEPS = 10
TRUSTED = frozenset({"rules", NAME})
"""Sources whose conditions come with the package, not from a model."""


class Execution:
    """A reward program under model-predictive control, one control period after the other.

    The controller changes stages: on when a stage is over, back when a guard fails. What was judged
    of a stage stands until the stage is entered again.

    Args:
        setup: The robot.
        program: What is asked for.
        run: What may be touched.
        warm: Control so far, whose plan is the warm start; None at the beginning.
        asked: What the last stage is judged by; None for its own terms.

    Attributes:
        control: State of the controller.
        status: ``RUNNING`` as long as the program is neither over nor stuck.
        stage: The stage that the controller is in, -1 before the first control period.
        trace: Recorded states and costs.
    """

    def __init__(
        self,
        setup: Rig,
        program: RewardProgram,
        run: Run,
        warm: RewardState | None,
        *,
        asked: RewardStage | None = None,
    ) -> None:
        self.setup, self.program, self.run, self._asked = setup, program, run, asked
        *before, last = program.stages
        program = replace(program, stages=(*before, replace(last, until=None)))  # see ``settled``
        observation = setup.seen(run.body.observation)
        self.controller = controller = setup.controller_of(program, observation)
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
            command, self.control, self.status = self.controller.step(
                self.control, self.setup.seen(self.run.body.observation)
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
        seen = self.setup.seen(self.run.body.observation)
        control = self.control.plan.control(seen.time)
        self.trace.add(self.stage, *self.setup.record(seen, control))
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
        asked = self.program.stages[last]
        goes_on = self.setup.view.goes_on(asked)
        if elapsed < (GOING_LEAST_S if goes_on else LEAST_S) or self._steps % JUDGED_EVERY_STEPS:
            return False
        if asked.until is not None and self._met(last, asked.until):
            return True
        return not goes_on and not self._judge(last).unmet

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

        A condition ends a stage, it never fulfils one. A stage on the way that the rules end by a
        condition leaves its terms to the stages after it; one that a model wrote answers for every
        term that no later stage asks again.
        """
        text = f"stage {stage + 1}"
        program, asked = self.program, self.program.stages[stage]
        whole, now = self.trace.view(stage), self.trace.view(stage, JUDGED_OVER_S)
        by = self.trace.asked(stage)
        if self._asked not in (None, asked) and stage + 1 == len(program.stages):
            by = asked = self._asked
        found = judged(by, now, whole, self.setup.speech.vocabulary)
        holds, unmet, off = found.holds, found.unmet, found.off
        if asked.until is not None and stage + 1 < len(program.stages):
            holds = (condition_text(asked.until),) if self._met(stage, asked.until) else ()
            unmet, off = (), 0.0
            if program.source.removeprefix("replay of ") not in TRUSTED:
                later = {subject(t) for s in program.stages[stage + 1 :] for t in s.terms}
                rest = tuple(t for t in asked.terms if subject(t) not in later)
                alone = replace(asked, terms=rest)
                found = judged(alone, now, whole, self.setup.speech.vocabulary)
                unmet, off = found.unmet, found.off
        facts = self.setup.facts(self.setup.seen(self.run.body.observation))
        are, are_not = related(asked, facts, now)
        if stage + 1 == len(program.stages):
            unmet, off = (*unmet, *are_not), off + len(are_not)
        return Verdict(
            text=text,
            holds=(*holds, *are),
            unmet=unmet,
            off=off,
            numbers=whole.numbers(),
        )

    def _met(self, stage: int, condition: RewardCondition) -> bool:
        """Whether a condition holds at the end of what was recorded of a stage."""
        return condition_holds(condition, self.trace.view(stage, 0.0), self.trace.seconds(stage))


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
        if gone := self.missing():
            return f"I cannot find {', '.join(gone)}"
        with execution.run.timed("move", silent=True):
            while True:
                execution.look()
                if execution.status is ControlStatus.STUCK:
                    return f"stopped: {execution.control.message}"
                if execution.stage > self.number or not execution.step() or execution.settled():
                    return ""

    def missing(self) -> tuple[str, ...]:
        """Things that the program is about and that are not perceived before it begins."""
        execution = self.execution
        if execution.stage >= 0:
            return ()
        seen = execution.setup.seen(execution.run.body.observation)
        return execution.setup.missing(execution.program, seen)

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
