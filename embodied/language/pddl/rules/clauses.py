"""Clauses: what a verb asks for."""

from __future__ import annotations

from dataclasses import replace

from embodied.language.pddl.rules.statements import AS_IT_IS, OPEN_WORDS
from embodied.language.pddl.rules.syntax import (
    Asked,
    At,
    Clause,
    Empty,
    Hold,
    Home,
    Keep,
    NounPhrase,
    Nouns,
    Place,
    Remove,
    SetOpen,
    Sort,
    Swap,
    Too,
)
from embodied.language.pddl.rules.tower_clauses import TowerParser
from embodied.language.words.lexicon import (
    BUILD,
    CLEAR,
    CLOSE,
    END,
    HOLD,
    LEAVE,
    OPEN,
    PLACE,
    RELEASE,
    REMOVE,
    SLIDE,
    SORT,
    STACK,
    SWAP,
    TAKE,
    TURN,
    VERB_FORMS,
)
from embodied.language.words.scene_words import ITEM
from embodied.types import Saying

_BY_COLOR = ("by color", "by colors", "by their color", "by their colors", "according to color",
             "according to their color", "according to their colors")  # fmt: skip

_ARM = ("arm", "robot arm", "robot", "gripper", "hand")
_HOME = ("home", "rest", "resting", "start", "starting", "initial", "neutral", "default", "parking")
_IN_THE_BIN = At(relation="in", noun=NounPhrase(text="the bin", head="bin"), text="in the bin")


