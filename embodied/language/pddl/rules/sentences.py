"""Whole sentences: clauses in stages."""

from __future__ import annotations

from collections.abc import Iterable

from embodied.language.pddl.rules.clauses import ClauseParser
from embodied.language.pddl.rules.pieces import is_crowd
from embodied.language.pddl.rules.syntax import Clause, Place, Sentence, Too, Towers
from embodied.language.words.lexer import COMMA, PAUSES, STOP, Token
from embodied.language.words.lexicon import (
    BEGINNING,
    CORRECTIONS,
    FILLERS,
    MODALS,
    POLITE,
    SEQUENCE,
    VERB_FORMS,
)
from embodied.language.words.scene_words import SceneWords
from embodied.types import Saying

_THAT_STATEMENTS = ("the", "a", "all", "every", "each", "both", "no", "nothing", "everything", "it")
_SUBJECTS = ("you have", "you are done", "you", "we have", "we", "i have", "having")


class SentenceParser(ClauseParser):
    """Reads a sentence; "then", "before" and "after" make stages."""

    def __init__(
        self, tokens: Iterable[Token], scene: SceneWords, sayings: tuple[Saying, ...] = ()
    ) -> None:
        super().__init__(tokens, scene)
        self.sayings = sayings
        self.ignored = []
        self._spoken: list[Clause] = []
        self._stages: list[list[int]] = [[]]
        self._deferred: list[int] = []
        self._fresh = True
        self._joined = False
        self._added = False
        self._but = False
        self._exceptions: set[int] = set()

    def sentence(self) -> Sentence:
        """Read everything."""
        while not self.ended:
            if not self._connective():
                self._clauses()
        self._flush()
        stages = tuple(tuple(stage) for stage in self._stages if stage)
        if not stages:
            raise self.abstain("there is no instruction in this")
        return Sentence(
            stages=stages,
            clauses=tuple(self._spoken),
            exceptions=frozenset(self._exceptions),
            ignored=tuple(dict.fromkeys(self.ignored)),
        )

    def _say(self, clauses: Iterable[Clause]) -> list[int]:
        """Number new clauses in the order in which they are said."""
        start = len(self._spoken)
        self._spoken += clauses
        numbers = list(range(start, len(self._spoken)))
        if self._but:
            self._exceptions.update(numbers)
        self._but = False
        return numbers

    def _connective(self) -> bool:
        """Read a pause, a filler or a word that joins clauses; False when a clause comes next."""
        word = self.peek()
        if word in PAUSES:
            if word == STOP:
                self._flush()
                self._fresh, self._added = True, False
            self.pos += 1
            self._joined = False
        elif self._purpose():
            pass
        elif not self._spoken and self._correction():
            self._added = True
        elif not self._is_subordinate() and self.eat(*SEQUENCE):
            self._next_stage()
            self._added = True
        elif self.eat(*BEGINNING, *POLITE):
            pass
        elif self.at("but not", "and not", "not") and self._negated_fragment():
            pass
        elif word == "that" and self._joined and self.peek(1) in _THAT_STATEMENTS:
            self.pos += 1
        elif word in ("and", "but", "plus", "with", "also", "instead"):
            self._joined = self._joined or word in ("and", "but")
            self._but = self._but or word == "but"
            self._added = self._added or word == "also" or (word == "and" and self.pos == 0)
            self.pos += 1
        elif word in FILLERS and not self.spot_here():
            self.note(word)
            self._added = self._added or word == "now"
            self.pos += 1
        else:
            return False
        return True

    def _correction(self) -> bool:
        """Read "no wait", "sorry, I meant" and the like; "no blocks" is none."""
        if self.at("no") and self._noun_after(1):
            return False
        return bool(self.eat(*CORRECTIONS))

    def _negated_fragment(self) -> bool:
        """Read "but not the red one"."""
        start = self.pos
        self._but = True
        self.eat("but", "and")
        self.eat("not")
        if not self.starts_noun():
            self.pos = start
            return False
        theme = self.nouns(stop_before_place=True)
        if self.begins_predicate(places=True):
            self.pos = start
            raise self.abstain()
        self._stages[-1] += self._say([Too(theme=theme, negated=True)])
        return True

    def _clauses(self) -> None:
        if self._is_subordinate():
            self._subordinate()
            return
        if self.at("to") and VERB_FORMS.get(self.peek(1), ("", ""))[1] == "base":
            self.pos += 1
        before = self.pos
        clauses = self.clause()
        if self.pos == before:
            raise self.abstain()
        self._check_fragment(clauses, before)
        if not self._spoken:
            self.eat("first", "first of all")
        elif self._afterwards():
            self._next_stage()
        self._stages[-1] += self._say(clauses)
        self._fresh = self._joined = False
        if not clauses or isinstance(clauses[-1], Towers):
            return
        if not self.at_pause() and not self._may_follow():
            raise self.abstain()

    def _check_fragment(self, clauses: list[Clause], start: int) -> None:
        """A bare noun phrase counts only when "too" or "also" says what it is there for."""
        said = self.words[start : self.pos]
        first = clauses[0] if clauses and not any(self._stages) else None
        if isinstance(first, Place) and said[-1] in ("too", "well", "also"):
            many = is_crowd(first.theme.parts[0])
            if many and not any(w in VERB_FORMS or w in MODALS for w in said):
                self.pos = start
                raise self.abstain(
                    f"'{' '.join(said)}' can mean what is there now, or where it shall go",
                    "say what to do with it",
                    final=True,
                )
        if not clauses or not isinstance(clauses[0], Too):
            return
        said = " ".join(self.words[start : self.pos])
        last = self.words[self.pos - 1]
        explicit = last in ("too", "well", "also", "instead") or self._added
        if explicit or clauses[0].theme.parts[0].other or said.startswith(("the same", "do ")):
            return
        if "likewise" in said or clauses[0].negated:
            return
        self.pos = start
        raise self.abstain(
            f"it does not say what shall be with '{said}'", "say a place, or 'too' for the same one"
        )

    def _afterwards(self) -> bool:
        """Read "afterwards" at the end of a clause, which puts it after the one before."""
        start = self.pos
        if self.eat("afterwards", "afterward", "after that", "later", "last", "at last", "then",
                    "after"):  # fmt: skip
            if self.at_pause():
                return True
        self.pos = start
        return False

    def _purpose(self) -> bool:
        """Skip "so that I can ...": what the speaker wants to do then is nothing to bring about."""
        if not self.eat("so that i can", "so that we can", "so i can", "so we can"):
            return False
        while not self.ended and self.peek() != STOP:
            self.pos += 1
        self.ignored.append("so that I can")
        return True

    def _may_follow(self) -> bool:
        """Whether the word here may follow a clause without a pause."""
        return (
            self.at(
                "and",
                "but",
                "with",
                "so that",
                "such that",
                "so i",
                "so we",
                "not",
                "plus",
                "then",
                "also",
            )
            or self.at(*SEQUENCE)
            or self._is_subordinate()
            or self.peek() in FILLERS
        )

    # Before and after --------------------------------------------------------------------------

    def _is_subordinate(self) -> bool:
        if self.at("before that", "before this"):
            return True
        if self.at("once more"):
            return False
        if self.pos + 1 >= len(self.words) or self.peek(1) in PAUSES:
            return False
        if not self.at("before", "after", "once", "as soon as", "when"):
            return False
        return not self.at(*(s for s in SEQUENCE if s.startswith(("after", "once", "when"))))

    def _subordinate(self) -> None:
        start = self.pos
        word = self.eat("before", "after", "once", "as soon as", "when")
        leading = self._fresh or self._joined or not self._stages[-1]
        if word == "before" and self.eat("that", "this"):
            self._earlier()
            return
        clauses = self._say(self._subordinate_clauses())
        if not clauses:
            self.pos = start
            raise self.abstain()
        if word == "before" and leading:
            self.eat(COMMA)
            self._deferred = clauses
            self._fresh = self._joined = False
        elif word == "before":
            self._next_stage()
            self._stages[-1] += clauses
        elif leading:
            self._stages[-1] += clauses
            self.eat(COMMA)
            self._next_stage()
        else:
            last = self._stages[-1].pop()
            self._stages[-1] += clauses
            self._next_stage()
            self._stages[-1].append(last)
        self._fresh = self._joined = False

    def _subordinate_clauses(self) -> list[Clause]:
        """Read "you have put the apple in the bowl and closed the drawer"."""
        clauses: list[Clause] = []
        while True:
            self.eat(*_SUBJECTS)
            self.eat("finished", "done", "also")
            clauses += self.clause(participles=True)
            start = self.pos
            if self.eat("and") and VERB_FORMS.get(self.peek(), ("", ""))[1] in (
                "gerund",
                "participle",
            ):
                continue
            self.pos = start
            return clauses

    def _earlier(self) -> None:
        """Read on after "before that": what follows comes before the last stage."""
        self.eat(COMMA)
        last = self._stages.pop()
        self._stages.append([])
        self._stages[-1] += self._say(self.clause())
        self._next_stage()
        self._stages[-1] += last
        self._fresh = False

    def _next_stage(self) -> None:
        self._flush()
        if self._stages[-1]:
            self._stages.append([])
        self._joined = False

    def _flush(self) -> None:
        """Put the clauses of "before ..., ..." after those that come first."""
        if self._deferred:
            if self._stages[-1]:
                self._stages.append([])
            self._stages[-1] += self._deferred
            self._deferred = []
