"""Turns of the hand from where it is, as orientations that the rotation map can hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from embodied.types import MapOperation, Pose, Region, ValueMapStage

STEP_RAD = math.pi / 4
"""A parallel gripper looks the same after half a turn, and takes the nearer one: so large turns go
in steps, each of them clearly nearer the way that was asked for."""


def in_steps(stage: ValueMapStage, hand_in_world: Pose) -> tuple[ValueMapStage, ...]:
    """The stage with its turns as orientations, from how the hand is; itself if it has none."""
    turns = [float(o.value) for o in stage.operations if _is_turn(o)]  # type: ignore[arg-type]
    if not turns:
        return (stage,)
    count = max(math.ceil(abs(sum(turns)) / STEP_RAD - 1e-9), 1)
    quats = [_turned(hand_in_world, sum(turns) * k / count) for k in range(1, count + 1)]
    rotations = [
        MapOperation(map="rotation", region=Region(shape="box"), value=quat) for quat in quats
    ]
    kept = tuple(o for o in stage.operations if not _is_turn(o))
    speeds = tuple(o for o in kept if o.map == "velocity")
    return (
        *(replace(stage, operations=(r, *speeds), until=None) for r in rotations[:-1]),
        replace(stage, operations=(*kept, rotations[-1])),
    )


def _is_turn(operation: MapOperation) -> bool:
    return operation.map == "turn"


def _turned(hand: Pose, angle_rad: float) -> tuple[float, float, float, float]:
    """Orientation (wxyz) of the hand after a turn about the vertical."""
    half = angle_rad / 2
    about = Pose(
        position=np.zeros(3), quat_wxyz=np.array([math.cos(half), 0.0, 0.0, math.sin(half)])
    )
    w, x, y, z = (float(v) for v in (about @ hand).quat_wxyz)
    return (w, x, y, z)
