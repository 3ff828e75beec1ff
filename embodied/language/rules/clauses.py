"""Clauses: what a verb, or a statement about objects, asks for."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.rules.lexer import COLON, COMMA, PAUSES
from embodied.language.rules.lexicon import (
    BOTTOM,
    BUILD,
    CLEAR,
    CLOSE,
    END,
    EXCEPTIONS,
    FILLERS,
    HOLD,
    LEAVE,
    MANNER,
    MODALS,
    NUMBERS,
    OPEN,
    PARTICLES,
    PLACE,
    RELEASE,
    REMOVE,
    SLIDE,
    SORT,
    STACK,
    SWAP,
    TAKE,
    VERB_FORMS,
)
from embodied.language.rules.noun_phrases import NounPhraseParser
from embodied.language.rules.scene_words import ITEM
from embodied.language.rules.syntax import (
    At,
    Clause,
    Empty,
    Hold,
    Keep,
    NounPhrase,
    Nouns,
    Place,
    Remove,
    SetOpen,
    Sort,
    Swap,
    Too,
    Tower,
    Towers,
)

_BETWEEN = ("still", "now", "both", "all", "up", "back", "down", "away", "each")
_OPEN_WORDS = ("open", "opened", "closed", "shut", "close")
_AS_IT_IS = (
    "where it is", "where they are", "where it stands", "where they stand", "where it lies",
    "where they lie", "as it is", "as they are", "alone", "in place", "in its place",
    "where it is now", "where they are now", "the way it is", "the way they are", "there",
    "right where it is", "exactly where it is", "in their place",
)  # fmt: skip
_UP = (
    "from bottom to top", "bottom to top", "from the bottom to the top", "bottom up",
    "from the bottom up", "from bottom up", "in that order", "in this order", "in order",
    "in the following order", "in the order given", "listed from bottom to top",
)  # fmt: skip
_DOWN = (
    "from top to bottom", "top to bottom", "from the top to the bottom", "top down",
    "from the top down", "from top down", "listed from top to bottom",
)  # fmt: skip
_TRAILING = (
    "at the end", "in the end", "as well", "too", "again", "together", "at once", "in there",
    "back", "away", "also", "this time", "instead",
)  # fmt: skip
_ANY_ORDER = ("in any order", "in whatever order", "the order does not matter")
_MIDDLE = ("in the middle", "in between", "in the center", "in the centre")
_TOP = ("on the top", "on top", "at the top", "as the top", "on the very top", "at the very top")
_TOWER_NOUNS = ("tower", "stack", "pile", "column")
_COUNTED = ("towers", "stacks", "piles", "columns")
_BY_COLOR = ("by color", "by colors", "by their color", "by their colors", "according to color",
             "according to their color", "according to their colors")  # fmt: skip


class ClauseParser(NounPhraseParser):
    """Reads one clause at a time; ``ignored`` collects words that ask for a manner."""

    ignored: list[str]

    def clause(self, *, participles: bool = False) -> list[Clause]:
        """Read a clause; several when one verb asks for several things.

        Args:
            participles: Accept "put" in "after you have put" and its like as a verb.
        """
        word = self.peek()
        if self.at("do not", "not") and self._verb_at(2 if self.at("do not") else 1):
            self.eat("do not", "not")
            return self._prohibition()
        if participles or self.at("you", "we"):
            self.eat("you have", "you", "we have", "we")
            word = self.peek()
        if self.at("let go of", "letting go of"):
            self.pos += 3
            return [Hold(theme=self.nouns(stop_before_place=True), negated=True)]
        verb = VERB_FORMS.get(word)
        forms = ("base", "gerund", "participle") if participles else ("base", "gerund")
        if verb and verb[0] != END and (verb[1] in forms or (verb[0] == LEAVE and word == "have")):
            self.pos += 1
            return self._imperative(verb[0], word)
        if self.at("there should be", "there must be", "there shall be", "there is to be"):
            self.pos += 4 if self.at("there is to be") else 3
            return self._statement()
        if self.at("there should", "there must", "there may", "there can", "there is", "there are"):
            self.pos += 2
            negated = bool(self.eat("not"))
            self.eat("be", "remain")
            return self._negate(self._statement()) if negated else self._statement()
        if self.eat("the same", "do the same", "do likewise", "likewise"):
            self.eat("goes for", "with", "for", "to")
            self._particles()
            return [Too(theme=self.nouns())]
        if self.eat("i do not want", "we do not want", "i would not like"):
            return self._negate(self._statement())
        if self.at("bin") and self.starts_noun_at(1):
            return [self._binned()]
        if self._tower_noun_here():
            return self._build()
        if self.starts_noun():
            return self._statement()
        if self._preposition() is not None:  # "move it to the tray and then to the bin"
            theme = Nouns(parts=(NounPhrase(text="the same", pronoun="same"),))
            places = self._places()
            self._trailing()
            return [Place(theme=theme, places=places)]
        raise self.abstain()

    def _binned(self) -> Clause:
        """Read "bin the red block", which puts it in the bin."""
        self.pos += 1
        theme = self.nouns(stop_before_place=True)
        self._trailing()
        where = At(relation="in", noun=NounPhrase(text="the bin", head="bin"), text="in the bin")
        return Place(theme=theme, places=(where,))

    def _tower_noun_here(self) -> bool:
        """Whether "a tower" or "two towers" comes next."""
        ahead = 1 if self.peek() in ("a", "one", "the", *NUMBERS) else 0
        ahead += self.peek(ahead) in ("single", "tall", "high", "big")
        return self.peek(ahead) in (*_TOWER_NOUNS, *_COUNTED) and ahead > 0

    # Verbs -----------------------------------------------------------------------------------

    def _imperative(self, kind: str, word: str) -> list[Clause]:
        """Read on after a verb."""
        match kind:
            case _ if kind == STACK:
                return self._stack()
            case _ if kind == BUILD:
                return self._build()
            case _ if kind in (OPEN, CLOSE):
                self._particles()
                return [SetOpen(theme=self.nouns(stop_before_place=True), open=kind == OPEN)]
            case _ if kind == SORT:
                return self._sort()
            case _ if kind == SWAP:
                self.eat("the positions of", "the places of", "positions of", "places of")
                first = self.nouns()
                if self.eat("with", "for"):
                    first = Nouns(parts=(*first.parts, *self.nouns(stop_before_place=True).parts))
                return [Swap(theme=first)]
            case _ if kind == CLEAR:
                return self._clear()
            case _ if kind == LEAVE:
                return self._leave(word)
            case _ if kind == REMOVE:
                return self._remove(word)
            case _:
                return self._move(kind, word)

    def _move(self, kind: str, word: str) -> list[Clause]:
        """Read on after put, take, pick, push and their like."""
        if kind == TAKE and self.eat("the tower apart", "the towers apart", "the stack apart"):
            return [_take_apart()]
        particles = self._particles()
        opening = (
            self.eat(*_OPEN_WORDS) if kind in (SLIDE, TAKE) and self.at("open", "shut") else ""
        )
        theme = self.nouns(stop_before_place=opening != "")
        if opening or (kind in (SLIDE, TAKE) and self.at(*_OPEN_WORDS)):
            state = opening or self.eat(*_OPEN_WORDS)
            return [SetOpen(theme=theme, open=state.startswith("open"))]
        if kind in (SLIDE, TAKE) and self._all_drawers(theme):
            if self.eat("in", "back in", "closed"):
                return [SetOpen(theme=theme, open=False)]
            if self.eat("out"):
                return [SetOpen(theme=theme, open=True)]
        particles += self._particles()
        source = self.source()
        particles += self._particles()
        places = self._places()
        source = source or self.source()
        if not places:
            places = self._places()
        theme = self._late_exception(theme)
        self._trailing()
        if kind == HOLD and places and all(p.relation in ("on", "in") for p in places):
            if not any(p.text.split()[0] in ("onto", "into") for p in places):
                theme = self._at_now(theme, places[0])
                places = places[1:]
        if places and self._on_each_other(places):
            return [self._tower(list(theme.parts), "any", _first_other(places), None)]
        if places:
            return [Place(theme=self._at_now(theme, source), places=places)]
        if kind == PLACE and self.at("so that", "such that"):
            return []
        if kind == HOLD:
            return [Hold(theme=self._at_now(theme, source))]
        if source:
            return [Remove(theme=theme, source=source)]
        if kind == TAKE:
            return [Hold(theme=theme)]
        if kind == RELEASE or (kind == PLACE and "down" in particles):
            return [Hold(theme=theme, negated=True)]
        if "back" in particles:
            raise self.abstain(
                "where something was before is not remembered here",
                "type 'undo' to take the last instruction back, or name the place",
            )
        raise self.abstain(f"it does not say where to {word} {theme.text}", "name a place")

    def _remove(self, word: str) -> list[Clause]:
        if self.eat("the tower", "the towers", "all towers", "all the towers", "the stack"):
            return [_take_apart()]
        theme = self.nouns()
        self._particles()
        source = self.source()
        theme = self._late_exception(theme)
        self._trailing()
        if source is None:
            if word not in ("unstack", "unstacking", "unstacked"):
                raise self.abstain(f"it does not say from where to {word} {theme.text}")
            source = At(relation="on", noun=None, text="off others")
        places = self._places()
        if places:
            return [Place(theme=self._at_now(theme, source), places=places)]
        return [Remove(theme=theme, source=source)]

    def _clear(self) -> list[Clause]:
        self.eat("off", "out", "up", "away")
        theme = self.nouns()
        fixed = all(self._is_fixed(p) for p in theme.parts)
        self.eat("out", "up", "away")
        source = None if fixed else self.source()
        phrase = self.exceptions(NounPhrase(text=""), also_but=True, late=True)
        places = self._places()
        self._trailing()
        if source and not places:
            return [Remove(theme=theme, source=source)]
        theme = self._at_now(theme, source)
        if places and not fixed:
            return [Place(theme=theme, places=places)]
        if len(places) > 1:
            raise self.abstain("these are two places at once")
        excluded = (*phrase.excluded, *(e for p in theme.parts for e in p.excluded))
        return [Empty(places=theme, excluded=excluded, into=places[0] if places else None)]

    def _leave(self, word: str) -> list[Clause]:
        """Read on after leave, keep, let, have."""
        theme = self.nouns()
        self.eat("to be", "be")
        if self.eat(*_AS_IT_IS):
            return [Keep(theme=theme)]
        state = self._state(theme)
        if state:
            return state
        source = self.source()
        if source:
            return self._negate([Place(theme=theme, places=(source,))])
        places = self._places()
        self._trailing()
        if places:
            return [Place(theme=theme, places=places)]
        if VERB_FORMS.get(self.peek(), ("", ""))[0] == END:
            return self._statement_about(theme)
        if word in ("leave", "leaving", "keep", "keeping"):
            return [Keep(theme=theme)]
        raise self.abstain(f"it does not say what shall be with {theme.text}")

    def _sort(self) -> list[Clause]:
        theme = self.nouns()
        by_color = self.eat(*_BY_COLOR)
        places = self._places()
        by_color = by_color or self.eat(*_BY_COLOR)
        self._trailing()
        if by_color:
            return [Sort(theme=theme, into=places[0] if places else None)]
        if not places:
            raise self.abstain("it does not say by what, or where to, to sort", "say 'by colour'")
        if any(p.noun and p.noun.plural for p in places):
            raise self.abstain("it does not say by what to sort", "say 'by colour'")
        return [Place(theme=theme, places=places)]

    def _prohibition(self) -> list[Clause]:
        """Read on after "do not"."""
        start = self.pos
        word = self.peek()
        if word in (
            "put",
            "place",
            "leave",
            "stack",
            "set",
            "drop",
            "store",
            "lay",
            "keep",
            "move",
        ):
            clauses = self.clause()
            if all(isinstance(c, Place | SetOpen) for c in clauses):
                return self._negate(clauses)
        self.pos = start
        raise self.abstain(
            f"'do not {word}' speaks about the way there, and only how things shall end up "
            "is covered",
            "say for example 'leave the cup where it is' or 'keep the drawer closed'",
        )

    # Towers ----------------------------------------------------------------------------------

    def _stack(self) -> list[Clause]:
        self._particles()
        self.eat(COLON)
        theme = self.nouns()
        order = self._order() or ("up" if self.eat("in the order") else "")
        self.eat("into one tower", "into a tower", "in one tower", "in a tower", "into one stack",
                 "into a stack", "in a stack", "in one stack", "up", "together")  # fmt: skip
        places = self._places(order_after=True)
        order = order or self._order()
        listed = ()
        if self.eat(COLON) or (order == "up" and self.starts_noun()):
            listed = self._members()
            order = order or self._order() or "up"
        theme = self._late_exception(theme)
        self._trailing()
        several = len(theme.parts) > 1 or any(p.plural for p in theme.parts)
        each_other = places and places[0].noun and places[0].noun.pronoun == "each other"
        if each_other:
            places = places[1:]
        if listed:
            return [self._tower(listed, order, places[0] if places else None, None)]
        if several and len(places) <= 1:
            return [self._tower(list(theme.parts), order, places[0] if places else None, None)]
        if not places:
            raise self.abstain(f"it does not say what to stack {theme.text} on")
        return [Place(theme=theme, places=places, stacked=True)]

    def _build(self) -> list[Clause]:
        self.eat("me", "us")
        count = None
        start = self.pos
        if self.eat("a", "one", "the", "another"):
            pass
        elif self.peek() in NUMBERS:
            count = NUMBERS[self.peek()]
            self.pos += 1
        self.eat("single", "tall", "high", "big")
        height = None
        if self.peek() in NUMBERS and self.peek(1) in ("block", "story", "high", "level"):
            height = NUMBERS[self.peek()]
            self.pos += 2
        if count and self.eat(*_COUNTED):
            self.eat(COLON, COMMA)
            return [Towers(count=count)]
        if not self.eat(*_TOWER_NOUNS):
            self.pos = start
            if self.starts_noun():
                theme = self.nouns()
                if state := self._state(theme):
                    return state
            raise self.abstain("I can build towers only", "say 'build a tower of ...'")
        return [self._tower_details(height)]

    def _tower_details(self, height: int | None) -> Tower:
        order, base, members = "", None, list[tuple[NounPhrase, str]]()
        crowd: NounPhrase | None = None
        while not self.ended:
            if found := self._order():
                order = found
            elif self.eat("out of", "of", "from", "using", "consisting of", "with", COLON):
                members += self._members_with_roles(members != [])
                if len(members) == 1 and _is_crowd(members[0][0]):
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
        parts = [m for m, role in members if role == "bottom"]
        parts += [m for m, role in members if role in ("", "middle")]
        parts += [m for m, role in members if role == "top"]
        return self._tower(parts, order, base, height)

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
        return self._tower(named, order, base, crowd.count)

    def _tower(
        self, members: list[NounPhrase], order: str, base: At | None, height: int | None
    ) -> Tower:
        groups = any(m.plural or m.quantity != "the" for m in members)
        if groups and len(members) > 1:
            raise self.abstain("the order of this tower is not clear: name its members one by one")
        if order == "down":
            members = members[::-1]
        ordered = order != "any" and not groups
        return Tower(members=tuple(members), ordered=ordered, base=base, count=height)

    def _order(self) -> str:
        self_comma = self.pos
        self.eat(COMMA)
        if self.eat(*_DOWN):
            return "down"
        if self.eat(*_UP):
            self.eat(COMMA)
            if self.eat(*_DOWN):
                return "down"
            self.eat(*_UP)
            return "up"
        if self.eat(*_ANY_ORDER):
            return "any"
        self.pos = self_comma
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
            follows = not role and self._preposition() is not None and not self._ends_tower()
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

    def _ends_tower(self) -> bool:
        return self.at(*_UP, *_DOWN, *_ANY_ORDER)

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

    # Statements ------------------------------------------------------------------------------

    def _statement(self) -> list[Clause]:
        """Read "the cup on the plate", "the drawer should be closed", "the lime too"."""
        theme = self.nouns(subject=True)
        if self.at("both", "all", "each") and not self.starts_noun_at(1):
            self.pos += 1
        return self._statement_about(theme)

    def _statement_about(self, theme: Nouns) -> list[Clause]:
        where_first = self.pos
        negated, predicate = self._predicate()
        if not predicate and self._eat_posture() and self._preposition() is None:
            self.pos = where_first
        if not predicate:
            where_first = self.pos
            places = self._places()
            if len(places) == 1 and len(theme.parts) == 1 and self._predicate_here():
                theme = self._at_now(theme, places[0])
                negated, predicate = self._predicate()
            elif places:
                theme = self._late_exception(theme)
                self._trailing()
                single = len(theme.parts) == 1 and not _is_crowd(theme.parts[0])
                return [Place(theme=theme, places=places, stacked=single)]
            else:
                self.pos = where_first
        if self.eat(*_AS_IT_IS):
            return [Keep(theme=theme)]
        if state := self._state(theme):
            return self._negate(state) if negated else state
        if source := self.source():
            return [Remove(theme=theme, source=source)]
        places = self._places()
        theme = self._late_exception(theme)
        self._trailing()
        if places:
            clause = Place(theme=theme, places=places)
            return self._negate([clause]) if negated else [clause]
        if predicate:
            raise self.abstain(f"it does not say what shall be with {theme.text}")
        return [Too(theme=theme)]

    def _predicate_here(self) -> bool:
        return self.peek() in MODALS or VERB_FORMS.get(self.peek(), ("", ""))[1] == "third"

    def _predicate(self) -> tuple[bool, bool]:
        """Read modals and verbs of a statement: (negated, whether there were any)."""
        negated = found = False
        while True:
            word = self.peek()
            verb = VERB_FORMS.get(word)
            if word in ("to", "be") and word == "to" and self.starts_noun_at(1):
                break
            if word in MODALS or (verb and verb[0] == END):
                found = True
            elif found and self.eat("not", "no longer"):
                negated = True
                continue
            elif found and verb and verb[1] in ("participle", "gerund") and word not in _OPEN_WORDS:
                if verb[0] == CLEAR:
                    break
            elif found and word in ("put", "set") and not self._pause_at(1):
                pass
            elif found and (word in _BETWEEN or word in FILLERS):
                pass
            else:
                break
            self.pos += 1
        return negated, found

    def _pause_at(self, ahead: int) -> bool:
        return self.peek(ahead) in ("", *PAUSES)

    def starts_noun_at(self, ahead: int) -> bool:
        """Whether a noun phrase begins ``ahead`` words on."""
        self.pos += ahead
        try:
            return self.starts_noun()
        finally:
            self.pos -= ahead

    def _state(self, theme: Nouns) -> list[Clause]:
        """Read "open", "closed", "empty" after what it is said of; no clause if none is next."""
        word = self.eat("open", "opened", "closed", "shut")
        if word:
            clause: list[Clause] = [SetOpen(theme=theme, open=word.startswith("open"))]
            if self.at("and open", "and closed", "and shut"):
                self.pos += 1
                word = self.eat("open", "closed", "shut")
                clause.append(SetOpen(theme=theme, open=word.startswith("open")))
            self._trailing()
            return clause
        if self.eat("empty", "emptied", "clear", "cleared"):
            excluded = self.exceptions(NounPhrase(text=""), also_but=True, late=True).excluded
            self._trailing()
            return [Empty(places=theme, excluded=excluded)]
        return []

    # Pieces ----------------------------------------------------------------------------------

    def _places(self, *, order_after: bool = False) -> tuple[At, ...]:
        """Read all places that come next."""
        places: list[At] = []
        while len(places) < 8:
            if order_after and self._ends_tower():
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

    def _particles(self) -> list[str]:
        """Read "up", "back", "away" and fillers."""
        read: list[str] = []
        while self.peek() in PARTICLES or self.peek() in FILLERS:
            if self.at("up on", "down on", "over to", "away from", "out"):
                break
            if self.at("all", "both") and (self.starts_noun_at(1) or self.at("all of", "both of")):
                break
            read.append(self.peek())
            self._note(self.peek())
            self.pos += 1
        return read

    def _trailing(self) -> None:
        """Read words after a clause that do not change it."""
        while True:
            phrase = self.eat(*_TRAILING)
            if not phrase and self.peek() in FILLERS:
                self._note(self.peek())
                self.pos += 1
                phrase = "filler"
            if not phrase:
                return

    def _note(self, word: str) -> None:
        if word in MANNER:
            self.ignored.append(word)

    def _on_each_other(self, places: tuple[At, ...]) -> bool:
        """Read ", one on top of the other"; also whether a place is "on each other"."""
        start = self.pos
        self.eat(COMMA)
        if self.eat("one on top of the other", "one on the other", "one on top of another"):
            return True
        self.pos = start
        return any(p.noun is not None and p.noun.pronoun == "each other" for p in places)

    def _late_exception(self, theme: Nouns) -> Nouns:
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

    def _at_now(self, theme: Nouns, at: At | None) -> Nouns:
        """The theme, known to be at a place now."""
        if at is None or at.noun is None:
            return theme
        where = (True, at.relation, at.noun)
        parts = (p if p.pronoun else replace(p, where=p.where or where) for p in theme.parts)
        return replace(theme, parts=tuple(parts))

    def _negate(self, clauses: list[Clause]) -> list[Clause]:
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

    def _verb_at(self, ahead: int) -> bool:
        verb = VERB_FORMS.get(self.peek(ahead)) or (
            ("", "") if self.peek(ahead) in ("touch", "disturb") else None
        )
        return bool(verb)

    def _is_fixed(self, phrase: NounPhrase) -> bool:
        """Whether a noun can only stand for things that do not move."""
        if phrase.pronoun:
            return True
        kinds = {self.scene.specs[n].kind for n in self.scene.named(phrase.head)}
        return "item" not in kinds or (phrase.head != ITEM and len(kinds) > 1)

    def _all_drawers(self, theme: Nouns) -> bool:
        def is_drawer(phrase: NounPhrase) -> bool:
            kinds = {self.scene.specs[n].kind for n in self.scene.named(phrase.head)}
            return phrase.pronoun == "it" or kinds == {"drawer"}

        return all(is_drawer(p) for p in theme.parts)


def _take_apart() -> Remove:
    """Everything off everything else."""
    everything = NounPhrase(text="everything", quantity="all", head=ITEM, plural=True)
    top = At(relation="on", noun=None, text="off each other")
    return Remove(theme=Nouns(parts=(everything,)), source=top)


def _is_crowd(phrase: NounPhrase) -> bool:
    """Whether a phrase speaks of several objects at once."""
    return phrase.plural or phrase.quantity == "all" or (phrase.count or 1) > 1


def _first_other(places: tuple[At, ...]) -> At | None:
    """The first place that is not "on each other"."""
    others = (p for p in places if p.noun is None or p.noun.pronoun != "each other")
    return next(others, None)


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
