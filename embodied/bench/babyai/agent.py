"""A mission carried out by the actions of the environment, replanned where it does not fit."""

from __future__ import annotations

from collections.abc import Callable

from embodied_planners.pddl import Planner

from embodied.bench.babyai.mission import Clause, read_mission
from embodied.bench.babyai.problem import EXPLORE, Task, task_of
from embodied.bench.babyai.seen import HEADINGS, Cell, Code, Pose, Seen, beside, cell_of
from embodied.bench.runner import Row
from embodied.errors import NotUnderstoodError
from embodied.symbolic import applicable
from embodied.types import GroundAction, PlanStatus

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, WAIT = range(7)
GIVE_UP = -1
PRIMITIVES = {
    **{"move": FORWARD, "take": PICK_UP, "drop": DROP, "put": DROP, "visit": WAIT, "look": WAIT},
    **{"open": TOGGLE, "unlock": TOGGLE, "close": TOGGLE},
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
        self.plans, self.steps, self.planner_cpu_s = 0, 0, 0.0
        self.why = ""
        self._plan: list[GroundAction] = []
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
            turn = self._turn(self._target(step))
            if turn is not None:
                return turn
            self._plan.pop(0)
            return PRIMITIVES[step.name]
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
        """Whether the plan still fits what is known."""
        if not self._plan or self._task is None:
            return False
        if self._task.goal == EXPLORE:
            last = cell_of(self._plan[-1].args[-1])
            if self._ready != self._now_ready() or not self.seen.unknown_beside(last):
                return False
        memory = self.seen.memory
        facts = memory.facts | self._task.static
        domain = memory.vocabulary.domain
        return not applicable(self._plan[0], facts, domain, self._task.objects)

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
        result = self._planner.solve(task.program, deadline_s=PLAN_S)
        self.plans, self.planner_cpu_s = self.plans + 1, self.planner_cpu_s + result.cpu_s
        if result.status is not PlanStatus.SOLVED or not result.plan:
            return False
        self._task, self._plan = task, list(result.plan)
        return True

    def _target(self, step: GroundAction) -> Cell:
        cell = cell_of(step.args[-1])
        return self.seen.unknown_beside(cell)[0] if step.name == "look" else cell

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
