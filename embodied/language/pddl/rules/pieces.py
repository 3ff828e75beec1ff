"""Pieces of clauses: places, particles, exceptions, what may trail a clause."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.pddl.rules.spots import DIRECTIONS, SpotParser
from embodied.language.pddl.rules.syntax import At, Clause, NounPhrase, Nouns, Place, SetOpen, Too
from embodied.language.words.lexer import COMMA, PAUSES
from embodied.language.words.lexicon import EXCEPTIONS, FILLERS, MANNER, PARTICLES
from embodied.language.words.scene_words import ITEM

_TRAILING = (
    "at the end", "in the end", "as well", "too", "again", "together", "at once", "in there",
    "back", "away", "also", "this time", "instead", "once more", "one more time", "for now",
)  # fmt: skip
UP = (
    "from bottom to top", "bottom to top", "from the bottom to the top", "bottom up",
    "from the bottom up", "from bottom up", "in that order", "in this order", "in order",
    "in the following order", "in the order given", "listed from bottom to top",
)  # fmt: skip
DOWN = (
    "from top to bottom", "top to bottom", "from the top to the bottom", "top down",
    "from the top down", "from top down", "listed from top to bottom",
)  # fmt: skip
ANY_ORDER = ("in any order", "in whatever order", "the order does not matter")


class PieceParser(SpotParser):
    """Reads what clauses of every kind are made of; ``ignored`` collects words left aside."""

    ignored: list[str]

    def places(self, *, order_after: bool = False) -> tuple[At, ...]:
        """Read all places that come next."""
        places: list[At] = []
        while len(places) < 8:
            if order_after and self.ends_tower():
                break
            if self.at("at the end", "in the end", "at last"):
                break
            place = self.place()
            if place is None:
                break
            places.append(place)
            if self.at("and on", "and in", "and into", "and onto", "and inside"):
                raise self.abstain(
                    "the same things cannot be in two places at once",
                    "name one place, or say 'then'",
                )
        return tuple(places)

    def particles(self) -> list[str]:
        """Read "up", "back", "away" and fillers."""
        read: list[str] = []
        while self.peek() in PARTICLES or self.peek() in FILLERS:
            if self.at("up on", "down on", "over to", "away from", "out"):
                break
            if (self.peek() in DIRECTIONS or self.at("together")) and self.spot_here():
                break
            if self.at("all", "both") and (self.starts_noun_at(1) or self.at("all of", "both of")):
                break
            read.append(self.peek())
            self.note(self.peek())
            self.pos += 1
        return read

    def trailing(self) -> None:
        """Read words after a clause that do not change it."""
        while True:
            phrase = self.eat(*_TRAILING)
            if not phrase and self.peek() in FILLERS:
                self.note(self.peek())
                self.pos += 1
                phrase = "filler"
            if not phrase:
                return

    def note(self, word: str) -> None:
        """Remember a word that asks for a manner."""
        if word in MANNER:
            self.ignored.append(word)

    def on_each_other(self, places: tuple[At, ...]) -> bool:
        """Read ", one on top of the other"; also whether a place is "on each other"."""
        start = self.pos
        self.eat(COMMA)
        if self.eat("one on top of the other", "one on the other", "one on top of another"):
            return True
        self.pos = start
        return any(p.noun is not None and p.noun.pronoun == "each other" for p in places)

    def late_exception(self, theme: Nouns) -> Nouns:
        """Read "except ..." at the end of a clause, about what it moves."""
        start = self.pos
        self.eat(COMMA)
        if self.at("but not", "without") or not self.eat(*EXCEPTIONS) or not self.starts_noun():
            self.pos = start
            return theme
        was_but = self.words[self.pos - 1] == "but"
        excluded = self.nouns(stop_before_place=True)
        if was_but and (self.begins_predicate(places=True) or not theme.parts[-1].plural):
            self.pos = start
            return theme
        if not any(p.plural or p.quantity == "all" for p in theme.parts):
            raise self.abstain("an exception needs 'all' or a plural before it")
        last = replace(theme.parts[-1], excluded=(*theme.parts[-1].excluded, *excluded.parts))
        return replace(theme, parts=(*theme.parts[:-1], last))

    def at_now(self, theme: Nouns, at: At | None) -> Nouns:
        """The theme, known to be at a place now."""
        if at is None or at.noun is None:
            return theme
        where = (True, at.relation, at.noun)
        parts = (p if p.pronoun else replace(p, where=p.where or where) for p in theme.parts)
        return replace(theme, parts=tuple(parts))

    def negate(self, clauses: list[Clause]) -> list[Clause]:
        """The opposite of clauses."""
        negated: list[Clause] = []
        for clause in clauses:
            match clause:
                case Place():
                    negated.append(replace(clause, negated=not clause.negated))
                case SetOpen():
                    negated.append(replace(clause, open=not clause.open))
                case Too():
                    negated.append(replace(clause, negated=True))
                case _:
                    raise self.abstain("I do not understand this negation")
        return negated

    def is_fixed(self, phrase: NounPhrase) -> bool:
        """Whether a noun can only stand for things that do not move."""
        if phrase.pronoun:
            return True
        kinds = {self.scene.specs[n].kind for n in self.scene.named(phrase.head)}
        return "item" not in kinds or (phrase.head != ITEM and len(kinds) > 1)

    def all_drawers(self, theme: Nouns) -> bool:
        """Whether the theme can only be drawers."""

        def is_drawer(phrase: NounPhrase) -> bool:
            kinds = {self.scene.specs[n].kind for n in self.scene.named(phrase.head)}
            return phrase.pronoun == "it" or kinds == {"drawer"}

        return all(is_drawer(p) for p in theme.parts)

    def pause_at(self, ahead: int) -> bool:
        """Whether a pause or the end comes ``ahead`` words on."""
        return self.peek(ahead) in ("", *PAUSES)

    def starts_noun_at(self, ahead: int) -> bool:
        """Whether a noun phrase begins ``ahead`` words on."""
        self.pos += ahead
        try:
            return self.starts_noun()
        finally:
            self.pos -= ahead

    def ends_tower(self) -> bool:
        """Whether words about a tower's order come next."""
        return self.at(*UP, *DOWN, *ANY_ORDER)


def is_crowd(phrase: NounPhrase) -> bool:
    """Whether a phrase speaks of several objects at once."""
    return phrase.plural or phrase.quantity == "all" or (phrase.count or 1) > 1
