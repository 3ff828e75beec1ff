"""Reads sentences without planning or motion: one process, one model, many scenes and robots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from embodied.app.compatibility import check_names
from embodied.app.wiring import open_environment, open_named_model, route_of
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.language.interpreter import (
    Act,
    Answer,
    Ask,
    Interpreter,
    Reading,
    Refuse,
    Tell,
    kind_of,
)
from embodied.language.interpreter.supposing import Goals
from embodied.language.interpreter.wording import in_words
from embodied.language.reward import program_to_json
from embodied.language.value_map import to_json
from embodied.memory import Memory
from embodied.memory.believing import Belief
from embodied.memory.history import History
from embodied.memory.telling import tell
from embodied.memory.tracing import empty_memory
from embodied.opening import Environment, Opening
from embodied.protocols import StateMemory, Translator
from embodied.records import Record
from embodied.route import ROUTES, AnyRoute
from embodied.routes.pddl.manner import to_json as manner_to_json
from embodied.routes.reward.robots import REWARD_ROBOTS, recorded_name
from embodied.settings import Settings
from embodied.types import (
    Array,
    MixedProgram,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
    WorldSpec,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A robot in its scene, with who reads what is said to it.

    Attributes:
        environment: Its objects and what is measured of them; nothing is ever moved.
        translator: Writes programs.
        settings: Scene, robot and route.
        close: Releases all of it.
    """

    environment: Environment
    translator: Translator
    settings: Settings
    close: Callable[[], None]

    def interpreter(self) -> Interpreter:
        """Who reads a new conversation."""
        if isinstance(self.translator, Interpreter):
            return replace(self.translator, rules=[], unclear=None, placeless="", topic="")
        return Interpreter(translator=self.translator)

    def memory(self) -> Memory:
        """What is measured now, before anything was said."""
        body = self.environment.body
        return empty_memory(self.environment.grounder).observed(body.observe())


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A sentence as it was read.

    Attributes:
        text: The sentence.
        reading: What it was read as.
        memory: What was believed before it.
        scene: Where it was read.
    """

    text: str
    reading: Reading
    memory: Memory
    scene: str


class SentenceReader:
    """Reads sentences about any scene and robot; environments are opened when they are needed.

    Args:
        settings: Scene, robot and route of sentences that name none; the model of all.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = open_named_model(settings)
        self._places: dict[tuple[str, str, str], Place] = {}

    def read(self, line: Record) -> dict[str, object]:
        """Read a record with ``text`` or ``turns``; what else it holds is passed on.

        Args:
            line: ``text`` or ``turns`` (texts, or records with ``text``), and, where they are not
                those of the settings, ``scene``, ``robot`` and ``route``.

        Raises:
            ConfigurationError: A key is missing or of another kind, or names what does not exist.
            ModelError: The model could not be reached or is out of budget.
        """
        said = _turns(line)
        several = "turns" in line
        found = [as_json(t) for t in self.turns(line)]
        if not several:
            return with_reading(line.values, found[0])
        told = [with_reading(t.values, r) for t, r in zip(said, found, strict=True)]
        return {**line.values, "turns": told}

    def turns(self, line: Record) -> list[Turn]:
        """The readings of a record, in the first of its places where the first one acts.

        Raises as ``read``.
        """
        texts = [t.text("text") for t in _turns(line)]
        places = self.places(line)
        found = [_conversation(texts, place) for place in places]
        return next((f for f in found if isinstance(f[0].reading, Act)), found[0])

    def places(self, line: Record) -> list[Place]:
        """Where a line may be said; for a robot with scenes of its own in these as well."""
        default = self._settings
        line = Record({k: v for k, v in line.values.items() if v is not None}, line.where)
        robot = recorded_name(line.text("robot", "") or default.robot)
        scene = line.text("scene", "") or ("" if robot != default.robot else default.scene)
        route = line.text("route", "") or default.route
        settings = replace(default, robot=robot, route=route)
        scenes: Iterable[str] = (scene or Settings().scene,)
        if robot in REWARD_ROBOTS:
            own = tuple(REWARD_ROBOTS.get(robot).scenes)
            everywhere = REWARD_ROBOTS.get(robot).arm is not None and scene
            scenes = (scene,) if scene in own else (scene, *own) if everywhere else own
        return [self._place(replace(settings, scene=s)) for s in scenes]

    def close(self) -> None:
        """Release the environments and the model."""
        for place in self._places.values():
            place.close()
        self._places.clear()
        if self._model is not None:
            self._model.close()

    # ----------------------------------------------------------------- private

    def _place(self, settings: Settings) -> Place:
        key = (settings.scene, settings.robot, settings.route)
        if key not in self._places:
            checked = check_names(settings, ("scene", "robot", "route"))
            environment = open_environment(checked)
            try:
                opening = Opening(environment=environment, settings=checked, model=self._model)
                translator, route = open_translator(opening)
            except BaseException:
                environment.close()
                raise

            def close() -> None:
                if route is not None:
                    route.close()
                environment.close()

            self._places[key] = Place(
                environment=environment, translator=translator, settings=checked, close=close
            )
        return self._places[key]


