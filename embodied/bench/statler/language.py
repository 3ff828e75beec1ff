"""The sentences of the Statler episodes as data: commands, statements and questions.

Statements and questions are those of ``embodied.memory``; the commands are read here. References
stay descriptions ("the block in the golden bowl"); what they point to depends on a state.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.language.words.lexer import COMMA, STOP
from embodied.language.words.scene_words import SceneWords
from embodied.memory.descriptions import Condition, DescriptionReader, Thing
from embodied.memory.questions import Question, read_question
from embodied.memory.selection import State, pointed_at, the
from embodied.memory.statements import Statement, read_statement
from embodied.types import ObjectSpec


@dataclass(frozen=True, slots=True)
class Put:
    """Move things to a place.

    Attributes:
        readings: Which things and where to; where a preposition can belong to either, all ways to
            read it, of which the state settles one.
    """

    readings: tuple[tuple[tuple[Thing, ...], Thing], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Put blocks in places or take them out until their total weights are as demanded.

    Attributes:
        places: Where blocks are put in or taken out.
        put_in: Whether blocks may be put in.
        take_out: Whether blocks may be taken out; they go to the table.
        relation: ``"="``, ``"<"`` or ``">"``: of the total in the first place to ``factor`` times
            that in ``other``.
        other: What it is compared with; for two places the second of them.
        factor: See ``relation``.
        count: How many blocks are moved; None for any number.
        most: As many as possible.
        what: Which blocks may be moved; None for any.
    """

    places: tuple[Thing, ...]
    other: Thing
    put_in: bool = True
    take_out: bool = False
    relation: str = "="
    factor: Fraction = Fraction(1)
    count: int | None = None
    most: bool = False
    what: Thing | None = None


Sentence: TypeAlias = Statement | Put | Balance | Question

FACTOR_WORDS = {
    Fraction(1): "the same weight as",
    Fraction(2): "twice the weight of",
    Fraction(3): "three times the weight of",
    Fraction(4): "four times the weight of",
    Fraction(1, 2): "half the weight of",
    Fraction(1, 3): "one-third the weight of",
    Fraction(1, 4): "one-quarter the weight of",
}

_NO_NAMES = ("the", "a", "an", "empty", "clean", "dirty", "which", "other")
_VERBS = ("put", "place", "move", "stack", "add", "bring", "remove", "take out", "take")
_SO_THAT = ("so that", "such that", "until", "so", "in a way that")
_TOTALS = (
    "their total weight", "their total weights", "its total weight", "the total weight",
    "the total weights", "the sums of the weights", "the sum of the weights", "the weights",
    "the weight", "the sums of weights", "their weights", "the two total weights",
)  # fmt: skip
_RELATIONS = {
    "identical to": "=", "equal to": "=", "the same as": "=", "equals": "=", "identical": "=",
    "equal": "=", "the same": "=", "less than": "<", "smaller than": "<", "lower than": "<",
    "lighter than": "<", "below": "<", "more than": ">", "greater than": ">", "larger than": ">",
    "higher than": ">", "heavier than": ">", "bigger than": ">", "at most": "<=", "at least": ">=",
    "no more than": "<=", "not more than": "<=", "no less than": ">=", "not less than": ">=",
}  # fmt: skip
_MANY = ("as many", "the most", "the maximum number of", "all the")


@lru_cache(maxsize=64)
def scene_of(names: tuple[str, ...]) -> SceneWords:
    """What the blocks, bowls and other things of an episode may be called."""
    specs: dict[str, ObjectSpec] = {}
    for name in (*names, "table"):
        color, _, kind = name.rpartition("-")
        rest = "surface" if name == "table" else "container"
        specs[name] = ObjectSpec(
            name=name, kind="item" if kind == "block" else rest, category=kind, color=color
        )
    return SceneWords(specs)


