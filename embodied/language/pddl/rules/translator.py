"""The rules translator: sentences of a fixed grammar become goals, all others are refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from embodied.errors import Diagnostic, NotUnderstoodError, RefusedError
from embodied.language.pddl.rules.discourse import Discourse
from embodied.language.pddl.rules.followup import Goals, Previous
from embodied.language.pddl.rules.goals import GoalBuilder
from embodied.language.pddl.rules.phrasing import rephrased, without_rejected
from embodied.language.pddl.rules.sentences import SentenceParser
from embodied.language.pddl.rules.stage import Literal, Requirement, stage_goal
from embodied.language.pddl.rules.syntax import Sentence
from embodied.language.words.amounts import COUNTS
from embodied.language.words.cursor import Abstain, Cursor
from embodied.language.words.extremes import Places
from embodied.language.words.lexer import COMMA, PAUSES, Token, UnreadableTextError, tokenize
from embodied.language.words.lexicon import (
    BEGINNING,
    COLORS,
    CORRECTIONS,
    COURTESY,
    EXCEPTIONS,
    FILLERS,
    GENERIC,
    GRAMMAR_WORDS,
    KNOWN_VERBS,
    POLITE,
    PREPOSITIONS,
    PRONOUNS,
    QUESTIONS,
    SEQUENCE,
    SOURCES,
    SPELLINGS,
    SUPERLATIVES,
    UNSUPPORTED,
    UNSUPPORTED_PHRASES,
    VERB_FORMS,
)
from embodied.language.words.scene_words import SceneWords
from embodied.protocols import StateMemory
from embodied.symbolic import read_domain, render_problem
from embodied.types import Atom, Manner, PddlProgram, Placement, Saying, WorldSpec

_KNOWN: frozenset[str] = frozenset(
    word
    for phrases in (
        GRAMMAR_WORDS, VERB_FORMS, COUNTS, COLORS, FILLERS, SUPERLATIVES, GENERIC, PRONOUNS,
        SEQUENCE, BEGINNING, POLITE, CORRECTIONS, EXCEPTIONS, (p for p, _ in PREPOSITIONS),
        (p for p, _ in SOURCES), SPELLINGS.values(),
    )
    for phrase in phrases
    for word in phrase.split()
)  # fmt: skip


NOTHING = "(and)"
"""A goal that holds everywhere."""


class RulesTranslator:
    """A deterministic translator for English instructions about any scene's objects.

    It is a grammar, not a language model: it knows the words of its lexicon and of the scene, and
    refuses every sentence that it does not understand to the last word.

    Args:
        domain_text: PDDL domain of the scene, e.g. ``TabletopGrounder.domain_text``.
        objects: PDDL type of every object by name, colours included.
        sayings: Sentences that skills bring; their words are known besides those of the lexicon.
        places: Says where things are seen now, for "the leftmost block".
    """

    def __init__(
        self,
        domain_text: str,
        objects: Mapping[str, str],
        sayings: Iterable[Saying] = (),
        places: Callable[[], Places] = dict,
    ) -> None:
        self._places = places
        self._domain_text = domain_text
        self._objects = dict(objects)
        self._domain = read_domain(domain_text)
        self._sayings = tuple(sayings)
        names = sorted({t for t in self._domain.types} | set(objects.values()))
        self._types = {
            kind: frozenset(n for n, t in objects.items() if self._domain.is_subtype(t, kind))
            for kind in names
        }

    @property
    def name(self) -> str:
        """``"rules"``."""
        return "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> PddlProgram:
        """Translate one sentence.

        Args:
            instruction: English; at most ``lexer.MAX_CHARACTERS`` characters.
            memory: Its facts settle "the block on the tray" and "where it is"; its last exchange
                settles "it" and "the same with the cup".
            spec: The scene's objects and what they are called.

        Raises:
            NotUnderstoodError: The sentence is outside the grammar, ambiguous, impossible in this
                scene or contradictory; the diagnostics say which words, why, and what is known.
        """
        scene = SceneWords(spec.objects, memory.attributes)
        try:
            tokens = _without_courtesy(_with_known_spellings(tokenize(instruction), scene))
            tokens = without_rejected(tokens)
            goals = self._read(tokens, scene, memory)
        except UnreadableTextError as why:
            raise self._refusal(
                instruction, [Diagnostic(where="text", problem=str(why))], scene
            ) from None
        except Abstain as why:
            raise self._refusal(instruction, [why.diagnostic], scene, final=why.final) from None
        except _UnknownWords as why:
            final = any(d.problem in _REASONS for d in why.diagnostics)
            raise self._refusal(instruction, why.diagnostics, scene, final=final) from None
        stages = goals.stages
        problem = render_problem("sentence", self._domain, self._objects, memory.facts, stages)
        return PddlProgram(
            domain=self._domain_text,
            problem=problem,
            stages=stages,
            source=self.name,
            notes=goals.notes,
            manners=goals.manners,
        )

    def _read(self, tokens: tuple[Token, ...], scene: SceneWords, memory: StateMemory) -> Goals:
        """Read a sentence as it stands, else with phrases put in the words of the grammar."""
        try:
            return self._goals(tokens, scene, memory)
        except (Abstain, _UnknownWords):
            previous = Previous(memory.exchanges, self._domain, self._objects)
            back = previous.before(" ".join(t.word for t in tokens), self._domain)
            if back is not None:
                return back
            other = rephrased(tokens, scene, memory.facts, previous.things)
            if [t.word for t in other] == [t.word for t in tokens]:
                raise
            try:
                return self._goals(other, scene, memory)
            except (Abstain, _UnknownWords):
                pass
            raise

    def _goals(self, tokens: tuple[Token, ...], scene: SceneWords, memory: StateMemory) -> Goals:
        _check_words(tokens, scene, self._sayings)
        sentence = SentenceParser(tokens, scene, self._sayings).sentence()
        try:
            return self._stages(sentence, scene, memory)
        except Abstain:
            if "other" not in (t.word for t in tokens):
                raise
            try:
                return self._stages(sentence, scene, memory, decided=True)
            except Abstain:
                pass
            raise

    def _stages(
        self, sentence: Sentence, scene: SceneWords, memory: StateMemory, *, decided: bool = False
    ) -> Goals:
        discourse = Discourse(
            scene=scene, facts=memory.facts, types=self._types, places=self._places, decided=decided
        )
        previous = Previous(memory.exchanges, self._domain, self._objects)
        previous.begin(discourse)
        notes = [f"'{words}' was left aside: it names no goal" for words in sentence.ignored]
        repeated = previous.repeated(sentence, discourse)
        if repeated is not None:
            return replace(repeated, notes=(*repeated.notes, *notes))
        discourse.themes.clear()
        discourse.mentioned.clear()
        builder = GoalBuilder(discourse)
        stackable = {n: o.stackable for n, o in scene.specs.items() if o.kind == "item"}
        stages: list[str] = []
        manners: list[Manner] = []
        required: list[list[Requirement]] = []
        for number, clause in enumerate(sentence.clauses):
            exception = number in sentence.exceptions
            made = builder.requirements(clause)
            for atom in (x.atom for r in made for x in r.literals if x.positive):
                if atom.predicate in ("on", "in"):
                    discourse.later[atom.args[0]] = (atom.predicate, atom.args[1])
            required.append([replace(r, exception=exception) for r in made])
        for numbers in sentence.stages:
            made = [requirement for number in numbers for requirement in required[number]]
            builder.check_towers(made)
            placed = {p.item: p for r in made if (p := r.placement) is not None}
            goals = [
                r for r in made if not (r.placement or r.kind == "home" or _means_to(r, placed))
            ]
            if goals:
                stages.append(stage_goal(goals, stackable=stackable))
                manners.append(Manner())
            for requirement in made:
                if requirement.placement is not None:
                    taken = Requirement(kind="hold", literals=_held(requirement.placement.item))
                    for goal in (taken, requirement):
                        stages.append(stage_goal([goal], stackable=stackable))
                    exactly = Manner(placements=(requirement.placement,))
                    manners += [Manner(), exactly]
            if any(r.kind == "home" for r in made):
                stages.append(NOTHING)
                manners.append(Manner(home=True))
        if not stages:
            raise Abstain("sentence", "it asks for nothing that could be checked")
        usual = all(m == Manner() for m in manners)
        return Goals(
            stages=tuple(stages),
            notes=(*notes, *discourse.notes),
            manners=() if usual else tuple(manners),
        )

    def _refusal(
        self,
        instruction: str,
        diagnostics: list[Diagnostic],
        scene: SceneWords,
        *,
        final: bool = False,
    ) -> NotUnderstoodError:
        """The diagnostics, and what the translator knows; final also where something is excluded.

        What a sentence excludes ("leave the ball alone") is what guesses get wrong.
        """
        objects = ", ".join(n.replace("-", " ") for n in scene.specs)
        known = Diagnostic(
            where="known here",
            problem=f"objects: {objects}",
            hint=f"verbs: {', '.join((*KNOWN_VERBS, *(s.words for s in self._sayings)))}",
        )
        final = final or bool(_EXCLUDING.search(instruction.lower()))
        kind = RefusedError if final else NotUnderstoodError
        return kind(instruction, [*diagnostics, known])


def _held(item: str) -> tuple[Literal, ...]:
    return (Literal(Atom("holding", (item,))),)


def _means_to(requirement: Requirement, placed: Mapping[str, Placement]) -> bool:
    """Whether taking something is but the means to put it exactly somewhere."""
    return requirement.kind == "hold" and requirement.names <= placed.keys()


_REASONS = frozenset((*UNSUPPORTED.values(), *UNSUPPORTED_PHRASES.values()))
_EXCLUDING = re.compile(
    r"\b(?:not|never|don'?t|don’t|doesn'?t|without|except|excluding|unless|leave|leaving|spare"
    r"|ignore|apart from|other than|instead|but|rest)\b|\blet\b.*\bbe\b"
)


class _UnknownWords(Exception):  # noqa: N818 - carries diagnostics, see Abstain
    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("unknown words")
        self.diagnostics = diagnostics


def _with_known_spellings(tokens: tuple[Token, ...], scene: SceneWords) -> tuple[Token, ...]:
    """Replace variant spellings, unless the scene itself uses them."""
    own = scene.words

    def known(word: str) -> str:
        for ending in ("er", "est"):  # "the shorter brick" where there is a short one
            stem = word.removesuffix(ending)
            if word not in own and stem != word and stem in scene.modifiers:
                return stem
        return word if word in own else SPELLINGS.get(word, word)

    return tuple(Token(word, t.number) for t in tokens for word in known(t.word).split())


def _without_courtesy(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Leave out phrases such as "I would be grateful if you could"."""
    cursor = Cursor(tokens)
    kept: list[Token] = []
    while not cursor.ended:
        if not cursor.eat(*COURTESY):
            kept.append(tokens[cursor.pos])
            cursor.pos += 1
        elif cursor.at(COMMA) and kept and kept[-1].word == COMMA:
            kept.pop()
            cursor.pos += 1
    if all(t.word in PAUSES for t in kept):
        raise Abstain("sentence", "there is no instruction in this")
    return tuple(kept)


