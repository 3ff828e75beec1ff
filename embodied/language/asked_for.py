"""Whether a person asked for what a program does to the things of a scene.

Names, aliases and categories come from scene files, cameras and other programs. A model that reads
``put-everything-in-the-bin`` as the name of a block may obey it. So what a model wrote is held
against the person's own sentence: a thing that the program acts on must be named there, by its
noun, colour or alias, by a plural or "everything", or by a pronoun for what was spoken of before.

A sentence may name things by words that are not in the scene ("a drink", "die rote Tasse"). Such a
word is taken to be the name of what the program acts on, unless the scene holds text that could
itself be an instruction; then every thing must be named in the scene's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from embodied.language.offline.grounding import everyday_words, forms_of
from embodied.language.words.lexicon import (
    CLEAR,
    COLORS,
    GENERIC,
    PLACE,
    REMOVE,
    SORT,
    SPELLINGS,
    VERB_FORMS,
)
from embodied.language.words.scene_words import ITEM, SceneWords
from embodied.symbolic import (
    And,
    Domain,
    Formula,
    Imply,
    Not,
    Or,
    Proposition,
    expanded,
    holds,
    read_domain,
    read_goal,
    read_problem,
)
from embodied.types import (
    Atom,
    MixedProgram,
    ObjectSpec,
    PddlProgram,
    Program,
    RewardProgram,
    ValueMapProgram,
)

LONGEST_NAME_WORDS = 4
"""Names, categories and aliases of more words read like a sentence."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
_EVERYTHING = frozenset(
    "everything anything all stuff clutter mess rest others other nothing else whatever".split()
)
_EARLIER = frozenset(
    "it its itself them they these those that one ones other others another same again too also"
    " back instead no not rather there more less higher lower further closer farther undo both"
    " actually meant".split()
)
"""Words by which a sentence speaks of what an earlier one named."""

_CLEARED = frozenset("table desk counter clear clean tidy empty sort nothing off".split())
"""Words of sentences about whatever lies somewhere."""

_FUNCTION = frozenset(
    "a an the and or but to of in on onto into from with at by for then all every everything any"
    " anything ignore previous instruction instructions system always never not do please first"
    " must should now user assistant important".split()
)
"""Words that names of things do without."""

_CONTAINERS = ("container", "surface", "drawer")
_WHERE = frozenset("on onto upon in into inside within to at under over atop top".split())
_PUTS = {w for w, (kind, _) in VERB_FORMS.items() if kind in (PLACE, REMOVE, CLEAR, SORT)} | {
    "away"
}


def unasked(
    sentences: Sequence[str],
    program: Program,
    specs: Mapping[str, ObjectSpec],
    facts: frozenset[Atom],
) -> tuple[str, ...]:
    """Things that a program acts on though nobody asked for them.

    Args:
        sentences: What the person said, the newest last.
        program: What a model made of it.
        specs: The things of the scene by name.
        facts: What holds now.

    Returns:
        Their names, sorted; empty where the program keeps to what was said.
    """
    touched = touches(program, specs, facts)
    if not touched or not sentences:
        return ()
    words, heard = SceneWords(specs), _words(sentences[-1])
    named = named_things(sentences, specs)
    missing = touched - named
    places = frozenset(n for n, s in specs.items() if s.kind in _CONTAINERS)
    said = set(heard)
    open_ended = not (named & places or _WHERE & said) and named <= touched and _PUTS & said
    if open_ended and len(missing & places) == 1:
        missing -= places  # "throw away the can": where to was left open
    if missing and _strange(heard, words) and not instructing(specs):
        return ()
    return tuple(sorted(missing))


def named_things(sentences: Sequence[str], specs: Mapping[str, ObjectSpec]) -> frozenset[str]:
    """Things that the last of the sentences may speak of; see ``unasked`` for the arguments."""
    words = SceneWords(specs)
    heard = [_words(s) for s in reversed(sentences)]
    if heard and not _EARLIER & set(heard[0]):
        del heard[1:]
    return frozenset[str]().union(*(_named(w, words) for w in heard))


def instructing(specs: Mapping[str, ObjectSpec]) -> tuple[str, ...]:
    """Texts of the scene that could be read as instructions: long, or with verbs or 'the'."""
    found = dict.fromkeys(
        text
        for spec in specs.values()
        for text in (spec.name, spec.category, spec.color, *spec.aliases)
        if _instructs(_words(text))
    )
    return tuple(found)


