"""Language to Rewards (arXiv 2306.08647): rewards in stages, model-predictive control, verdict.

The world goes on between sentences of a conversation, and the plan so far is the warm start of the
next program: a correction changes the motion at the next replan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import ClassVar, cast

from embodied_controllers.mpc.controller import RewardState
from embodied_controllers.mpc.terms import term_label

from embodied.agent import Agent
from embodied.errors import Diagnostic, EmbodiedError, NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.interpreter import writer_of
from embodied.language.program_form import ProgramForm
from embodied.language.reward import check, program_from_json, program_to_json
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.translator import RewardTranslator, reward_form
from embodied.opening import Opening
from embodied.outcome import NOT_REACHED, REACHED, Outcome
from embodied.protocols import Translator
from embodied.records import Record
from embodied.route import Change, Route, Run, not_undone
from embodied.routes.reward.live import Correction, Listener, TypedLines, refusal
from embodied.routes.reward.setup import RewardSetup, Rig
from embodied.routes.reward.stage_run import SETTLE_S, Execution, RewardStageRun
from embodied.routes.reward.trace import condition_text
from embodied.types import (
    Atom,
    ControlStatus,
    Observation,
    Program,
    RewardProgram,
    RewardStage,
    WorldSpec,
)

SEAMLESS_S = 0.1
"""A plan that ended longer ago is no warm start."""


class RewardRoute(Route[RewardProgram]):
    """Minimises the cost of a program's terms.

    Args:
        setup: The robot with its world, controller and judge.
        translator: Turns sentences into programs.
    """

    name: ClassVar[str] = "reward"
    settles: ClassVar[bool] = True
    program = RewardProgram

    def __init__(self, setup: Rig, translator: Translator | None = None) -> None:
        self.setup, self.translator = setup, translator
        self._warm: RewardState | None = None
        self._revised: tuple[RewardProgram, RewardStage] | None = None
        """A program that replaces another for the same sentence, and what judges it."""

    @classmethod
    def open(cls, opening: Opening) -> RewardRoute:
        """Open the route for a robot that is moved by rewards; raises as ``Route.open`` does."""
        from embodied.routes.reward.translators import open_translator

        setup = opening.environment.setup
        if not isinstance(setup, RewardSetup):
            setup = _at_table(opening)
        return cls(setup, open_translator(opening, setup))

    def check(self, program: RewardProgram) -> tuple[Diagnostic, ...]:
        """What is not legal in a program for this robot in this scene."""
        words = self.setup.speech.vocabulary
        if program.robot != words.robot:
            problem = f"the program is for the {program.robot}"
            return (Diagnostic(where="robot", problem=problem, hint=f"legal: {words.robot}"),)
        return check(program, words)

    def stages(self, program: RewardProgram) -> tuple[str, ...]:
        """The terms of every stage, how long it lasts and what ends it."""
        last = len(program.stages) - 1
        return tuple(
            ", ".join(term_label(t) for t in stage.terms) + self._time(stage, last=i == last)
            for i, stage in enumerate(program.stages)
        )

    def _time(self, stage: RewardStage, *, last: bool) -> str:
        """How long a stage lasts, in words."""
        seconds, ends = stage.duration_s, stage.until
        until = f"until {condition_text(ends)}" if ends is not None else ""
        if seconds is not None:
            return f"; for at most {seconds:g} s, {until}" if until else f"; for {seconds:g} s"
        if not last:
            return f"; {until}"
        if self.setup.view.goes_on(stage):
            default = f"for {SETTLE_S:g} s, since no duration is given"
            return f"; {until} or {default}" if until else f"; {default}"
        return f"; until it holds, for at most {SETTLE_S:g} s"

    def record(self, program: RewardProgram) -> Mapping[str, object]:
        """The program as JSON values."""
        return {"reward": self.summary(program)}

    def summary(self, program: RewardProgram) -> object:
        """The program in ``run.json``."""
        return json.loads(program_to_json(program))

    def files(self, program: RewardProgram) -> Mapping[str, str | bytes]:
        """The program as JSON."""
        return {"reward.json": program_to_json(program)}

    def read(self, record: Record, folder: Path) -> RewardProgram:
        """The program that a run pursued; raises as ``Route.read`` does."""
        del folder
        text, source = json.dumps(record.value("reward")), f"replay of {record.text('source')}"
        return program_from_json(text, self.setup.speech.vocabulary, source=source, filled=False)

    def form(self, spec: WorldSpec) -> ProgramForm:
        """Reward programs as JSON."""
        del spec
        return reward_form(self.setup.speech)

    def begin(
        self, program: RewardProgram, number: int, run: Run, *, done: bool = False
    ) -> RewardStageRun:
        """Begin a stage; the controller goes on from the one before."""
        execution = _execution_of(run)
        if execution is None or execution.program is not program:
            warm = self._warm
            if warm is not None and run.body.observation.time > warm.observation.time + SEAMLESS_S:
                warm = None  # something else moved the robot meanwhile
            asked = self._asked(program)
            execution = Execution(self.setup, program, run, warm, asked=asked)
        if number > 0 and not done and execution.stage < 0:
            execution.skip_to(number)
        return RewardStageRun(execution, number)

    def rest(self, run: Run) -> None:
        """Keep the plan as the warm start of the next program, and write up the costs."""
        execution = _execution_of(run)
        if execution is not None:
            self._warm = execution.control
            run.write("costs.csv", execution.trace.csv())
            run.write("costs.svg", execution.trace.svg())

    def revise(self, program: RewardProgram, outcome: Outcome, run: Run) -> RewardProgram | None:
        """Ask a model for a better program where terms stayed high.

        Where the rules read the sentence, it is judged by what they read: a model does not make its
        own task easier. Where they do not, its own terms judge, and a note says which it dropped.
        """
        execution = _execution_of(run)
        unmet = tuple(part for v in outcome.verdicts for part in v.unmet)
        writer = writer_of(self.translator)
        if not isinstance(writer, RewardTranslator) or execution is None or not unmet:
            return None
        run.say("diagnostic", text=f"asking for a better program: {'; '.join(unmet)}")
        try:
            problems = (*unmet, *execution.trace.trend())
            other = writer.repair_motion(run.instruction, program, problems)
        except EmbodiedError as error:
            run.say("diagnostic", text=refusal(error))
            return None
        try:
            alone = Conversation(facts=run.memory.facts)  # a correction is not read twice
            rules = RewardRules(self.setup.speech)
            read = rules.translate(run.instruction, alone, run.body.spec)
        except NotUnderstoodError:
            kept = {term_label(t) for t in other.stages[-1].terms}
            asked = (term_label(t) for t in program.stages[-1].terms if t.weight > 0)
            dropped = ", ".join(t for t in asked if t not in kept)
            note = f"judged by the repaired program, which asks no more: {dropped}"
            return replace(other, notes=(*other.notes, note)) if dropped else other
        self._revised = (other, read.stages[-1])
        note = "judged by what the rules read in the sentence"
        return replace(other, notes=(*other.notes, note))

    def _asked(self, program: RewardProgram) -> RewardStage:
        """What judges the last stage of a program."""
        if self._revised is not None and self._revised[0].stages is program.stages:
            return self._revised[1]
        return program.stages[-1]

    def details(self, run: Run) -> Mapping[str, object]:
        """How long it moved, and how often a guard led back."""
        execution = _execution_of(run)
        if execution is None:
            return {}
        returns = execution.control.returns
        told = [{"stage": v.text, **v.numbers} for v in execution.verdicts() if v.numbers]
        return {
            **_speed(run.body.observation.time - execution.begun_s, run.timings_s["move"]),
            **({"stepped_back": returns} if returns else {}),
            **({"measured": told} if told else {}),
        }

    def change(
        self, program: RewardProgram, before: frozenset[Atom], after: frozenset[Atom], run: Run
    ) -> Change:
        """Every program changes the posture."""
        return Change(program=program, before=before, after=after)

    def inverse(self, change: Change, run: Run) -> Program:
        """The program before the last one; the world itself cannot be unmoved."""
        del run
        if not change.earlier:
            raise not_undone("there is no earlier program to go back to")
        return change.earlier[-1]

    def state(self, observation: Observation) -> tuple[str, ...]:
        """What is measured now."""
        del observation
        return self.setup.state()

    def stop(self) -> None:
        """Forget the plan so far."""
        self._warm = None

    def close(self) -> None:
        """End the planner's threads."""
        self.setup.close()

    def converse(
        self,
        agent: Agent,
        translator: Translator,
        lines: Iterator[str],
        say: Callable[[str], None],
    ) -> Outcome:
        """Follow sentence after sentence, each from the moment that it is understood.

        The robot stands still until the first one; then it moves until ``quit``, or, where the
        lines come from a file or a pipe, until the last program is reached or has had its time.
        The verdict is on the last program.
        """
        body, run = agent.body, agent.run
        writer = writer_of(translator)

        def understood(sentence: str, state: tuple[str, ...]) -> RewardProgram:
            if isinstance(writer, RewardTranslator):  # in a thread: it does not measure itself
                writer.now = lambda: state
            program = translator.translate(sentence, run.memory, body.spec)
            agent.route_of(program)
            agent.hold_to(program, sentence, run, ask=False)
            return cast("RewardProgram", program)

        listener = Listener(
            TypedLines(lines), understood, say=say, state=lambda: self.state(body.observation)
        )
        taken: list[Correction] = []
        parts: list[str] = []
        execution: Execution | None = None
        moving = False
        begin, simulated = time.perf_counter(), body.observation.time
        try:
            while True:
                try:
                    heard = listener.poll(body.observation.time, wait=not moving)
                except EmbodiedError as error:
                    run.say("diagnostic", text=refusal(error))
                    continue
                if heard is not None:
                    program, correction = heard
                    if execution is not None:
                        parts.append(execution.trace.csv())
                    words = "; ".join(self.stages(program))
                    run.memory = run.memory.told(correction.sentence, program, words)
                    taken.append(correction)
                    run.say("instruction", text=correction.sentence, translator=translator.name)
                    agent.announce(program)
                    execution = Execution(self.setup, program, run, self._warm)
                elif listener.quit or (listener.ended and (not moving or execution is None)):
                    break
                if execution is None:
                    continue
                moving = execution.step()
                self._warm = execution.control
                if listener.lines.ended and listener.ended and execution.settled():
                    break
        finally:
            listener.close()
        if execution is None:
            return Outcome(exit_code=REACHED, message="no request")
        moved_s = time.perf_counter() - begin
        header, rows = "", ""
        for part in (*parts, execution.trace.csv()):
            header, _, more = part.partition("\n")
            rows += more
        run.write("costs.csv", f"{header}\n{rows}")
        run.write("costs.svg", execution.trace.svg())
        verdicts = execution.verdicts()
        unmet = [part for v in verdicts for part in v.unmet]
        stuck = execution.status is ControlStatus.STUCK
        message = f"{len(taken)} sentence{'' if len(taken) == 1 else 's'} followed"
        if unmet:
            message += "; off at the end: " + "; ".join(unmet)
        if stuck:
            message = f"stopped: {execution.control.message}"
        return Outcome(
            exit_code=NOT_REACHED if unmet or stuck else REACHED,
            message=message,
            verdicts=verdicts,
            program=execution.program,
            details={
                "program": self.summary(execution.program),
                "corrections": [asdict(c) for c in taken],
                **_speed(body.observation.time - simulated, moved_s),
            },
            timings_s={"move": moved_s},
        )


def _at_table(opening: Opening) -> Rig:
    """An arm in a scene; raises as ``Route.open`` does."""
    from embodied.routes.reward.tabletop import tabletop_setup

    return tabletop_setup(opening.environment, opening.settings)


def _execution_of(run: Run) -> Execution | None:
    last = run.stages[-1] if run.stages else None
    return last.execution if isinstance(last, RewardStageRun) else None


def _speed(simulated_s: float, moved_s: float) -> dict[str, float]:
    return {
        "simulated_s": round(simulated_s, 2),
        "realtime_factor": round(simulated_s / max(moved_s, 1e-9), 2),
    }