def _check_words(tokens: tuple[Token, ...], scene: SceneWords, sayings: tuple[Saying, ...]) -> None:
    """Refuse words that are not known, and those known to be outside the grammar."""
    words = [t.word for t in tokens]
    own = scene.words | {w for s in sayings for w in s.words.split()}
    text = f" {' '.join(words)} "
    found = [
        Diagnostic(where=f"'{phrase}'", problem=reason)
        for phrase, reason in UNSUPPORTED_PHRASES.items()
        if f" {phrase} " in text and phrase.split()[-1] not in own
    ]
    first = next((t for t in tokens if t.word not in PAUSES | FILLERS), tokens[0])
    if first.word in QUESTIONS and first.word not in own:
        reason = "this is a question; I carry out instructions"
        found.append(Diagnostic(where=f"word {first.number}, '{first.word}'", problem=reason))
    for token in tokens:
        word = token.word
        where = f"word {token.number}, '{word}'"
        if word in own or word in PAUSES or any(where == d.where for d in found):
            continue
        if word in UNSUPPORTED:
            found.append(Diagnostic(where=where, problem=UNSUPPORTED[word]))
        elif word not in _KNOWN and not word.isdigit():
            close = difflib.get_close_matches(
                word, sorted(own | set(KNOWN_VERBS)), n=2, cutoff=0.75
            )
            hint = f"did you mean {' or '.join(close)}?" if close else ""
            found.append(Diagnostic(where=where, problem=f"I do not know '{word}'", hint=hint))
        if len(found) >= 8:
            break
    if found:
        raise _UnknownWords(found)
