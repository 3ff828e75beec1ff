"""Whether cameras agree with each other and with the table that the scene file describes.

Points p_i of a camera with signed distances d_i to the table's top and to the objects as all
cameras together show them, along normals n_i, are explained by a small motion of the camera,
translation v and rotation w (Gauss-Markov, with a prior on both)::

    min over v, w of  sum_i rho(d_i - n_i . (v + w x p_i)) + |v|^2 / s_v^2 + |w|^2 / s_w^2

The table fixes height and tilt, the sides of objects the rest. How far two cameras' motions carry
one place apart is what they disagree by there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from embodied.perception import shapes
from embodied.perception.types import PerceivedObject
from embodied.types import Array, ObjectSpec

MOST_M = 0.003
"""Cameras that disagree by more are not to be trusted."""

_BAND_M = 0.025
_SHIFT_STD_M, _TURN_STD_RAD = 0.02, 0.03
_POINT_STD_M = 0.002
_CORRELATION = 200.0
"""Errors of neighbouring pixels are not independent: one in so many counts."""

_CUTOFF_M, _LAST_CUTOFF_M = 0.02, 0.006
_ITERATIONS = 5
_TABLE_POINTS, _OBJECT_POINTS = 2000, 600
_FEWEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two views of one place.

    Attributes:
        what: Place: an object, or the table.
        cameras: Who disagrees: two cameras, or a camera and the scene file.
        distance_m: By how much.
        most_m: How much is allowed; another figure than ``MOST_M`` for what may have been moved.
    """

    what: str
    cameras: tuple[str, str]
    distance_m: float
    most_m: float = MOST_M

    def __str__(self) -> str:
        one, other = self.cameras
        if self.most_m != MOST_M:
            return f"{self.what} is {1000 * self.distance_m:.0f} mm from where {other} has it"
        return f"{one} and {other} disagree by {1000 * self.distance_m:.1f} mm at {self.what}"


def disagreements(
    points: Mapping[str, Array],
    objects: Mapping[str, PerceivedObject],
    specs: Mapping[str, ObjectSpec],
    *,
    table_height_m: float,
) -> tuple[Disagreement, ...]:
    """The largest disagreement of each pair of cameras, and of each with the table; any size.

    Args:
        points: Points of each camera in the workspace without the robot, (n, 3), world frame, m.
        objects: The objects as all views together show them.
        specs: Their shapes.
        table_height_m: Height of the table's top in the scene file.
    """
    table_m = table_height_m
    seen = {n: o for n, o in objects.items() if o.seen and specs[n].kind == "item"}
    motions: dict[str, Array] = {}
    for name, mine in points.items():
        motion = _motion(mine, objects, specs, table_m)
        if motion is not None:
            motions[name] = motion
    found: list[Disagreement] = []
    for name, motion in motions.items():
        at = points[name][np.abs(points[name][:, 2] - table_m) < _BAND_M]
        lifted = np.abs(motion[2] + motion[3] * at[:, 1] - motion[4] * at[:, 0])
        off = float(np.quantile(lifted, 0.98))
        found.append(
            Disagreement(what="the table", cameras=(name, "the scene file"), distance_m=off)
        )
    for one, other in itertools.combinations(motions, 2):
        apart = {
            n: float(np.linalg.norm(_moved(motions[one] - motions[other], o.pose.position)))
            for n, o in seen.items()
        }
        if apart:
            worst = max(apart, key=lambda n: apart[n])
            found.append(Disagreement(what=worst, cameras=(one, other), distance_m=apart[worst]))
    return tuple(sorted(found, key=lambda d: -d.distance_m))


def _moved(motion: Array, place: Array) -> Array:
    return motion[:3] + np.cross(motion[3:], place)


def _motion(
    points: Array,
    objects: Mapping[str, PerceivedObject],
    specs: Mapping[str, ObjectSpec],
    table_m: float,
) -> Array | None:
    """Translation and rotation vector (6,) that carry the surfaces to where a camera has them."""
    places, normals, distances = [np.empty((0, 3))], [np.empty((0, 3))], [np.empty(0)]
    on_table = np.abs(points[:, 2] - table_m) < _BAND_M
    for name, one in objects.items():
        spec, pose = specs[name], one.pose
        reach = 0.5 * float(np.linalg.norm(spec.size_m)) + _BAND_M
        near = shapes.in_cube(points, pose.position, reach)
        on_table[near] = False
        if spec.kind != "item" or not one.seen:
            continue
        near = near[points[near, 2] > table_m + 0.008]
        near = near[:: max(1, len(near) // _OBJECT_POINTS)]
        distance, normal = shapes.signed_distance(
            spec, (points[near] - pose.position) @ pose.rotation
        )
        close = np.abs(distance) < _CUTOFF_M
        places.append(points[near[close]])
        normals.append(normal[close] @ pose.rotation.T)
        distances.append(distance[close])
    flat = np.flatnonzero(on_table)
    flat = flat[:: max(1, len(flat) // _TABLE_POINTS)]
    places.append(points[flat])
    normals.append(np.tile([0.0, 0.0, 1.0], (len(flat), 1)))
    distances.append(points[flat, 2] - table_m)
    p, n, d = np.concatenate(places), np.concatenate(normals), np.concatenate(distances)
    if len(flat) < _FEWEST:
        return None
    jacobian = np.concatenate([n, np.cross(p, n)], axis=1)
    prior = np.diag(np.array([_SHIFT_STD_M] * 3 + [_TURN_STD_RAD] * 3) ** -2.0)
    weight = 1.0 / (_POINT_STD_M**2 * _CORRELATION)
    motion = np.zeros(6)
    for cutoff in np.geomspace(_CUTOFF_M, _LAST_CUTOFF_M, _ITERATIONS):
        left = d - jacobian @ motion
        rho = np.maximum(0.0, 1.0 - (left / cutoff) ** 2) ** 2 * weight
        weighted = jacobian * rho[:, None]
        motion = np.linalg.solve(weighted.T @ jacobian + prior, weighted.T @ d)
    return motion
