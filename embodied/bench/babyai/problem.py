"""What was seen of a grid and what is asked, as a PDDL problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embodied.bench.babyai.mission import Clause
from embodied.bench.babyai.seen import TEXT, Cell, Seen, beside, name_of
from embodied.symbolic import render_problem
from embodied.types import Atom, PddlProgram

EXPLORE = "(explored)"
NEAR = 3
"""Cells from oneself, and one from a thing, within which things are put out of the way."""
_RING = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A goal over what is known.

    Attributes:
        goal: PDDL.
        objects: Object name to type.
        static: Facts that no action changes.
        program: For a planner.
    """

    goal: str
    objects: Mapping[str, str]
    static: frozenset[Atom]
    program: PddlProgram


def task_of(seen: Seen, clauses: tuple[Clause, ...], *, everything: bool) -> Task:
    """The task of doing clauses, or without any, of seeing more.

    Args:
        seen: What is known.
        clauses: What is asked; something that fits was seen of all that they speak of.
        everything: Whether things that nobody asked for may be moved, and things that are asked
            for be put down on the way; the task is larger then.
    """
    asked = {
        Atom(q.verb, (q.name, thing, *other))
        for q in clauses
        for thing in seen.matching(q.things[0])
        for other in (((o,) for o in seen.matching(q.things[1])) if q.things[1:] else ((),))
    }
    wanted = {name for a in asked for name in a.args[1:]}
    doors = [t for t, k in seen.kinds.items() if k == "door"]
    locked = [d for d in doors if seen.holds("locked", d)]
    fits = {
        Atom("fits", (k, d))
        for k, kind in seen.kinds.items()
        for d in locked
        if kind == "key" and seen.colour(k) == seen.colour(d)
    }
    chosen = {*doors, *wanted, *(a.args[0] for a in fits), *filter(None, [seen.held])}
    things = [t for t in seen.kinds if everything or t in chosen]
    known = {c for c, kind in seen.cells.items() if kind != "wall"}
    spare = [c for c in known if _spare(seen, c, everything=everything)]
    spots = {t: [seen.places[t]] if t in seen.places else [] for t in things}
    for thing in (wanted - {*doors}) if everything else ():
        spots[thing] += spare
    objects = {name_of(c): "cell" for c in sorted(known)} | {q.name: "clause" for q in clauses}
    objects |= {t: "door" if t in doors else "item" for t in things}
    static = asked | fits
    static |= {
        Atom("next", (name_of(a), name_of(b))) for a in known for b in beside(a) if b in known
    }
    static |= {Atom("spare", (name_of(c),)) for c in spare}
    static |= {Atom("spot", (t, name_of(c))) for t, cells in spots.items() for c in cells}
    static |= {Atom("unexplored", (name_of(c),)) for c in seen.frontier()}
    goal = f"(and {' '.join(f'(done {q.name})' for q in clauses)})" if clauses else EXPLORE
    facts = {a for a in seen.memory.facts if all(n in objects for n in a.args)}
    domain = seen.memory.vocabulary.domain
    text = render_problem("grid", domain, objects, facts | static, [goal])
    program = PddlProgram(domain=TEXT, problem=text, stages=(goal,), source="rules")
    return Task(goal=goal, objects=objects, static=frozenset(static), program=program)


def _spare(seen: Seen, cell: Cell, *, everything: bool) -> bool:
    """Whether a thing put down in a free cell leaves the free cells around it connected."""
    around = [(cell[0] + dx, cell[1] + dy) for dx, dy in _RING]
    if seen.cells[cell] != "floor" or not seen.free(cell):
        return False
    free = [seen.free(c) for c in around]
    parts = sum(free[i] and not (free[i - 1] and free[i - 2]) for i in (0, 2, 4, 6))
    if parts > 1 or any(seen.cells.get(c) == "door" for c in around[::2]):
        return False
    away = abs(cell[0] - seen.pose[0]) + abs(cell[1] - seen.pose[1])
    return everything or away <= NEAR or any(c in seen.places.values() for c in around)
