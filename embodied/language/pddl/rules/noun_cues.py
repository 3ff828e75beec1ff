"""What tells that a noun phrase begins, how many it speaks of, and where its noun stands."""

from __future__ import annotations

from collections.abc import Iterable

from embodied.language.pddl.rules.syntax import At, Quantity, Relation
from embodied.language.words.amounts import COUNTS
from embodied.language.words.cursor import Cursor
from embodied.language.words.lexer import Token
from embodied.language.words.lexicon import (
    END,
    LEAVE,
    PLACE,
    PREPOSITIONS,
    PRONOUNS,
    STACK,
    SUPERLATIVES,
    VERB_FORMS,
)
from embodied.language.words.scene_words import SceneWords

_STARTERS = frozenset(
    "a an the this that these those my our your all every each any both no none one only just "
    "everything anything something nothing other another others least exactly either its their "
    "remaining matching".split()
)


class NounCues(Cursor):
    """Looks at and eats what stands before and beside nouns.

    Args:
        tokens: The sentence.
        scene: What its objects may be called.
    """

    def __init__(self, tokens: Iterable[Token], scene: SceneWords) -> None:
        super().__init__(tokens)
        self.scene = scene

    def starts_noun(self) -> bool:
        """Whether a noun phrase comes next."""
        word = self.peek()
        if word == "at":
            return self.at("at least")
        return bool(
            word in _STARTERS
            or (word in PRONOUNS and word != "there")
            or word in COUNTS
            or word.isdigit()
            or word in SUPERLATIVES
            or word in self.scene.modifiers
            or self.head_here()
        )

    def head_here(self, ahead: int = 0) -> tuple[str, bool, int] | None:
        """The noun that comes next, if one does: (noun, in the plural, number of words)."""
        start = self.pos + ahead
        return self.scene.head_at(self.words[start : start + 4])

    def spot(self) -> At | None:
        """Where exactly, as in "next to the bin"; None where that is not what comes next."""
        return None

    def spot_here(self) -> bool:
        """Whether ``spot`` would find one."""
        return False

    def _preposition(self) -> tuple[str, Relation] | None:
        if self.at("at least"):
            return None
        for phrase, relation in PREPOSITIONS:
            if self.at(phrase):
                return phrase, relation_of(relation)
        return None

    def _quantity(self) -> tuple[Quantity, int | None, bool, bool, str]:
        """Read what says how many: (quantity, count, exactly, other, article)."""
        if self.eat("every single", "every", "each and every", "each one of", "each of", "each"):
            return "all", None, False, False, "each"
        if self.eat("all of", "all"):
            self.eat("the", "these", "those", "my")
            return "all", self._number(), False, False, "all"
        if self.eat("both of", "both"):
            return "all", 2, False, False, "both"
        if self.eat("any one of", "any of", "either of", "one of", "any one", "any"):
            return "some", self._number() or 1, False, False, "any"
        if self.eat("none of", "of"):
            return "no", None, False, False, "no"
        if self.eat("no"):
            return "no", None, False, False, "no"
        if self.eat("another"):
            return "some", 1, False, True, "another"
        exactly = bool(self.eat("exactly"))
        least = bool(self.eat("at least"))
        start = self.pos
        number = self._number()
        if number is not None and (self._noun_after(0) or self.at("of", "other")):
            self.eat("of")
            return "some", number, exactly, False, "number"
        self.pos = start
        if exactly or least:
            raise self.abstain("a number and a noun are missing here")
        return "the", None, False, False, ""

    def _number(self) -> int | None:
        word = self.peek()
        if word in COUNTS and self._noun_after(1, numbers=False):
            self.pos += 1
            return COUNTS[word]
        if word.isdigit() and len(word) < 3:
            self.pos += 1
            return int(word)
        return None

    def _noun_after(self, ahead: int, *, numbers: bool = True) -> bool:
        """Whether a modifier or a noun stands ``ahead`` words on."""
        word = self.peek(ahead)
        return bool(
            word in self.scene.modifiers
            or word in SUPERLATIVES
            or word in ("one", "ones", "other", "others", "of", "remaining", "matching")
            or (numbers and word in COUNTS)
            or self.head_here(ahead)
        )

    def _all_alone(self) -> bool:
        """Whether "all" stands for everything, without a noun."""
        start = self.pos
        self.eat("all of", "all")
        self.eat("the", "these", "those", "my", "that")
        alone = self.pos == start + 1 and not (
            self._noun_after(0) or self.peek() in PRONOUNS or self.peek().isdigit()
        )
        self.pos = start
        return alone

    def _is_head_alone(self) -> bool:
        """Whether the word here is a noun itself and no other noun or modifier follows."""
        found = self.head_here()
        if not found:
            return False
        if found[2] > 1:
            return True
        follows = self.head_here(1) or self.peek(1) in self.scene.modifiers
        return not follows and self.peek(1) not in ("one", "ones")

    def _unknown_noun(self, start: int) -> Exception:
        self.pos = start
        if self.ended:
            return self.abstain("an object is missing here")
        return self.abstain(f"I expected an object here, not '{self.peek()}'")

    def _eat_posture(self) -> bool:
        """Read "currently lying", "already placed" and the like before a place."""
        start = self.pos
        while True:
            kind, form = VERB_FORMS.get(self.peek(), ("", ""))
            posture = kind in (PLACE, STACK, END, LEAVE) and form in ("gerund", "participle")
            if not posture and not self.at("currently", "still", "now", "already", "left"):
                return self.pos > start
            self.pos += 1


def relation_of(text: str) -> Relation:
    """The relation that a preposition stands for."""
    relations: dict[str, Relation] = {"on": "on", "in": "in", "to": "to", "under": "under"}
    return relations[text]