def _conversation(texts: Iterable[str], place: Place) -> list[Turn]:
    memory, interpreter = place.memory(), place.interpreter()
    spec = place.environment.body.spec
    found: list[Turn] = []
    for text in texts:
        reading = interpreter.read(text, memory, spec)
        turn = Turn(text=text, reading=reading, memory=memory, scene=place.settings.scene)
        found.append(turn)
        if isinstance(reading, Act):
            memory = supposed(text, reading.program, memory)
        elif isinstance(reading, Tell) and not reading.rule:
            memory = _told(text, memory, spec)
    return found


def _told(statement: str, memory: Memory, spec: WorldSpec) -> Memory:
    """The memory with what a person said is so, where it can be taken in."""
    try:
        return tell(
            statement, Belief(memory=memory, objects=spec.objects, history=History())
        ).memory
    except NotUnderstoodError:
        return memory


def open_translator(opening: Opening) -> tuple[Translator, AnyRoute | None]:
    """The translator of a route, without what moves a robot where there is a way without it.

    Returns:
        The translator, and the route where it had to be opened.

    Raises:
        ConfigurationError: The route does not move this robot, or brings no translator.
    """
    name, setup = route_of(opening.settings), opening.environment.setup
    if name == "reward":
        from embodied.routes.reward.setup import RewardSetup
        from embodied.routes.reward.translators import open_translator as open_reward

        if isinstance(setup, RewardSetup):
            return open_reward(opening, setup), None
    if name in ("mixed", "pddl", "value-map"):
        from embodied.routes.mixed.translators import open_translator as open_mixed
        from embodied.routes.pddl.translators import open_translator as open_pddl
        from embodied.routes.value_map.translators import open_translator as open_value_map
        from embodied.routes.value_map.translators import positions

        if setup is not None:
            raise ConfigurationError(
                f"the route {name} moves arms with a gripper, not {opening.settings.robot}"
            )
        if name == "value-map":
            return open_value_map(opening, lambda: _plain(positions(opening.environment))), None
        return (open_mixed if name == "mixed" else open_pddl)(opening), None
    route = ROUTES.get(name).load().open(opening)
    if route.translator is None:
        raise ConfigurationError(f"the route {name} brings no translator")
    return route.translator, route


def supposed(sentence: str, program: Program, memory: Memory) -> Memory:
    """The memory as if a program had been carried out and all its goals were reached."""
    after = memory.told(sentence, program, in_words(program, memory))
    for part in program.parts if isinstance(program, MixedProgram) else (program,):
        if isinstance(part, PddlProgram):
            facts = Goals.of(part, after.facts).after(after.facts)
            after = after.measured(facts, time_s=after.time_s)
    return after


def as_json(turn: Turn) -> dict[str, object]:
    """A reading as JSON values: what kind it is, what it would do, and on what evidence."""
    reading, memory = turn.reading, turn.memory
    about: dict[str, object] = {"kind": kind_of(reading)}
    match reading:
        case Act(program=program):
            about |= {"program": _program(program, memory), "words": in_words(program, memory)}
        case Ask(question=question, program=program):
            about["question"] = question
            if program is not None:
                about |= {"program": _program(program, memory), "words": in_words(program, memory)}
        case Answer(question=question):
            about["question"] = question
        case Tell(statement=statement):
            about["statement"] = statement
        case Refuse(reason=reason):
            about["reason"] = reason
    return about | {
        "used": list(reading.used),
        "unused": list(reading.unused),
        "confidence": round(reading.confidence, 3),
        "by": reading.by,
        "evidence": list(reading.evidence),
        "read_in_scene": turn.scene,
    }


def with_reading(values: Mapping[str, object], reading: dict[str, object]) -> dict[str, object]:
    """A record with its reading; keys of the same name are kept under ``input``."""
    hidden = {k: v for k, v in values.items() if k in reading}
    passed = {k: v for k, v in values.items() if k not in reading}
    return {**passed, **({"input": hidden} if hidden else {}), **reading}


def read_lines(reader: SentenceReader, lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """Read JSON lines; one that cannot be read becomes ``line`` and ``error``, and the rest go on.

    Raises:
        EmbodiedError: The environment or the model failed; the lines before have been read.
    """
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        passed_on: Mapping[str, object] = {}
        try:
            line = Record.parse(text, f"line {number}")
            passed_on = line.values
            yield {"line": number, **reader.read(line)}
        except ConfigurationError as error:
            yield {**passed_on, "line": number, "error": str(error)}


def _turns(line: Record) -> list[Record]:
    if "turns" not in line:
        return [line]
    turns = line.items("turns")
    if not turns:
        raise ConfigurationError(f"{line.where}: turns is empty")
    return [
        Record.of({"text": t} if isinstance(t, str) else t, f"{line.where}, turn {n}")
        for n, t in enumerate(turns, start=1)
    ]


def _program(program: Program, memory: StateMemory) -> object:
    match program:
        case PddlProgram():
            goals = Goals.of(program, memory.facts).stages
            found: dict[str, object] = {
                "goals": list(program.stages),
                "atoms": [str(g) for g in goals],
            }
            if program.manners:
                found["manners"] = [manner_to_json(m) for m in program.manners]
            return found
        case MixedProgram():
            return {"parts": [_program(part, memory) for part in program.parts]}
        case RewardProgram():
            return json.loads(program_to_json(program))
        case ValueMapProgram():
            return json.loads(to_json(program))
        case _:
            return str(program)


def _plain(places: Mapping[str, Array]) -> Mapping[str, Sequence[float]]:
    return {name: tuple(map(float, at)) for name, at in places.items()}