class ClauseParser(TowerParser):
    """Reads one clause at a time.

    Attributes:
        sayings: Sentences of skills, read before the grammar's own.
    """

    sayings: tuple[Saying, ...] = ()

    def clause(self, *, participles: bool = False) -> list[Clause]:
        """Read a clause; several when one verb asks for several things.

        Args:
            participles: Accept "put" in "after you have put" and its like as a verb.
        """
        for saying in self.sayings:
            asked = self._asked(saying)
            if asked is not None:
                return [asked]
        if self._home():
            return [Home()]
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
            return self.statement()
        if self.at("there should", "there must", "there may", "there can", "there is", "there are"):
            self.pos += 2
            negated = bool(self.eat("not"))
            self.eat("be", "remain")
            return self.negate(self.statement()) if negated else self.statement()
        if self.eat("the same", "do the same", "do likewise", "likewise"):
            self.eat("goes for", "with", "for", "to")
            self.particles()
            return [Too(theme=self.nouns())]
        if self.eat("i do not want", "we do not want", "i would not like"):
            return self.negate(self.statement())
        if self.at("bin") and self.starts_noun_at(1):
            return [self._binned()]
        if self.tower_noun_here():
            return self.build()
        onward = self.spot_here()
        if self.starts_noun() and not onward:
            return self.statement()
        if self._preposition() is not None or onward:  # "and then to the bin"
            theme = Nouns(parts=(NounPhrase(text="the same", pronoun="same"),))
            places = self.places()
            if not places:
                raise self.abstain()
            self.trailing()
            return [Place(theme=theme, places=places)]
        raise self.abstain()

    def _asked(self, saying: Saying) -> Asked | None:
        """Read a sentence that a skill brings, from its first word to its last; None for others."""
        start = self.pos
        before, _, after = (part.strip() for part in saying.words.partition("{x}"))
        if before and not self.eat(before):
            return None
        if self.starts_noun():
            theme = self.nouns(stop_before_place=True)
            if not after or self.eat(after):
                return Asked(theme=theme, goal=saying.goal, kind=saying.kind)
        self.pos = start
        return None

    def _home(self) -> bool:
        """Read "go home", "move the arm back to its rest position"."""
        start = self.pos
        if self.eat("go", "return", "move", "drive", "bring", "get", "come", "head", "send", "put",
                    "take", "park", "rest", "home"):  # fmt: skip
            said = self.words[self.pos - 1]
            self.eat("back")
            whom = self.eat(
                *(f"{the} {arm}" for the in ("the", "your") for arm in _ARM), "yourself"
            )
            self.eat("back")
            self.eat("to")
            self.eat("the", "your", "its", "where you")
            where = self.eat(*_HOME, "started")
            if where:
                self.eat("position", "pose", "configuration", "posture", "place", "state")
            alone = where and (whom or where == "home" or said in ("go", "return", "come", "head"))
            if (alone or (whom and said in ("park", "rest", "home"))) and self._may_end():
                return True
        self.pos = start
        return False

    def _may_end(self) -> bool:
        """Whether a clause may be over here."""
        return self.at_pause() or self.at("and", "then", "again", "now", "please", "after", "once")

    def _binned(self) -> Clause:
        """Read "bin the red block", which puts it in the bin."""
        self.pos += 1
        theme = self.nouns(stop_before_place=True)
        self.trailing()
        return Place(theme=theme, places=(_IN_THE_BIN,))

    # Verbs -----------------------------------------------------------------------------------

    def _imperative(self, kind: str, word: str) -> list[Clause]:
        """Read on after a verb."""
        match kind:
            case _ if kind == STACK:
                return self.stack()
            case _ if kind == BUILD:
                return self.build()
            case _ if kind in (OPEN, CLOSE):
                self.particles()
                theme = self.nouns(stop_before_place=True)
                self.trailing()
                return [SetOpen(theme=theme, open=kind == OPEN)]
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
            case _ if kind == TURN:
                return self._turn(word)
            case _ if kind == LEAVE:
                return self._leave(word)
            case _ if kind == REMOVE:
                return self._remove(word)
            case _:
                return self._move(kind, word)

    def _move(self, kind: str, word: str) -> list[Clause]:
        """Read on after put, take, pick, push and their like."""
        if kind == TAKE and self.eat("the tower apart", "the towers apart", "the stack apart"):
            return [take_apart()]
        if word in ("hold", "holding"):
            self.eat("on to", "onto", "on")
        particles = self.particles()
        opening = self.eat(*OPEN_WORDS) if kind in (SLIDE, TAKE) and self.at("open", "shut") else ""
        theme = self.nouns(stop_before_place=opening != "")
        if opening or (kind in (SLIDE, TAKE) and self.at(*OPEN_WORDS)):
            state = opening or self.eat(*OPEN_WORDS)
            return [SetOpen(theme=theme, open=state.startswith("open"))]
        if kind in (SLIDE, TAKE) and self.all_drawers(theme):
            if self.eat("in", "back in", "closed"):
                return [SetOpen(theme=theme, open=False)]
            if not self.at("out of") and self.eat("out"):
                taken = kind == TAKE and word not in ("pull", "pulling")
                return [SetOpen(theme=theme, open=True, taken_out=taken)]
        particles += self.particles()
        source = self.source()
        particles += self.particles()
        places = self.places()
        source = source or self.source()
        if not places:
            places = self.places()
        theme = self.late_exception(theme)
        self.trailing()
        if kind == HOLD and places and all(p.relation in ("on", "in") for p in places):
            if not any(p.text.split()[0] in ("onto", "into") for p in places):
                theme = self.at_now(theme, places[0])
                places = places[1:]
        if kind in (HOLD, TAKE) and len(places) == 1 and places[0].spot is not None:
            held = self._told_by_place(theme, places[0])
            if held is not None:
                return [Hold(theme=held)]
        if places and self.on_each_other(places):
            return [self.tower(list(theme.parts), "any", first_other(places), None)]
        if places:
            return [Place(theme=self.at_now(theme, source), places=places)]
        if kind == PLACE and self.at("so that", "such that"):
            return []
        if kind == HOLD:
            return [Hold(theme=self.at_now(theme, source))]
        if word.startswith(("throw", "toss", "chuck")) and (
            "away" in particles or (source and source.noun is None)
        ):
            return [Place(theme=theme, places=(_IN_THE_BIN,))]
        if source and word in ("lift", "lifting"):
            return [Hold(theme=self.at_now(theme, source))]
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

    def _turn(self, word: str) -> list[Clause]:
        """Read on after turn, rotate and their like."""
        before = self.spot(turns=True)
        theme = self.nouns(stop_before_place=True)
        spot = self.spot(turns=True) or before
        self.trailing()
        if spot is None:
            raise self.abstain(
                f"it does not say by how much to {word} {theme.text}", "say it in degrees"
            )
        return [Place(theme=theme, places=(spot,))]

    def _remove(self, word: str) -> list[Clause]:
        if self.eat("the tower", "the towers", "all towers", "all the towers", "the stack"):
            return [take_apart()]
        theme = self.nouns()
        self.particles()
        source = self.source()
        theme = self.late_exception(theme)
        self.trailing()
        if source is None:
            if word not in ("unstack", "unstacking", "unstacked"):
                raise self.abstain(f"it does not say from where to {word} {theme.text}")
            source = At(relation="on", noun=None, text="off others")
        places = self.places()
        if places:
            return [Place(theme=self.at_now(theme, source), places=places)]
        return [Remove(theme=theme, source=source)]

    def _clear(self) -> list[Clause]:
        self.eat("off", "out", "up", "away")
        theme = self.nouns()
        fixed = all(self.is_fixed(p) for p in theme.parts)
        self.eat("out", "up", "away")
        source = None if fixed else self.source()
        phrase = self.exceptions(NounPhrase(text=""), also_but=True, late=True)
        places = self.places()
        self.trailing()
        if source and not places:
            return [Remove(theme=theme, source=source)]
        theme = self.at_now(theme, source)
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
        if self.eat(*AS_IT_IS):
            return [Keep(theme=theme)]
        state = self.state(theme)
        if state:
            return state
        source = self.source()
        if source:
            return self.negate([Place(theme=theme, places=(source,))])
        places = self.places()
        self.trailing()
        if places:
            return [Place(theme=theme, places=places)]
        if VERB_FORMS.get(self.peek(), ("", ""))[0] == END:
            return self.statement_about(theme)
        if word in ("leave", "leaving", "keep", "keeping"):
            return [Keep(theme=theme)]
        raise self.abstain(f"it does not say what shall be with {theme.text}")

    def _sort(self) -> list[Clause]:
        theme = self.nouns()
        by_color = self.eat(*_BY_COLOR)
        places = self.places()
        by_color = by_color or self.eat(*_BY_COLOR)
        self.trailing()
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
                return self.negate(clauses)
        self.pos = start
        raise self.abstain(
            f"'do not {word}' speaks about the way there, and only how things shall end up "
            "is covered",
            "say for example 'leave the cup where it is' or 'keep the drawer closed'",
        )

    def _told_by_place(self, theme: Nouns, at: At) -> Nouns | None:
        """What "pick up the cup next to the bowl" speaks of; None for "take it to the left"."""
        spot, part = at.spot, theme.parts[0]
        if spot is None or spot.of is None or len(theme.parts) > 1 or part.pronoun:
            return None
        if spot.relation not in ("near", "left", "right", "front", "back", "between"):
            return None
        return Nouns(parts=(replace(part, beside=spot),)) if spot.distance_m is None else None

    def _verb_at(self, ahead: int) -> bool:
        verb = VERB_FORMS.get(self.peek(ahead)) or (
            ("", "") if self.peek(ahead) in ("touch", "disturb") else None
        )
        return bool(verb)


def take_apart() -> Remove:
    """Everything off everything else."""
    everything = NounPhrase(text="everything", quantity="all", head=ITEM, plural=True)
    top = At(relation="on", noun=None, text="off each other")
    return Remove(theme=Nouns(parts=(everything,)), source=top)


def first_other(places: tuple[At, ...]) -> At | None:
    """The first place that is not "on each other"."""
    others = (p for p in places if p.noun is None or p.noun.pronoun != "each other")
    return next(others, None)
