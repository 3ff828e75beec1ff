"""The offline translators: the narrow local model, and rules first with the model behind them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Protocol

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.language.local_translator import goal_slots, reward_slots, value_map_slots
from embodied.language.local_translator.answer import Answer
from embodied.language.local_translator.evidence import left_out, narrowed
from embodied.language.local_translator.grammar import Grammar
from embodied.language.local_translator.grounding import unknown_words
from embodied.language.local_translator.prompts import (
    MAX_SENTENCE_CHARACTERS,
    scene_part,
    sentence_part,
)
from embodied.language.local_translator.scene_view import SceneView
from embodied.language.local_translator.slots import Refusal, SlotError
from embodied.protocols import StateMemory, Translator
from embodied.symbolic import read_domain, read_goal, render_problem
from embodied.types import PddlProgram, Program, RewardProgram, ValueMapProgram, WorldSpec

NAME = "local:smollm2-135m-embodied"
KINDS = ("goal", "reward", "value-map")


class AnswersSlots(Protocol):
    """What the translator needs of a model."""

    def answer(
        self, prompt: str, grammar: str, *, temperature: float = 0.0, seed: int = 0
    ) -> Answer:
        """Continue a prompt under a grammar."""
        ...


def default_thresholds() -> dict[str, float]:
    """Confidence below which each kind of answer is not given, as calibrated for the adapter."""
    path = files("embodied.language.local_translator") / "calibration.json"
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
        answer = self.slots(instruction, scene, previous, expandable=before is not None)
        if not answer.complete:
            raise self._refusal(instruction, "the answer became too long; say it in parts")
        result = self._expand(answer.slots, scene, before, memory)
        if isinstance(result, Refusal):
            raise NotUnderstoodError(instruction, [result.diagnostic()])
        missing = left_out(instruction, answer.slots)
        if (0.0 if missing else answer.confidence) < self._threshold:
            why = (
                f"it would leave out {', '.join(missing)}"
                if missing
                else f"confidence {answer.confidence:.2f}, needed {self._threshold:.2f}"
            )
            raise self._refusal(
                instruction,
                f"not sure enough ({why}); did you mean: {answer.slots}?",
                "say it in other words, or name each object in full",
            )
        note = f"{self.name} read it as: {answer.slots} (confidence {answer.confidence:.2f})"
        program = _noted(result, note)
        self._last = (instruction, program, answer.slots)
        return program

    def slots(
        self,
        instruction: str,
        scene: SceneView,
        previous: tuple[str, str] | None = None,
        *,
        expandable: bool = False,
    ) -> Answer:
        """What the model writes for a sentence, unchecked for confidence.

        Args:
            instruction: The sentence.
            scene: What is there.
            previous: Sentence before and its slots.
            expandable: Whether there is an earlier program that ``keep`` and ``more`` could change.
        """
        prompt = scene_part(self._kind, scene) + sentence_part(instruction, previous)
        grammar = self._grammar(scene, expandable)

        def asked(grammar: Grammar) -> Answer:
            said = narrowed(grammar, instruction, scene, previous)
            return self._model.answer(prompt, said.gbnf())

        answer = asked(grammar)
        if answer.slots == "cannot object" and not unknown_words(instruction, scene):
            # every word is known here, so the model took a noun that is new to it for absent
            again = asked(grammar.without("reason"))
            return replace(again, latency_s=answer.latency_s + again.latency_s)
        return answer

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
        return (sentence, self.slots(sentence, scene).slots), program

    def _expand(
        self, slots: str, scene: SceneView, before: Program | None, memory: StateMemory
    ) -> Program | Refusal:
        try:
            if self._kind == "reward":
                earlier = before if isinstance(before, RewardProgram) else None
                return reward_slots.expand(slots, scene, previous=earlier, source=self.name)
            if self._kind == "value-map":
                earlier_map = before if isinstance(before, ValueMapProgram) else None
                return value_map_slots.expand(slots, scene, previous=earlier_map, source=self.name)
            stages = goal_slots.expand(slots, scene)
        except SlotError as error:
            return Refusal("action", str(error))
        if isinstance(stages, Refusal):
            return stages
        assert self._domain is not None  # the constructor saw to it
        for stage in stages:
            read_goal(stage, self._domain, self._objects)
        problem = render_problem("sentence", self._domain, self._objects, memory.facts, stages)
        return PddlProgram(
            domain=self._domain_text, problem=problem, stages=stages, source=self.name
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
            except NotUnderstoodError as error:
                diagnostics += [
                    Diagnostic(
                        where=d.where
                        if d.where == translator.name
                        else f"{translator.name}, {d.where}",
                        problem=d.problem,
                        hint=d.hint,
                    )
                    for d in error.diagnostics
                ]
        raise NotUnderstoodError(instruction, diagnostics)


_ATOM = re.compile(r"\((not )?\(?(on|in|holding|open|clear) ([^()\s]+)(?: ([^()\s]+))?\)?\)")


def slots_of_goals(stages: Sequence[str]) -> str:
    """The slots that would have given these goals; ``""`` where there are none.

    Conjunctions of ground atoms only: that is what a follow-up sentence can lean on.
    """
    result: list[str] = []
    for stage in stages:
        if any(word in stage for word in ("forall", "exists", "(or", "imply")):
            return ""
        statements: list[str] = []
        for negated, predicate, first, second in _ATOM.findall(stage):
            if predicate in ("on", "in"):
                verb = ("out" if predicate == "in" else "off") if negated else "put"
                joint = "of" if negated else predicate
                statements.append(f"{verb} {first} {joint} {second}")
            elif predicate == "open":
                statements.append(f"{'close' if negated else 'open'} {first}")
            elif negated:
                return ""
            else:
                statements.append(f"{'hold' if predicate == 'holding' else 'free'} {first}")
        if not statements:
            return ""
        result.append(" ; ".join(statements))
    return " then ".join(result)


def _noted(program: Program, note: str) -> Program:
    if isinstance(program, PddlProgram):
        return PddlProgram(
            domain=program.domain,
            problem=program.problem,
            stages=program.stages,
            source=program.source,
            notes=(*program.notes, note),
        )
    if isinstance(program, RewardProgram):
        return RewardProgram(
            robot=program.robot,
            stages=program.stages,
            source=program.source,
            notes=(*program.notes, note),
        )
    return ValueMapProgram(
        stages=program.stages, source=program.source, notes=(*program.notes, note)
    )