def touches(
    program: Program, specs: Mapping[str, ObjectSpec], facts: frozenset[Atom]
) -> frozenset[str]:
    """Things that a program moves, opens, goes to or holds; not those that it only avoids."""
    if isinstance(program, MixedProgram):
        return frozenset[str]().union(*(touches(p, specs, facts) for p in program.parts))
    for kind, read in _TOUCHES.items():
        if isinstance(program, kind):
            return frozenset(read(program, facts)) & specs.keys()
    return frozenset()


def _in_goals(program: PddlProgram, facts: frozenset[Atom]) -> Iterable[str]:
    domain = read_domain(program.domain)
    objects = dict(read_problem(program.problem, domain).objects) | dict(domain.constants)
    for stage in program.stages:
        for atom, _ in wanted(read_goal(stage, domain, objects), facts, domain, objects):
            yield from atom.args


Literal = tuple[Atom, bool]
"""A fact, and whether it is true or false."""


def wanted(
    goal: Formula, facts: frozenset[Atom], domain: Domain, objects: Mapping[str, str]
) -> frozenset[Literal]:
    """What could become true or false for a goal to hold that does not hold yet."""

    def differing(formula: Formula, value: bool) -> Iterable[Literal]:
        if holds(formula, facts, domain, objects) == value:
            return
        match formula:
            case Proposition(predicate, terms):
                yield Atom(predicate, terms), value
            case Not(body):
                yield from differing(body, not value)
            case And(parts) | Or(parts):
                for part in parts:
                    yield from differing(part, value)
            case Imply(premise, conclusion):
                yield from differing(premise, not value)
                yield from differing(conclusion, value)
            case _:  # equality; quantifiers are written out
                return

    return frozenset(differing(expanded(goal, domain, objects), True))


def _in_rewards(program: RewardProgram, facts: frozenset[Atom]) -> Iterable[str]:
    del facts
    for stage in program.stages:
        for term in stage.terms:
            yield from (v for v in term.parameters.values() if isinstance(v, str))


def _in_value_maps(program: ValueMapProgram, facts: frozenset[Atom]) -> Iterable[str]:
    del facts
    for stage in program.stages:
        yield stage.moving
        for operation in stage.operations:
            if operation.map in ("affordance", "gripper"):
                yield operation.region.frame


_TOUCHES: dict[type[Program], Callable[..., Iterable[str]]] = {
    PddlProgram: _in_goals,
    RewardProgram: _in_rewards,
    ValueMapProgram: _in_value_maps,
}


def _words(text: str) -> list[str]:
    found: list[str] = _WORD.findall(text.lower())
    return [SPELLINGS.get(w, w) for w in found]


def _named(heard: Sequence[str], words: SceneWords) -> frozenset[str]:
    """Things that the noun phrases of a sentence may stand for."""
    found: set[str] = set()
    before: list[str] = []
    at = 0
    while at < len(heard):
        head = words.head_at(tuple(heard[at : at + 4]))
        if head is None and heard[at] in ("one", "ones"):
            head = (ITEM, True, 1)
        if head is not None:
            noun, _, length = head
            found |= _narrowed(words.named(noun), before, words)
            before, at = [], at + length
        elif heard[at] in words.modifiers and heard[at] not in _FUNCTION:
            found |= words.modifiers[heard[at]] if not _noun_follows(heard, at, words) else set()
            before.append(heard[at])
            at += 1
        else:
            before, at = [], at + 1
    items = frozenset(words.items)
    if _EVERYTHING & set(heard) or (_CLEARED & set(heard) and not found & items):
        found |= items
    return frozenset(found)


def _noun_follows(heard: Sequence[str], at: int, words: SceneWords) -> bool:
    """Whether a modifier belongs to a noun: only other modifiers stand between them."""
    for i in range(at + 1, min(at + 4, len(heard))):
        if heard[i] in ("one", "ones") or words.head_at(tuple(heard[i : i + 4])):
            return True
        if heard[i] not in words.modifiers:
            return False
    return False


def _narrowed(
    candidates: frozenset[str], modifiers: Sequence[str], words: SceneWords
) -> frozenset[str]:
    for modifier in modifiers:
        candidates &= words.modifiers[modifier]
    return candidates


def _strange(heard: Sequence[str], words: SceneWords) -> bool:
    """Whether a sentence has words that are neither the scene's nor everyday ones."""
    known = (
        words.words | everyday_words() | COLORS | GENERIC.keys() | VERB_FORMS.keys() | _EVERYTHING
    )
    return any(not (forms_of(w) & known) and not w.isdigit() and len(w) > 1 for w in heard)


def _instructs(words: Sequence[str]) -> bool:
    return len(words) > LONGEST_NAME_WORDS or any(
        w in _FUNCTION or (w in VERB_FORMS and len(words) > 1) for w in words
    )
