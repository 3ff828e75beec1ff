# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false
"""Path search in configuration space: straight line, RRT-Connect, shortcuts.

All functions work on plain vectors and a validity function, so that a 2-D point tests them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ompl import base, geometric, util

from embodied.types import Array

Valid = Callable[[Array], bool]

_LONGEST_EDGE = 0.5

util.setLogLevel(util.LOG_NONE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchResult:
    """A collision-free polyline, if there is one.

    Attributes:
        path: Corner points from start to goal, (m, n); empty (0, n) if none was found.
        checks: Number of validity checks spent.
    """

    path: Array
    checks: int = 0

    @property
    def found(self) -> bool:
        """Whether there is a path."""
        return self.path.shape[0] > 0


def interpolate(start: Array, goal: Array, step: float) -> Array:
    """Points from start to goal, both included, no joint moving more than ``step`` between two."""
    count = int(np.ceil(np.max(np.abs(goal - start)) / step)) + 1
    return np.linspace(start, goal, max(count, 2))


def line_is_valid(start: Array, goal: Array, valid: Valid, step: float) -> bool:
    """Whether all interior points of the straight line are valid, checked from coarse to fine."""
    points = interpolate(start, goal, step)
    order = _coarse_to_fine(len(points))
    return all(valid(points[i]) for i in order)


def rrt_connect(
    start: Array,
    goal: Array,
    valid: Valid,
    *,
    lower: Array,
    upper: Array,
    seed: int,
    max_checks: int = 4000,
    step: float = 0.03,
) -> SearchResult:
    """Search with two trees (RRT-Connect, Kuffner and LaValle 2000), as implemented by OMPL.

    The search ends after a number of validity checks, not after a time, so that equal seeds give
    equal paths on any machine.

    Args:
        start: Start, (n,), valid.
        goal: Goal, (n,), valid.
        valid: Validity of a configuration.
        lower: Lower bounds of the search, (n,).
        upper: Upper bounds of the search, (n,).
        seed: Seed of the samples.
        max_checks: Validity checks after which the search gives up.
        step: Distance between checked points on an edge (Euclidean).
    """
    n = len(start)
    checks = 0

    def is_valid(state: base.State) -> bool:
        nonlocal checks
        checks += 1
        return bool(valid(np.array([state[i] for i in range(n)])))

    util.RNG.setSeed(seed + 1)  # zero means "no seed"
    space = base.RealVectorStateSpace(n)
    bounds = base.RealVectorBounds(n)
    for i in range(n):
        bounds.setLow(i, float(min(lower[i], start[i], goal[i])) - 1e-6)
        bounds.setHigh(i, float(max(upper[i], start[i], goal[i])) + 1e-6)
    space.setBounds(bounds)
    information = base.SpaceInformation(space)
    information.setStateValidityChecker(is_valid)
    information.setStateValidityCheckingResolution(step / space.getMaximumExtent())
    information.setup()
    problem = base.ProblemDefinition(information)
    first, last = information.allocState(), information.allocState()
    for i in range(n):
        first[i], last[i] = float(start[i]), float(goal[i])
    problem.setStartAndGoalStates(first, last)
    planner = geometric.RRTConnect(information)
    planner.setRange(_LONGEST_EDGE)
    planner.setProblemDefinition(problem)
    planner.setup()
    planner.solve(base.PlannerTerminationCondition(lambda: checks >= max_checks))
    if not problem.hasExactSolution():
        return SearchResult(path=np.empty((0, n)), checks=checks)
    states = problem.getSolutionPath().getStates()
    path = np.array([[state[i] for i in range(n)] for state in states])
    return SearchResult(path=path, checks=checks)


def shortcut(
    path: Array, valid: Valid, rng: np.random.Generator, *, step: float = 0.03, tries: int = 40
) -> Array:
    """Replace detours of a polyline by straight lines where these are valid.

    First corners are skipped greedily from the start, then random pairs of points on the path are
    joined.
    """
    path = _skip_corners(path, valid, step)
    for _ in range(tries):
        if len(path) <= 2:
            break
        lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
        total = np.concatenate([[0.0], np.cumsum(lengths)])
        a, b = np.sort(rng.uniform(0.0, total[-1], 2))
        i, j = (int(np.searchsorted(total, x, side="right")) - 1 for x in (a, b))
        i, j = min(i, len(path) - 2), min(j, len(path) - 2)
        if i == j:
            continue
        point_a = path[i] + (path[i + 1] - path[i]) * (a - total[i]) / max(lengths[i], 1e-12)
        point_b = path[j] + (path[j + 1] - path[j]) * (b - total[j]) / max(lengths[j], 1e-12)
        if np.linalg.norm(point_b - point_a) > 0.98 * (b - a):
            continue
        if line_is_valid(point_a, point_b, valid, step):
            path = np.vstack([path[: i + 1], point_a, point_b, path[j + 1 :]])
    return path


def _skip_corners(path: Array, valid: Valid, step: float) -> Array:
    kept = [path[0]]
    i = 0
    while i < len(path) - 1:
        j = len(path) - 1
        while j > i + 1 and not line_is_valid(path[i], path[j], valid, step):
            j = i + 1 if j - i <= 2 else (i + j) // 2
        kept.append(path[j])
        i = j
    return np.array(kept)


def _coarse_to_fine(count: int) -> list[int]:
    """Indices 1 .. count - 2 in bisection order: collisions tend to be found early."""
    order: list[int] = []
    stride = 1 << max(count - 1, 1).bit_length()
    seen = {0, count - 1}
    while stride >= 1:
        for i in range(stride, count - 1, stride):
            if i not in seen:
                seen.add(i)
                order.append(i)
        stride //= 2
    return order
