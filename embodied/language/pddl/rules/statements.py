"""Statements: what is to be true of an object, instead of what to do with it."""

from __future__ import annotations

from embodied.language.pddl.rules.pieces import PieceParser, is_crowd
from embodied.language.pddl.rules.syntax import (
    Clause,
    Empty,
    Keep,
    NounPhrase,
    Nouns,
    Place,
    Remove,
    SetOpen,
    Too,
)
from embodied.language.words.lexicon import CLEAR, END, FILLERS, MODALS, VERB_FORMS

_BETWEEN = ("still", "now", "both", "all", "up", "back", "down", "away", "each")
OPEN_WORDS = ("open", "opened", "closed", "shut", "close")
AS_IT_IS = (
    "where it is", "where they are", "where it stands", "where they stand", "where it lies",
    "where they lie", "as it is", "as they are", "alone", "in place", "in its place",
    "where it is now", "where they are now", "the way it is", "the way they are", "there",
    "right where it is", "exactly where it is", "in their place",
)  # fmt: skip


class StatementParser(PieceParser):
    """Reads "the cup should be on the plate", "the drawer closed", "nothing on the table"."""

    def statement(self) -> list[Clause]:
        """Read "the cup on the plate", "the drawer should be closed", "the lime too"."""
        theme = self.nouns(subject=True)
        if self.at("both", "all", "each") and not self.starts_noun_at(1):
            self.pos += 1
        return self.statement_about(theme)

    def statement_about(self, theme: Nouns) -> list[Clause]:
        """Read on after what a statement is about."""
        where_first = self.pos
        negated, predicate = self._predicate()
        if not predicate and self._eat_posture() and self._preposition() is None:
            self.pos = where_first
        if not predicate:
            where_first = self.pos
            self.eat("back")
            places = self.places()
            if len(places) == 1 and len(theme.parts) == 1 and self._predicate_here():
                theme = self.at_now(theme, places[0])
                negated, predicate = self._predicate()
            elif places:
                theme = self.late_exception(theme)
                self.trailing()
                single = len(theme.parts) == 1 and not is_crowd(theme.parts[0])
                return [Place(theme=theme, places=places, stacked=single)]
            else:
                self.pos = where_first
        if self.eat(*AS_IT_IS):
            return [Keep(theme=theme)]
        if state := self.state(theme):
            return self.negate(state) if negated else state
        if source := self.source():
            return [Remove(theme=theme, source=source)]
        places = self.places()
        theme = self.late_exception(theme)
        self.trailing()
        if places:
            clause = Place(theme=theme, places=places)
            return self.negate([clause]) if negated else [clause]
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
            elif found and verb and verb[1] in ("participle", "gerund") and word not in OPEN_WORDS:
                if verb[0] == CLEAR:
                    break
            elif found and word in ("put", "set") and not self.pause_at(1):
                pass
            elif found and (word in _BETWEEN or word in FILLERS):
                pass
            else:
                break
            self.pos += 1
        return negated, found

    def state(self, theme: Nouns) -> list[Clause]:
        """Read "open", "closed", "empty" after what it is said of; no clause if none is next."""
        word = self.eat("open", "opened", "closed", "shut")
        if word:
            clause: list[Clause] = [SetOpen(theme=theme, open=word.startswith("open"))]
            if self.at("and open", "and closed", "and shut"):
                self.pos += 1
                word = self.eat("open", "closed", "shut")
                clause.append(SetOpen(theme=theme, open=word.startswith("open")))
            self.trailing()
            return clause
        if self.eat("empty", "emptied", "clear", "cleared"):
            excluded = self.exceptions(NounPhrase(text=""), also_but=True, late=True).excluded
            self.trailing()
            return [Empty(places=theme, excluded=excluded)]
        return []
