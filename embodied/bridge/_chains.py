# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Bounds on the motion of links, and on the approach to a singularity, when joints turn.

A point p moved by joint i (axis z_i through o_i) has the velocity ``z_i x (p - o_i)`` per rad/s: as
long as its distance from the axis. That distance depends on the joints in between, but never
exceeds the one of the next joint's origin plus the lengths of the links that follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from embodied.types import Array


class Chains:
    """The joints that move each body of a model.

    Args:
        model: The model.
        data: Its kinematics at any configuration.
        joints: Names of the revolute joints of interest.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, joints: Sequence[str]) -> None:
        self._model = model
        self._data = data
        self._joints = [int(model.joint(name).id) for name in joints]

    def reach(self, body: int, at: Array, radius_m: float) -> Array:
        """How far from each joint's axis a ball fixed to a body can be, (n,), m; 0 if unmoved.

        Args:
            body: The body.
            at: Centre of the ball in the world at the configuration of ``data``, (3,), m.
            radius_m: Its radius.
        """
        reach = np.zeros(len(self._joints))
        beyond, end = radius_m, np.array(at)
        for joint in self._moving(body):
            if int(self._model.jnt_type[joint]) == mujoco.mjtJoint.mjJNT_SLIDE:
                beyond += float(np.abs(self._model.jnt_range[joint]).max())
                continue
            anchor, axis = self._data.xanchor[joint], self._data.xaxis[joint]
            away = end - anchor
            if joint in self._joints:
                off_axis = float(np.linalg.norm(away - axis * (axis @ away)))
                reach[self._joints.index(joint)] = off_axis + beyond
            beyond += float(np.linalg.norm(away))
            end = anchor.copy()
        return reach

    def reach_of_parts(self) -> Array:
        """How far from each joint's axis any part that it moves can be, (n,), m."""
        model, data = self._model, self._data
        farthest = np.zeros(len(self._joints))
        for geom in range(model.ngeom):
            body, radius = int(model.geom_bodyid[geom]), float(model.geom_rbound[geom])
            np.maximum(farthest, self.reach(body, data.geom_xpos[geom], radius), out=farthest)
        return farthest

    def _moving(self, body: int) -> list[int]:
        """Joints that move a body, the nearest first."""
        joints: list[int] = []
        while body != 0:
            first = int(self._model.body_jntadr[body])
            count = int(self._model.body_jntnum[body])
            joints += reversed(range(first, first + count))
            body = int(self._model.body_parentid[body])
        return joints


def singular_slope(reach_m: Array) -> Array:
    """How much any singular value of a Jacobian changes at most per rad of each joint, (n,).

    Singular values change by no more than the Jacobian does, in the Frobenius norm. While joint j
    turns, columns up to j change by at most the reach of j, and those beyond turn with it. Seen
    from a frame that turns along, which has the same singular values, it is the columns before j
    that change, each by at most the sum of both reaches and, in its rotational part, by 1.

    Args:
        reach_m: How far the end effector can be from each axis, (n,), m.
    """
    slope = np.zeros(len(reach_m))
    for j, reach in enumerate(reach_m):
        before, beyond = reach_m[:j], reach_m[j + 1 :]
        fixed = (j + 1) * reach**2 + np.sum(1.0 + beyond**2)
        along = np.sum((before + reach) ** 2 + 1.0)
        slope[j] = np.sqrt(min(fixed, along))
    return slope
