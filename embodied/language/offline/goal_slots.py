"""Slots for PDDL goals: ``put red-block blue-block in bin ; close drawer``.

======================================  ========================================================
slot                                    goal
======================================  ========================================================
``put SET in C`` / ``put SET on S``     each item of SET is in container C / on support S
``out SET of C`` / ``off SET of S``     no item of SET is in C / on S
``free T``                              nothing rests on T (item, surface) or is in T (container)
``stack A B C``                         A on B, B on C
``tower A B C``                         the same from the bottom up: B on A, C on B
``hold A``; ``open D``; ``close D``     held; open; not open
``either STATEMENT or STATEMENT``       one of the two
======================================  ========================================================

SET is a list of names or ``all``, ``all CATEGORY``, ``all COLOR``, ``all COLOR CATEGORY``, each
with an optional ``but NAMES``. The target itself never counts as a member of SET.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from embodied.language.offline.grammar import Grammar, Symbols, lit, words
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import Refusal, SlotError, refusal, stages

GOAL_REASONS = ("object", "ambiguous", "action", "relation", "chat")


def grammar(scene: SceneView) -> Grammar:
    """Everything that may be said about this scene, with a space in front."""
    items = scene.names("item")
    containers = scene.names("container", "drawer")
    supports = scene.names("item", "surface")
    drawers = scene.names("drawer")
    statements: list[Symbols] = []
    rules: dict[str, tuple[Symbols, ...]] = {
        "root": ((lit(" "), "stages"), (lit(" cannot "), "reason")),
        "reason": words(GOAL_REASONS),
        "stages": (("stage",), ("stage", lit(" then "), "stages")),
        "stage": (("goal",), ("goal", lit(" ; "), "stage")),
    }
    if items:
        rules["item"] = words(items)
        rules["support"] = words(supports)
        rules["items"] = (("item",), ("item", lit(" "), "items"))
        rules["set"] = (("items",), (lit("all"), "which", "but"))
        which: list[Symbols] = [(), (lit(" "), "category")]
        rules["category"] = words(scene.categories)
        if scene.colors:
            rules["color"] = words(scene.colors)
            which += [(lit(" "), "color"), (lit(" "), "color", lit(" "), "category")]
        rules["which"] = tuple(which)
        rules["but"] = ((), (lit(" but "), "items"))
        statements += [
            (lit("put "), "set", lit(" on "), "support"),
            (lit("off "), "set", lit(" of "), "support"),
            (lit("stack "), "item", lit(" "), "items"),
            (lit("tower "), "item", lit(" "), "items"),
            (lit("hold "), "item"),
            (lit("free "), "place"),
        ]
        rules["place"] = words((*supports, *containers))
        if containers:
            rules["container"] = words(containers)
            statements += [
                (lit("put "), "set", lit(" in "), "container"),
                (lit("out "), "set", lit(" of "), "container"),
            ]
    if drawers:
        rules["drawer"] = words(drawers)
        statements += [(lit("open "), "drawer"), (lit("close "), "drawer")]
    if not statements:
        rules["root"] = ((lit(" cannot "), "reason"),)
        del rules["stages"], rules["stage"]
        return Grammar(rules)
    rules["statement"] = tuple(statements)
    rules["goal"] = (("statement",), (lit("either "), "statement", lit(" or "), "statement"))
    return Grammar(rules)


def expand(text: str, scene: SceneView) -> tuple[str, ...] | Refusal:
    """Goal stages as PDDL text.

    Raises:
        SlotError: The text is not in the language of ``grammar(scene)``.
    """
    refused = refusal(text)
    if refused is not None:
        return refused
    result: list[str] = []
    for stage in stages(text):
        parts: list[str] = []
        for statement in stage:
            goals = _goal(statement, scene)
            if isinstance(goals, Refusal):
                return goals
            parts += goals
        result.append(_conjunction(list(dict.fromkeys(parts))))
    return tuple(result)


def _conjunction(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"


def _goal(w: list[str], scene: SceneView) -> list[str] | Refusal:
    if w[0] == "either" and "or" in w:
        k = w.index("or")
        left, right = _goal(w[1:k], scene), _goal(w[k + 1 :], scene)
        if isinstance(left, Refusal):
            return left
        if isinstance(right, Refusal):
            return right
        return [f"(or {_conjunction(left)} {_conjunction(right)})"]
    verb, rest = w[0], w[1:]
    try:
        if verb in ("stack", "tower"):
            order = rest if verb == "stack" else rest[::-1]
            for name in order:
                scene.thing(name)
            return [
                f"(on {a} {b})" for a, b in zip(order, order[1:], strict=False) if a != b
            ] or Refusal("relation", f"{order[0]} cannot be on itself")
        if verb == "hold":
            return [f"(holding {scene.thing(rest[0]).name})"]
        if verb == "open":
            return [f"(open {scene.thing(rest[0]).name})"]
        if verb == "close":
            return [f"(not (open {scene.thing(rest[0]).name}))"]
        if verb == "free":
            thing = scene.thing(rest[0])
            if thing.kind == "item":
                return [f"(clear {thing.name})"]
            predicate = "on" if thing.kind == "surface" else "in"
            return [f"(forall (?x - item) (not ({predicate} ?x {thing.name})))"]
        if verb in ("put", "out", "off"):
            target = scene.thing(rest[-1]).name
            if rest[-2] not in (("in", "on") if verb == "put" else ("of",)):
                raise SlotError(f"no target in {' '.join(w)!r}")
            members = _members(rest[:-2], scene, target)
            if not members:
                return Refusal("object", f"nothing here is {' '.join(rest[:-2])}")
            predicate = {"in": "in", "on": "on"}.get(rest[-2]) or ("in" if verb == "out" else "on")
            atoms = [f"({predicate} {m} {target})" for m in members]
            return atoms if verb == "put" else [f"(not {a})" for a in atoms]
    except (KeyError, IndexError) as error:
        raise SlotError(f"not a goal in this scene: {' '.join(w)!r} ({error})") from error
    raise SlotError(f"unknown statement {verb!r}")


def _members(w: list[str], scene: SceneView, target: str) -> list[str]:
    """Names of the items that a SET means, in scene order for ``all``."""
    if not w or w[0] != "all":
        for name in w:
            scene.thing(name)
        return [n for n in dict.fromkeys(w) if n != target]
    k = w.index("but") if "but" in w else len(w)
    which, but = w[1:k], set(w[k + 1 :])
    chosen = [t for t in scene.things if t.kind == "item" and t.name not in but]
    for i, word in enumerate(which):
        # the last word is a category where it is one; the first of two is always a colour
        if i == len(which) - 1 and word in scene.categories:
            chosen = [t for t in chosen if t.category == word]
        elif word in scene.colors:
            chosen = [t for t in chosen if t.color == word]
        else:
            raise SlotError(f"{word!r} is neither a category nor a colour here")
    return [t.name for t in chosen if t.name != target]


_ATOM = re.compile(r"\((not )?\(?(on|in|holding|open|clear) ([^()\s]+)(?: ([^()\s]+))?\)?\)")


def slots_of_goals(stages: Sequence[str]) -> str:
    """The slots that would have given these goals; ``""`` where there are none.

    Conjunctions of ground atoms only: that is what a follow-up sentence can lean on.
    """
    result: list[str] = []
    for stage in stages:
        if any(word in stage for word in ("forall", "exists", "(or", "imply")):
            return ""
        statements: list[str] = []
        for negated, predicate, first, second in _ATOM.findall(stage):
            if predicate in ("on", "in"):
                verb = ("out" if predicate == "in" else "off") if negated else "put"
                joint = "of" if negated else predicate
                statements.append(f"{verb} {first} {joint} {second}")
            elif predicate == "open":
                statements.append(f"{'close' if negated else 'open'} {first}")
            elif negated:
                return ""
            else:
                statements.append(f"{'hold' if predicate == 'holding' else 'free'} {first}")
        if not statements:
            return ""
        result.append(" ; ".join(statements))
    return " then ".join(result)
