"""Sentences that need several kinds of programs are read clause by clause."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from embodied.errors import NotUnderstoodError, RefusedError
from embodied.language.conversation import Conversation
from embodied.language.words.asides import without_asides
from embodied.language.words.lexer import Token, UnreadableTextError, tokenize
from embodied.language.words.lexicon import VERB_FORMS
from embodied.language.words.manner import pace_at
from embodied.language.words.scene_words import SceneWords
from embodied.language.words.slips import corrected
from embodied.protocols import StateMemory, Translator
from embodied.types import (
    Manner,
    MixedProgram,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
    WorldSpec,
)

_BETWEEN = re.compile(
    r"\s*(?:[,;.!]\s*)*(?:\b(?:and\s+then|and\s+finally|then|and|finally|afterwards)\b\s*)?", re.I
)
_CLAUSE = re.compile(
    r"\s*(?:[,;.!]+\s*(?:(?:and\s+)?(?:then|finally|afterwards)\b|and\b)?"
    r"|\b(?:and\s+)?(?:then|finally)\b|\band\b)\s*",
    re.I,
)
MOST_CLAUSES = 12
_PRONOUN = re.compile(r"\b(?:it|them)\b")
_PUSHING = re.compile(r"(?:(?:please|now|then|just) )*(?:push|nudge|shove|drag|scoot)\b")
"""Ways to move a thing without taking it, which goals do not tell apart."""


class MixedTranslator:
    """Reads a sentence as goals where it can be, else as programs of several kinds in a row.

    Only what the first kind does not understand is read in parts; what it refuses stays refused.

    Args:
        whole: Reads sentences as goals; asked last with what the rules do not understand.
        rules: Rules by the kind of program, in the order in which they are asked.
    """

    def __init__(self, whole: Translator, rules: Mapping[str, Translator]) -> None:
        self._whole, self._rules = whole, dict(rules)

    @property
    def name(self) -> str:
        """That of who reads whole sentences."""
        return self._whole.name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence.

        Raises:
            NotUnderstoodError: As the translator of whole sentences does.
        """
        said = Conversation(
            exchanges=memory.exchanges, facts=memory.facts, attributes=memory.attributes
        )
        found = self._ruled(instruction, said, spec)
        if found is None or isinstance(found, RefusedError):
            plain = " ".join(t.word for t in _tokens(instruction)).replace(" ,", ",")
            scene = SceneWords(spec.objects, memory.attributes)
            bare = without_asides(plain, lambda words: _commands(words, scene))
            for text in dict.fromkeys((bare, corrected(plain, scene), corrected(bare, scene))):
                read = self._ruled(text, said, spec) if text and text != plain else None
                if isinstance(read, PddlProgram | ValueMapProgram | MixedProgram):
                    return replace(read, notes=(*read.notes, f"read as '{text}'"))
        if isinstance(found, RefusedError):
            raise found
        return self._whole.translate(instruction, memory, spec) if found is None else found

    def _ruled(
        self, instruction: str, said: Conversation, spec: WorldSpec
    ) -> Program | RefusedError | None:
        """What the rules make of a sentence; None where they do not understand it."""
        goals, *others = self._rules.values()
        for pushing in others if _PUSHING.match(instruction.strip().lower()) else ():
            try:
                return pushing.translate(instruction, said, spec)
            except NotUnderstoodError:
                continue
        refused: RefusedError | None = None
        try:
            return goals.translate(instruction, said, spec)
        except RefusedError as error:
            refused = error
        except NotUnderstoodError:
            pass
        parts = self._parts(_clauses(instruction), said, spec)
        if parts and not (refused and len(parts) == 1):
            return parts[0] if len(parts) == 1 else _mixed(parts)
        return refused

    def _parts(
        self, clauses: Sequence[str], memory: Conversation, spec: WorldSpec
    ) -> tuple[Program, ...]:
        """The cheapest division of all clauses into programs; empty where there is none.

        A goal costs the same however many clauses it takes, another program what its clauses do:
        other programs read only what goals do not say.
        """
        best: list[_Division | None] = [_Division(0, (), memory)] + [None] * len(clauses)
        for begin, end in itertools.combinations(range(len(clauses) + 1), 2):
            before = best[begin]
            if before is None:
                continue
            text = _without_joint(" ".join(clauses[begin:end])).strip(" ,;.!")
            if (program := self._read(text, before, spec)) is not None:
                found = before.extended(text, program, end - begin)
                if not isinstance(program, PddlProgram):
                    found = replace(found, memory=self._about(program, found.memory, spec))
                known = best[end]
                if known is None or found.cost < known.cost:
                    best[end] = found
        last = best[-1]
        if last is None or all(isinstance(p, PddlProgram) for p in last.parts):
            return ()
        return _merged(last.parts)

    def _read(self, text: str, before: _Division, spec: WorldSpec) -> Program | None:
        """The first program that the rules read; value maps only push, so drawers come last.

        Motions of "it" need something in the hand: what a goal has put down is no such thing.
        """
        found: Program | None = None
        memory, goals = before.memory, next(iter(self._rules.values()))
        put_down = before.has_put_down() and _PRONOUN.search(text.lower())
        for translator in (goals,) if put_down else self._rules.values():
            try:
                program = translator.translate(text, memory, spec)
            except NotUnderstoodError:
                continue
            if not isinstance(program, ValueMapProgram) or not _drawers(program, spec):
                return program
            found = program
        return found

    def _about(self, program: Program, memory: Conversation, spec: WorldSpec) -> Conversation:
        """What is remembered after a motion of one drawer: the next clause may mean it."""
        moved = _drawers(program, spec)
        if len(moved) != 1:
            return memory
        goals, text = next(iter(self._rules.values())), f"open the {moved.pop().replace('-', ' ')}"
        try:
            return memory.told(text, goals.translate(text, memory, spec))
        except NotUnderstoodError:
            return memory


