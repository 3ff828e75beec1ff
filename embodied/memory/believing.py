"""What a session remembers, as a state, and answers as names and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from embodied.language.words.scene_words import SceneWords
from embodied.memory.descriptions import Thing
from embodied.memory.facts import Fact
from embodied.memory.history import Deed, History
from embodied.memory.memory import Memory
from embodied.memory.questions import Question
from embodied.memory.reader import Reader
from embodied.memory.selection import NO, UNKNOWN, YES, answered, the
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
            return tuple(p for n in meant(things, state) for p in _chain(n, state)) or (UNKNOWN,)
        case "was":
            at_first = question.condition is not None
            return tuple(_was(n, past, at_first=at_first) for n in meant(things, state))
        case "ratio":
            names = meant(things, state)
            if len(names) == 1:
                value = state.memory.value(Atom("weight", (names[0],)))
                return (UNKNOWN,) if value is None else (str(value),)
            ratio = state.ratio("weight", names[0], names[1])
            return (UNKNOWN,) if ratio is None else (str(ratio),)
        case "did" | "when" | "why" | "last" | "all" | "asked" | "source" | "seen":
            return _of_the_past(question, state, past)
        case _:
            return answered(question, state, moved_names(past))


def meant(things: Sequence[Thing], state: BelievedState) -> tuple[str, ...]:
    """The objects that are spoken of."""
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


def moved_names(history: History) -> tuple[str, ...]:
    """What changed its place so far."""
    return tuple(dict.fromkeys(m.name for d in history.deeds for m in d.moved))


def _of_the_past(question: Question, state: BelievedState, history: History) -> tuple[str, ...]:
    names = meant(question.things, state)
    match question.kind:
        case "did":
            moved, asked = moved_names(history), question.thing
            some = any if asked.quantity in ("any", "a", "no") else all
            done = bool(names) and some(n in moved for n in names)
            return (YES if done != (asked.quantity == "no") else NO,)
        case "seen":
            times = [history.seen_s[n] for n in names if n in history.seen_s]
            return tuple(f"{t:.1f}" for t in times)
        case "source":
            facts = [f for n in names if (f := place_fact(n, state.memory))]
            return tuple(f.provenance.value for f in facts) or (UNKNOWN,)
        case "all":
            return tuple(d.sentence for d in history.deeds)
        case "asked":
            return tuple(d.sentence for d in history.deeds[-1:])
        case "last":
            return tuple(m.name for d in history.deeds[-1:] for m in d.net())
        case _:
            deed = deed_of(names, history)
            if deed is None:
                return ()
            if question.kind == "when":
                return (f"{_time_of(names, deed):g}",)
            return (deed.sentence,)


def deed_of(names: Sequence[str], history: History) -> Deed | None:
    """The latest deed, or the latest in which an object was handled."""
    if names:
        return history.last_of(names[0])
    return history.deeds[-1] if history.deeds else None


def _time_of(names: Sequence[str], deed: Deed) -> float:
    times = [m.time_s for m in deed.moved if not names or m.name in names]
    return round(times[-1] if times else deed.time_s, 1)


def place_fact(name: str, memory: Memory) -> Fact | None:
    """The fact that says where an object is."""
    order = (UNDER, ON, IN, HOLDING)
    found = [f for a, f in memory.beliefs.items() if a.predicate in order and a.args[0] == name]
    return min(found, key=lambda f: order.index(f.atom.predicate), default=None)
