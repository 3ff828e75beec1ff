"""The value-map planner against greedy descent, the planner that VoxPoser describes.

Four kinds of synthetic scenes on one grid of 1 cm voxels: empty, clutter (40 boxes), a wall with
one window, and a trap (a five-sided box around the start, open away from the target). Each way is
judged apart from both planners: it must begin at the start, end at the target, and no point of it,
sampled ten times per voxel, may lie in an occupied voxel.

Greedy descent is written from the paper (Huang et al. 2023, arXiv 2307.05973, section 3 and the
appendix on planning): cost = 2 normalised distance to the target + 1 normalised smoothed obstacles,
steps to the cheapest of the 26 neighbours until none is cheaper. It is judged twice: as it ends,
and with the target appended to it, as is done where it is used.

Usage: python benchmarks/value_map_vs_reference.py [--scenes 20] [--side 100] [--json]
Exit code 0 when all paths of the value-map planner are free; times are for people to read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from embodied_planners.value_map import Mover, ValueMapPlanner, VoxelGrid
from measuring import cpu_s
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy.ndimage import distance_transform_edt, gaussian_filter

from embodied.bench.report import table_of
from embodied.types import Array, MapOperation, Pose, Region, ValueMapStage

Mask = NDArray[np.bool_]

KINDS = ("empty", "clutter", "window", "trap")
SIGMA_VOXELS = 10.0
TARGET_WEIGHT, OBSTACLE_WEIGHT = 2.0, 1.0
MAX_STEPS = 300
THERE_VOXELS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Occupied voxels (n, n, n), their indices, and the voxels of start and target, (3,)."""

    occupied: Mask
    indices: NDArray[np.int64]
    start: NDArray[np.int64]
    target: NDArray[np.int64]


