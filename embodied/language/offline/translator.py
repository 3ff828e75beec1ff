"""The offline translators: the narrow local model, and rules first with the model behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files

from embodied.errors import Diagnostic, NotUnderstoodError, RefusedError
from embodied.language.offline import goal_slots, reward_slots, value_map_slots
from embodied.language.offline.abstention import doubts
from embodied.language.offline.answer import Answer, AnswersSlots
from embodied.language.offline.choice import Choice, Meaning, Reading, chosen
from embodied.language.offline.evidence import narrowed
from embodied.language.offline.goal_slots import slots_of_goals
from embodied.language.offline.grammar import Grammar
from embodied.language.offline.prompts import (
    MAX_SENTENCE_CHARACTERS,
    scene_part,
    sentence_part,
)
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.search import Effort, readings
from embodied.language.offline.slots import Refusal, SlotError
from embodied.language.offline.spelling import corrected
from embodied.protocols import StateMemory, Translator
from embodied.symbolic import read_domain, read_goal, render_problem
from embodied.types import PddlProgram, Program, RewardProgram, ValueMapProgram, WorldSpec

UNLIKELY = 0.2
"""Below this probability other answers are looked for even if nothing speaks against the first."""

NAME = "local:smollm2-135m-embodied"
KINDS = ("goal", "reward", "value-map")


def default_thresholds() -> dict[str, float]:
    """Confidence below which each kind of answer is not given, as calibrated for the adapter."""
    path = files("embodied.language.offline") / "calibration.json"
    data = json.loads(path.read_text())
    return {kind: float(data["kinds"][kind]["threshold"]) for kind in KINDS}


class LocalTranslator:
    """A narrow 135M model that writes slots; code turns them into a checked program.

    It abstains when it is not sure, says so, and says what it would have understood.

    Args:
        model: Who writes the slots.
        kind: ``"goal"``, ``"reward"`` or ``"value-map"``.
        scene: What is there; None takes the objects of each call's ``WorldSpec``.
        domain_text: Goals: PDDL domain of the scene.
        objects: Goals: PDDL type of every object by name, colours included.
        threshold: Confidence below which it abstains; None takes the calibrated one.
        effort: How long other readings are looked for where it is not sure.

    Raises:
        ValueError: Unknown kind, or goals without a domain.
    """

    def __init__(
        self,
        model: AnswersSlots,
        kind: str,
        *,
        scene: SceneView | None = None,
        domain_text: str = "",
        objects: Mapping[str, str] | None = None,
        threshold: float | None = None,
        effort: Effort | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}, legal: {', '.join(KINDS)}")
        if kind == "goal" and not domain_text:
            raise ValueError("goals need the domain's text")
        self._model = model
        self._kind = kind
        self._scene = scene
        self._domain_text = domain_text
        self._domain = read_domain(domain_text) if domain_text else None
        self._objects = dict(objects or {})
        self._threshold = default_thresholds()[kind] if threshold is None else threshold
        self._effort = effort or Effort()
        self._grammars: dict[tuple[SceneView, bool], Grammar] = {}
        self._last: tuple[str, Program, str] | None = None

    @property
    def name(self) -> str:
        """Who answers."""
        return NAME

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: The model refuses, is not sure, or the sentence is too long or
                empty; the diagnostics say why.
            ModelError: llama.cpp failed.
        """
        scene = self._scene or SceneView.of(spec)
        if not instruction.strip():
            raise self._refusal(instruction, "there is no sentence")
        if len(instruction) > MAX_SENTENCE_CHARACTERS:
            raise self._refusal(
                instruction,
                f"it has {len(instruction)} characters; at most {MAX_SENTENCE_CHARACTERS} are read",
            )
        previous, before = self._context(memory, scene)
        choice = self.read(instruction, scene, previous, before)
        answer = choice.reading.answer
        if not answer.complete:
            raise self._refusal(instruction, "the answer became too long; say it in parts")
        result = self._program(choice.reading.meaning, memory)
        if isinstance(result, Refusal):
            raise NotUnderstoodError(instruction, [result.diagnostic()])
        if choice.confidence < self._threshold:
            why = ", ".join(d.about for d in choice.reading.doubts if d.grave)
            why = why or f"confidence {choice.confidence:.2f}, needed {self._threshold:.2f}"
            raise self._refusal(
                instruction,
                f"not sure enough ({why}); did you mean: {answer.slots}?",
                "say it in other words, or name each object in full",
            )
        note = f"{self.name} read it as: {answer.slots} (confidence {choice.confidence:.2f})"
        program = _noted(result, note)
        self._last = (instruction, program, answer.slots)
        return program

    def read(
        self,
        instruction: str,
        scene: SceneView,
        previous: tuple[str, str] | None = None,
        before: Program | None = None,
    ) -> Choice:
        """What the model makes of a sentence, however sure it is.

        The greedy answer is taken unless something speaks against it or the model finds it
        unlikely itself. Then other readings are looked for, and the best of all is taken.

        Args:
            instruction: The sentence.
            scene: What is there.
            previous: Sentence before and its slots.
            before: The earlier program, which ``keep`` and ``more`` change.
        """
        instruction = corrected(instruction, scene)
        if previous is not None:
            previous = (corrected(previous[0], scene), previous[1])
        prompt = scene_part(self._kind, scene) + sentence_part(instruction, previous)
        whole = self._grammar(scene, before is not None)
        grammar = narrowed(whole, instruction, scene, previous)

        def reading(answer: Answer) -> Reading:
            meaning = self._meaning(answer.slots, scene, before)
            found = doubts(
                self._kind,
                instruction,
                answer.slots,
                meaning,
                scene,
                follow_up=previous is not None,
            )
            return Reading(answer=answer, meaning=meaning, doubts=found)

        first = self._model.answer(prompt, grammar.gbnf())
        choice = chosen([reading(first)])
        if not choice.reading.doubts and choice.confidence >= UNLIKELY:
            return choice
        wanted = frozenset[str]().union(*(d.wanted for d in choice.reading.doubts))
        answers = readings(self._model, prompt, grammar, first, self._effort, wanted)
        found = [reading(a) for a in answers]
        choice = chosen(found)
        slots = choice.reading.answer.slots
        if slots == "cannot object" and choice.reading.doubts:
            # every word is known here, so the model took a noun that is new to it for absent
            said = narrowed(whole.without("reason"), instruction, scene, previous)
            choice = chosen([reading(self._model.answer(prompt, said.gbnf()))])
        return choice

    def _grammar(self, scene: SceneView, previous: bool) -> Grammar:
        key = (scene, previous)
        if key not in self._grammars:
            if self._kind == "goal":
                grammar = goal_slots.grammar(scene)
            elif self._kind == "reward":
                grammar = reward_slots.grammar(scene, previous=previous)
            else:
                grammar = value_map_slots.grammar(scene, previous=previous)
            self._grammars[key] = grammar
        return self._grammars[key]

    def _context(
        self, memory: StateMemory, scene: SceneView
    ) -> tuple[tuple[str, str] | None, Program | None]:
        """The exchange before with its slots, and its program.

        Slots of a program that somebody else wrote are those of its goals; for the other kinds the
        model's own reading of that sentence, which only gives context: what ``keep`` and ``more``
        change is the program itself.
        """
        if not memory.exchanges:
            return None, None
        sentence, program = memory.exchanges[-1]
        if self._last is not None and self._last[:2] == (sentence, program):
            return (sentence, self._last[2]), program
        if isinstance(program, PddlProgram) and self._kind == "goal":
            slots = slots_of_goals(program.stages)
            return ((sentence, slots) if slots else None), program
        wanted = RewardProgram if self._kind == "reward" else ValueMapProgram
        if self._kind == "goal" or not isinstance(program, wanted):
            return None, None
        if len(sentence) > MAX_SENTENCE_CHARACTERS:
            return None, program
        return (sentence, self.read(sentence, scene).reading.answer.slots), program

    def _meaning(self, slots: str, scene: SceneView, before: Program | None) -> Meaning:
        try:
            if self._kind == "reward":
                earlier = before if isinstance(before, RewardProgram) else None
                return reward_slots.expand(slots, scene, previous=earlier, source=self.name)
            if self._kind == "value-map":
                earlier_map = before if isinstance(before, ValueMapProgram) else None
                return value_map_slots.expand(slots, scene, previous=earlier_map, source=self.name)
            return goal_slots.expand(slots, scene)
        except SlotError as error:
            return Refusal("action", str(error))

    def _program(self, meaning: Meaning, memory: StateMemory) -> Program | Refusal:
        if not isinstance(meaning, tuple):
            return meaning
        assert self._domain is not None  # the constructor saw to it
        for stage in meaning:
            read_goal(stage, self._domain, self._objects)
        problem = render_problem("sentence", self._domain, self._objects, memory.facts, meaning)
        return PddlProgram(
            domain=self._domain_text, problem=problem, stages=meaning, source=self.name
        )

    def _refusal(self, instruction: str, problem: str, hint: str = "") -> NotUnderstoodError:
        return NotUnderstoodError(
            instruction, [Diagnostic(where=self.name, problem=problem, hint=hint)]
        )


