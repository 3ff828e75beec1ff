"""What was seen of a grid and what is asked, as PDDL problems: one over places, one of a walk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources

from embodied.bench.babyai.mission import Clause
from embodied.bench.babyai.seen import TEXT, Cell, Seen, beside, name_of
from embodied.symbolic import read_domain, render_problem
from embodied.types import Atom, PddlProgram

EXPLORE = "(explored)"
WALK = resources.files("embodied.bench.babyai").joinpath("walk.pddl").read_text("utf-8")
_WALK = read_domain(WALK)
_RING = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A goal over what is known.

    Attributes:
        goal: PDDL.
        objects: Object name to type.
        static: Facts that no action changes.
        places: Cells of each place.
        program: For a planner.
    """

    goal: str
    objects: Mapping[str, str]
    static: frozenset[Atom]
    places: Mapping[str, frozenset[Cell]]
    program: PddlProgram


def task_of(seen: Seen, clauses: tuple[Clause, ...], *, everything: bool) -> Task:
    """The task of doing clauses, or without any, of seeing more.

    Args:
        seen: What is known.
        clauses: What is asked; something that fits was seen of all that they speak of.
        everything: Whether things that nobody asked for may be moved too; the task is larger then.
    """
    asked = {
        Atom(q.verb, (q.name, thing, *other))
        for q in clauses
        for thing in seen.matching(q.things[0])
        for other in (((o,) for o in seen.matching(q.things[1])) if q.things[1:] else ((),))
    }
    doors = [t for t, kind in seen.kinds.items() if kind == "door"]
    fits = {
        Atom("fits", (k, d))
        for k, kind in seen.kinds.items()
        for d in doors
        if kind == "key" and seen.holds("locked", d) and seen.colour(k) == seen.colour(d)
    }
    chosen = {
        *doors,
        seen.held,
        *(a.args[0] for a in fits),
        *(n for a in asked for n in a.args[1:]),
    }
    things = [t for t in seen.kinds if everything or t in chosen]
    places = places_of(seen, {seen.places[t] for t in things if t in seen.places})
    owner = {cell: name for name, cells in places.items() for cell in cells}
    here = owner[seen.pose[:2]]
    static = asked | fits
    static |= {
        Atom("next", (name, owner[c]))
        for name, cells in places.items()
        for cell in cells
        for c in beside(cell)
        if owner.get(c, name) != name
    }
    static |= {Atom("spot", (t, name_of(seen.places[t]))) for t in things if t in seen.places}
    lying = [t for t in things if t in seen.places and t not in doors]
    static |= {Atom("single", (name_of(seen.places[t]),)) for t in lying}
    wide = {n: cells for n, cells in places.items() if len(cells) > 1}
    static |= {Atom("wide", (n,)) for n in wide}
    static |= {Atom("spare", (n,)) for n, cells in wide.items() if everything or spare(seen, cells)}
    unknown = {c for c in seen.frontier() if c in owner}
    static |= {Atom("unexplored", (owner[c],)) for c in unknown}
    facts = {a for a in seen.memory.facts if a.predicate not in ("at", "free", "floor", "lies")}
    facts |= {Atom("lies", (t, name_of(seen.places[t]))) for t in things if t in seen.places}
    facts |= {Atom("free", (n,)) for n, cells in places.items() if seen.free(min(cells))}
    objects = dict.fromkeys(places, "place") | {q.name: "clause" for q in clauses}
    objects |= {t: "door" if t in doors else "item" for t in things}
    goal = f"(and {' '.join(f'(done {q.name})' for q in clauses)})" if clauses else EXPLORE
    facts = {a for a in facts if all(n in objects for n in a.args)} | static
    domain = seen.memory.vocabulary.domain
    text = render_problem("grid", domain, objects, facts | {Atom("at", (here,))}, [goal])
    program = PddlProgram(domain=TEXT, problem=text, stages=(goal,), source="rules")
    return Task(
        goal=goal, objects=objects, static=frozenset(static), places=places, program=program
    )


def places_of(seen: Seen, lying: Collection[Cell]) -> dict[str, frozenset[Cell]]:
    """Places by the name of their first cell.

    Args:
        seen: What is known.
        lying: Cells of the things that are spoken of, doors included; each is a place.
    """
    found = {name_of(c): frozenset({c}) for c in lying}
    done = set(lying)
    for cell in seen.cells:
        if cell not in done and seen.free(cell):
            area = area_of(seen, cell)
            found[name_of(min(area))] = area
            done |= area
    return found


def area_of(seen: Seen, cell: Cell) -> frozenset[Cell]:
    """Free floor that is connected with a cell; in a door, the door alone."""
    area, todo = {cell}, [cell] if seen.cells.get(cell) != "door" else []
    while todo:
        fresh = [c for c in beside(todo.pop()) if c not in area]
        more = [c for c in fresh if seen.cells.get(c) == "floor" and seen.free(c)]
        area |= {*more}
        todo += more
    return frozenset(area)


def spare(seen: Seen, area: Collection[Cell]) -> list[Cell]:
    """Cells of an area where a thing is out of the way: what is free around stays connected."""
    found: list[Cell] = []
    for cell in area if len(area) > 1 else ():
        around = [(cell[0] + dx, cell[1] + dy) for dx, dy in _RING]
        free = [seen.free(c) for c in around]
        parts = sum(free[i] and not (free[i - 1] and free[i - 2]) for i in (0, 2, 4, 6))
        if parts <= 1 and all(seen.cells.get(c) != "door" for c in around[::2]):
            found.append(cell)
    return found


def walk_of(area: Collection[Cell], start: Cell, ends: Collection[Cell]) -> PddlProgram:
    """The task of walking within an area to one of some cells."""
    facts = {Atom("next", (name_of(c), name_of(d))) for c in area for d in beside(c) if d in area}
    facts.add(Atom("at", (name_of(start),)))
    goal = f"(or {' '.join(f'(at {name_of(c)})' for c in sorted(ends))})"
    objects = dict.fromkeys(map(name_of, sorted(area)), "object")
    text = render_problem("walk", _WALK, objects, facts, [goal])
    return PddlProgram(domain=WALK, problem=text, stages=(goal,), source="rules")
