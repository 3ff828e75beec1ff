"""Clauses about towers and stacks."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.pddl.rules.pieces import ANY_ORDER, DOWN, UP, is_crowd
from embodied.language.pddl.rules.statements import StatementParser
from embodied.language.pddl.rules.syntax import At, Clause, NounPhrase, Place, Tower, Towers
from embodied.language.words.amounts import COUNTS
from embodied.language.words.lexer import COLON, COMMA
from embodied.language.words.lexicon import BOTTOM
from embodied.language.words.scene_words import ITEM

_MIDDLE = ("in the middle", "in between", "in the center", "in the centre")
_TOP = ("on the top", "on top", "at the top", "as the top", "on the very top", "at the very top")
_TOWER_NOUNS = ("tower", "stack", "pile", "column")
_COUNTED = ("towers", "stacks", "piles", "columns")


class TowerParser(StatementParser):
    """Reads "stack A on B", "build a tower of A, B and C"."""

    def tower_noun_here(self) -> bool:
        """Whether "a tower" or "two towers" comes next."""
        ahead = 1 if self.peek() in ("a", "one", "the", *COUNTS) else 0
        ahead += self.peek(ahead) in ("single", "tall", "high", "big")
        return self.peek(ahead) in (*_TOWER_NOUNS, *_COUNTED) and ahead > 0

    def stack(self) -> list[Clause]:
        """Read on after "stack"."""
        self.particles()
        self.eat(COLON)
        theme = self.nouns()
        order = self.order_of() or ("up" if self.eat("in the order") else "")
        self.eat("into one tower", "into a tower", "in one tower", "in a tower", "into one stack",
                 "into a stack", "in a stack", "in one stack", "up", "together")  # fmt: skip
        places = self.places(order_after=True)
        order = order or self.order_of()
        listed = ()
        if self.eat(COLON) or (order == "up" and self.starts_noun()):
            listed = self._members()
            order = order or self.order_of() or "up"
        theme = self.late_exception(theme)
        self.trailing()
        several = len(theme.parts) > 1 or any(p.plural for p in theme.parts)
        each_other = places and places[0].noun and places[0].noun.pronoun == "each other"
        if each_other:
            places = places[1:]
        if listed:
            return [self.tower(listed, order, places[0] if places else None, None)]
        if several and len(places) <= 1:
            return [self.tower(list(theme.parts), order, places[0] if places else None, None)]
        if not places:
            raise self.abstain(f"it does not say what to stack {theme.text} on")
        return [Place(theme=theme, places=places, stacked=True)]

    def build(self) -> list[Clause]:
        """Read on after "build", "make" and the like."""
        self.eat("me", "us")
        count = None
        start = self.pos
        if self.eat("a", "one", "the", "another"):
            pass
        elif self.peek() in COUNTS:
            count = COUNTS[self.peek()]
            self.pos += 1
        self.eat("single", "tall", "high", "big")
        height = None
        if self.peek() in COUNTS and self.peek(1) in ("block", "story", "high", "level"):
            height = COUNTS[self.peek()]
            self.pos += 2
        if count and self.eat(*_COUNTED):
            self.eat(COLON, COMMA)
            return [Towers(count=count)]
        if not self.eat(*_TOWER_NOUNS):
            self.pos = start
            if self.starts_noun():
                theme = self.nouns()
                if state := self.state(theme):
                    return state
            raise self.abstain("I can build towers only", "say 'build a tower of ...'")
        return [self._tower_details(height)]

    def _tower_details(self, height: int | None) -> Tower:
        order, base, members = "", None, list[tuple[NounPhrase, str]]()
        crowd: NounPhrase | None = None
        while not self.ended:
            if found := self.order_of():
                order = found
            elif self.eat("out of", "of", "from", "using", "consisting of", "with", COLON):
                members += self._members_with_roles(members != [])
                if len(members) == 1 and is_crowd(members[0][0]):
                    crowd = members.pop()[0]
            elif self.at(COMMA, "and") and self._role_follows():
                self.eat_join()
                members += self._members_with_roles(True)
            elif self.at("on", "onto", "in", "at") and not base and (base := self.place()):
                pass
            else:
                break
        if crowd is not None:
            return self._tower_of_crowd(crowd, members, order, base, height)
        if not members:
            raise self.abstain("it does not say what the tower is made of")
        ranked = {_sense(m) for m, role in members if role}
        members = [(m, role) for m, role in members if role or _sense(m) not in ranked]
        parts = [m for m, role in members if role == "bottom"]
        parts += [m for m, role in members if role in ("", "middle")]
        parts += [m for m, role in members if role == "top"]
        return self.tower(parts, order, base, height)

    def _tower_of_crowd(
        self,
        crowd: NounPhrase,
        members: list[tuple[NounPhrase, str]],
        order: str,
        base: At | None,
        height: int | None,
    ) -> Tower:
        """A tower of "four blocks" or "all blocks", which a list may name or order."""
        roles = {role: phrase for phrase, role in members}
        if not members:
            return Tower(members=(crowd,), ordered=False, base=base, count=height)
        if set(roles) <= {"bottom", "top"} and len(roles) == len(members):
            return Tower(
                members=(crowd,), ordered=False, bottom=roles.get("bottom"),
                top=roles.get("top"), base=base, count=height,
            )  # fmt: skip
        if crowd.quantity != "some" or crowd.count is None:
            raise self.abstain("the order of this tower is not clear: name its members one by one")
        named = [replace(m, head=m.head or crowd.head) for m, _ in members]
        return self.tower(named, order, base, crowd.count)

    def tower(
        self, members: list[NounPhrase], order: str, base: At | None, height: int | None
    ) -> Tower:
        """A tower of members as they were listed; ``order`` is up, down, any or not said."""
        groups = any(m.plural or m.quantity != "the" for m in members)
        if groups and len(members) > 1:
            raise self.abstain("the order of this tower is not clear: name its members one by one")
        if order == "down":
            members = members[::-1]
        ordered = order != "any" and not groups
        return Tower(members=tuple(members), ordered=ordered, base=base, count=height)

    def order_of(self) -> str:
        """Read "from top to bottom" and the like: ``"up"``, ``"down"``, ``"any"`` or empty."""
        start = self.pos
        self.eat(COMMA)
        if self.eat(*DOWN):
            return "down"
        if self.eat(*UP):
            self.eat(COMMA)
            if self.eat(*DOWN):
                return "down"
            self.eat(*UP)
            return "up"
        if self.eat(*ANY_ORDER):
            return "any"
        self.pos = start
        return ""

    def _members(self) -> list[NounPhrase]:
        return [m for m, _ in self._members_with_roles(False)]

    def _members_with_roles(self, listed: bool) -> list[tuple[NounPhrase, str]]:
        """Read "the red one at the bottom, then the blue one, and the green one on top"."""
        members: list[tuple[NounPhrase, str]] = []
        seen_and = False
        while True:
            start = self.pos
            if members or listed:
                joined = self._member_join()
                if members and not joined:
                    break
                if not self.starts_noun():
                    self.pos = start
                    break
            else:
                joined = ""
            phrase = self.noun_phrase()
            role = self._role()
            follows = not role and self._preposition() is not None and not self.ends_tower()
            if follows and members and joined == "and" and seen_and:
                self.pos = start
                break
            if self.begins_predicate(places=False):
                self.pos = start
                break
            seen_and = seen_and or joined == "and"
            members.append((phrase, role))
        return _with_shared_heads(members)

    def _member_join(self) -> str:
        start = self.pos
        comma = bool(self.eat(COMMA))
        word = self.eat("and then", "and finally", "and", "then", "followed by", "finally", "next")
        if word or comma:
            return "and" if word.startswith("and") else "then"
        self.pos = start
        return ""

    def _role(self) -> str:
        if self.at("on top of"):
            return ""
        if self.eat(*BOTTOM):
            return "bottom"
        if self.eat(*_MIDDLE):
            return "middle"
        return "top" if self.eat(*_TOP) else ""

    def _role_follows(self) -> bool:
        """Whether, after a join, a noun phrase with a role such as "on top" comes next."""
        start = self.pos
        try:
            self._member_join()
            self.eat("with")
            if not self.starts_noun():
                return False
            self.noun_phrase()
            return bool(self._role())
        finally:
            self.pos = start


def _with_shared_heads(members: list[tuple[NounPhrase, str]]) -> list[tuple[NounPhrase, str]]:
    """Give members without a noun that of a member with one."""
    heads = [m.head for m, _ in members if m.head and m.head != ITEM]
    plural = bool(heads) and members[-1][0].plural and len(members) > 1
    if not heads:
        return members
    return [
        (replace(m, head=m.head or heads[-1], plural=m.plural and not plural), role)
        for m, role in members
    ]


def _sense(phrase: NounPhrase) -> tuple[str, tuple[str, ...], str]:
    """What a phrase says, whatever its article."""
    return phrase.head, phrase.modifiers, phrase.superlative
