"""What the person's sentence asks, whether a program keeps to it, and whether it came true.

Whoever carries a sentence out by tools writes programs of its own. None of them says what was
asked: that is read from the sentence alone, by a grammar; a program may do to things what this
reading does to things, and success is the reading measured at the end. Where no grammar reads the
sentence, every program has to cover it, as programs of language models have elsewhere, and success
is what was measured of the last one. A person is asked about all else; without one it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from embodied.agent import Agent
from embodied.errors import NotUnderstoodError
from embodied.language.asked_for import touches, unasked
from embodied.language.interpreter import Interpreter
from embodied.language.interpreter.coverage import covered
from embodied.language.interpreter.interpret import WHICH
from embodied.language.interpreter.supposing import Goals
from embodied.language.interpreter.things import with_answer
from embodied.language.interpreter.wording import in_words
from embodied.language.manner import MannerTranslator, merged
from embodied.outcome import Outcome
from embodied.protocols import StateMemory
from embodied.recovery import Question, RecoveryStep
from embodied.symbolic import Formula, conjuncts, holds, read_goal
from embodied.tools.open_program import OpenProgram
from embodied.types import (
    Atom,
    Manner,
    MixedProgram,
    PddlProgram,
    Program,
    WorldSpec,
)
from embodied.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A program that was carried out, and how it ended."""

    program: Program
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """A stage of a goal, or a motion that only whoever makes it can measure."""

    text: str
    goals: Goals | None = None
    formula: Formula | None = None


