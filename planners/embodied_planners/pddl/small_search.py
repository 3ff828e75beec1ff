"""A small built-in forward search, for problems that need no large planner.

States are Python integers, one bit per fluent atom; an atom that some condition negates gets a
second bit that is its complement, so that all conditions are positive. Guided by the FF heuristic
(Hoffmann and Nebel, JAIR 14, 2001), computed on additive costs, it first runs greedy best-first
search with helpful actions, then keeps the plan. Exhausting the search proves unsolvability.
"""

from __future__ import annotations

import heapq
import time

from embodied.symbolic import Domain, Problem
from embodied.symbolic.simplify import compile_quantifiers
from embodied.types import GroundAction
from embodied_planners.pddl.engines import Outcome
from embodied_planners.pddl.external import Answer
from embodied_planners.pddl.grounding import MOST_PARTS, GroundTask, TooLargeError, ground

ENGINE = "small search"

GROUNDING_SHARE = 0.35
"""Grounding that takes more of the budget leaves too little for the search."""
DETOUR = 1.5
"""How much longer plans are than relaxed ones, where the time that is needed is estimated."""

_INFINITE = float("inf")


def search(
    domain: Domain,
    problem: Problem,
    *,
    budget_s: float,
    max_expanded: int = 200_000,
    max_operators: int = 4000,
) -> Answer:
    """Search for a plan within a budget.

    Args:
        domain: Domain.
        problem: Problem.
        budget_s: Longest CPU time of this thread, grounding included, so that a busy machine
            does not change which problems are answered.
        max_expanded: Most states to expand.
        max_operators: Give up where more ground actions than this exist.
    """
    if domain.derived:
        message = "the small search takes no derived predicates"
        return Answer(outcome=Outcome.UNSUPPORTED, engine=ENGINE, message=message)
    start = time.thread_time()
    deadline = start + budget_s
    domain, problem = compile_quantifiers(domain, problem, limit=MOST_PARTS)
    latest = start + GROUNDING_SHARE * budget_s
    try:
        task = ground(domain, problem, max_operators=max_operators, deadline=latest)
    except TooLargeError as error:
        return Answer(outcome=Outcome.OUT_OF_TIME, engine=ENGINE, message=str(error))
    return _greedy(task, deadline, max_expanded)


def _greedy(task: GroundTask, deadline: float, max_expanded: int) -> Answer:
    """Greedy best-first search with deferred evaluation and helpful actions first.

    It gives up early where even one state for each step that is still missing would take too long.
    """
    heuristic = Heuristic(task)
    start = time.thread_time()
    parents: dict[int, tuple[int, int]] = {task.init: (-1, -1)}
    queue: list[tuple[float, int, int]] = [(0.0, 0, task.init)]
    count = expanded = 0
    nearest = _INFINITE
    while queue:
        _, _, state = heapq.heappop(queue)
        if task.is_goal(state):
            plan = _trace(task, parents, state)
            return Answer(outcome=Outcome.SOLVED, engine=ENGINE, plan=plan)
        now = time.thread_time()
        each_s = (now - start) / max(expanded, 1)
        hopeless = expanded > 0 and now + DETOUR * nearest * each_s > deadline
        if expanded >= max_expanded or now > deadline or (hopeless and nearest < _INFINITE):
            message = f"the small search gave up after {expanded} states"
            return Answer(outcome=Outcome.OUT_OF_TIME, engine=ENGINE, message=message)
        expanded += 1
        h, helpful = heuristic.evaluate(state)
        if h == _INFINITE:
            continue  # a dead end even when nothing is ever deleted
        nearest = min(nearest, h)
        for i, operator in enumerate(task.operators):
            if state & operator.precondition == operator.precondition:
                successor = task.apply(operator, state)
                if successor not in parents:
                    parents[successor] = (state, i)
                    count += 1
                    rank = h - 0.5 if i in helpful else h
                    heapq.heappush(queue, (rank, -count if i in helpful else count, successor))
    message = "every reachable state was explored: no plan exists"
    return Answer(outcome=Outcome.UNSOLVABLE, engine=ENGINE, message=message)


def _trace(
    task: GroundTask, parents: dict[int, tuple[int, int]], state: int
) -> tuple[GroundAction, ...]:
    steps: list[GroundAction] = []
    while True:
        before, i = parents[state]
        if i < 0:
            return tuple(reversed(steps))
        steps.append(task.operators[i].action)
        state = before


class Heuristic:
    """Length of a relaxed plan (no deletions) and the applicable actions that start it."""

    def __init__(self, task: GroundTask) -> None:
        self._task = task
        self._rules: list[tuple[tuple[int, ...], tuple[int, ...], int]] = []
        for i, operator in enumerate(task.operators):
            base = _bits(operator.precondition)
            for effect in operator.effects:
                gained = _bits(effect.add | task.complements(effect.delete))
                if gained:
                    needs = tuple(dict.fromkeys((*base, *_bits(effect.condition))))
                    self._rules.append((needs, gained, i))
        self._counts = [len(needs) for needs, _, _ in self._rules]
        self._by_need: list[list[int]] = [[] for _ in range(task.width)]
        self._free = [r for r, (needs, _, _) in enumerate(self._rules) if not needs]
        for r, (needs, _, _) in enumerate(self._rules):
            for bit in needs:
                self._by_need[bit].append(r)
        self._goals = [_bits(g) for g in task.goals]

    def evaluate(self, state: int) -> tuple[float, frozenset[int]]:
        """(relaxed plan length, helpful operators); infinite where even that fails."""
        rules, by_need = self._rules, self._by_need
        cost: list[float] = [_INFINITE] * self._task.width
        supporter = [-1] * self._task.width
        missing = self._counts.copy()
        total = [1.0] * len(rules)
        heap: list[tuple[float, int]] = []
        for bit in _bits(state):
            cost[bit] = 0.0
            heap.append((0.0, bit))
        ready = list(self._free)
        while heap or ready:
            if not ready:
                c, bit = heapq.heappop(heap)
                if c > cost[bit]:
                    continue
                for r in by_need[bit]:
                    missing[r] -= 1
                    total[r] += c
                    if not missing[r]:
                        ready.append(r)
            for r in ready:
                c = total[r]
                for gained in rules[r][1]:
                    if c < cost[gained]:
                        cost[gained] = c
                        supporter[gained] = r
                        heapq.heappush(heap, (c, gained))
            ready = []
        best = min(self._goals, key=lambda g: sum(cost[b] for b in g), default=())
        if any(cost[b] == _INFINITE for b in best) or not self._goals:
            return _INFINITE, frozenset()
        return self._relaxed_plan(best, supporter)

    def _relaxed_plan(
        self, goal: tuple[int, ...], supporter: list[int]
    ) -> tuple[float, frozenset[int]]:
        used: set[int] = set()
        seen: set[int] = set()
        stack = list(goal)
        first: set[int] = set()
        while stack:
            bit = stack.pop()
            r = supporter[bit]
            if bit in seen or r < 0:
                continue
            seen.add(bit)
            needs, _, operator = self._rules[r]
            used.add(operator)
            stack += needs
            if all(supporter[b] < 0 for b in needs):
                first.add(operator)
        return float(len(used)), frozenset(first)


def _bits(mask: int) -> tuple[int, ...]:
    result: list[int] = []
    while mask:
        low = mask & -mask
        result.append(low.bit_length() - 1)
        mask ^= low
    return tuple(result)
