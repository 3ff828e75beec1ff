# pyright: reportAttributeAccessIssue=false
"""What an arm takes things with: two jaws or three fingers.

Closure is the share of closing that the fingers are told: 0 is open, 1 is shut and squeezing. What
the fingers hold is held by contact and friction alone; nothing here attaches anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tool:
    """Fingers at the end of an arm.

    Attributes:
        site: Site between the fingers: z along the approach, y along the closing direction.
        joints: The arm's joints; each has a position actuator of its own.
        home: Their rest configuration, (n,), rad.
        dq_max: Their speed limits, (n,), rad/s.
        actuators: Indices of the actuators that close it.
        open: Their controls when open, (k,).
        closed: Their controls when shut and squeezing, (k,).
        shut: Closure at which empty fingers meet.
        gap_m: Gap between the fingers when open.
        below_m: How far the fingers reach beyond the site along the approach.
        above_m: Free length of the fingers, from the site to what they are mounted on.
        thickness_m: Size of a finger along the closing direction.
        half_width_m: Half of a finger's size across it.
        mount_m: Half extents of what the fingers are mounted on, across and along closing.
    """

    site: str
    joints: tuple[str, ...]
    home: Array
    dq_max: Array
    actuators: tuple[int, ...]
    open: Array
    closed: Array
    shut: float
    gap_m: float
    below_m: float
    above_m: float
    thickness_m: float
    half_width_m: float
    mount_m: tuple[float, float]

    def controls(self, closure: Array) -> Array:
        """Controls (..., k) of shares of closing (...)."""
        return self.open + np.clip(closure, 0.0, 1.0)[..., None] * (self.closed - self.open)

    def closure(self, gap_m: float) -> float:
        """The share of closing at which empty fingers are a gap apart."""
        return self.shut * (1.0 - min(max(gap_m / self.gap_m, 0.0), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingers:
    """Sizes of the fingers of a model, measured at its open hand.

    Attributes:
        below_m: How far they reach beyond the site along the approach.
        above_m: Free length, from the site to what they are mounted on.
        outer_m: Distance of their outer sides from the site along the closing direction.
        half_width_m: Half of their extent across it.
        mount_m: Half extents of what they are mounted on, across and along closing.
    """

    below_m: float
    above_m: float
    outer_m: float
    half_width_m: float
    mount_m: tuple[float, float]


def measured(
    model: mujoco.MjModel, data: mujoco.MjData, site: str, joints: Iterable[str]
) -> Fingers:
    """Sizes of the fingers on these joints, in a state whose kinematics are done."""
    roots = [int(model.joint(name).bodyid[0]) for name in joints]
    mount = int(model.body_parentid[roots[0]])
    fingers = [b for b in range(model.nbody) if _below(model, b, roots)]
    frame = data.site(site)
    low, high = _extents(model, data, fingers, frame)
    mount_low, mount_high = _extents(model, data, [mount], frame)
    return Fingers(
        below_m=float(high[2]),
        above_m=float(-mount_high[2]),
        outer_m=float(max(-low[1], high[1])),
        half_width_m=float(max(-low[0], high[0])),
        mount_m=(
            float(max(-mount_low[0], mount_high[0])),
            float(max(-mount_low[1], mount_high[1])),
        ),
    )


def _below(model: mujoco.MjModel, body: int, roots: list[int]) -> bool:
    while body:
        if body in roots:
            return True
        body = int(model.body_parentid[body])
    return False


def _extents(
    model: mujoco.MjModel, data: mujoco.MjData, bodies: list[int], frame: mujoco.MjData
) -> tuple[Array, Array]:
    """Lower and upper corner (3,) of the touching geoms of bodies, in a site's frame."""
    rotation = np.array(frame.xmat).reshape(3, 3)
    corners: list[Array] = []
    for geom in np.flatnonzero(np.isin(model.geom_bodyid, bodies) & (model.geom_contype != 0)):
        box = model.geom_aabb[geom]
        signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T
        points = box[:3] + signs * box[3:]
        turned = data.geom_xmat[geom].reshape(3, 3)
        corners.append((data.geom_xpos[geom] + points @ turned.T - frame.xpos) @ rotation)
    stacked = np.concatenate(corners)
    return stacked.min(axis=0), stacked.max(axis=0)
