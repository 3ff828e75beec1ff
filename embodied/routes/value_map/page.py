"""An interactive page of the value maps in a run folder: one file, no network, no library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources

import numpy as np
from embodied_planners.value_map import VoxelGrid
from numpy.typing import NDArray

from embodied.language.value_map import describe
from embodied.routes.value_map.stage_run import Snapshot
from embodied.types import Array, ValueMapProgram
from embodied.world.scene import COLORS

Mask = NDArray[np.bool_]

MOST_VOXELS = 7000


def page(grid: VoxelGrid, program: ValueMapProgram, snapshots: Sequence[Snapshot]) -> str:
    """The page as HTML.

    Args:
        grid: The grid of the maps.
        program: The program.
        snapshots: Maps of its stages.
    """
    data = {
        "program": describe(program),
        "lower": _rounded(grid.origin_in_world),
        "upper": _rounded(grid.upper_in_world),
        "resolution": grid.resolution_m,
        "stages": [_stage(grid, s) for s in snapshots],
    }
    template = resources.files("embodied.routes.value_map").joinpath("page.html").read_text("utf-8")
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return template.replace("/*DATA*/null", text)


def _stage(grid: VoxelGrid, snapshot: Snapshot) -> dict[str, object]:
    plan = snapshot.plan
    blocked = ~np.isfinite(snapshot.cost)
    blocked[:, :, :3] = False  # the table
    stride = max(1, len(snapshot.path) // 600)
    return {
        "name": f"stage {snapshot.stage + 1}",
        "blocked": _shell(grid, blocked),
        "avoided": _shell(grid, snapshot.avoidance > 0.6 * float(snapshot.avoidance.max() or 1.0)),
        "way": _rounded(plan.path_in_world) if plan is not None else [],
        "speeds": _rounded(plan.speeds_m_s) if plan is not None else [],
        "measured": _rounded(snapshot.path[::stride]),
        "measuredSpeeds": _rounded(snapshot.speed[::stride]),
        "things": [
            {
                "name": name,
                "shape": thing.shape,
                "size": _rounded(np.array(thing.size_m)),
                "position": _rounded(thing.pose.position),
                "rotation": _rounded(thing.pose.rotation),
                "color": _color(name),
            }
            for name, thing in snapshot.objects.items()
        ],
    }


def _color(name: str) -> str:
    """How a scene draws the colour word that a name begins with."""
    red, green, blue, _ = COLORS.get(name.split("-")[0], COLORS["wooden"])
    return "#" + "".join(f"{round(255 * v):02x}" for v in (red, green, blue))


def _shell(grid: VoxelGrid, mask: Mask) -> list[object]:
    """Centres of the voxels on the surface of a mask, thinned out evenly."""
    inner = mask.copy()
    for axis in range(3):
        for shift in (1, -1):
            inner &= np.roll(mask, shift, axis)
    index = np.argwhere(mask & ~inner)
    index = index[:: max(1, len(index) // MOST_VOXELS + (len(index) > MOST_VOXELS))]
    return _rounded(grid.centre(index)) if len(index) else []


def _rounded(values: Array) -> list[object]:
    return np.round(np.asarray(values, dtype=np.float64), 4).tolist()
