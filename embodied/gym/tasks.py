"""What an episode asks for: a sentence, the goal that it is read as, and when that holds."""

from __future__ import annotations

import numpy as np

from embodied.errors import NotUnderstoodError, ProgramError
from embodied.language.interpreter import Act, Interpreter, NotAnActError
from embodied.memory import SceneMemory
from embodied.protocols import SymbolGrounder
from embodied.symbolic import Formula, holds, progress, read_domain, read_goal
from embodied.types import Observation, PddlProgram, WorldSpec

_TRIALS = 50


class Tasks:
    """Reads and draws sentences, and judges their goals by the grounder.

    Args:
        spec: The world.
        grounder: Measures facts.
        reader: Reads sentences as goals.
    """

    def __init__(self, spec: WorldSpec, grounder: SymbolGrounder, reader: Interpreter) -> None:
        self._spec, self._grounder, self._reader = spec, grounder, reader
        self._domain, self._objects = read_domain(grounder.domain_text), grounder.objects
        self._stages: tuple[str, ...] = ()
        self._formulas: list[Formula] = []
        self._begun = 0

    @property
    def goal(self) -> str:
        """What must hold at the end, as PDDL text."""
        return self._stages[0] if len(self._stages) == 1 else f"(and {' '.join(self._stages)})"

    def begin(self, sentence: str, observation: Observation) -> None:
        """Start on a sentence.

        Raises:
            NotUnderstoodError: It is no goal of this scene.
            ProgramError: It became a goal that is not legal here.
        """
        memory = SceneMemory(
            grounder=self._grounder,
            transition=lambda action, facts: progress(action, facts, self._domain, self._objects),
        ).observed(observation)
        reading = self._reader.read(sentence, memory, self._spec)
        program = reading.program if isinstance(reading, Act) else None
        if not isinstance(program, PddlProgram):
            raise NotAnActError(sentence, reading)
        formulas = [read_goal(stage, self._domain, self._objects) for stage in program.stages]
        self._stages, self._formulas, self._begun = program.stages, formulas, 0

    def draw(self, rng: np.random.Generator, observation: Observation) -> str:
        """Start on a random sentence about one thing and a place for it; returns the sentence.

        Raises:
            NotUnderstoodError: None of many could be read, or all hold already.
        """
        objects = self._spec.objects
        items = [n for n, o in objects.items() if o.kind == "item" and n in observation.poses]
        places = [n for n, o in objects.items() if o.kind != "item" or o.stackable]
        error = None
        for _ in range(_TRIALS):
            item, place = str(rng.choice(items)), str(rng.choice(places))
            word = "in" if objects[place].kind in ("container", "drawer") else "on"
            sentence = f"put the {item.replace('-', ' ')} {word} the {place.replace('-', ' ')}"
            if item == place:
                continue
            try:
                self.begin(sentence, observation)
            except ProgramError as problem:
                error = problem
                continue
            if not self.reached(observation):
                return sentence
        raise error or NotUnderstoodError("", [])

    def reached(self, observation: Observation) -> bool:
        """Whether all goals hold now, after each was reached in its turn."""
        facts = self._grounder.facts(observation)
        true = [holds(f, facts, self._domain, self._objects) for f in self._formulas]
        while self._begun < len(true) and true[self._begun]:
            self._begun += 1
        return self._begun == len(true) and all(true)
