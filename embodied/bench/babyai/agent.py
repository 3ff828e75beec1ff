"""A mission carried out by the actions of the environment, replanned where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embodied_planners.pddl import Planner

from embodied.bench.babyai.mission import Clause, read_mission
from embodied.bench.babyai.problem import EXPLORE, Task, area_of, spare, task_of, walk_of
from embodied.bench.babyai.seen import HEADINGS, Cell, Code, Pose, Seen, beside, cell_of
from embodied.bench.runner import Row
from embodied.errors import NotUnderstoodError
from embodied.symbolic import applicable
from embodied.types import Atom, GroundAction, PddlProgram, PlanStatus

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, WAIT = range(7)
GIVE_UP = -1
PRIMITIVES = {
    **{"move": FORWARD, "take": PICK_UP, "retake": PICK_UP, "drop": DROP, "put": DROP},
    "put-in": DROP,
    **{"open": TOGGLE, "unlock": TOGGLE, "close": TOGGLE, "visit": WAIT, "look": WAIT},
}
VIEW = 7
PLAN_S, SMALL_S = 20.0, 0.5
PATIENCE = 8
"""Plans in a row during which nothing that is known changes, before an episode is given up."""


class Agent:
    """Carries out one mission.

    Args:
        told: The first observation: ``mission``, and ``view`` (7 x 7 x 3, one's own place is
            column 3, row 6, ahead is up) or ``grid``, ``pose`` and ``hand``.

    Raises:
        NotUnderstoodError: The mission is not understood.
    """

    def __init__(self, told: Row) -> None:
        self.stages = read_mission(str(told["mission"]))
        self.seen = Seen(_pose(told) or (0, 0, 0))
        self.done: set[str] = set()
        self.plans, self.steps, self.why = 0, 0, ""
        self._plan: list[GroundAction] = []
        self._walk: list[Cell] = []
        self._task: Task | None = None
        self._ready: tuple[Clause, ...] = ()
        self._idle, self._known_at = 0, -1
        self._planner = Planner(small_budget_s=SMALL_S)
        self._look(told, WAIT)

    @property
    def pending(self) -> tuple[Clause, ...]:
        """Clauses of the present stage that are not done."""
        left = (tuple(q for q in s if q.name not in self.done) for s in self.stages)
        return next((s for s in left if s), ())

    def act(self) -> int:
        """The next action; ``GIVE_UP`` with the reason in ``why``."""
        while self.pending:
            if not self._fits() and not self._replan():
                return GIVE_UP
            step = self._plan[0]
            action = self._refined(step, self._places[step.args[-1]])
            if action is not None:
                return action
            self._plan = []
        self.why = "verdict: all is done as far as was seen"
        return GIVE_UP

    def saw(self, told: Row, action: int) -> None:
        """Take in what an action led to: what is known, and which clauses it did."""
        held = self.seen.held
        self.steps += 1
        self._look(told, action)
        while self.pending:
            did = {q.name for q in self.pending if self._did(q, action, held)}
            if not did:
                break
            self.done |= did
            self._plan = [s for s in self._plan if s.args[0] not in did]

    def _look(self, told: Row, action: int) -> None:
        pose = _pose(told)
        if pose is not None:
            cells = {
                (x, y): _code(c) for x, line in enumerate(told["grid"]) for y, c in enumerate(line)
            }
            hand = told["hand"] and _code(told["hand"])
            return self.seen.see(cells, pose, hand, float(self.steps))
        x, y, heading = self.seen.pose
        if action == FORWARD and self.seen.free(self.seen.front):
            x, y = self.seen.front
        heading = (heading + {LEFT: -1, RIGHT: 1}.get(action, 0)) % 4
        fx, fy = HEADINGS[heading]
        view: dict[Cell, Code] = {}
        for i, column in enumerate(told["view"]):
            for j, code in enumerate(column):
                right, ahead = i - VIEW // 2, VIEW - 1 - j
                view[x + ahead * fx - right * fy, y + ahead * fy + right * fx] = _code(code)
        hand = view.pop((x, y))
        return self.seen.see(view, (x, y, heading), hand, float(self.steps))

    def _did(self, clause: Clause, action: int, held: str) -> bool:
        """Whether a clause was just done, by what was seen before and after."""
        seen, front = self.seen, self.seen.thing_at(self.seen.front)
        fitting = seen.matching(clause.things[0])
        match clause.verb:
            case "go-to":
                return front in fitting
            case "pick-up":
                return action == PICK_UP and not held and seen.held in fitting
            case "open-up":
                return action == TOGGLE and front in fitting and seen.holds("open", front)
            case _:
                near = {seen.thing_at(c) for c in beside(seen.front)}
                put = action == DROP and held in fitting and front == held
                return put and not near.isdisjoint(seen.matching(clause.things[1]))

    def _fits(self) -> bool:
        """Whether the first step of the plan fits what is known; moves that are made are left."""
        seen, task = self.seen, self._task
        area = area_of(seen, seen.pose[:2])
        while self._plan and self._plan[0].name == "move":
            if self._places[self._plan[0].args[1]].isdisjoint(area):
                break
            self._plan.pop(0)
        if not self._plan or task is None:
            return False
        step = self._plan[0]
        if task.goal == EXPLORE:
            last = self._places[self._plan[-1].args[-1]]
            if self._ready != self._now_ready() or not any(map(seen.unknown_beside, last)):
                return False
        if step.name == "retake":
            return step.args[0] in seen.places
        facts = {a for a in seen.memory.facts if a.predicate not in ("at", "free")} | task.static
        facts |= {Atom("at", (n,)) for n in step.args if n in self._places}
        facts |= {Atom("free", (n,)) for n in step.args if self._free(n)}
        domain = seen.memory.vocabulary.domain
        return not applicable(step, frozenset(facts), domain, task.objects)

    def _free(self, name: str) -> bool:
        return any(self.seen.free(c) for c in self._places.get(name, ()))

    @property
    def _places(self) -> Mapping[str, frozenset[Cell]]:
        return {} if self._task is None else self._task.places

    def _now_ready(self) -> tuple[Clause, ...]:
        return tuple(q for q in self.pending if all(map(self.seen.matching, q.things)))

    def _replan(self) -> bool:
        self._idle = self._idle + 1 if self._known_at == self.seen.memory.step else 0
        self._known_at = self.seen.memory.step
        self._ready = self._now_ready()
        if self._idle > PATIENCE:
            self.why = "control: the actions change nothing"
            return False
        goals = [self._ready, ()] if self._ready else [()]
        for everything in (False, True):
            if any(self._planned(goal, everything=everything) for goal in goals):
                return True
        found = len(self._ready) == len(self.pending)
        self.why = "planner: no plan" if found else "perception: not everything was found"
        return False

    def _planned(self, clauses: tuple[Clause, ...], *, everything: bool) -> bool:
        if not clauses and not self.seen.frontier():
            return False
        task = task_of(self.seen, clauses, everything=everything)
        plan = list(self._solved(task.program))
        if plan:
            self._task, self._plan = task, plan
        return bool(plan)

    def _refined(self, step: GroundAction, place: frozenset[Cell]) -> int | None:
        """The action that a step of the plan needs now; None where nothing leads to it."""
        here = self.seen.pose[:2]
        area = area_of(self.seen, here)
        faced = self._faced(step, place, area)
        stands = {c for f in faced for c in beside(f) if c in area}
        if here not in stands:
            ahead = self._walked(area, stands) if stands else None
            if ahead is None:
                return None
            turn = self._turn(ahead)
            return FORWARD if turn is None else turn
        front = self.seen.front
        turn = self._turn(front if front in faced else next(c for c in beside(here) if c in faced))
        if turn is None and step.name != "move":
            self._plan.pop(0)
        return PRIMITIVES[step.name] if turn is None else turn

    def _faced(
        self, step: GroundAction, place: frozenset[Cell], area: frozenset[Cell]
    ) -> frozenset[Cell]:
        """Cells of which one has to be faced for a step."""
        match step.name:
            case "look":
                return frozenset(c for cell in area for c in self.seen.unknown_beside(cell))
            case "drop":
                return frozenset(spare(self.seen, area)) or area
            case "put":
                return frozenset(c for thing in place for c in beside(thing) if c in area)
            case "retake":
                return frozenset({self.seen.places[step.args[0]]})
            case _:
                return place

    def _walked(self, area: frozenset[Cell], ends: set[Cell]) -> Cell | None:
        """The next cell of a walk within an area."""
        here = self.seen.pose[:2]
        if self._walk and self._walk[0] == here:
            self._walk.pop(0)
        ahead = self._walk[0] if self._walk else here
        if ahead not in beside(here) or ahead not in area or self._walk[-1] not in ends:
            result = self._solved(walk_of(area, here, ends))
            self._walk = [cell_of(s.args[1]) for s in result]
        return self._walk[0] if self._walk else None

    def _solved(self, program: PddlProgram) -> tuple[GroundAction, ...]:
        result = self._planner.solve(program, deadline_s=PLAN_S)
        self.plans += 1
        return result.plan if result.status is PlanStatus.SOLVED else ()

    def _turn(self, target: Cell) -> int | None:
        """The turn towards a neighbouring cell; None where it is faced."""
        x, y, heading = self.seen.pose
        wanted = HEADINGS.index((target[0] - x, target[1] - y))
        if wanted == heading:
            return None
        return LEFT if (heading - wanted) % 4 == 1 else RIGHT


def play(told: Row, heard: Callable[[int], Row]) -> tuple[Row, Row]:
    """One episode: what this side has to say of it, and the judge's result.

    Args:
        told: The first observation.
        heard: Gives an action, returns the next observation, or the result, which has no mission.
    """
    try:
        agent = Agent(told)
    except NotUnderstoodError as error:
        return {"why": f"language: {error}", "plans": 0}, heard(GIVE_UP)
    while "mission" in told:
        action = agent.act()
        told = heard(action)
        if "mission" in told:
            agent.saw(told, action)
    return {"why": agent.why, "plans": agent.plans}, told


def _pose(told: Row) -> Pose | None:
    return tuple(told["pose"]) if "pose" in told else None


def _code(values: list[int]) -> Code:
    return values[0], values[1], values[2]
