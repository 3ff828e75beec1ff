# pyright: reportAttributeAccessIssue=false
"""What stands on a table, seen from above: rectangles and circles with a height."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array

if TYPE_CHECKING:
    from embodied_controllers.mpc.tabletop import TabletopLayout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Obstacle:
    """A footprint with a height.

    Attributes:
        centre: (2,), m.
        half: Half extents along its own axes, (2,), m; the radius twice where ``round``.
        yaw: Rotation about z, rad.
        round: Whether it is a circle.
        top_m: Height of its top.
        fixed: Whether it stands fast.
    """

    centre: Array
    half: Array
    yaw: float
    round: bool
    top_m: float
    fixed: bool

    def distance(self, point: Array) -> float:
        """Distance from a point (2,) to the footprint, m; negative inside."""
        return float(self.distances(point[None])[0])

    def distances(self, points: Array) -> Array:
        """The same for points (..., 2)."""
        offset = points - self.centre
        if self.round:
            return np.asarray(np.hypot(offset[..., 0], offset[..., 1]) - self.half[0])
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        turned = np.array([[c, -s], [s, c]])
        out = np.abs(offset @ turned) - self.half
        beyond = np.linalg.norm(np.maximum(out, 0.0), axis=-1)
        return np.asarray(beyond + np.minimum(out.max(axis=-1), 0.0))


def obstacles_of(
    layout: TabletopLayout, data: mujoco.MjData, without: Collection[str]
) -> list[Obstacle]:
    """All that stands on the table in a state whose kinematics are done, but for some."""
    found = [
        _boxed(data, name, np.array(solid.spec.size_m) / 2, solid.spec.shape, solid.spec.kind)
        for name, solid in layout.solids.items()
        if name not in without and solid.floor_m + data.body(name).xpos[2] > 0.001
    ]
    for name, half in layout.cabinets.items():
        found.append(_boxed(data, name, half, "box", "drawer"))
    return found


def _boxed(data: mujoco.MjData, name: str, half: Array, shape: str, kind: str) -> Obstacle:
    body = data.body(name)
    rotation = body.xmat.reshape(3, 3)
    standing = abs(rotation[2, 2]) > 0.9
    extents = np.abs(rotation) @ half
    return Obstacle(
        centre=np.array(body.xpos[:2]),
        half=np.array(half[:2]) if standing else extents[:2],
        yaw=float(np.arctan2(rotation[1, 0], rotation[0, 0])) if standing else 0.0,
        round=shape == "sphere" or (shape == "cylinder" and standing),
        top_m=float(body.xpos[2] + (half[0] if shape == "sphere" else extents[2])),
        fixed=kind != "item",
    )
