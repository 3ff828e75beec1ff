"""Descriptions of objects as data: "the dirty blocks that are not in a bowl", "higher than b".

Read once, and evaluated against any ``State``: what is believed, or what is true.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from embodied.errors import NotUnderstoodError
from embodied.language.words.amounts import COUNTS
from embodied.language.words.cursor import Cursor
from embodied.language.words.lexer import COMMA, PAUSES, Token, UnreadableTextError, tokenize
from embodied.language.words.lexicon import GRAMMAR_WORDS, SPELLINGS
from embodied.language.words.scene_words import ITEM, SceneWords
from embodied.memory.things import Condition as Condition
from embodied.memory.things import Thing as Thing
from embodied.memory.things import not_understood as not_understood
from embodied.memory.things import specs_of as specs_of
from embodied.memory.vocabulary import OPPOSITES

MEASURED_WORDS = {"open": True, "opened": True, "closed": False, "shut": False}
"""Words about drawers, and whether they say that it is open."""

_DETERMINERS = ("the", "this", "that", "these", "those", "my", "our", "your", "its", "their")
_EVERYTHING = {"everything": "all", "anything": "any", "something": "any", "nothing": "no"}
_LINKS = (
    "that is", "that are", "which is", "which are", "that was", "that were", "who is", "lying",
    "standing", "sitting", "resting", "placed", "located", "stored", "hidden", "currently", "now",
)  # fmt: skip
_RELATIONS = (
    ("on top of", "on"),
    ("at the top of", "on"),
    ("inside of", "in"),
    ("underneath", "under"),
    ("beneath", "under"),
    ("below", "under"),
    ("under", "under"),
    ("covered by", "under"),
    ("above", "above"),
    ("over", "above"),
    ("onto", "on"),
    ("upon", "on"),
    ("on", "on"),
    ("into", "in"),
    ("inside", "in"),
    ("within", "in"),
    ("in", "in"),
    ("at", "on"),
)
_COMPARED = {
    "higher": "higher",
    "lower": "lower",
    "heavier": "heavier",
    "lighter": "lighter",
}
_SUPERLATIVES = {
    "highest": ("higher", 1),
    "topmost": ("higher", 1),
    "lowest": ("higher", -1),
    "top": ("higher", 1),
    "bottom": ("higher", -1),
    "heaviest": ("heavier", 1),
    "lightest": ("heavier", -1),
}
_HANDS = (
    "in your hand", "in the hand", "in your gripper", "in the gripper", "in your hands", "held",
    "in hand", "in your fingers", "held by you",
)  # fmt: skip


class DescriptionReader(Cursor):
    """Reads descriptions of a scene's objects in a sentence.

    Args:
        text: The sentence.
        scene: What its objects may be called.
        told: Words that were told of objects so far; the usual ones are known anyway.

    Raises:
        NotUnderstoodError: The text is no sentence.
    """

    def __init__(self, text: str, scene: SceneWords, told: Collection[str] = ()) -> None:
        self.text, self.scene = text, scene
        self._noun_before = ""
        self.told = frozenset(told).union(*OPPOSITES) - scene.words
        try:
            tokens = tokenize(text.replace("(", ",").replace(")", ","))
        except UnreadableTextError as why:
            raise not_understood(text, str(why)) from None
        words = [Token(self._spelling(t.word), t.number) for t in tokens]
        super().__init__(_without_asides(words))

    def thing(self) -> Thing:
        """Read objects as they are spoken of.

        Raises:
            NotUnderstoodError: There are no such objects here.
        """
        start = self.pos
        found = self._noun()
        while clause := self._clause():
            found = replace(found, conditions=(*found.conditions, clause))
        while self.eat("except for", "except", "apart from", "other than", "but not"):
            found = replace(found, excluded=(*found.excluded, *self.things()))
        return replace(found, text=self.between(start))

    def things(self) -> tuple[Thing, ...]:
        """Read a list: "the red block, the blue one, and the cup"."""
        found = [self.thing()]
        while True:
            start = self.pos
            if not self.eat_join() or not self.starts_thing():
                self.pos = start
                return tuple(found)
            found.append(self.thing())

    def condition(self) -> Condition | None:
        """Read what is said of an object after "is"; None where nothing fits."""
        start = self.pos
        negated = bool(self.eat("not", "no longer", "not any longer"))
        self.eat(*_LINKS, "still", "really", "also", "anywhere", "already", "actually")
        found = self._relation() or self._word()
        if found is None:
            self.pos = start
            return None
        while self.eat("any more", "anymore", "any longer", "now", "right now", "at the moment"):
            pass
        return replace(found, negated=negated != found.negated)

    def containing(self) -> Condition | None:
        """Read "that contains the ball", "has blocks in it"; None where nothing fits."""
        start = self.pos
        self.eat("that", "which")
        has = bool(self.eat("has", "have", "with"))
        if has or self.eat("contains", "contain", "containing", "holds"):
            try:
                other = self._noun()
            except NotUnderstoodError:  # "has the same weight": nothing that it could contain
                self.pos = start
                return None
            inside = self.eat("in it", "in them", "inside", "inside it", "on it", "on them")
            if inside or not has:
                return Condition(relation="contains", other=other)
        self.pos = start
        return None

    def starts_thing(self) -> bool:
        """Whether objects are spoken of next."""
        return self._starts_noun(0)

    def finish(self) -> None:
        """Refuse words that are left over; raises NotUnderstoodError."""
        while self.peek() in PAUSES or self.at("please", "then", "now", "too", "today"):
            self.pos += 1
        if not self.ended:
            raise self.refusal(f"I do not understand '{self.rest()}' at this place")

    def refusal(self, problem: str, hint: str = "") -> Exception:
        """The error for this sentence."""
        return not_understood(self.text, problem, hint)

    # ----------------------------------------------------------------- private

    def _spelling(self, word: str) -> str:
        if word in self.scene.words:
            return word
        return SPELLINGS.get(word, word)

    def _starts_noun(self, ahead: int) -> bool:
        word = self.peek(ahead)
        if word in _EVERYTHING or word in _DETERMINERS or word in COUNTS:
            return True
        if word in ("all", "any", "every", "each", "both", "no", "other", "some"):
            return True
        if word in ("a", "an") and self._names_something(ahead + 1):
            return True
        return self._names_something(ahead)

    def _names_something(self, ahead: int) -> bool:
        words = self.words[self.pos + ahead : self.pos + ahead + 4]
        if not words:
            return False
        word = words[0]
        known = word in self.scene.modifiers or word in self.told
        known = known or word in ("empty", "other") or words[:2] == ("non", "empty")
        return known or word in _SUPERLATIVES or self.scene.head_at(words) is not None

    def _noun(self) -> Thing:
        start = self.pos
        quantity, count = "", None
        if word := self.eat(*_EVERYTHING):
            everything = tuple(self.scene.items)
            other = bool(self.eat("else"))
            return Thing(
                text=word, names=everything, quantity=_EVERYTHING[word], plural=True, other=other
            )
        if self.eat("all of", "each of", "both of", "all", "every", "each", "both"):
            quantity = "all"
        elif self.eat("any of", "any", "some of", "some"):
            quantity = "any"
        elif self.at("no") and self._names_something(1):
            self.eat("no")
            quantity = "no"
        if not quantity and self.at("a", "an", "one") and self._names_something(1):
            self.pos += 1
            quantity = "a"
        while self.peek() in _DETERMINERS:
            self.pos += 1
            quantity = quantity or "the"
        if self.peek() in COUNTS and self._names_something(1):
            count = COUNTS[self.peek()]
            self.pos += 1
        other = bool(self.eat("other", "others", "rest of the", "remaining"))
        return self._named(
            start, Thing(text="", names=(), quantity=quantity, count=count, other=other)
        )

    def _named(self, start: int, thing: Thing) -> Thing:
        conditions: list[Condition] = []
        fitting = list(self.scene.specs)
        spoken = False
        while not self.scene.head_at(self.words[self.pos : self.pos + 4]) or self._more_follows():
            word = self.peek()
            if word in self.scene.modifiers:
                fitting = [n for n in fitting if n in self.scene.modifiers[word]]
            elif word in self.told:
                conditions.append(Condition(relation="is", word=word))
            elif word in ("empty", "non"):
                self.pos += word == "non"
                conditions.append(Condition(relation="empty", negated=word == "non"))
            elif word in _SUPERLATIVES:
                conditions.append(_most(word))
            elif word in MEASURED_WORDS:
                conditions.append(Condition(relation="open", negated=not MEASURED_WORDS[word]))
            else:
                break
            self.pos += 1
            spoken = True
        found = self.scene.head_at(self.words[self.pos : self.pos + 4])
        plural = False
        if found is not None:
            head, plural, length = found
            self.pos += length
            named = self.scene.named(head)
            fitting = [n for n in fitting if n in named]
            self._noun_before = head
        elif one := self.eat("ones", "one"):
            plural, named = one == "ones", self.scene.named(self._noun_before or ITEM)
            fitting = [n for n in fitting if n in named] or fitting
        elif not spoken and not thing.other:
            self.pos = start
            said = self.rest() or "nothing"
            listed = ", ".join(sorted(n.replace("-", " ") for n in self.scene.specs))
            raise self.refusal(f"there is no '{said}'", f"objects: {listed}")
        elif not spoken or conditions:
            fitting = [n for n in fitting if self.scene.specs[n].kind == ITEM]
        if not fitting:
            listed = ", ".join(sorted(n.replace("-", " ") for n in self.scene.specs))
            raise self.refusal(f"there is no '{self.between(start)}'", f"objects: {listed}")
        plural = plural or thing.quantity == "all" or (thing.count or 1) > 1
        return replace(
            thing,
            text=self.between(start),
            names=tuple(fitting),
            plural=plural,
            conditions=tuple(conditions),
        )

    def _more_follows(self) -> bool:
        """Whether the word here, a noun as well, is a modifier of another noun: "toy block"."""
        return self.peek() in self.scene.modifiers and self._names_something(1)

    def _clause(self) -> Condition | None:
        """Read "in the bowl", "that are not in a bowl" after a noun."""
        start = self.pos
        if contained := self.containing():
            return contained
        linked = bool(self.eat(*_LINKS))
        negated = bool(self.eat("not")) if linked else False
        self.eat(*_LINKS)
        found = self._relation()
        if found is None and linked:
            found = self._word()
        if found is None:
            self.pos = start
            return None
        return replace(found, negated=negated != found.negated)

    def _relation(self) -> Condition | None:
        start = self.pos
        if self.eat(*_HANDS):
            return Condition(relation="held")
        if found := self._compared():
            return found
        self.pos = start
        direct = bool(self.eat("right", "directly", "immediately", "just", "straight"))
        for phrase, relation in _RELATIONS:
            if self.at(phrase):
                self.eat(phrase)
                if self.starts_thing():
                    return Condition(relation=relation, other=self.thing(), direct=direct)
                break
        self.pos = start
        return None

    def _compared(self) -> Condition | None:
        """Read "higher than x", "in a higher position than x", "in positions lower than x"."""
        prefixed = bool(self.eat("in positions", "in a position", "at positions", "at a position"))
        if not prefixed:
            self.eat("in a", "in the", "in", "at a", "at the", "the")
        word = self.peek()
        if word in _SUPERLATIVES:
            self.pos += 1
            self.eat("position", "place", "one", "up", "of all", "down")
            return _most(word)
        if word not in _COMPARED:
            return None
        self.pos += 1
        self.eat("position", "positions", "place", "up", "down")
        if not self.eat("than"):
            return None
        return Condition(relation=_COMPARED[word], other=self.thing())

    def _word(self) -> Condition | None:
        """Read "dirty", "red", "open", "empty"."""
        word = self.peek()
        if word in MEASURED_WORDS:
            self.pos += 1
            return Condition(relation="open", negated=not MEASURED_WORDS[word])
        if word in ("empty", "full"):
            self.pos += 1
            return Condition(relation="empty", negated=word == "full")
        if self.starts_thing() and word not in self.told and word not in self.scene.modifiers:
            return None
        if not word.isalpha() or word in GRAMMAR_WORDS:
            return None
        self.pos += 1
        return Condition(relation="is", word=word)


def _most(word: str) -> Condition:
    relation, sign = _SUPERLATIVES[word]
    return Condition(relation="most", word=("+" if sign > 0 else "-") + relation)


def _without_asides(tokens: Iterable[Token]) -> list[Token]:
    """Leave out "if there are any" between commas or without."""
    words = list(tokens)
    for aside in (
        "if there is any",
        "if there are any",
        "if there is one",
        "if any",
        "if there be any",
    ):
        parts = aside.split()
        for start in range(len(words) - len(parts), -1, -1):
            if [t.word for t in words[start : start + len(parts)]] == parts:
                end = start + len(parts)
                if start and words[start - 1].word == COMMA:
                    start -= 1
                if end < len(words) and words[end].word == COMMA:
                    end += 1
                del words[start:end]
    return words
