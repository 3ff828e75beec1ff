"""Which objects a description points to in a state, and whether a condition holds there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from embodied.language.words.scene_words import SceneWords
from embodied.memory.descriptions import Condition, Thing, not_understood
from embodied.memory.questions import Question

YES, NO, UNKNOWN = "yes", "no", "not known"


class State(Protocol):
    """Where things are and what is so, as somebody believes it or as it is."""

    @property
    def scene(self) -> SceneWords:
        """What the objects may be called."""
        ...

    def place(self, name: str, /) -> str | None:
        """What an object rests directly on or in."""
        ...

    def over(self, name: str, /) -> str | None:
        """The cover that hides an object."""
        ...

    def directly_on(self, name: str, /) -> tuple[str, ...]:
        """What rests directly on or in an object."""
        ...

    def contents(self, name: str, /) -> tuple[str, ...]:
        """What rests on or in a place, directly or not, the lowest first."""
        ...

    def held(self) -> str | None:
        """What is in the hand."""
        ...

    def has(self, word: str, name: str, /) -> bool | None:
        """Whether a word is true of an object; None when that is not known."""
        ...

    def compared(self, relation: str, x: str, y: str, /) -> int | None:
        """Sign of x - y by ``"higher"`` or ``"heavier"``; None when that is not known."""
        ...


def pointed_at(thing: Thing, state: State, spoken: Collection[str] = ()) -> tuple[str, ...]:
    """Every object that a description fits, in the scene's order.

    Args:
        thing: The description.
        state: Where things are.
        spoken: Objects that "the other ones" leaves out.
    """
    excluded = {n for t in thing.excluded for n in pointed_at(t, state, spoken)}
    names = [n for n in thing.names if n not in excluded]
    if thing.other:
        names = [n for n in names if n not in spoken]
    for condition in sorted(thing.conditions, key=lambda c: c.relation == "most"):
        names = list(selected(names, condition, state))
    return tuple(names)


def the(thing: Thing, state: State, spoken: Collection[str] = ()) -> tuple[str, ...]:
    """The objects that are meant: one, or all where several are spoken of.

    Raises:
        NotUnderstoodError: It points to nothing, or a description of one thing to several.
    """
    found = pointed_at(thing, state, spoken)
    if not found and not thing.plural:
        raise not_understood(thing.text, f"nothing is '{thing.text}'", where="reference")
    if len(found) > 1 and not thing.plural and thing.quantity not in ("all", "any", "a"):
        listed = ", ".join(n.replace("-", " ") for n in found)
        raise not_understood(
            thing.text, f"'{thing.text}' can be {listed}", "say which one", where="reference"
        )
    return found


def selected(names: Sequence[str], condition: Condition, state: State) -> tuple[str, ...]:
    """Those of some objects of which a condition is known to hold."""
    if condition.relation == "most":
        best = _most(names, condition.word, state)
        return tuple(n for n in names if (n in best) != condition.negated)
    return tuple(n for n in names if holds(condition, n, state))


def holds(condition: Condition, name: str, state: State, *, far: bool = False) -> bool | None:
    """Whether a condition is true of an object; None when that is not known.

    Args:
        condition: The condition.
        name: The object.
        state: Where things are.
        far: "above" and "under" speak of the whole tower, as in "is a under b?".
    """
    if condition.relation == "most":
        others = [n for n in state.scene.items if n != name]
        answer: bool | None = name in _most([*others, name], condition.word, state)
    else:
        answer = _holds(condition, name, state, far)
    return answer if answer is None else answer != condition.negated


def _holds(condition: Condition, name: str, state: State, far: bool) -> bool | None:
    relation, word = condition.relation, condition.word
    match relation:
        case "held":
            return state.held() == name
        case "open":
            return state.has("open", name)
        case "empty":
            return not state.directly_on(name)
        case "is":
            if word in state.scene.modifiers and name in state.scene.modifiers[word]:
                return True
            colors = {o.color for o in state.scene.specs.values()}
            return False if word in colors else state.has(word, name)
        case "exists":
            return True
        case _:
            pass
    if condition.other is None:
        raise ValueError(f"'{relation}' needs something that it relates to")
    others = pointed_at(condition.other, state)
    if condition.other.quantity != "a" and not condition.other.plural:
        others = the(condition.other, state)
    answers = [_related(relation, name, o, state, far and not condition.direct) for o in others]
    if condition.other.quantity == "no":
        return not any(answers)
    if any(answers):
        return True
    return None if None in answers else False


def _related(relation: str, x: str, y: str, state: State, far: bool) -> bool | None:
    match relation:
        case "higher" | "lower" | "heavier" | "lighter":
            scale = {"lower": "higher", "lighter": "heavier"}.get(relation, relation)
            sign = state.compared(scale, x, y)
            return None if sign is None else sign == (1 if scale == relation else -1)
        case "under":
            hidden = [n for n in state.scene.items if state.over(n) == y]
            return x in hidden if hidden else x in _below(y, state, far)
        case "contains":
            return y in state.contents(x)
        case "carries" | "holds":
            return x in _below(y, state, relation == "holds")
        case "covers":
            return state.over(y) == x or y in _below(x, state, True)
        case _:
            below = _below(x, state, relation == "in" or (far and relation == "above"))
            if not below and state.held() != x and state.scene.specs[x].kind == "item":
                return None
            return y in below


def _below(name: str, state: State, far: bool) -> tuple[str, ...]:
    """What an object rests on: directly, or everything down to the table."""
    found: list[str] = []
    place = state.place(name)
    while place is not None and place not in found:
        found.append(place)
        if not far:
            break
        place = state.place(place)
    return tuple(found)


def _most(names: Sequence[str], word: str, state: State) -> tuple[str, ...]:
    """Those that no other one exceeds; what is not known is left out."""
    sign, scale = (1 if word[0] == "+" else -1), word[1:]
    known = [n for n in names if state.compared(scale, n, n) is not None]
    beaten = {
        n
        for n in known
        for other in known
        if (order := state.compared(scale, other, n)) is None or order * sign > 0
    }
    return tuple(n for n in known if n not in beaten)


def answered(question: Question, state: State, moved: Collection[str] = ()) -> tuple[str, ...]:
    """Answer what a state alone can: names, or one word; empty when there is nothing.

    Args:
        question: Of the kinds ``which``, ``count``, ``any``, ``is``, ``colour`` or ``holding``.
        state: Where things are.
        moved: What has been moved so far.

    Raises:
        NotUnderstoodError: It speaks of things that there are not.
        ValueError: It is a question of another kind.
    """
    condition = question.condition
    if question.kind == "holding":
        held = state.held()
        return (held,) if held else ()
    if question.kind == "colour":
        names = pointed_at(question.thing, state)
        return tuple(dict.fromkeys(state.scene.specs[n].color or n for n in names))
    if question.kind == "is":
        return (_whether(question, state),)
    if condition is None or question.kind not in ("which", "count", "any"):
        raise ValueError(f"a state alone does not answer questions of kind '{question.kind}'")
    names = pointed_at(question.thing, state)
    if condition.relation == "moved":
        found = tuple(n for n in names if n in moved)
    else:
        found = selected(names, condition, state)
    if question.kind == "which":
        return (UNKNOWN,) if not found and _lost(condition, state) else found
    if question.kind == "count":
        return (str(len(found)),)
    return (YES if bool(found) != (question.thing.quantity == "no") else NO,)


def _lost(condition: Condition, state: State) -> bool:
    """Whether nothing is known of where the thing is, under which something is asked for."""
    if condition.relation not in ("under", "carries", "holds") or condition.other is None:
        return False
    items = [n for n in pointed_at(condition.other, state) if state.scene.specs[n].kind == "item"]
    return bool(items) and all(not state.place(n) and state.held() != n for n in items)


def _whether(question: Question, state: State) -> str:
    names = the(question.thing, state)
    given = [c for c in (question.condition, *question.alternatives) if c is not None]
    every = question.thing.quantity != "any"
    for condition in given:
        answers = [holds(condition, n, state, far=True) for n in names]
        if None in answers and (every or True not in answers):
            if len(given) == 1:
                return UNKNOWN
        elif all(answers) if every else any(answers):
            return YES if len(given) == 1 else in_words(condition, state)
    return NO


def in_words(condition: Condition, state: State) -> str:
    """What a condition says: "on the plate", "closed"."""
    if condition.other is not None:
        names = " or ".join(
            f"the {n.replace('-', ' ')}" for n in pointed_at(condition.other, state)
        )
        return f"{condition.relation} {names}"
    if condition.relation == "open":
        return "closed" if condition.negated else "open"
    return condition.word or condition.relation
