"""What has happened, from the changes of a memory: where things were, and what was done why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from embodied.memory.facts import Change
from embodied.memory.memory import Memory
from embodied.memory.vocabulary import HOLDING, IN, ON, UNDER
from embodied.types import Atom, GroundAction

TOLD, EXECUTED, ENDED, RECALLED = "told: ", "executed ", "ended: ", "recalled"
"""How the causes of changes begin: a sentence, an action, a verdict, the facts of before."""

_WHERE = (UNDER, ON, IN, HOLDING)
_STAYS_KEPT = 200
_DEEDS_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Where an object was for a while.

    Attributes:
        place: Predicate and object, e.g. ``("on", "table")``; ``("holding", "")`` in the hand.
        since_s: When it was first believed to be there, s.
    """

    place: tuple[str, str]
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Something that changed: an object's place, or whether a drawer is open.

    Attributes:
        name: The object.
        before: Where it was; None when that was not known.
        after: Where it is then; for a drawer ``("open", "")`` or ``("closed", "")``.
        time_s: When, s.
    """

    name: str
    before: tuple[str, str] | None
    after: tuple[str, str]
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done because of one sentence.

    Attributes:
        sentence: What the person said.
        meaning: What it was understood to mean.
        time_s: When it was said, s.
        actions: Actions that were carried out, with the time and whether they succeeded.
        moved: What changed meanwhile.
        verdict: How it ended; ``""`` where that is not on record.
    """

    sentence: str
    meaning: str
    time_s: float
    actions: tuple[tuple[GroundAction, float, bool], ...] = ()
    moved: tuple[Moved, ...] = ()
    verdict: str = ""

    def net(self) -> tuple[Moved, ...]:
        """What changed from its beginning to its end, each object once."""
        first: dict[str, Moved] = {}
        last: dict[str, Moved] = {}
        for m in self.moved:
            first.setdefault(m.name, m)
            last[m.name] = m
        return tuple(
            replace(m, before=first[n].before)
            for n, m in last.items()
            if first[n].before != m.after
        )


@dataclass(slots=True)
class History:
    """The past of one memory.

    Attributes:
        stays: Places of each object, oldest first.
        deeds: What was done, oldest first.
        seen_s: When each object was measured last, s.
    """

    stays: dict[str, list[Stay]] = field(default_factory=dict[str, list[Stay]])
    deeds: list[Deed] = field(default_factory=list[Deed])
    seen_s: dict[str, float] = field(default_factory=dict[str, float])

    def note(self, before: Memory, change: Change, after: Memory) -> None:
        """Take in one change of the memory."""
        cause = change.cause
        if cause == RECALLED:
            return
        if cause.startswith(TOLD) and change.exchange:
            sentence, *meaning = change.exchange
            told = Deed(sentence=sentence, meaning="".join(meaning), time_s=change.time_s)
            self.deeds.append(told)
            del self.deeds[:-_DEEDS_KEPT]
        elif cause.startswith(ENDED) and self.deeds:
            self.deeds[-1] = replace(self.deeds[-1], verdict=cause.removeprefix(ENDED))
        elif cause.startswith(EXECUTED) and self.deeds:
            action = GroundAction.parse(cause.removeprefix(EXECUTED))
            failed = any(n.startswith(f"{action} failed") for n in change.notes)
            done = (*self.deeds[-1].actions, (action, change.time_s, not failed))
            self.deeds[-1] = replace(self.deeds[-1], actions=done)
        self._follow(before, change, after)

    def places(self, name: str) -> tuple[Stay, ...]:
        """Where an object was, oldest first, without the hand that carried it."""
        stays = [s for s in self.stays.get(name, ()) if s.place[0] != HOLDING]
        return tuple(s for n, s in enumerate(stays) if not n or s.place != stays[n - 1].place)

    def last_of(self, name: str) -> Deed | None:
        """The latest deed in which an object was moved, opened or closed."""
        for deed in reversed(self.deeds):
            acted = any(name in a.args and ok for a, _, ok in deed.actions)
            if acted or any(m.name == name for m in deed.moved):
                return deed
        return None

    def _follow(self, before: Memory, change: Change, after: Memory) -> None:
        about = {a.args[0] for a in _atoms(change) if a.args and a.predicate in _WHERE}
        for name in sorted(about):
            place = place_of(after, name)
            stays = self.stays.setdefault(name, [])
            if place is None or (stays and stays[-1].place == place):
                continue
            stays.append(Stay(place=place, since_s=change.time_s))
            del stays[:-_STAYS_KEPT]
            self._moved(name, stays[-2].place if len(stays) > 1 else None, place, change.time_s)
        drawers = {a for a in _atoms(change) if a.predicate == "open"}
        for atom in sorted(drawers):
            was, now = before.fact(atom) is not None, after.fact(atom) is not None
            if was != now and before.step and before.beliefs:
                words = ("open", ""), ("closed", "")
                name = atom.args[0]
                self._moved(name, words[not was], words[not now], change.time_s)
        for fact in change.put:
            if fact.provenance.value == "seen" and fact.atom.predicate in (ON, IN, HOLDING):
                self.seen_s[fact.atom.args[0]] = fact.time_s

    def _moved(
        self, name: str, before: tuple[str, str] | None, after: tuple[str, str], time_s: float
    ) -> None:
        if self.deeds and before is not None:
            moved = Moved(name=name, before=before, after=after, time_s=time_s)
            self.deeds[-1] = replace(self.deeds[-1], moved=(*self.deeds[-1].moved, moved))


class Notebook:
    """A memory that is followed change by change, with its history.

    Args:
        memory: A memory that believes nothing yet.

    Attributes:
        empty: The same.
        memory: What is believed now.
        history: What has happened.
    """

    def __init__(self, memory: Memory) -> None:
        self.empty = self.memory = memory
        self.history = History()

    def take(self, change: Change) -> None:
        """Take in the next change.

        Raises:
            ValueError: It does not follow.
        """
        before, self.memory = self.memory, self.memory.applied(change)
        self.history.note(before, change, self.memory)

    def reopened(self) -> tuple[Memory, Change | None]:
        """An empty memory for a new log, and the change that puts into it all that is believed."""
        last, self.memory = self.memory, self.empty
        if not last.beliefs and not last.quantities.rows:
            return self.memory, None
        change = Change(
            step=1,
            time_s=last.time_s,
            cause=RECALLED,
            put=tuple(f for _, f in sorted(last.beliefs.items())),
            relations=tuple(r.to_json() for r in last.quantities.rows.values()),
        )
        return self.memory, change


def place_of(memory: Memory, name: str) -> tuple[str, str] | None:
    """Where an object is believed to be: under, on or in what, else in the hand."""
    found = _places(memory.beliefs, name)
    for predicate in (UNDER, ON, IN):
        if predicate in found:
            return predicate, found[predicate]
    return (HOLDING, "") if memory.fact(Atom(HOLDING, (name,))) else None


def _places(beliefs: Mapping[Atom, object], name: str) -> dict[str, str]:
    return {
        a.predicate: a.args[1]
        for a in beliefs
        if a.predicate in (UNDER, ON, IN) and a.args[0] == name
    }


def _atoms(change: Change) -> Iterable[Atom]:
    yield from (f.atom for f in change.put)
    yield from change.dropped
