"""PDDL programs and the results of planners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from embodied.types._symbols import GroundAction


class Program(Protocol):
    """What a sentence becomes: data, never executed code. Its type picks the route."""

    @property
    def source(self) -> str:
        """The author, e.g. ``"rules"`` or ``"openai:gpt-5"``."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Repairs and assumptions that a reader should know about."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where exactly a thing is to end up on what it is put on.

    It is told by how other things lie when the thing is taken; left is y, front is x, as
    in the world's frame. Distances are between surfaces, seen from above.

    Attributes:
        item: The thing.
        relation: ``"near"``, ``"away"``, ``"between"`` (two things), a side of another thing
            (``"left"``, ``"right"``, ``"front"``, ``"back"``), ``"moved"`` (from where the thing
            is, by ``by_m``), ``"at"`` (the place ``by_m`` in the world's frame), ``"turned"``
            (where it is, about the vertical, by ``angle_rad``), or
            a part of what it lies on: ``"part"`` with the signs of its direction from the middle in
            ``by_m``, ``"middle"``, ``"edge"``, ``"corner"``.
        of: The other things; for parts, what it lies on.
        distance_m: How far away; None for next to it.
        by_m: Displacement (x, y), m.
        angle_rad: Turn, counter-clockwise from above.
    """

    item: str
    relation: str
    of: tuple[str, ...] = ()
    distance_m: float | None = None
    by_m: tuple[float, float] = (0.0, 0.0)
    angle_rad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the robot is to move on the way to a goal, and where exactly it is to put things.

    Attributes:
        max_speed_m_s: The hand is never faster, m/s; None for the usual speed.
        apart: Objects that what is carried and the hand around it stay away from, and how far, m;
            in a stage that carries nothing, the hand. What begins nearer has to leave first.
        upright: What is held keeps its tilt.
        placements: Where the things that the goal puts somewhere are to be there.
        home: The arm is to be in its rest configuration at the end.
    """

    max_speed_m_s: float | None = None
    apart: tuple[tuple[str, float], ...] = ()
    upright: bool = False
    placements: tuple[Placement, ...] = ()
    home: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PddlProgram:
    """A planning task as PDDL text (LLM+P, Liu et al. 2023, arXiv 2304.11477).

    Attributes:
        domain: Domain text.
        problem: Problem text; its goal is the conjunction of ``stages``.
        stages: Goal formulas as PDDL text, to be reached in this order; one unless the sentence
            orders its goals ("first ..., then ..."). A later stage keeps the earlier ones true
            where both can hold together.
        source: Who wrote it, e.g. ``"rules"`` or ``"openai:gpt-5"``.
        notes: Repairs and assumptions that a reader should know about.
        manners: How to move in each stage; empty where the sentence says nothing about it.
    """

    domain: str
    problem: str
    stages: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    manners: tuple[Manner, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedProgram:
    """Programs of several kinds, to be carried out in this order; at least one.

    Attributes:
        parts: The programs.
        source: Who wrote them.
        notes: Repairs and assumptions that a reader should know about.
    """

    parts: tuple[Program, ...]
    source: str
    notes: tuple[str, ...] = ()


class PlanStatus(Enum):
    """Outcome of a planner call; the value is advice for a person."""

    SOLVED = "a valid plan was found"
    UNSOLVABLE = "no plan exists: the goal contradicts itself or cannot be reached from here"
    TIMEOUT = "time ran out before a plan was found: allow more time or ask for less"
    UNSUPPORTED = "the task uses a part of PDDL that this planner lacks, or exceeded its memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """What a planner answers.

    Attributes:
        status: Outcome.
        plan: Ground actions in order; empty unless solved (or solved with nothing to do).
        cost: Sum of action costs, or the number of actions where the domain has no costs.
        optimal: True only when the planner proved that no cheaper plan exists.
        engine: Which engine answered, e.g. ``"fast-downward lama-first"``.
        wall_s: Wall time spent, in seconds.
        cpu_s: CPU time spent, in seconds, child processes included.
        message: Detail for a person; for failures the reason in one line.
    """

    status: PlanStatus
    plan: tuple[GroundAction, ...] = ()
    cost: float = 0.0
    optimal: bool = False
    engine: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    message: str = ""