def read_sentence(text: str, names: tuple[str, ...]) -> Sentence:
    """Read one sentence of an episode.

    Args:
        text: The sentence.
        names: Names of everything, words joined by hyphens.

    Raises:
        NotUnderstoodError: It is none of the kinds above.
    """
    scene = scene_of(tuple(n for n in names if n != "table"))
    first = re.split(r"\W+", text.strip().lower(), maxsplit=1)[0]
    if first in {v.split()[0] for v in _VERBS}:
        found = _CommandReader(text, scene).command()
        if found is not None:
            return found
        raise _not_understood(text, "I do not understand this command")
    try:
        return read_question(text, scene)
    except NotUnderstoodError as error:
        if first in ("what", "which", "how", "is", "are", "where", "does", "do"):
            raise
        try:
            return read_statement(text, scene)
        except NotUnderstoodError as other:
            raise other from error


def meant(sentence: Put, state: State) -> tuple[tuple[str, ...], str]:
    """The blocks that a command moves, and where to.

    Raises:
        NotUnderstoodError: A reference points to nothing, or a description of one to several.
    """
    problem: NotUnderstoodError | None = None
    for things, to in sentence.readings:
        try:
            names = tuple(dict.fromkeys(n for t in things for n in the(t, state)))
            places = the(to, state)
            if len(places) != 1:
                raise _not_understood(to.text, f"'{to.text}' is not one place", "reference")
        except NotUnderstoodError as error:
            problem = error
            continue
        return names, places[0]
    raise problem or _not_understood("", "nothing is to be moved")


def names_in(text: str) -> tuple[str, ...]:
    """Everything in a text that is called a block, a bowl or the disinfector, as names."""
    found = re.findall(r"\b([a-z]+ (?:block|bowl)|disinfector)\b", text.lower())
    plain = [f for f in found if f.split()[0] not in _NO_NAMES]
    return tuple(dict.fromkeys(f.replace(" ", "-") for f in plain))


class _CommandReader(DescriptionReader):
    def command(self) -> Sentence | None:
        body, _, purpose = self._divided()
        if purpose is not None:
            return self._balance(body, purpose)
        self.eat(*_VERBS)
        self.eat("up", "down", "away", *_MANY)
        if (found := self._one_by_one()) is not None:
            return found
        things = self.things()
        readings = list(_readings(things))
        self.eat("as you can", "as possible", "you can")
        self.eat("up", "down", "away", COMMA)
        if to := self._relation():
            assert to.other is not None
            readings.append((things, to.other))
        if not readings:
            return None
        self.finish()
        return Put(tuple(readings))

    def _one_by_one(self) -> Sentence | None:
        """Read "the red block from the bowl and put it on the table"."""
        start = self.pos
        things = self.things()
        if not self.eat("from", "out of", "off"):
            self.pos = start
            return None
        self.thing()
        if self.eat("and put it", "and put them", "and place it", "and place them", "and move it"):
            to = self._relation()
            return None if to is None or to.other is None else Put(((things, to.other),))
        return Put(((things, Thing(text="the table", names=("table",))),))

    def _divided(self) -> tuple[int, int, int | None]:
        """Where the words "so that" begin and end; None without them."""
        for at in range(len(self.words)):
            self.pos = at
            if self.eat(*_SO_THAT):
                end = self.pos
                self.pos = 0
                return at, at, end
        self.pos = 0
        return len(self.words), 0, None

    def _balance(self, body: int, purpose: int) -> Balance | None:
        verbs: set[str] = set()
        what: Thing | None = None
        count, most = None, False
        places: tuple[Thing, ...] = ()
        while self.pos < body:
            if verb := self.eat(*_VERBS):
                verbs.add("out" if verb in ("remove", "take out", "take") else "in")
            elif self.eat(*_MANY):
                most = True
            elif self.eat("as you can", "as possible", "you can", "possible", "as they fit"):
                most = True
            elif self.eat("in", "into", "inside", "on", "onto", "from", "out of", "to"):
                if self.starts_thing():
                    places = _each(self.things())
            elif self.starts_thing():
                what = self.thing()
                what, place = _peeled(what)
                places = _each((place,)) if place is not None else places
                if self.at("and") and self.pos < body and place is not None:
                    self.pos += 1
                    if self.starts_thing():
                        places = (*places, *self.things())
                    else:
                        self.pos -= 1
                if what.quantity == "a" or what.count is not None:
                    count = what.count or 1
            else:
                self.pos += 1
        self.pos = purpose
        return self._demanded(places, verbs, what, count, most)

    def _demanded(
        self,
        places: tuple[Thing, ...],
        verbs: Collection[str],
        what: Thing | None,
        count: int | None,
        most: bool,
    ) -> Balance | None:
        if not self.eat(*_TOTALS):
            return None
        summed: tuple[Thing, ...] = ()
        while not self.ended and not self.at("becomes", "become", "is", "are", "equals", "stays",
                                             "equal", "remains", "gets"):  # fmt: skip
            if self.starts_thing():
                _, place = _peeled(self.thing())
                summed = _each((place,)) if place is not None else summed
            else:
                self.pos += 1
        self.eat("becomes", "become", "is", "are", "stays", "remains", "gets")
        factor = Fraction(2) if self.eat("twice") else Fraction(1)
        found = self.eat(*_RELATIONS)
        relation = _RELATIONS.get(found, "=" if factor != 1 else "")
        if not relation or not places:
            return None
        self.eat("what is in", "that of", "the total weight of", "that in", "the weight of",
                 "the total weight in", "what is inside")  # fmt: skip
        while not self.ended and not self.at(STOP) and not self.starts_thing():
            self.pos += 1
        if self.ended or self.at(STOP):
            both = places
            if len(places) == 1:
                both = (*places, *(s for s in summed if s.names != places[0].names))
            if len(both) != 2:
                return None
            other = both[1]
        else:
            other = self.thing()
            if other.conditions and other.conditions[-1].other is not None:
                other = other.conditions[-1].other  # "the blocks in the white bowl"
        anything = what is None or not (what.conditions or len(what.names) == 1)
        return Balance(
            places=places,
            other=other,
            put_in="in" in verbs,
            take_out="out" in verbs,
            relation=relation,
            factor=factor,
            count=count,
            most=most,
            what=None if anything else what,
        )


