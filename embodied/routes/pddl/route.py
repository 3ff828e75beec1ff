"""The PDDL route: a tabletop, a translator, a planner and skills, kept over several sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from embodied.agent import Agent, Options, Report
from embodied.app.asking import strategy_details
from embodied.app.record.states import RecordedWorld
from embodied.app.settings import (
    NOT_REACHED,
    NOT_UNDERSTOOD,
    REACHED,
    Artifact,
    Goal,
    Outcome,
)
from embodied.errors import (
    ConfigurationError,
    Diagnostic,
    EnvironmentMissingError,
    NotUnderstoodError,
)
from embodied.language.models.logged import LoggedModel
from embodied.memory import SceneMemory
from embodied.memory.tracing import remembered_facts, traced_memory
from embodied.protocols import (
    Controller,
    Critic,
    Emit,
    Event,
    PddlPlanner,
    Skills,
    SymbolGrounder,
    Translator,
    Usage,
    World,
)
from embodied.recovery import Ask, nobody
from embodied.routes.pddl.monitor import Verdict
from embodied.routes.pddl.strategies import Strategy
from embodied.routes.pddl.undo import irreversible
from embodied.symbolic import Domain, progress, read_domain, render_problem
from embodied.types import (
    Array,
    Atom,
    Command,
    GroundAction,
    PddlProgram,
    PlanResult,
    PlanStatus,
    Program,
)

_Facts = frozenset[Atom]


class Explain(Protocol):
    """A plan in words, one sentence per action."""

    def __call__(
        self, plan: Sequence[GroundAction], objects: Mapping[str, str], /
    ) -> tuple[str, ...]:
        """Explain ``plan``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a tabletop session is wired from.

    Attributes:
        world: Not yet reset.
        read_qpos: Generalised positions of the world's model.
        grounder: Turns its observations into facts.
        translator: Turns sentences into programs.
        planner: Turns programs into plans.
        skills: Turn actions into control goals.
        controller: Turns control goals into commands.
        explain: Puts plans in words.
        model: The translator's language model, None for one that needs none.
        static_facts: Facts that never change.
        about: For ``run.json`` and the display.
        states_header: For whoever draws the recorded states.
        translator_note: What the translator is, in honest words.
        options: Bounds of the agent.
        strategy: Makes the strategy of one instruction; None follows plans.
        critic: Predicts how likely an action is to succeed.
        ask: Puts questions to a person.
    """

    world: World
    read_qpos: Callable[[], Array]
    grounder: SymbolGrounder
    translator: Translator
    planner: PddlPlanner
    skills: Skills
    controller: Controller[Any]
    explain: Explain
    model: LoggedModel | None = None
    static_facts: frozenset[Atom] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    states_header: Mapping[str, Any] = field(default_factory=dict[str, Any])
    translator_note: str = ""
    options: Options = field(default_factory=Options)
    strategy: Callable[[], Strategy] | None = None
    critic: Critic | None = None
    ask: Ask = nobody


class TabletopSession:
    """Implements ``embodied.app.settings.Session`` for the PDDL route.

    Args:
        parts: What it is wired from.
        seed: Seed of the initial layout.
    """

    def __init__(self, parts: Parts, *, seed: int) -> None:
        self._parts = parts
        self._observer: Callable[[float], None] | None = None
        self._world = RecordedWorld(parts.world, self._stepped)
        self._world.reset(seed=seed)
        self._domain: Domain = read_domain(parts.grounder.domain_text)
        self._exchanges: tuple[tuple[str, Program], ...] = ()
        self._changes: list[tuple[_Facts, _Facts, tuple[GroundAction, ...]]] = []
        self._plans: list[str] = []

    @property
    def translator(self) -> str:
        """Name and honest description of the translator."""
        note = self._parts.translator_note
        name = self._parts.translator.name
        return f"{name} ({note})" if note else name

    @property
    def about(self) -> Mapping[str, Any]:
        """First fields of ``run.json``."""
        return {**self._parts.about, "object_source": self._world.spec.object_source}

    @property
    def states_header(self) -> dict[str, Any]:
        """What a painter needs to draw the recorded states."""
        return dict(self._parts.states_header)

    def watch(self, observer: Callable[[float], None] | None) -> None:
        """Set who is told the simulated time after every step."""
        self._observer = observer

    def time_s(self) -> float:
        """Simulated time now."""
        return self._world.observe().time

    def qpos(self) -> Array:
        """Generalised positions of the whole model now."""
        return self._parts.read_qpos()

    def model_and_data(self) -> tuple[Any, Any]:
        """The simulator's own model and state, for a window."""
        world: Any = self._parts.world
        try:
            return world.model, world.data
        except AttributeError as error:
            raise EnvironmentMissingError("this world has no window to show") from error

    def run(self, instruction: str, *, emit: Emit, artifact: Artifact, move: bool) -> Outcome:
        """Translate, plan and, if ``move`` is set, act; raises EmbodiedError."""
        agent = self._agent(emit, artifact)
        spent = self._usage()
        program = agent.translate(instruction)
        self._write_program(program, artifact)
        if move:
            return self._pursue(agent, program, spent)
        return self._plan_only(agent, program, emit, spent)

    def undo(self, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Plan back to what was measured, of the objects concerned, before the last instruction.

        Raises:
            NotUnderstoodError: There is nothing to undo, or nothing takes it back.
        """
        if not self._changes:
            problem = "no instruction of this conversation has changed anything"
            raise NotUnderstoodError("undo", [Diagnostic(where="undo", problem=problem)])
        before, after, final = self._changes[-1]
        if final:
            problem = f"{', '.join(map(str, final))} cannot be undone"
            raise NotUnderstoodError("undo", [Diagnostic(where="undo", problem=problem)])
        self._changes.pop()
        goal = restoring_goal(before, after, self._parts.static_facts)
        grounder = self._parts.grounder
        objects = dict(grounder.objects)
        facts = grounder.facts(self._world.observe())
        program = PddlProgram(
            domain=grounder.domain_text,
            problem=render_problem("undo", self._domain, objects, facts, (goal,)),
            stages=(goal,),
            source="undo",
            notes=("undo restores what was true; places on a surface may differ",),
        )
        emit(Event(kind="instruction", data={"text": "undo", "translator": "none"}))
        agent = self._agent(emit, artifact)
        agent.memory = agent.memory.told("undo", program)
        self._write_program(program, artifact)
        depth = len(self._changes)
        try:
            return self._pursue(agent, program, self._usage())
        finally:
            del self._changes[depth:]  # undoing twice goes back one more instruction

    def pursue(self, program: Program, *, emit: Emit, artifact: Artifact) -> Outcome:
        """Carry out a recorded program, without any model."""
        if not isinstance(program, PddlProgram):
            raise ConfigurationError(f"a tabletop cannot carry out a {type(program).__name__}")
        self._write_program(program, artifact)
        return self._pursue(self._agent(emit, artifact), program, self._usage())

    def resume(
        self,
        program: PddlProgram,
        *,
        instruction: str,
        done: int,
        believed: frozenset[Atom] | None,
        emit: Emit,
        artifact: Artifact,
    ) -> Outcome:
        """Go on with an interrupted program.

        Args:
            program: The program.
            instruction: The sentence it was made from.
            done: Stages that had been measured to be reached.
            believed: What was believed last; differences to what is measured become an event.
            emit: Receives events.
            artifact: Receives files.
        """
        self._write_program(program, artifact)
        agent = self._agent(emit, artifact)
        agent.remember(instruction, program)
        if believed is not None:
            agent.compare(believed)
        return self._pursue(agent, program, self._usage(), done=done)

    def recall(self, folder: Path) -> frozenset[Atom] | None:
        """What the run of a folder believed last; None where it had not begun to."""
        return remembered_facts(folder, self._parts.grounder)

    def restore(self, qpos: Array) -> None:
        """Put the world into a recorded configuration.

        Raises:
            ConfigurationError: This world cannot be put anywhere.
        """
        world: Any = self._parts.world
        if not hasattr(world, "set_configuration"):
            name = type(world).__name__
            raise ConfigurationError(f"{name} cannot take up a recorded state: use --world mujoco")
        world.set_configuration(qpos)

    def state(self) -> tuple[str, ...]:
        """Measured facts that can change."""
        facts = self._parts.grounder.facts(self._world.observe()) - self._parts.static_facts
        return tuple(str(f) for f in sorted(facts))

    def describe(self, action: str) -> str:
        """An action of the plan as a sentence."""
        try:
            return self._parts.explain([GroundAction.parse(action)], self._parts.grounder.objects)[
                0
            ]
        except (ValueError, LookupError):
            return action

    def stop(self) -> None:
        """Hold the robot where it is."""
        q = self._world.observe().q
        for _ in range(5):
            self._world.step(Command(q=q))

    def close(self) -> None:
        """Release the world and the model; may be called twice."""
        self._world.close()
        if self._parts.model is not None:
            self._parts.model.close()

    # ----------------------------------------------------------------- private

    def _stepped(self, time_s: float) -> None:
        if self._observer is not None:
            self._observer(time_s)

    def _progress(self, action: GroundAction, facts: frozenset[Atom]) -> frozenset[Atom]:
        return progress(action, facts, self._domain, dict(self._parts.grounder.objects))

    def _usage(self) -> Usage:
        return self._parts.model.usage if self._parts.model is not None else Usage()

    def _agent(self, emit: Emit, artifact: Artifact) -> Agent:
        """A fresh agent, so that its timings are those of one instruction."""
        self._plans.clear()
        if self._parts.model is not None:
            self._parts.model.emit = emit

        def emit_and_explain(event: Event) -> None:
            emit(event)
            if event.kind == "plan":
                self._plans.append(self._explained(event.data))
                artifact("plan.txt", "\n".join(self._plans))

        parts = self._parts
        memory = traced_memory(parts.grounder, emit)
        for sentence, program in self._exchanges:
            memory = memory.told(sentence, program)
        return Agent(
            world=self._world,
            grounder=parts.grounder,
            translator=parts.translator,
            planner=parts.planner,
            skills=parts.skills,
            controller=parts.controller,
            memory=memory.observed(self._world.observe()),
            emit=emit_and_explain,
            options=parts.options,
            strategy=None if parts.strategy is None else parts.strategy(),
            critic=parts.critic,
            ask=parts.ask,
        )

    def _write_program(self, program: PddlProgram, artifact: Artifact) -> None:
        artifact("domain.pddl", program.domain)
        artifact("problem.pddl", program.problem)

    def _explained(self, plan: Mapping[str, Any]) -> str:
        """One planner answer for ``plan.txt``."""
        kind = "optimal" if plan["optimal"] else "satisficing"
        head = f"; {plan['status']}, cost {plan['cost']:g}, {kind}, {plan['engine']}\n"
        if plan["status"] != PlanStatus.SOLVED.name:
            return f"{head}; {plan['message']}\n"
        width = max((len(a) for a in plan["plan"]), default=0)
        return head + "".join(f"{a:<{width}}  ; {self.describe(a)}\n" for a in plan["plan"])

    def _pursue(
        self, agent: Agent, program: PddlProgram, spent: Usage, *, done: int = 0
    ) -> Outcome:
        before = self._parts.grounder.facts(self._world.observe())
        try:
            report = agent.pursue(program, done=done)
        finally:
            self._exchanges = agent.memory.exchanges
            after = self._parts.grounder.facts(self._world.observe())
            if before != after:
                final = irreversible((r.action for r in agent.actor.records if r.ok), self._domain)
                self._changes.append((before, after, final))
        return self._outcome(report, agent, after, spent)

    def _outcome(
        self, report: Report, agent: Agent, facts: frozenset[Atom], spent: Usage
    ) -> Outcome:
        monitor = agent.monitor
        return Outcome(
            exit_code=report.exit_code,
            message=report.message,
            goals=tuple(_goal(v, monitor.verdict(v.goal, facts)) for v in report.verdicts),
            notes=report.program.notes,
            details={
                "program": {"stages": report.program.stages, "source": report.program.source},
                "plans": report.plans,
                "actions": report.actions,
                **strategy_details(report, agent),
            },
            timings_s=report.timings_s,
            usage=_difference(self._usage(), spent),
        )

    def _plan_only(self, agent: Agent, program: PddlProgram, emit: Emit, spent: Usage) -> Outcome:
        """Plan stage after stage from predicted facts, without moving."""
        emit(
            Event(
                kind="program",
                data={
                    "stages": program.stages,
                    "source": program.source,
                    "notes": program.notes,
                },
            )
        )
        plans: list[PlanResult] = []
        kept: tuple[str, ...] = ()
        for stage in program.stages:
            result, kept = agent.plan_keeping(program, kept, stage)
            plans.append(result)
            if result.status is not PlanStatus.SOLVED:
                break
            kept = (*kept, *agent.monitor.conjuncts(stage))
            facts = agent.memory.facts
            for action in result.plan:
                facts = self._progress(action, facts)
            agent.memory = SceneMemory(  # what would hold then: nothing moves
                grounder=self._parts.grounder, transition=self._progress, facts=facts
            )
        last = plans[-1]
        n = sum(len(p.plan) for p in plans)
        codes = {PlanStatus.SOLVED: REACHED, PlanStatus.UNSUPPORTED: NOT_UNDERSTOOD}
        solved = last.status is PlanStatus.SOLVED
        words = (
            f"{n} action{'' if n == 1 else 's'}" if n else "nothing to do: the goal holds already"
        )
        return Outcome(
            exit_code=codes.get(last.status, NOT_REACHED),
            message=words if solved else last.message or last.status.value,
            notes=program.notes,
            details={
                "program": {"stages": program.stages, "source": program.source},
                "plans": plans,
                "steps": [self.describe(str(a)) for p in plans for a in p.plan],
            },
            usage=_difference(self._usage(), spent),
        )


def _goal(judged: Verdict, at_the_end: Verdict) -> Goal:
    """A stage's verdict, with what a later stage had to undo told apart."""
    if not judged.reached:
        return Goal(text=judged.goal, holds=judged.holds, unmet=judged.unmet)
    held = tuple(part for part in judged.holds if part not in at_the_end.holds)
    return Goal(text=judged.goal, holds=at_the_end.holds, held=held)


def restoring_goal(before: frozenset[Atom], after: frozenset[Atom], static: frozenset[Atom]) -> str:
    """The goal that makes true again what ``before`` said of the objects that changed since.

    Args:
        before: Facts measured before an instruction.
        after: Facts measured after it.
        static: Facts that never change; left out.
    """
    changed = before ^ after
    touched = {a.args[0] for a in changed if a.args}
    wanted = sorted(a for a in before - static if a.args and a.args[0] in touched)
    unwanted = sorted(a for a in after - before if a.args)
    return f"(and {' '.join([*map(str, wanted), *(f'(not {a})' for a in unwanted)])})"


def _difference(now: Usage, earlier: Usage) -> Usage:
    cost = None if now.cost_usd is None else now.cost_usd - (earlier.cost_usd or 0.0)
    return Usage(
        calls=now.calls - earlier.calls,
        input_tokens=now.input_tokens - earlier.input_tokens,
        output_tokens=now.output_tokens - earlier.output_tokens,
        cost_usd=cost,
    )