def _drawers(program: Program, spec: WorldSpec) -> set[str]:
    """Drawers that a motion moves."""
    names: set[object] = set()
    if isinstance(program, ValueMapProgram):
        names = {stage.moving for stage in program.stages}
    elif isinstance(program, RewardProgram):
        terms = (t for stage in program.stages for t in stage.terms)
        names = {v for t in terms for v in t.parameters.values()}
    return {n for n, o in spec.objects.items() if o.kind == "drawer" and n in names}


@dataclass(frozen=True, slots=True)
class _Division:
    """Programs for the first clauses of a sentence, and what is remembered after them."""

    cost: int
    parts: tuple[Program, ...]
    memory: Conversation

    def has_put_down(self) -> bool:
        """Whether the last thing that was done is a goal with nothing in the hand."""
        said = [program for _, program in self.memory.exchanges]
        last = (self.parts or said or [None])[-1]
        return isinstance(last, PddlProgram) and "holding" not in last.stages[-1]

    def extended(self, text: str, program: Program, clauses: int) -> _Division:
        if not isinstance(program, PddlProgram):
            return _Division(self.cost + 10 * clauses, (*self.parts, program), self.memory)
        memory = self.memory.told(text, program, "; ".join(program.stages))
        return _Division(self.cost + 1, (*self.parts, program), memory)


def _tokens(sentence: str) -> tuple[Token, ...]:
    try:
        return tokenize(sentence)
    except UnreadableTextError:
        return ()


def _commands(words: str, scene: SceneWords) -> bool:
    """Whether words name a thing of the scene, or begin as a command does."""
    said = words.split()
    named = any(scene.head_at(tuple(said[i : i + 4])) for i in range(len(said)))
    coloured = any(w in scene.modifiers for w in said)
    paced = any(pace_at(said, i)[1] for i in range(len(said)))
    begins = bool(said) and VERB_FORMS.get(said[0], ("", ""))[1] == "base"
    return named or coloured or paced or begins


def _clauses(sentence: str) -> list[str]:
    """Pieces of a sentence, each with the words that join it to the one before."""
    cuts = [0, *(m.start() for m in _CLAUSE.finditer(sentence) if m.start() > 0), len(sentence)]
    pieces = [sentence[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
    kept = [p for p in pieces if _without_joint(p).strip(" ,;.!")]
    return kept if len(kept) <= MOST_CLAUSES else [sentence]


def _without_joint(text: str) -> str:
    found = _BETWEEN.match(text)
    return text[found.end() :] if found else text


def _merged(parts: Sequence[Program]) -> tuple[Program, ...]:
    """Neighbours of one kind as one program."""
    found: list[Program] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(last, ValueMapProgram) and isinstance(part, ValueMapProgram):
            found[-1] = replace(last, stages=(*last.stages, *part.stages))
        elif isinstance(last, PddlProgram) and isinstance(part, PddlProgram):
            found[-1] = _joined(last, part)
        else:
            found.append(part)
    return tuple(found)


def _joined(a: PddlProgram, b: PddlProgram) -> PddlProgram:
    """The stages of one program, then those of another."""
    manners: tuple[Manner, ...] = ()
    if a.manners or b.manners:
        from embodied.types import Manner

        usual = Manner()
        manners = (
            *(a.manners or (usual,) * len(a.stages)),
            *(b.manners or (usual,) * len(b.stages)),
        )
    return replace(a, stages=(*a.stages, *b.stages), notes=(*a.notes, *b.notes), manners=manners)


def _mixed(parts: tuple[Program, ...]) -> MixedProgram:
    notes = tuple(dict.fromkeys(n for p in parts for n in p.notes))
    return MixedProgram(parts=parts, source=parts[0].source, notes=notes)
