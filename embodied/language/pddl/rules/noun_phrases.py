"""Noun phrases: "all the blocks except the red one", "the cup that is on the plate"."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.pddl.rules.noun_cues import NounCues, relation_of
from embodied.language.pddl.rules.syntax import At, NounPhrase, Nouns, Quantity
from embodied.language.words.amounts import COUNTS
from embodied.language.words.lexicon import (
    BOTTOM,
    EXCEPTIONS,
    MODALS,
    PRONOUNS,
    SIDES_AFTER,
    SIDES_OF_THINGS,
    SOURCES,
    SUPERLATIVES,
    VERB_FORMS,
)
from embodied.language.words.scene_words import ITEM

_DETERMINERS = ("the", "this", "that", "these", "those", "my", "our", "your", "its", "their")
BOTH_OF = frozenset("of the these those them my our your".split())
"""Words that may follow "both" before its noun."""
_SAME_COLOR = (
    "of the same color", "with the same color", "of its own color", "of its color",
    "of their own color", "of their color", "of the matching color", "of matching color",
    "of the corresponding color", "in the same color", "in its color", "matching its color",
    "matching their color", "matching the color", "that matches its color",
    "that matches their color", "that match their color", "which matches its color",
    "that has the same color", "that have the same color", "that is the same color",
    "of the respective color", "whose color matches", "with matching color",
)  # fmt: skip


class NounPhraseParser(NounCues):
    """Reads noun phrases and places."""

    def noun_phrase(self) -> NounPhrase:
        """Read one noun phrase."""
        start = self.pos
        phrase = self._quantified()
        if self.eat(*_SAME_COLOR):
            phrase = replace(phrase, same_color=True)
        phrase = self._relative(phrase)
        if phrase.quantity in ("all", "no") or phrase.plural:
            phrase = self.exceptions(phrase, also_but=phrase.quantity != "the")
        return replace(phrase, text=self.between(start))

    def exceptions(self, phrase: NounPhrase, *, also_but: bool, late: bool = False) -> NounPhrase:
        """Read "except ..." after a phrase, if that comes next; ``late`` is after its place."""
        start = self.pos
        word = self.eat(*EXCEPTIONS)
        if not word or not self.starts_noun() or (word == "but" and not also_but):
            self.pos = start
            return phrase
        excluded = self.nouns(stop_before_place=late, subject=not late)
        return replace(phrase, excluded=(*phrase.excluded, *excluded.parts))

    def nouns(self, *, stop_before_place: bool = False, subject: bool = False) -> Nouns:
        """Read noun phrases joined by "and" or "or".

        Args:
            subject: A verb may follow the list: it is what the verb says something of.
            stop_before_place: Leave out a member that a place or a verb follows, since it begins
                a clause of its own ("... and the red one on the tray").
        """
        both = self.at("both", "either") and not self._both_of_one_noun()
        if both:
            self.pos += 1
        parts = [self.noun_phrase()]
        joins: set[str] = set()
        while True:
            start = self.pos
            join = self.eat_join()
            if not join or not self.starts_noun():
                self.pos = start
                break
            part = self.noun_phrase()
            new_clause = not subject and self.begins_predicate(places=stop_before_place)
            if new_clause or self.at(*BOTTOM):
                self.pos = start
                break
            parts.append(part)
            joins.add(join)
        if "or" in joins and "and" in joins:
            raise self.abstain("'and' and 'or' in one list can be read in two ways")
        return Nouns(parts=_share_heads(parts), alternatives="or" in joins)

    def begins_predicate(self, *, places: bool) -> bool:
        """Whether a verb (or, with ``places``, a place) follows: a clause of its own began."""
        word = self.peek()
        if word in MODALS and word != "to":
            return True
        verb = VERB_FORMS.get(word)
        if verb and verb[1] == "third":
            return True
        if self.at("too", "as well"):
            return True
        if places and (self._preposition() is not None or word in ("open", "closed", "shut")):
            return True
        return places and self.spot_here()

    def place(self) -> At | None:
        """Read a place such as "on the tray", "inside", "on top", "there"; None if none is next."""
        start = self.pos
        spot = self.spot()
        if spot is not None:
            return spot
        if self.at("there"):
            self.pos += 1
            return At(relation="to", noun=self._pronoun("there"), text="there")
        found = self._preposition()
        if found is None:
            return None
        phrase, relation = found
        self.eat(phrase)
        if self.eat("each other", "one another"):
            noun = NounPhrase(text="each other", pronoun="each other")
        elif self.eat("there", "here"):
            noun = self._pronoun("there")
        elif self.starts_noun():
            noun = self.noun_phrase()
        elif phrase in ("on", "at") and self.eat("the top", "top"):
            noun, relation = None, "on"
        elif phrase == "inside" or (phrase == "in" and (self.at_pause() or self.at("and"))):
            noun = None
        elif phrase == "underneath":
            noun = None
        else:
            raise self.abstain(
                f"I know no '{self.peek()}' to put things {phrase}" if not self.ended else ""
            )
        return At(relation=relation, noun=noun, text=self.between(start))

    def source(self) -> At | None:
        """Read "from the tray", "out of the bowl", "off"; None if none is next."""
        start = self.pos
        for phrase, relation in SOURCES:
            if self.eat(phrase):
                if self.starts_noun() and not self.at("all"):
                    noun = self.noun_phrase()
                elif self.eat("there", "here"):
                    noun = self._pronoun("there")
                elif phrase in ("off", "out of"):
                    noun = None
                else:
                    self.pos = start
                    return None
                return At(relation=relation_of(relation), noun=noun, text=self.between(start))
        if self.eat("out"):
            return At(relation="in", noun=None, text="out")
        return None

    def _pronoun(self, name: str) -> NounPhrase:
        return NounPhrase(text=name, pronoun=name)

    def _both_of_one_noun(self) -> bool:
        """Whether "both" counts the objects of one noun, instead of opening "both A and B"."""
        start = self.pos
        self.pos += 1
        try:
            if self.eat("of"):
                return True
            if not self.starts_noun():
                return True
            return self.noun_phrase().plural
        finally:
            self.pos = start

    def _quantified(self) -> NounPhrase:
        """Read a noun phrase without what follows its noun."""
        start = self.pos
        only = bool(self.eat("only", "just"))
        if self.at("all") and self._all_alone():
            self.eat("all")
            return self._generic("all", start, only)
        rest = self.at("anything else", "anything that", "anything which", "anything left")
        if self.eat("everything", "every thing", *(("anything",) if rest else ())):
            return self._generic("all", start, only)
        if self.eat("anything", "something"):
            return replace(self._generic("some", start, only), count=1, plural=False)
        if self.eat("nothing", "none") and not self.at("of"):
            return self._generic("no", start, only)
        if self.at("that one", "this one") and not self._noun_after(2):
            self.eat("that one", "this one")
            return NounPhrase(text="that one", pronoun="it", only=only)
        if self.at("both") and not (self._noun_after(1) or self.peek(1) in BOTH_OF):
            self.eat("both")
            return NounPhrase(text="both", pronoun="them", quantity="all", count=2, plural=True)
        quantity, count, exactly, other, article = self._quantity()
        pronoun = PRONOUNS.get(self.peek(), "")
        noun_follows = self.peek() in ("these", "those") and self._noun_after(1)
        if pronoun and pronoun != "there" and not noun_follows:
            self.pos += 1
            both = self.at("both")
            if self.eat("all", "both"):
                quantity, count = "all", 2 if both else count
            plural = pronoun == "them"
            return NounPhrase(
                text="", pronoun=pronoun, quantity=quantity, count=count, plural=plural, only=only
            )
        if self.at("that", "this") and not self._noun_after(1):
            self.pos += 1
            return NounPhrase(text="", pronoun="it", only=only)
        while self.peek() in _DETERMINERS:
            self.pos += 1
            article = "the"
        named_a = self.peek() in self.scene.heads and not self._noun_after(1)
        if not article and not named_a and self.eat("a", "an"):
            quantity, count, article = "some", 1, "a"
        if count is None and (number := self._number()):
            count = number
        if self.eat("other", "remaining", "others", "rest"):
            return self._others(quantity, count, only)
        superlative = self._superlative(article)
        if self.eat("matching", "corresponding", "respective"):
            noun = self._named(quantity, count, exactly, other, only, superlative)
            return replace(noun, same_color=True)
        return self._named(quantity, count, exactly, other, only, superlative)

    def _superlative(self, article: str) -> str:
        """Read "largest", "left most", "left hand"; empty if none is next."""
        word = self.peek()
        side = SIDES_OF_THINGS.get(word, "")
        if side and article == "the" and word not in self.scene.modifiers:
            if self.peek(1) in ("most", "hand") and self._noun_after(2):
                self.pos += 2
                return side
            if self._noun_after(1) and self.peek(1) != "of":
                self.pos += 1
                return side
        superlative = SUPERLATIVES.get(word, "")
        self.pos += bool(superlative)
        return superlative

    def _generic(self, quantity: Quantity, start: int, only: bool) -> NounPhrase:
        other = bool(self.eat("else"))
        return NounPhrase(
            text=self.between(start), quantity=quantity, head=ITEM, plural=True, other=other,
            only=only,
        )  # fmt: skip

    def _others(self, quantity: Quantity, count: int | None, only: bool) -> NounPhrase:
        """Read on after "the other", "the others", "the rest", "the remaining"."""
        word = self.words[self.pos - 1]
        if word == "rest":
            if self.eat("of"):
                noun = self._quantified()
                return replace(noun, quantity="all", other=True, plural=True)
            return NounPhrase(text="the rest", quantity="all", other=True, plural=True, count=count)
        if word == "others" or self.eat("ones") or not self._noun_after(0):
            quantity = "all" if quantity == "the" else quantity
            return NounPhrase(
                text="the others", quantity=quantity, other=True, plural=True, count=count,
                modifiers=(), only=only,
            )  # fmt: skip
        noun = self._named(quantity, count, False, True, only, "")
        return noun

    def _named(
        self,
        quantity: Quantity,
        count: int | None,
        exactly: bool,
        other: bool,
        only: bool,
        superlative: str,
    ) -> NounPhrase:
        """Read modifiers and the noun."""
        start = self.pos
        modifiers: list[str] = []
        while self.peek() in self.scene.modifiers and not self._is_head_alone():
            modifiers.append(self.peek())
            self.pos += 1
            coloured = self.at("coloured", "color") and self._noun_after(1)
            self.pos += coloured  # "the warm coloured blocks"
        head, plural = "", False
        if found := self.head_here():
            head, plural, length = found
            self.pos += length
            fixed = {self.scene.specs[n].kind for n in self.scene.named(head)} == {"surface"}
            self.eat("top") if fixed else ""  # "the cupboard top"
            head, plural = self._identified(head, plural)
        elif (number := COUNTS.get(self.peek())) and str(number) in self.scene.heads and modifiers:
            head = str(number)
            self.pos += 1
        elif self.eat("one"):
            pass
        elif self.eat("ones") or (modifiers and self.eat("colors", "coloured ones")):
            plural = True
        elif not modifiers and not superlative and not other:
            raise self._unknown_noun(start)
        return NounPhrase(
            text="",
            quantity=quantity,
            count=count,
            exactly=exactly,
            plural=plural or quantity == "all",
            modifiers=tuple(modifiers),
            superlative=superlative,
            head=head,
            other=other,
            only=only,
        )

    def _identified(self, head: str, plural: bool) -> tuple[str, bool]:
        """Read on in "block d" or "vials a": a name after the noun says which one."""
        number = str(COUNTS.get(self.peek(), ""))
        if number in self.scene.heads and self.scene.named(number) & self.scene.named(head):
            self.pos += 1
            return number, plural
        found = self.head_here()
        if found and not found[1]:
            which = self.scene.named(found[0])
            article = self.peek() == "a" and self._noun_after(1)
            if len(which) == 1 and which < self.scene.named(head) and not article:
                self.pos += found[2]
                return found[0], False
        return head, plural

    def _relative(self, phrase: NounPhrase) -> NounPhrase:
        """Read "that is on the tray", "that is not a brick", "currently in the bin"."""
        start = self.pos
        phrase = self._picked(phrase)
        if not self.eat("that is", "that are", "which is", "which are", "that lies", "that stands",
                        "that sits", "which lies", "that lie", "which stands"):  # fmt: skip
            if not self.eat("currently", "still"):
                return phrase
        begun, start = start, self.pos
        phrase = self._picked(phrase, compared=self.pos > begun)
        if phrase.superlative_of is not None or self.pos > start:
            return phrase
        negated = bool(self.eat("not"))
        self._eat_posture()
        if self.at("a", "an") or (negated and self._noun_after(0)):
            if negated:
                kinds = [
                    replace(p, quantity="all", plural=True) for p in self.nouns(subject=True).parts
                ]
                return replace(phrase, excluded=(*phrase.excluded, *kinds))
            kind = self.noun_phrase()
            return replace(phrase, head=kind.head or phrase.head, modifiers=kind.modifiers)
        if self.peek() in self.scene.modifiers:
            word = self.peek()
            self.pos += 1
            if not negated:
                return replace(phrase, modifiers=(*phrase.modifiers, word))
            return replace(phrase, not_a=NounPhrase(text=word, modifiers=(word,), plural=True))
        place = self.place()
        if place is not None and place.spot is not None and not negated:
            return replace(phrase, beside=place.spot)
        if place is None or place.noun is None:
            self.pos = start
            return phrase
        return replace(phrase, where=(not negated, place.relation, place.noun))

    def _picked(self, phrase: NounPhrase, *, compared: bool = False) -> NounPhrase:
        """Read what picks one of several: "closest to the bin", "furthest to the left"."""
        start = self.pos
        found = phrase.superlative if phrase.superlative in ("nearest", "farthest") else ""
        if not found:
            self.eat("that is", "which is", "that lies", "that stands")
            side = "" if phrase.superlative else self.eat(*SIDES_AFTER)
            if side and self._noun_after(0):
                self.pos = start
                return phrase
            if side:
                singular = not phrase.plural and phrase.quantity != "all"
                if singular and not self.at("of", "side", "edge", "corner", "hand", "half", "by"):
                    if len(self._fitting(phrase)) > 1:
                        return replace(phrase, superlative=SIDES_AFTER[side])
                self.pos = start
                return phrase
            closer = {"closer": "nearest", "nearer": "nearest", "further": "farthest"}
            found = SUPERLATIVES.get(self.peek(), closer.get(self.peek(), "") if compared else "")
            if not found:
                self.pos = start
                return phrase
            self.pos += 1
            self.eat("away")
        if found not in ("nearest", "farthest"):
            return replace(phrase, superlative=found)
        begin = self.pos
        near = self.eat("to", "from") or (begin > start and self.starts_noun())
        if near and (self.starts_noun() or self.at("you", "me", "us")):
            if self.eat("you", "me", "us", "yourself", "the robot", "the arm"):
                return replace(phrase, superlative=found)
            other = self.noun_phrase()
            if begin > start or self.spot_or_place_follows():
                return replace(phrase, superlative=found, superlative_of=other)
        self.pos = begin
        return replace(phrase, superlative=found)

    def spot_or_place_follows(self) -> bool:
        """Whether a place comes next."""
        return self._preposition() is not None or self.at_pause()

    def _fitting(self, phrase: NounPhrase) -> frozenset[str]:
        """Objects that the words of a phrase fit."""
        fitting = self.scene.named(phrase.head) if phrase.head else frozenset(self.scene.items)
        for modifier in phrase.modifiers:
            fitting &= self.scene.modifiers[modifier]
        return fitting


def _share_heads(parts: list[NounPhrase]) -> tuple[NounPhrase, ...]:
    """Give members of a list without a noun that of the next member, or of the one before."""
    shared = list(parts)
    for i in reversed(range(len(shared))):
        donor = shared[i + 1] if i + 1 < len(shared) else None
        if _lacks_noun(shared[i]) and donor and donor.head and donor.head != ITEM:
            plural = shared[i].plural or (donor.plural and not shared[i].text.endswith(" one"))
            listed = plural and donor.plural
            shared[i] = replace(shared[i], head=donor.head, plural=plural, listed=listed)
            if listed:
                shared[i + 1] = replace(donor, listed=True)
    for i in range(1, len(shared)):
        donor = shared[i - 1]
        if _lacks_noun(shared[i]) and donor.head and donor.head != ITEM:
            shared[i] = replace(shared[i], head=donor.head)
    return tuple(shared)


def _lacks_noun(phrase: NounPhrase) -> bool:
    return bool(not phrase.head and not phrase.pronoun and phrase.modifiers)
