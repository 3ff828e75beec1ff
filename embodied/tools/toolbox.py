"""What the tools do: each answers in text, and refuses in text that names what is legal."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, cast

from embodied.agent import Agent
from embodied.errors import (
    ConfigurationError,
    Diagnostic,
    EnvironmentMissingError,
    OptionError,
    ProgramError,
)
from embodied.language.interpreter.wording import in_words
from embodied.language.program_form import ProgramForm
from embodied.language.prompting import data
from embodied.language.scene_text import scene_text
from embodied.outcome import Outcome
from embodied.perception.cameras import ImageSource
from embodied.protocols import Picture
from embodied.records import jsonable
from embodied.recovery import Question, RecoveryStep
from embodied.session import Session
from embodied.tools.asked import Asked
from embodied.tools.definitions import (
    About,
    Arguments,
    AskMemory,
    AskPerson,
    Definitions,
    GiveUp,
    Look,
    SaidProgram,
    WithProgram,
)
from embodied.types import (
    Array,
    MixedProgram,
    Observation,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
)
from embodied.world.png import encode_png

MOST_PICTURES = 8
"""Pictures that may be taken for one sentence."""

PICTURE_PX = (480, 360)

_KINDS: Mapping[str, type[Program]] = {
    "pddl": PddlProgram,
    "value-map": ValueMapProgram,
    "reward": RewardProgram,
    "mixed": MixedProgram,
}
"""Programs by the name of their route; those of other packages are found where they are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool answers.

    Attributes:
        text: For whoever called it; what comes from the scene stands between the marks of data.
        told: The same as JSON values.
        ok: Whether it did what was asked of it.
        pictures: What there is to see.
        outcome: How a program ended that was carried out.
        ends: Why the conversation is to end; ``""`` for not at all.
    """

    text: str
    told: Mapping[str, object] = field(default_factory=dict[str, object])
    ok: bool = True
    pictures: tuple[Picture, ...] = ()
    outcome: Outcome | None = None
    ends: str = ""


class Begin(Protocol):
    """Finds what a sentence asks."""

    def __call__(self, sentence: str) -> Asked:
        """What it asks; raises ProgramError where it is nothing to be done."""
        ...


class Toolbox:
    """The tools of one session.

    Args:
        session: What is driven.
        author: Who writes the programs.
        begin: Finds what the sentence asks that a call is for.
        said: Whether calls say for which sentence they are.

    Attributes:
        definitions: What they are called and take.
    """

    def __init__(self, session: Session, author: str, begin: Begin, *, said: bool = False) -> None:
        self._session, self._author, self._begin = session, author, begin
        self._pictures = 0
        self._kinds = _kinds(session)
        routes = tuple(self._kinds)
        self.definitions = Definitions(routes=routes, cameras=_cameras(session), said=said)

    def call(self, name: str, arguments: str | Mapping[str, object]) -> Answer:
        """Call a tool; what is wrong with the call, or with what it asks for, is the answer.

        Raises:
            WorldError: The simulator or the robot failed.
            ModelError: A model that a program asks failed.
        """
        try:
            return self._do(name, self.definitions.read(name, arguments))
        except ProgramError as error:
            lines = [str(d) for d in error.diagnostics] or [str(error)]
            return _refused("\n".join(lines), diagnostics=lines)
        except (ConfigurationError, EnvironmentMissingError) as error:
            return _refused(str(error))

    # ------------------------------------------------------------ the tools

    def _do(self, name: str, given: Arguments) -> Answer:
        match given:
            case About(route=route):
                return Answer(text=self.form(route).about)
            case Look(camera=camera):
                return self._look(camera)
            case AskMemory(question=question):
                text = self._session.answer(question)
                return Answer(text=data(text), told={"answer": text})
            case WithProgram(program=program):
                return self._with_program(name, "", program)
            case SaidProgram(sentence=sentence, program=program):
                return self._with_program(name, sentence, program)
            case AskPerson(question=question, choices=choices):
                return self._ask(question, tuple(choices))
            case GiveUp(reason=reason):
                return Answer(text="ended", ends=reason.strip() or "no reason given")
            case _:
                return self._scene()

    def _scene(self) -> Answer:
        place = self._session.environment
        observation = place.body.observe()
        seen = place.perceive(observation)
        memory = self._session.belief().memory
        if seen is not None:
            memory = memory.observed(seen)
        told: list[str] = []
        if place.body.spec.objects:
            told.append(scene_text(place.body.spec, memory.facts, _positions(observation, seen)))
        told += ["Measured to hold now:", *(self._session.state() or ("nothing",))]
        said = [f"{w}: {', '.join(sorted(names))}" for w, names in memory.attributes.items()]
        if remarks := (*memory.remarks, *said):
            told += ["Told or remembered, not measured now:", *remarks]
        return Answer(text=data("\n".join(told)), told={"scene": "\n".join(told)})

    def _look(self, camera: str) -> Answer:
        world = self._session.environment.body.world
        if self._pictures == MOST_PICTURES and not self.definitions.said:
            return _refused(f"{MOST_PICTURES} pictures were taken for this sentence: no more")
        self._pictures += 1
        width, height = PICTURE_PX
        source = cast("ImageSource", world)
        image = source.render(camera, width=width, height=height, segmentation=False)
        label = f"camera {camera}"
        return Answer(
            text=f"{label}: the picture follows",
            pictures=(Picture(label=label, png=encode_png(image.rgb)),),
        )

    def _ask(self, question: str, choices: tuple[str, ...]) -> Answer:
        asked = self._begin("")
        run = asked.agent.run
        if not run.attended:
            return _refused("there is no person to ask")
        for text in (f"{question} {c}?" for c in choices) if choices else (question,):
            answer = run.ask(Question(text=text, kind="choice", about=choices))
            run.escalate(RecoveryStep.ASK, f"{text} {'Yes.' if answer else 'No.'}")
            if answer and choices:
                choice = choices[[f"{question} {c}?" for c in choices].index(text)]
                asked.clarify(choice)
                return Answer(text=f"The person chose: {choice}", told={"answer": choice})
            if not choices:
                said = "yes" if answer else "no"
                return Answer(text=f"The person says {said}.", told={"answer": said})
        return Answer(text="The person said no to all of them.", told={"answer": None})

    def _with_program(self, name: str, sentence: str, written: Mapping[str, object]) -> Answer:
        asked = self._begin(sentence)
        program = asked.in_manner(self.read(written, asked.agent))
        if name == "check":
            return self._checked(asked, program)
        if name == "preview":
            return _previewed(asked.agent.aside().preview(program))
        if why := asked.refusal(program):
            return _refused(why, doubts=asked.doubts(program))
        return self._execute(asked, program)

    def _checked(self, asked: Asked, program: Program) -> Answer:
        wrong = asked.agent.route_of(program).check(program)
        if wrong:
            raise ProgramError(str(program), wrong)
        words, doubts = in_words(program, asked.agent.memory), asked.doubts(program)
        told = {"legal": True, "asks_for": words, "the_person_would_be_asked": doubts}
        return Answer(text=_as_json(told), told=told)

    def _execute(self, asked: Asked, program: Program) -> Answer:
        agent = asked.agent
        before = agent.memory.facts
        with _watching(asked):
            outcome = agent.pursue(program)
        asked.carried_out(program, outcome)
        now, missing = agent.memory.facts, [p for v in asked.verdicts() for p in v.problems]
        told: dict[str, object] = {
            "reached": outcome.reached,
            "message": outcome.message,
            "not_reached": [p for v in outcome.verdicts for p in v.problems],
            "measured": [{"stage": v.text, **v.numbers} for v in outcome.verdicts if v.numbers],
            "what_was_done_about_it": [f"{e.step.value}: {e.reason}" for e in outcome.escalations],
            "new": sorted(map(str, now - before)),
            "gone": sorted(map(str, before - now)),
            "of_the_sentence_still_missing": missing,
        }
        told = {k: v for k, v in told.items() if v not in ([], "")}
        return Answer(text=_as_json(told), told=told, outcome=outcome, ok=outcome.reached)

    # ------------------------------------------------------------ programs

    def form(self, route: str) -> ProgramForm:
        """How programs of a route are written; raises OptionError where they are not."""
        opened = self._session.routes[self._kinds[route]]
        form = opened.form(self._session.environment.body.spec)
        if form is None:
            raise OptionError(f"programs of the route {route} are not written by tools")
        return form

    def read(self, written: Mapping[str, object], agent: Agent, *, inner: bool = False) -> Program:
        """A program as it was written.

        Raises:
            ProgramError: It is none; the diagnostics name the legal values.
            OptionError: Its route cannot be opened here.
        """
        route = str(written.get("route", ""))
        if route not in self._kinds or (inner and route == "mixed"):
            legal = ", ".join(r for r in self._kinds if not inner or r != "mixed")
            problem = f"unknown route {route[:60]!r}"
            raise ProgramError(
                str(written)[:200],
                [Diagnostic(where="program.route", problem=problem, hint=f"legal: {legal}")],
            )
        rest = {k: v for k, v in written.items() if k != "route"}
        wanted = "parts" if route == "mixed" else "stages"
        if wanted not in rest:
            problem, hint = "missing", f'write {{"route": "{route}", "{wanted}": [...]}}'
            raise ProgramError(
                str(written)[:200], [Diagnostic(where=wanted, problem=problem, hint=hint)]
            )
        if route == "mixed":
            parts = cast("list[Mapping[str, object]]", rest["parts"])
            read = tuple(self.read(part, agent, inner=True) for part in parts)
            return MixedProgram(parts=read, source=self._author)
        return self.form(route).read(json.dumps(rest), agent.memory, self._author)


def _kinds(session: Session) -> Mapping[str, type[Program]]:
    """Kinds of programs that can be written in a session, by the name of their route."""
    found = {n: k for n, k in _KINDS.items() if k in session.routes}
    spec = session.environment.body.spec
    for kind in list(session.routes):
        route = session.routes[kind]
        if route.name not in found and route.form(spec) is not None:
            found[route.name] = kind
    return found


def _cameras(session: Session) -> tuple[str, ...]:
    """Cameras of the world; none where it takes no pictures."""
    world = session.environment.body.world
    return tuple(world.spec.cameras) if callable(getattr(world, "render", None)) else ()


def _positions(observation: Observation, seen: Observation | None) -> dict[str, Array]:
    places = {} if seen is None else {n: p.position for n, p in seen.poses.items()}
    if observation.gripper is not None:
        places["gripper"] = observation.pose_ee_in_world.position
    return places


@contextmanager
def _watching(asked: Asked) -> Generator[None]:
    """Notice goals that come true on the way: later stages may undo them."""
    watchers = asked.agent.body.watchers
    seen = [asked.agent.memory.facts]

    def watch(observation: Observation) -> None:
        del observation
        if asked.agent.memory.facts is not seen[0]:
            seen[0] = asked.agent.memory.facts
            asked.look()

    watchers.append(watch)
    try:
        yield
    finally:
        watchers.remove(watch)


def _previewed(outcome: Outcome) -> Answer:
    told = {
        "possible": outcome.reached,
        "message": outcome.message,
        "steps": outcome.details.get("steps", ()),
    }
    return Answer(text=_as_json(told), told=told, ok=outcome.reached)


def _refused(text: str, **told: object) -> Answer:
    return Answer(text=data(text), told={"refused": text, **told}, ok=False)


def _as_json(told: Mapping[str, object]) -> str:
    return data(json.dumps(jsonable(told), ensure_ascii=False))
