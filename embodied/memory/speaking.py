"""Answers in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from embodied.language.words.scene_words import plain
from embodied.memory.believing import Belief, deed_of, meant, moved_names, place_fact
from embodied.memory.facts import Fact, Provenance
from embodied.memory.history import Deed, Moved, Stay
from embodied.memory.questions import Question
from embodied.memory.selection import NO, UNKNOWN, YES, pointed_at, selected, the
from embodied.memory.vocabulary import HOLDING, IN, ON
from embodied.types import Atom, ObjectSpec


class Speaker:
    """Puts answers into words."""

    def __init__(self, belief: Belief) -> None:
        self.belief, self.memory, self.history = belief, belief.memory, belief.history
        self.state = belief.state

    def text(self, question: Question, words: tuple[str, ...]) -> str:
        """An answer as a sentence."""
        speak: Mapping[str, Callable[[Question, tuple[str, ...]], str]] = {
            "where": self._where,
            "was": self._was,
            "which": self._which,
            "count": self._count,
            "colour": self._colour,
            "holding": self._holding,
            "ratio": self._ratio,
            "last": self._last,
            "all": self._all,
            "asked": self._asked,
            "why": self._why,
            "when": self._when,
            "source": self._source,
            "seen": self._seen,
        }
        said = speak.get(question.kind, self._yes_or_no)(question, words)
        return said[:1].upper() + said[1:]

    def _where(self, question: Question, words: tuple[str, ...]) -> str:
        del words
        return " ".join(self._place(n) for n in meant(question.things, self.state))

    def _place(self, name: str) -> str:
        the_name = _the(name)
        fact = place_fact(name, self.memory)
        if fact is None:
            seen = self.history.seen_s.get(name)
            since = f"I saw it last at {seen:.1f} s" if seen is not None else "I have not seen it"
            return f"I do not know where {the_name} is: {since}."
        if fact.atom.predicate == HOLDING:
            return f"{the_name.capitalize()} is in my hand."
        parts: list[str] = []
        at = name
        cover = self.state.over(name)
        for place in self.state.whereabouts(name):
            if place == cover:
                parts.append(f"under {_the(place)}")
                at = place
                continue
            relation = IN if Atom(IN, (at, place)) in self.memory.beliefs else ON
            if relation == ON and self.state.objects[place].kind in ("container", "drawer"):
                relation = IN
            parts.append(f"{relation} {_the(place)}")
            at = place
        inside = [a.args[1] for a in self.memory.beliefs if a.predicate == IN and a.args[0] == name]
        if inside and all(not p.endswith(_the(inside[0])) for p in parts):
            parts.append(f"in {_the(inside[0])}")
        told = f"{the_name} is {', which is '.join(parts)}{self._since(fact)}."
        return told[:1].upper() + told[1:]

    def _since(self, fact: Fact) -> str:
        if fact.provenance is Provenance.TOLD:
            return ", as you told me"
        if fact.provenance is Provenance.INFERRED:
            return ", going by what I did"
        if fact.time_s < self.memory.time_s - 1e-9:
            return f", where I saw it last at {fact.time_s:.1f} s"
        return ""

    def _was(self, question: Question, words: tuple[str, ...]) -> str:
        said: list[str] = []
        at_first = question.condition is not None
        for name, word in zip(meant(question.things, self.state), words, strict=True):
            stays = self.history.places(name)
            if not stays or word == UNKNOWN:
                said.append(f"I do not know where {_the(name)} was.")
                continue
            number = (
                0
                if at_first
                else max(
                    n
                    for n, s in enumerate(stays)
                    if s.place[1] == word
                    and (n < len(stays) - 1 or len(stays) == 1 or self._carried(name))
                )
            )
            said.append(self._stay(name, stays, number))
        return " ".join(said)

    def _carried(self, name: str) -> bool:
        return self.history.stays[name][-1].place[0] == HOLDING

    def _stay(self, name: str, stays: Sequence[Stay], number: int) -> str:
        predicate, target = stays[number].place
        until = (
            f" until {stays[number + 1].since_s:.1f} s"
            if number + 1 < len(stays)
            else ", and I know of no other place"
            if not self._carried(name)
            else ""
        )
        return f"{_the(name).capitalize()} was {predicate} {_the(target)}{until}."

    def _which(self, question: Question, words: tuple[str, ...]) -> str:
        del question
        if words == (UNKNOWN,):
            return "I do not know."
        return f"{_listed([_the(w) for w in words])}." if words else "Nothing that I know of."

    def _count(self, question: Question, words: tuple[str, ...]) -> str:
        names = pointed_at(question.thing, self.state)
        assert question.condition is not None
        if question.condition.relation == "moved":
            found = [n for n in names if n in moved_names(self.history)]
        else:
            found = list(selected(names, question.condition, self.state))
        return f"{words[0]}: {_listed([_the(n) for n in found])}." if found else "none."

    def _colour(self, question: Question, words: tuple[str, ...]) -> str:
        names = pointed_at(question.thing, self.state)
        said = [
            f"{_the(n)} is {self.state.objects[n].color or 'of no colour that I know'}"
            for n in names
        ]
        del words
        return f"{_listed(said)}." if said else "there is no such thing."

    def _holding(self, question: Question, words: tuple[str, ...]) -> str:
        del question
        return f"I am holding {_the(words[0])}." if words else "I am holding nothing."

    def _ratio(self, question: Question, words: tuple[str, ...]) -> str:
        names = meant(question.things, self.state)
        if words == (UNKNOWN,):
            return f"I do not know how heavy {_the(names[0])} is."
        if len(names) == 1:
            return f"{_the(names[0])} weighs {words[0]}."
        times = Fraction(words[0])
        return f"{_the(names[0])} is {times} times as heavy as {_the(names[1])}."

    def _yes_or_no(self, question: Question, words: tuple[str, ...]) -> str:
        (word,) = words
        if word == UNKNOWN:
            return "I do not know."
        if word not in (YES, NO):
            return f"it is {word}."
        if question.kind == "any" and word == YES and question.condition is not None:
            found = selected(pointed_at(question.thing, self.state), question.condition, self.state)
            return f"yes: {_listed([_the(n) for n in found])}."
        if question.kind == "is" and len(question.things) == 1:
            names = the(question.thing, self.state)
            spatial = question.condition is not None and question.condition.relation in (ON, IN)
            if spatial and len(names) == 1 and word == NO:
                return f"no. {self._place(names[0])}"
        return f"{word}."

    # ------------------------------------------------------------------ the past

    def _last(self, question: Question, words: tuple[str, ...]) -> str:
        del question, words
        if not self.history.deeds:
            return "I have done nothing yet."
        return self._deed(self.history.deeds[-1])

    def _all(self, question: Question, words: tuple[str, ...]) -> str:
        del question, words
        if not self.history.deeds:
            return "I have done nothing yet."
        return " ".join(self._deed(d) for d in self.history.deeds)

    def _asked(self, question: Question, words: tuple[str, ...]) -> str:
        del question
        return f'you said "{words[0]}".' if words else "you have asked for nothing yet."

    def _deed(self, deed: Deed) -> str:
        net = deed.net()
        done = _listed([self._moved(m) for m in net])
        if not done:
            steps = [str(a).strip("()") for a, _, ok in deed.actions if ok]
            done = f"carried out {', '.join(steps)}" if steps else f"followed: {deed.meaning}"
        ended = "" if deed.verdict in ("", "reached") else f"; it ended so: {deed.verdict}"
        said = f'at {deed.time_s:.1f} s you said "{deed.sentence}", and I {done}{ended}.'
        return said[:1].upper() + said[1:]

    def _moved(self, moved: Moved) -> str:
        predicate, target = moved.after
        if predicate in ("open", "closed"):
            return f"{'opened' if predicate == 'open' else 'closed'} {_the(moved.name)}"
        if predicate == HOLDING:
            return f"picked up {_the(moved.name)}"
        return f"put {_the(moved.name)} {predicate} {_the(target)}"

    def _why(self, question: Question, words: tuple[str, ...]) -> str:
        names = meant(question.things, self.state)
        if not words:
            return (
                f"I did not move {_listed([_the(n) for n in names])}."
                if names
                else ("I have done nothing yet.")
            )
        deed = deed_of(names, self.history)
        assert deed is not None
        said = f'because you said "{deed.sentence}"'
        own = [n for n in names if not _spoken_of(n, deed.sentence, self.belief.objects)]
        if own:
            said += f"; {_listed([_the(n) for n in own])} had to be out of the way or ready for it"
        return f"{said}."

    def _when(self, question: Question, words: tuple[str, ...]) -> str:
        names = meant(question.things, self.state)
        if words:
            return f"at {words[0]} s."
        return f"I did not move {_listed([_the(n) for n in names])}."

    def _seen(self, question: Question, words: tuple[str, ...]) -> str:
        names = _listed([_the(n) for n in meant(question.things, self.state)])
        return (
            f"I saw {names} last at {', '.join(words)} s." if words else f"I have not seen {names}."
        )

    def _source(self, question: Question, words: tuple[str, ...]) -> str:
        names = meant(question.things, self.state)
        del words
        if not names:
            return "from what I measured, what I did, and what you told me."
        return " ".join(self._origin(n) for n in names)

    def _origin(self, name: str) -> str:
        fact = place_fact(name, self.memory)
        if fact is None:
            return f"I know nothing of {_the(name)}."
        verbs = {"seen": "I saw it", "told": "you told me", "inferred": "I worked it out"}
        verb = verbs.get(fact.provenance.value, "I assumed it")
        return f"{verb} at {fact.time_s:.1f} s, and am {100 * fact.confidence:.0f}% sure."


def _spoken_of(name: str, sentence: str, objects: Mapping[str, ObjectSpec]) -> bool:
    spec = objects[name]
    words = set(sentence.lower().replace("-", " ").split())
    nouns = {name.split("-")[-1], spec.category, *spec.aliases, spec.color} - {""}
    return bool(words & nouns)


def _the(name: str) -> str:
    return f"the {plain(name)}"


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