def _each(places: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """Take "both bowls" for one place each."""
    return tuple(
        replace(t, names=(n,), plural=False, quantity="the") if t.plural else t
        for t in places
        for n in (t.names if t.plural else t.names[:1])
    )


def _peeled(thing: Thing) -> tuple[Thing, Thing | None]:
    """Take the place off "blocks in the green bowl"."""
    if not thing.conditions or thing.conditions[-1].other is None:
        return thing, None
    *kept, last = thing.conditions
    return replace(thing, conditions=tuple(kept)), last.other


def _readings(things: tuple[Thing, ...]) -> list[tuple[tuple[Thing, ...], Thing]]:
    """All ways to split "the block in the bowl on the block in the cup" into what and where to."""
    *before, last = things
    found: list[tuple[tuple[Thing, ...], Thing]] = []
    for number, condition in enumerate(last.conditions):
        if condition.other is None:
            continue
        if number == len(last.conditions) - 1 and condition.relation in ("on", "in", "above"):
            words = last.text.removesuffix(condition.other.text).split()[:-1]
            short = replace(last, conditions=last.conditions[:number], text=" ".join(words))
            found.append(((*before, short), condition.other))
        for (inner,), to in _readings((condition.other,)):
            kept = (*last.conditions[:number], replace(condition, other=inner))
            text = last.text.removesuffix(condition.other.text) + inner.text
            found.append(((*before, replace(last, conditions=kept, text=text)), to))
    return found


def _not_understood(text: str, problem: str, where: str = "sentence") -> NotUnderstoodError:
    return NotUnderstoodError(text, [Diagnostic(where=where, problem=problem)])


def affected(statement: Statement, state: State, spoken: Collection[str]) -> tuple[str, ...]:
    """The blocks of which a statement says something."""
    return tuple(dict.fromkeys(n for t in statement.things for n in pointed_at(t, state, spoken)))


def words_of(statement: Statement) -> tuple[str, ...]:
    """What it says they are: dirty, clean."""
    return tuple(c.word for c in statement.conditions if c.relation == "is" and not c.negated)


def place_of(statement: Statement) -> Condition | None:
    """Where it says they are, if it does."""
    found = [c for c in statement.conditions if c.relation in ("on", "in")]
    return found[0] if found else None
