"""Answers to questions, in words: from what is believed and from what has happened.

``answer_question(sentence, belief)`` reads a question and answers it; nothing moves and nothing is
measured. ``ask(sentence, belief)`` gives the same answer with the names that are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from embodied.language.words.scene_words import SceneWords, plain
from embodied.memory.descriptions import Thing
from embodied.memory.facts import Fact, Provenance
from embodied.memory.history import Deed, History, Moved, Stay
from embodied.memory.memory import Memory
from embodied.memory.questions import Question, read_question
from embodied.memory.reader import Reader
from embodied.memory.selection import NO, UNKNOWN, YES, answered, pointed_at, selected, the
from embodied.memory.vocabulary import HOLDING, IN, ON, OPPOSITES, UNDER
from embodied.types import Atom, ObjectSpec


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What a session remembers.

    Attributes:
        memory: What is believed now.
        objects: The scene's objects and what they are called.
        history: What has happened.
    """

    memory: Memory
    objects: Mapping[str, ObjectSpec]
    history: History

    @cached_property
    def state(self) -> BelievedState:
        """The memory as a state that descriptions point into."""
        return BelievedState(self.memory, SceneWords(self.objects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer.

    Attributes:
        question: What was asked.
        words: Names of objects, or a word or number: ``("yes",)``, ``("2",)``; empty for nothing.
        text: A sentence.
    """

    question: Question
    words: tuple[str, ...]
    text: str


def answer_question(sentence: str, belief: Belief) -> str:
    """Answer a question in a sentence.

    Raises:
        NotUnderstoodError: It is no question that can be answered; the hint lists those that are.
    """
    return ask(sentence, belief).text


def ask(sentence: str, belief: Belief) -> Answer:
    """Answer a question; raises as ``answer_question`` does."""
    state = belief.state
    question = read_question(sentence, state.scene, state.told)
    words = answer(question, state, belief.history)
    return Answer(question=question, words=words, text=_Speaker(belief).text(question, words))


class BelievedState(Reader):
    """A memory as a ``State``.

    Args:
        memory: What is believed.
        scene: What the objects may be called.
    """

    def __init__(self, memory: Memory, scene: SceneWords) -> None:
        super().__init__(memory)
        self.scene = scene
        self.objects = scene.specs

    @property
    def told(self) -> frozenset[str]:
        """Words that were told of objects."""
        return frozenset(self.memory.attributes)

    def has(self, word: str, name: str) -> bool | None:
        """Whether a word is believed of an object; None when that is not known."""
        if self.holds(f"({word} {name})"):
            return True
        if word == "open":
            return False
        groups = (*OPPOSITES, *self.memory.vocabulary.opposites)
        opposites = {p for g in groups if word in g for p in g - {word}}
        return False if any(self.holds(f"({p} {name})") for p in opposites) else None

    def compared(self, relation: str, x: str, y: str) -> int | None:
        """Sign of x - y by height or weight."""
        if relation == "heavier":
            ratio = self.ratio("weight", x, y)
            return None if ratio is None else (ratio > 1) - (ratio < 1)
        a, b = self.height(x), self.height(y)
        return None if a is None or b is None else (a > b) - (a < b)


def answer(
    question: Question, state: BelievedState, history: History | None = None
) -> tuple[str, ...]:
    """Answer from what is believed: names, or one word; empty when there is nothing.

    "Not known" is an answer: what is not believed either way is neither yes nor no.

    Raises:
        NotUnderstoodError: It speaks of things that there are not.
    """
    past = history or History()
    things = question.things
    match question.kind:
        case "where":
            return tuple(p for n in _meant(things, state) for p in _chain(n, state)) or (UNKNOWN,)
        case "was":
            at_first = question.condition is not None
            return tuple(_was(n, past, at_first=at_first) for n in _meant(things, state))
        case "ratio":
            names = _meant(things, state)
            if len(names) == 1:
                value = state.memory.value(Atom("weight", (names[0],)))
                return (UNKNOWN,) if value is None else (str(value),)
            ratio = state.ratio("weight", names[0], names[1])
            return (UNKNOWN,) if ratio is None else (str(ratio),)
        case "did" | "when" | "why" | "last" | "all" | "asked" | "source" | "seen":
            return _of_the_past(question, state, past)
        case _:
            return answered(question, state, _moved_names(past))


def _meant(things: Sequence[Thing], state: BelievedState) -> tuple[str, ...]:
    return tuple(n for t in things for n in the(t, state))


def _chain(name: str, state: BelievedState) -> tuple[str, ...]:
    return ("in the hand",) if state.held() == name else state.whereabouts(name)


def _was(name: str, history: History, *, at_first: bool) -> str:
    stays = history.places(name)
    if not stays:
        return UNKNOWN
    in_hand = history.stays[name][-1].place[0] == HOLDING
    earlier = stays if in_hand or len(stays) == 1 else stays[:-1]
    return (stays[0] if at_first else earlier[-1]).place[1]


def _moved_names(history: History) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m.name for d in history.deeds for m in d.moved))


def _of_the_past(question: Question, state: BelievedState, history: History) -> tuple[str, ...]:
    names = _meant(question.things, state)
    match question.kind:
        case "did":
            moved, asked = _moved_names(history), question.thing
            some = any if asked.quantity in ("any", "a", "no") else all
            done = bool(names) and some(n in moved for n in names)
            return (YES if done != (asked.quantity == "no") else NO,)
        case "seen":
            times = [history.seen_s[n] for n in names if n in history.seen_s]
            return tuple(f"{t:.1f}" for t in times)
        case "source":
            facts = [f for n in names if (f := _place_fact(n, state.memory))]
            return tuple(f.provenance.value for f in facts) or (UNKNOWN,)
        case "all":
            return tuple(d.sentence for d in history.deeds)
        case "asked":
            return tuple(d.sentence for d in history.deeds[-1:])
        case "last":
            return tuple(m.name for d in history.deeds[-1:] for m in d.net())
        case _:
            deed = _deed_of(names, history)
            if deed is None:
                return ()
            if question.kind == "when":
                return (f"{_time_of(names, deed):g}",)
            return (deed.sentence,)


def _deed_of(names: Sequence[str], history: History) -> Deed | None:
    if names:
        return history.last_of(names[0])
    return history.deeds[-1] if history.deeds else None


def _time_of(names: Sequence[str], deed: Deed) -> float:
    times = [m.time_s for m in deed.moved if not names or m.name in names]
    return round(times[-1] if times else deed.time_s, 1)


def _place_fact(name: str, memory: Memory) -> Fact | None:
    order = (UNDER, ON, IN, HOLDING)
    found = [f for a, f in memory.beliefs.items() if a.predicate in order and a.args[0] == name]
    return min(found, key=lambda f: order.index(f.atom.predicate), default=None)


class _Speaker:
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
        return " ".join(self._place(n) for n in _meant(question.things, self.state))

    def _place(self, name: str) -> str:
        the_name = _the(name)
        fact = _place_fact(name, self.memory)
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
        for name, word in zip(_meant(question.things, self.state), words, strict=True):
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
            found = [n for n in names if n in _moved_names(self.history)]
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
        names = _meant(question.things, self.state)
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
        names = _meant(question.things, self.state)
        if not words:
            return (
                f"I did not move {_listed([_the(n) for n in names])}."
                if names
                else ("I have done nothing yet.")
            )
        deed = _deed_of(names, self.history)
        assert deed is not None
        said = f'because you said "{deed.sentence}"'
        own = [n for n in names if not _spoken_of(n, deed.sentence, self.belief.objects)]
        if own:
            said += f"; {_listed([_the(n) for n in own])} had to be out of the way or ready for it"
        return f"{said}."

    def _when(self, question: Question, words: tuple[str, ...]) -> str:
        names = _meant(question.things, self.state)
        if words:
            return f"at {words[0]} s."
        return f"I did not move {_listed([_the(n) for n in names])}."

    def _seen(self, question: Question, words: tuple[str, ...]) -> str:
        names = _listed([_the(n) for n in _meant(question.things, self.state)])
        return (
            f"I saw {names} last at {', '.join(words)} s." if words else f"I have not seen {names}."
        )

    def _source(self, question: Question, words: tuple[str, ...]) -> str:
        names = _meant(question.things, self.state)
        del words
        if not names:
            return "from what I measured, what I did, and what you told me."
        return " ".join(self._origin(n) for n in names)

    def _origin(self, name: str) -> str:
        fact = _place_fact(name, self.memory)
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
