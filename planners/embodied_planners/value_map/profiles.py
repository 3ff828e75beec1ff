"""Speeds, orientations and gripper openings along a path, from the maps of a stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embodied.types import Array, MapOperation
from embodied_planners.value_map.regions import Volume

Regions = Sequence[tuple[MapOperation, Volume]]

SLOW_MARGIN_M = 0.01
"""Slow regions begin this much earlier, so that what is measured inside is slow already."""

TURN_STEP_RAD = 0.06

SPEED_SHARE = 0.96
"""Share of a speed that is asked for, so that what is measured stays below it."""


def speeds(path: Array, regions: Regions, default_m_s: float) -> Array:
    """Largest speed at each point of a way (n, 3); a later operation wins where they overlap."""
    result = np.full(len(path), default_m_s)
    for operation, region in regions:
        if operation.map == "velocity" and not isinstance(operation.value, tuple):
            value = SPEED_SHARE * operation.value
            margin = SLOW_MARGIN_M if value < default_m_s else 0.0
            result[region.contains(path, margin)] = value
    return result


def openings(path: Array, regions: Regions) -> Array:
    """Opening of the gripper at each point of a way, (n,); NaN where the map says nothing."""
    result = np.full(len(path), np.nan)
    for operation, region in regions:
        if operation.map == "gripper" and not isinstance(operation.value, tuple):
            result[region.contains(path, 1e-3)] = operation.value
    return result


def orientations(path: Array, regions: Regions, start_wxyz: Array, end_wxyz: Array | None) -> Array:
    """Orientation at each point of a way, (n, 4).

    Inside a region of the rotation map the orientation is that region's. In between it turns
    evenly, so that a region is entered with its orientation already taken.

    Args:
        path: (n, 3).
        regions: Operations with their volumes.
        start_wxyz: Orientation at the start.
        end_wxyz: Orientation at the end where the map says nothing there; None keeps the last one.
    """
    n = len(path)
    asked: list[Array | None] = [None] * n
    for operation, region in regions:
        if operation.map == "rotation" and isinstance(operation.value, tuple):
            value = np.array(operation.value)
            if not np.isclose(abs(value @ start_wxyz), 1.0):
                value = nearest_half_turn(value, np.asarray(start_wxyz))
            for i in np.flatnonzero(region.contains(path, 1e-3)):
                asked[i] = value
    if asked[-1] is None and end_wxyz is not None:
        asked[-1] = np.asarray(end_wxyz)
    if asked[0] is not None and n > 1:  # the turn itself takes place where the way begins
        asked[0] = None
    result = np.empty((n, 4))
    last, last_i = np.asarray(start_wxyz, dtype=np.float64), 0
    result[0] = last
    for i in range(1, n):
        value = asked[i]
        if value is None:
            continue
        for k in range(last_i + 1, i + 1):
            result[k] = slerp(last, value, (k - last_i) / (i - last_i))
        last, last_i = result[i], i
    result[last_i:] = last
    return result


def evenly_turned(path: Array, quats: Array) -> tuple[Array, Array]:
    """Insert samples wherever two neighbours are turned apart by more than ``TURN_STEP_RAD``."""
    places, turns = [path[0]], [quats[0]]
    for i in range(1, len(path)):
        cosine = min(1.0, abs(float(quats[i] @ quats[i - 1])))
        count = max(int(np.ceil(2 * np.arccos(cosine) / TURN_STEP_RAD)), 1)
        for k in range(1, count + 1):
            share = k / count
            places.append(path[i - 1] + share * (path[i] - path[i - 1]))
            turns.append(slerp(quats[i - 1], quats[i], share))
    return np.array(places), np.array(turns)


def nearest_half_turn(quat_wxyz: Array, like_wxyz: Array) -> Array:
    """The orientation or its half turn about the approach axis, whichever is nearer to another.

    A parallel gripper is the same after half a turn about its approach axis z.
    """
    turned = half_turned(quat_wxyz)
    same = abs(float(quat_wxyz @ like_wxyz)) >= abs(float(turned @ like_wxyz))
    return np.asarray(quat_wxyz) if same else turned


def half_turned(quat_wxyz: Array) -> Array:
    """An orientation after half a turn about its own z axis."""
    w, x, y, z = quat_wxyz
    return np.array([-z, y, -x, w])


def slerp(a: Array, b: Array, fraction: float) -> Array:
    """Quaternion on the shorter way from ``a`` to ``b``."""
    cosine = float(a @ b)
    if cosine < 0:
        b, cosine = -b, -cosine
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < 1e-6:
        return b if fraction >= 1.0 else a
    weight = np.sin([(1 - fraction) * angle, fraction * angle]) / np.sin(angle)
    return weight[0] * a + weight[1] * b