class CascadeTranslator:
    """Asks one translator after the other until one understands; the program names who did.

    Args:
        translators: In order; the exact and abstaining ones first.
        name: What it is called; None joins the names by arrows.
    """

    def __init__(self, translators: Sequence[Translator], *, name: str | None = None) -> None:
        if not translators:
            raise ValueError("a cascade needs at least one translator")
        self._translators = tuple(translators)
        self._name = name

    @property
    def name(self) -> str:
        """The name given, or all names joined by arrows."""
        return self._name or " -> ".join(t.name for t in self._translators)

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """The first translation that succeeds; from the second on its notes say whose it is.

        Raises:
            NotUnderstoodError: Nobody understood; the diagnostics say for each one why.
            ProgramError: As the translators raise it.
            ModelError: As the translators raise it.
        """
        diagnostics: list[Diagnostic] = []
        for translator in self._translators:
            try:
                program = translator.translate(instruction, memory, spec)
                if diagnostics and not any(translator.name in note for note in program.notes):
                    program = _noted(program, f"understood by {translator.name}")
                return program
            except RefusedError:
                raise
            except NotUnderstoodError as error:
                who = translator.name
                diagnostics += [
                    d if d.where == who else replace(d, where=f"{who}, {d.where}")
                    for d in error.diagnostics
                ]
        raise NotUnderstoodError(instruction, diagnostics)


def _noted(program: Program, note: str) -> Program:
    assert isinstance(program, (PddlProgram, RewardProgram, ValueMapProgram))
    return replace(program, notes=(*program.notes, note))
