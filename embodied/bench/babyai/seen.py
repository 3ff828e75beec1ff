"""What was seen of a grid, kept in this project's memory: cells, doors, things, the hand.

Cells are named by their place relative to the first pose, x to the east and y to the south, in
cells; in a view of one's own the first heading is called east.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import resources

from embodied.bench.babyai.mission import Description
from embodied.memory import Fact, Memory, Provenance, Vocabulary
from embodied.symbolic import read_domain
from embodied.types import Atom

Cell = tuple[int, int]
Pose = tuple[int, int, int]
"""Column, row and heading: 0 east, 1 south, 2 west, 3 north."""
Facts = dict[Atom, str | bool]
Code = tuple[int, int, int]
"""Kind, colour and state of a cell as MiniGrid encodes them."""

TEXT = resources.files("embodied.bench.babyai").joinpath("grid.pddl").read_text("utf-8")
HEADINGS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
KINDS = ("unseen", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava", "agent")
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
DOORS = ("open", "shut", "locked")
_OFFSET = 100
_SIDES = {"front": (1, 0), "behind": (-1, 0), "right": (0, 1), "left": (0, -1)}


def name_of(cell: Cell) -> str:
    """PDDL object of a cell."""
    return f"c-{cell[0] + _OFFSET}-{cell[1] + _OFFSET}"


def cell_of(name: str) -> Cell:
    """Cell of a PDDL object."""
    _, x, y = name.split("-")
    return int(x) - _OFFSET, int(y) - _OFFSET


def beside(cell: Cell) -> Iterator[Cell]:
    """The four neighbours of a cell."""
    return ((cell[0] + dx, cell[1] + dy) for dx, dy in HEADINGS)


class Seen:
    """A memory of a grid and the pose in it.

    Args:
        pose: The first one.
    """

    def __init__(self, pose: Pose = (0, 0, 0)) -> None:
        self.start = self.pose = pose
        words = Vocabulary(domain=read_domain(TEXT), objects={}, quantities=frozenset())
        self.memory = Memory(vocabulary=words)
        self.kinds: dict[str, str] = {}
        self._names: dict[str, int] = {}
        self._forget()

    def _forget(self) -> None:
        for derived in ("cells", "places", "room"):
            self.__dict__.pop(derived, None)

    @cached_property
    def cells(self) -> Mapping[Cell, str]:
        """Every cell that was seen: ``"wall"``, ``"floor"`` or ``"door"``."""
        beliefs = self.memory.beliefs.items()
        return {cell_of(a.args[0]): str(f.value) for a, f in beliefs if a.predicate == "cell"}

    @cached_property
    def places(self) -> Mapping[str, Cell]:
        """Where each thing lies that is not in the hand."""
        lying = (a.args for a in self.memory.beliefs if a.predicate == "lies")
        return {thing: cell_of(cell) for thing, cell in lying}

    @cached_property
    def room(self) -> frozenset[Cell]:
        """Cells of the first room, with its doors, as far as they are known."""
        inside: set[Cell] = set()
        edge: set[Cell] = set()
        todo = [self.start[:2]]
        while todo:
            cell = todo.pop()
            if cell not in inside and self.cells.get(cell) == "floor":
                inside.add(cell)
                todo += beside(cell)
            elif self.cells.get(cell) == "door":
                edge.add(cell)
        return frozenset(inside | edge)

    @property
    def held(self) -> str:
        """What is in the hand; empty for nothing."""
        return next((a.args[0] for a in self.memory.beliefs if a.predicate == "held"), "")

    @property
    def front(self) -> Cell:
        """The cell that is faced."""
        x, y, heading = self.pose
        return x + HEADINGS[heading][0], y + HEADINGS[heading][1]

    def holds(self, *words: str) -> bool:
        """Whether a fact is believed."""
        return Atom(words[0], words[1:]) in self.memory.beliefs

    def thing_at(self, cell: Cell) -> str:
        """What lies in a cell; empty for nothing."""
        return next((t for t, c in self.places.items() if c == cell), "")

    def free(self, cell: Cell) -> bool:
        """Whether a cell can be walked into."""
        return self.holds("free", name_of(cell))

    def colour(self, thing: str) -> str:
        """Colour of a thing."""
        return str(self.memory.beliefs[Atom("colour", (thing,))].value)

    def frontier(self) -> tuple[Cell, ...]:
        """Cells that are no walls and have a neighbour that was not seen."""
        return tuple(c for c, k in self.cells.items() if k != "wall" and self.unknown_beside(c))

    def unknown_beside(self, cell: Cell) -> tuple[Cell, ...]:
        """Neighbours of a cell that were not seen yet."""
        return tuple(c for c in beside(cell) if c not in self.cells)

    def matching(self, asked: Description) -> tuple[str, ...]:
        """Things that were seen and that a description fits."""
        told = self.memory.beliefs
        return tuple(
            t
            for t, kind in self.kinds.items()
            if asked.kind in ("", kind)
            if asked.colour in ("", self.colour(t))
            if not asked.place or self._stood(str(told[Atom("found", (t,))].value), asked.place)
        )

    def _stood(self, found: str, place: str) -> bool:
        """Whether what was found in a cell of the first room was on a side of the first pose."""
        x, y, heading = self.start
        cell, (fx, fy) = cell_of(found), HEADINGS[heading]
        dx, dy = cell[0] - x, cell[1] - y
        ahead, right = dx * fx + dy * fy, fx * dy - fy * dx
        sign = _SIDES[place]
        return cell in self.room and ahead * sign[0] + right * sign[1] > 0

    def see(self, view: Mapping[Cell, Code], pose: Pose, hand: Code | None, time_s: float) -> None:
        """Take in a view.

        Args:
            view: What was seen of some cells; one's own is floor unless it was seen.
            pose: Where it was seen from.
            hand: What the hand holds, None for nothing.
            time_s: Number of the step.
        """
        self.pose = pose
        believed, places = self.memory.beliefs, {c: t for t, c in self.places.items()}
        facts: Facts = {Atom("at", (name_of(pose[:2]),)): True}
        wrong = {a for a in believed if a.predicate in ("at", "hand-empty", "held")}
        carried, gone = self.held, list[str]()
        holding = hand is not None and KINDS[hand[0]] not in ("empty", "unseen", "floor")
        fresh: list[tuple[Cell, Code]] = []
        if pose[:2] not in self.cells and pose[:2] not in view:
            view = {**view, pose[:2]: (1, 0, 0)}
        for cell, code in view.items():
            name, kind = name_of(cell), KINDS[code[0]]
            old = places.get(cell, "")
            if kind in ("unseen", "agent"):
                continue
            wall = kind in ("wall", "lava")
            believed_kind = "door" if kind == "door" else "wall" if wall else "floor"
            facts[Atom("cell", (name,))] = believed_kind
            if old and not self._is(old, code):
                gone.append(old)
                wrong.add(Atom("lies", (old, name)))
                old = ""
            if kind in ("key", "ball", "box", "door"):
                if old:
                    wrong |= {Atom(state, (old,)) for state in DOORS}
                    facts |= self._about(old, cell, code)
                else:
                    fresh.append((cell, code))
            wrong.add(Atom("free", (name,)))
            if not wall and (
                kind in ("empty", "floor", "goal") or (kind == "door" and code[2] == 0)
            ):
                facts[Atom("free", (name,))] = True
        for cell, code in fresh:
            known = [t for t in (carried, *gone) if t and self._is(t, code)] if code[0] != 4 else []
            if known and known[0] == carried:
                carried = ""
            facts |= self._about(known[0] if known else self._new(code, cell), cell, code)
        if holding and hand is not None:
            fits = [t for t in (carried, *gone) if t and self._is(t, hand)]
            thing = fits[0] if fits else self._new(hand, pose[:2])
            facts |= {Atom("held", (thing,)): True, **self._words(thing, hand, pose[:2])}
        else:
            facts[Atom("hand-empty")] = True
        self._change(facts, wrong, time_s)

    def _change(
        self, facts: Mapping[Atom, str | bool], wrong: Iterable[Atom], time_s: float
    ) -> None:
        beliefs = self.memory.beliefs
        put = [
            Fact(atom=a, value=v, provenance=Provenance.SEEN, confidence=0.99, time_s=time_s)
            for a, v in facts.items()
            if a not in beliefs or beliefs[a].value != v
        ]
        dropped = [a for a in wrong if a in beliefs and a not in facts]
        if put or dropped:
            self.memory = self.memory.changed("observed", time_s=time_s, put=put, dropped=dropped)
            self._forget()

    def _is(self, thing: str, code: Code) -> bool:
        return (self.kinds[thing], self.colour(thing)) == (KINDS[code[0]], COLOURS[code[1]])

    def _new(self, code: Code, cell: Cell) -> str:
        what = f"{COLOURS[code[1]]}-{KINDS[code[0]]}"
        self._names[what] = self._names.get(what, 0) + 1
        thing = f"{what}-{self._names[what]}"
        self.kinds[thing] = KINDS[code[0]]
        return thing

    def _words(self, thing: str, code: Code, cell: Cell) -> Facts:
        found = self.memory.beliefs.get(Atom("found", (thing,)))
        first = name_of(cell) if found is None else str(found.value)
        return {Atom("colour", (thing,)): COLOURS[code[1]], Atom("found", (thing,)): first}

    def _about(self, thing: str, cell: Cell, code: Code) -> Facts:
        facts = {Atom("lies", (thing, name_of(cell))): True, **self._words(thing, code, cell)}
        if KINDS[code[0]] == "door":
            facts[Atom(DOORS[code[2]], (thing,))] = True
        return facts