class Asked:
    """One sentence while it is carried out.

    Args:
        sentence: The sentence.
        program: What it was read as: a program of a grammar, or an ``OpenProgram``.
        agent: Carries programs out.
        interpreter: Has read it, and knows what was forbidden before.

    Attributes:
        said: The sentence, with what the person said when asked which thing was meant.
        program: The grammar's program; None where no grammar reads it.
        executed: What was carried out so far.
        confirmed: Whether the person said that what was done is all that was asked.
    """

    def __init__(
        self, sentence: str, program: Program, agent: Agent, interpreter: Interpreter
    ) -> None:
        self.said, self.agent, self.executed = sentence, agent, list[Executed]()
        self.confirmed = False
        self.program: Program | None = None
        self._unread: OpenProgram | None = None
        self._interpreter = interpreter
        self._answers: dict[str, bool] = {}
        self._take(program)

    @property
    def unread(self) -> str:
        """Why no grammar reads the sentence; ``""`` where one does."""
        return "; ".join(map(str, self._unread.unread)) if self._unread else ""

    # ------------------------------------------------------------ before a program

    def doubts(self, program: Program) -> tuple[str, ...]:
        """Why a person would be asked before a program is carried out."""
        memory, specs = self._memory, self.agent.body.spec.objects
        said = [*(sentence for sentence, _ in memory.exchanges), self.said]
        names = set(unasked(said, program, specs, memory.facts))
        residue: tuple[str, ...] = ()
        if self.program is not None:
            now = touches(self.program, specs, memory.facts)
            names |= touches(program, specs, memory.facts) - self._touched - now
        elif not names:
            residue = covered(self.said, program, specs, memory).residue
        acts = f"it acts on {', '.join(sorted(names))}, which nobody asked for"
        return (*((acts,) if names else ()), *residue)

    def refusal(self, program: Program) -> str:
        """Why a program may not be carried out, ``""`` if it may; the person is asked if need be.

        Raises:
            NotUnderstoodError: It does not go with how the sentence says to move.
        """
        run = self.agent.run
        if broken := self._interpreter.broken(program, self._memory):
            return broken
        doubts = self.doubts(program)
        if not doubts:
            return ""
        text = f"I read: {in_words(program, self._memory)}. {'. '.join(doubts)}. Shall I do it?"
        if text not in self._answers:
            kind = "unasked" if "nobody asked for" in doubts[0] else "reading"
            answer = self._answers[text] = run.ask(Question(text=text, kind=kind, about=doubts))
            run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if answer else 'No.'}")
        if self._answers[text]:
            return ""
        who = "the person said no" if run.attended else "there is no person to allow it"
        return f"not carried out: {'; '.join(doubts)}; {who}"

    def in_manner(self, program: Program) -> Program:
        """The program, its goals to be reached as the sentence says to move.

        Raises:
            NotUnderstoodError: The manner contradicts a goal.
        """
        if isinstance(program, MixedProgram):
            return replace(program, parts=tuple(self.in_manner(p) for p in program.parts))
        if not isinstance(program, PddlProgram):
            return program
        if self.program is None:
            given = MannerTranslator(_Given(program))
            return given.translate(self.said, self._memory, self.agent.body.spec)
        manners = [m for p in _parts(self.program) if isinstance(p, PddlProgram) for m in p.manners]
        if len(manners) != len(program.stages):
            whole = Manner()
            for manner in manners:
                whole = merged(whole, manner)
            manners = [whole] * len(program.stages) if manners else []
        return replace(program, manners=tuple(manners))

    def clarify(self, answer: str) -> None:
        """Take in which thing a person means, in their words."""
        unread = self._unread
        if unread is None:
            return
        phrase = next((d.where.strip("'") for d in unread.unread if d.hint.startswith(WHICH)), "")
        specs = self.agent.body.spec.objects
        clear = with_answer(self.said, phrase, answer, specs) if phrase else answer
        if clear == answer:
            self.said = f"{self.said} ({answer})"
            return
        self.said = clear
        try:
            translator = self._interpreter.translator
            self._take(translator.translate(clear, self._memory, self.agent.body.spec))
        except NotUnderstoodError:
            return

    # ------------------------------------------------------------ while and after

    def look(self) -> None:
        """Take note of goals that have come true, in the order in which they were asked for."""
        facts = self._memory.facts
        while self._at < len(self._steps) and _holds(self._steps[self._at], facts):
            self._at += 1

    def carried_out(self, program: Program, outcome: Outcome) -> None:
        """Take note of a program that was carried out."""
        self.executed.append(Executed(program=program, outcome=outcome))
        self.look()
        moves = any(not isinstance(p, PddlProgram) for p in _parts(program))
        if outcome.reached and moves:
            while self._at < len(self._steps) and self._steps[self._at].formula is None:
                self._at += 1
            self.look()

    def verdicts(self) -> tuple[Verdict, ...]:
        """What was asked and what of it is measured now; nothing here is what a model says."""
        self.look()
        if self.program is None:
            if not self.executed:
                return (Verdict(text=self.said, unmet=(f"nothing was done for: {self.said}",)),)
            return self.executed[-1].outcome.verdicts or (
                Verdict(text=self.said, reason=self.executed[-1].outcome.message),
            )
        found = [self._judged(i, step) for i, step in enumerate(self._steps)]
        return (*found, *self._unmeasured())

    def left_out(self) -> tuple[str, ...]:
        """What of a sentence with motions in it the programs that reached their ends left out."""
        moves = self.program is not None and any(s.formula is None for s in self._steps)
        reached = [p for e in self.executed if e.outcome.reached for p in _parts(e.program)]
        if not moves or not reached or self.confirmed:
            return ()
        done = MixedProgram(parts=tuple(reached), source=reached[-1].source)
        return covered(self.said, done, self.agent.body.spec.objects, self._memory).residue

    # ------------------------------------------------------------ private

    @property
    def _memory(self) -> StateMemory:
        return self.agent.memory

    def _take(self, program: Program) -> None:
        """Take over a reading."""
        self._unread = program if isinstance(program, OpenProgram) else None
        self.program = None if self._unread else program
        facts = self._memory.facts
        self._touched = frozenset[str]()
        self._steps: list[_Step] = []
        self._at = 0
        if self.program is not None:
            self._touched = touches(self.program, self.agent.body.spec.objects, facts)
            for part in _parts(self.program):
                self._steps += _steps(part, facts, self._memory)
                if isinstance(part, PddlProgram):
                    facts = Goals.of(part, facts).after(facts)
        self._in_the_end = facts
        self.look()

    def _judged(self, number: int, step: _Step) -> Verdict:
        if step.goals is None or step.formula is None:
            done = number < self._at
            return Verdict(
                text=step.text,
                holds=(step.text,) if done else (),
                unmet=() if done else (f"not measured in this order: {step.text}",),
            )
        facts, last = self._memory.facts, number == len(self._steps) - 1
        true, held, unmet = list[str](), list[str](), list[str]()
        for part in conjuncts(step.formula):
            if holds(part, facts, step.goals.domain, step.goals.objects):
                true.append(str(part))
            elif (
                not last
                and number < self._at
                and not holds(part, self._in_the_end, step.goals.domain, step.goals.objects)
            ):
                held.append(str(part))  # what comes after it undoes it
            else:
                unmet.append(str(part))
        if not unmet and number >= self._at:
            unmet.append(f"not measured in this order: {step.text}")
        return Verdict(text=step.text, holds=tuple(true), held=tuple(held), unmet=tuple(unmet))

    def _unmeasured(self) -> tuple[Verdict, ...]:
        """How the sentence says to move, where nothing that was done was measured for it."""
        asked = [m for p in _parts(self.program) if isinstance(p, PddlProgram) for m in p.manners]
        kept = any(
            e.outcome.reached and isinstance(p, PddlProgram) and p.manners
            for e in self.executed
            for p in _parts(e.program)
        )
        if not any(m != Manner() for m in asked) or kept:
            return ()
        text = "the way to move"
        return (Verdict(text=text, unmet=(f"{text} was not measured to be kept",)),)


@dataclass(frozen=True, slots=True)
class _Given:
    """A translator whose program is there already."""

    program: Program

    @property
    def name(self) -> str:
        """Who wrote it."""
        return self.program.source

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """The program, whatever the sentence."""
        del instruction, memory, spec
        return self.program


def _parts(program: Program | None) -> Sequence[Program]:
    if program is None:
        return ()
    return program.parts if isinstance(program, MixedProgram) else (program,)


def _steps(part: Program, facts: frozenset[Atom], memory: StateMemory) -> list[_Step]:
    if not isinstance(part, PddlProgram):
        return [_Step(text=in_words(part, memory))]
    goals = Goals.of(part, facts)
    read = (read_goal(stage, goals.domain, goals.objects) for stage in part.stages)
    return [_Step(text=str(f), goals=goals, formula=f) for f in read]


def _holds(step: _Step, facts: frozenset[Atom]) -> bool:
    if step.goals is None or step.formula is None:
        return False
    return holds(step.formula, facts, step.goals.domain, step.goals.objects)
