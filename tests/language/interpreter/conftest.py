"""A scene with its rules, and a model that turns everything into a motion."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from embodied.app.reading import Place, SentenceReader
from embodied.language.interpreter import Interpreter
from embodied.protocols import StateMemory
from embodied.records import Record
from embodied.settings import Settings
from embodied.symbolic import read_domain, render_problem
from embodied.types import PddlProgram, WorldSpec


@dataclass(frozen=True)
class Eager:
    """A stand-in for a remote model: whatever is said, something is put somewhere."""

    domain: str
    objects: dict[str, str]
    name: str = "openai:eager"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        words = instruction.lower()
        named = [n for n in spec.objects if n.replace("-", " ") in words]
        items = [n for n in named if spec.objects[n].kind == "item"]
        places = [n for n in named if spec.objects[n].kind == "container"]
        item = next((n for n, o in spec.objects.items() if o.kind == "item"), "")
        place = next((n for n, o in spec.objects.items() if o.kind == "container"), "")
        goal = f"(in {(items or [item])[0]} {(places or [place])[0]})"
        problem = render_problem(
            "eager", read_domain(self.domain), self.objects, memory.facts, (goal,)
        )
        return PddlProgram(domain=self.domain, problem=problem, stages=(goal,), source=self.name)


@pytest.fixture(scope="session")
def reader() -> SentenceReader:
    return SentenceReader(Settings())


@pytest.fixture
def place_of(reader: SentenceReader):  # noqa: ANN201 - a function
    def place(scene: str, robot: str = "fr3", route: str = "auto") -> Place:
        line = Record({"text": "x", "scene": scene, "robot": robot, "route": route})
        return reader.places(line)[0]

    return place


def eager(place: Place) -> Interpreter:
    grounder = place.environment.grounder
    model = Eager(grounder.domain_text, dict(grounder.objects))
    own = place.interpreter()
    return Interpreter(translator=model, grammar=own.grammar)