def make(kind: str, seed: int, side: int) -> Problem:
    """One scene; equal seeds give equal scenes."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    occupied = np.zeros((side,) * 3, np.bool_)
    unit = side / 100
    margin = max(3, round(6 * unit))
    start = np.array([margin, *rng.integers(margin, side - margin, 2)])
    target = np.array([side - 1 - margin, *rng.integers(margin, side - margin, 2)])
    if kind == "clutter":
        for _ in range(40):
            size = rng.integers(round(6 * unit), round(18 * unit), 3)
            corner = rng.integers(0, side, 3) - size // 2
            occupied[_box(corner, corner + size)] = True
    elif kind == "window":
        wall = side // 2 + int(rng.integers(-10, 10) * unit)
        size = rng.integers(round(8 * unit), round(14 * unit), 2)
        y, z = (int(rng.integers(margin, side - margin - s)) for s in size)
        occupied[wall : wall + max(2, round(3 * unit))] = True
        occupied[wall : wall + max(2, round(3 * unit)), y : y + size[0], z : z + size[1]] = False
    elif kind == "trap":
        thick = max(2, round(3 * unit))
        half = int(rng.integers(round(18 * unit), round(28 * unit)))
        back = int(rng.integers(round(58 * unit), round(66 * unit)))
        mouth = back - int(rng.integers(round(20 * unit), round(36 * unit)))
        middle = rng.integers(half + 4, side - half - 4, 2)
        low = np.array([mouth, *(middle - half)])
        high = np.array([back, *(middle + half)])
        occupied[_box(low, high)] = True
        inside = np.array([0, thick, thick])
        occupied[_box(low + inside, high - [thick, thick, thick])] = False
        start = np.array([mouth + (back - mouth) // 2, *middle])
        target = np.array([side - 1 - margin, *middle])
    for place in (start, target):
        occupied[_box(place - 3, place + 4)] = False
    return Problem(occupied=occupied, indices=np.argwhere(occupied), start=start, target=target)


def _box(low: Array, high: Array) -> tuple[slice, ...]:
    return tuple(slice(max(0, int(a)), max(0, int(b))) for a, b in zip(low, high, strict=True))


def free(problem: Problem, path: Array) -> bool:
    """Whether a way (n, 3) in voxel coordinates leads from start to target through free voxels."""
    if len(path) == 0:
        return False
    ends = [
        np.linalg.norm(path[0] - (problem.start + 0.5)),
        np.linalg.norm(path[-1] - (problem.target + 0.5)),
    ]
    if max(ends) > THERE_VOXELS:
        return False
    for a, b in zip(path[:-1], path[1:], strict=True):
        count = max(2, int(10 * np.linalg.norm(b - a)) + 1)
        index = np.floor(np.linspace(a, b, count)).astype(int)
        if np.any(index < 0) or np.any(index >= problem.occupied.shape):
            return False
        if np.any(problem.occupied[tuple(index.T)]):
            return False
    return True


def value_maps(side: int) -> Callable[[Problem], Array]:
    """The value-map planner, everything rasterised anew in every call."""
    grid = VoxelGrid(origin_in_world=np.zeros(3), resolution_m=0.01, shape=(side,) * 3)
    planner = ValueMapPlanner(grid, reach_m=0.06, prefer_m=0.05)
    mover = Mover.point(0.0101)

    def plan(problem: Problem) -> Array:
        place = grid.centre(problem.target)
        region = Region(shape="point", parameters=dict(zip("xyz", map(float, place), strict=True)))
        stage = ValueMapStage(
            moving="gripper",
            operations=(MapOperation(map="affordance", region=region, value=1.0),),
        )
        start = Pose(position=grid.centre(problem.start), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
        points = grid.centre(problem.indices)
        result = planner.plan(stage, {}, start, mover=mover, obstacle_points_in_world=points)
        return result.path_in_world / grid.resolution_m

    return plan


def greedy(problem: Problem) -> Array:
    """Greedy descent as the paper describes it; the way (n, 3) in voxel coordinates."""
    target = np.ones(problem.occupied.shape, np.bool_)
    target[tuple(problem.target)] = False
    away = _normalised(distance_transform_edt(target))
    smooth = _normalised(gaussian_filter(problem.occupied.astype(np.float64), SIGMA_VOXELS))
    cost = _normalised(TARGET_WEIGHT * away + OBSTACLE_WEIGHT * smooth)
    shape = np.array(cost.shape)
    here = problem.start.copy()
    path = [here.copy()]
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    steps = steps[np.any(steps != 0, axis=1)]
    for _ in range(MAX_STEPS):
        around = here + steps
        around = around[np.all((around >= 0) & (around < shape), axis=1)]
        values = cost[tuple(around.T)]
        best = int(np.argmin(values))
        if values[best] >= cost[tuple(here)]:
            break
        here = around[best]
        path.append(here.copy())
    return np.array(path) + 0.5


def _normalised(values: Array) -> Array:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def copy_ms(side: int) -> float:
    """Median CPU time of copying the grid once, ms: the unit that both are measured in."""
    grid, other = np.ones((side,) * 3, np.float32), np.empty((side,) * 3, np.float32)
    return 1e3 * cpu_s(lambda: np.copyto(other, grid), repeats=50)


def main() -> int:
    """Run all scenes; 0 when all were solved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20, help="of each kind")
    parser.add_argument("--side", type=int, default=100, help="voxels along each axis")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours = value_maps(options.side)
    ours(make("trap", 0, options.side))  # compiles once; cached afterwards
    rows: dict[str, dict[str, list[float]]] = {
        k: {"ours": [], "ours_ms": [], "greedy": [], "appended": [], "greedy_ms": []} for k in KINDS
    }
    wanted = [(kind, seed) for kind in KINDS for seed in range(options.scenes)]
    for kind, seed in track(wanted, "scenes", console=Console(stderr=True), transient=True):
        problem, row = make(kind, seed, options.side), rows[kind]
        for name, planner in (("ours", ours), ("greedy", greedy)):
            began = time.process_time()
            path = planner(problem)
            row[f"{name}_ms"].append(1e3 * (time.process_time() - began))
            row[name].append(free(problem, path))
        row["appended"].append(free(problem, np.vstack([path, problem.target[None] + 0.5])))
    copying = copy_ms(options.side)
    solved = int(sum(sum(r["ours"]) for r in rows.values()))
    total = len(KINDS) * options.scenes
    median = float(np.median([t for r in rows.values() for t in r["ours_ms"]]))
    theirs = float(np.median([t for r in rows.values() for t in r["greedy_ms"]]))
    result = {
        "side": options.side,
        "scenes": total,
        "solved": solved,
        "median_ms": round(median, 2),
        "greedy_median_ms": round(theirs, 2),
        "copy_ms": round(copying, 3),
        "copies": round(median / copying, 1),
        "greedy_copies": round(theirs / copying, 1),
        "kinds": {
            k: {
                "ours": int(sum(r["ours"])),
                "ours_median_ms": round(float(np.median(r["ours_ms"])), 2),
                "ours_worst_ms": round(float(np.max(r["ours_ms"])), 2),
                "greedy": int(sum(r["greedy"])),
                "greedy_with_target_appended": int(sum(r["appended"])),
                "greedy_median_ms": round(float(np.median(r["greedy_ms"])), 2),
            }
            for k, r in rows.items()
        },
    }
    print(json.dumps(result) if options.json else show(result, options.scenes))
    return 0 if solved == total else 1  # times are for people to read: machines are shared


def show(result: dict[str, Any], scenes: int) -> str:
    """The figures for a person."""
    columns = {
        "value maps": "ours",
        "median ms": "ours_median_ms",
        "worst ms": "ours_worst_ms",
        "greedy": "greedy",
        "target appended": "greedy_with_target_appended",
        "greedy ms": "greedy_median_ms",
    }
    rows = [{"scenes": kind, **row} for kind, row in result["kinds"].items()]
    return (
        f"paths with no occupied voxel, of {scenes} each; CPU time of one call\n\n"
        f"{table_of(rows, {'scenes': 'scenes', **columns})}\n"
        f"{result['solved']} of {result['scenes']} solved; median {result['median_ms']} ms, as "
        f"long as copying the grid {result['copies']} times ({result['copy_ms']} ms); greedy "
        f"descent {result['greedy_median_ms']} ms, {result['greedy_copies']} times"
    )


if __name__ == "__main__":
    sys.exit(main())
