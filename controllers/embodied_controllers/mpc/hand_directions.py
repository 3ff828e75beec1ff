"""Directions of search in which a hand moves straight or turns on the spot.

Noise on single joints hardly ever adds up to a straight line: a hand on the table that holds two
things finds no way up, because nearly every sample drags or tilts them. So a share of the samples
moves the hand along straight lines, far or a little, and another turns it about its grasp centre,
through the damped inverse of the Jacobian at the present configuration; fingers stay as planned.
"""

# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array

DAMPING = 1e-4
SHIFT_M = 0.05  # standard deviation of a shift along each world axis
TURN_RAD = 0.15  # standard deviation of a turn about each world axis
FINE = 0.2
"""Size of the fine shifts, by which a hand leaves a table that it presses on."""


class HandDirections:
    """Joint motions that shift or turn a site of the model.

    Args:
        model: Model with a position actuator on each of the joints.
        site: The hand's grasp centre.
        joints: Joints of the arm.
    """

    def __init__(self, model: mujoco.MjModel, site: str, joints: Sequence[str]) -> None:
        self._model, self._data = model, mujoco.MjData(model)
        self._site = model.site(site).id
        self._dofs = [int(model.joint(name).dofadr[0]) for name in joints]
        on_joint = model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT
        driven = {int(model.actuator_trnid[i, 0]): int(i) for i in np.flatnonzero(on_joint)}
        self._actuators = [driven[int(model.joint(name).id)] for name in joints]
        self._jacobian = np.zeros((6, model.nv))

    def __call__(self, state: Array) -> tuple[Array, Array, Array]:
        """Bases (nu, 3) of shifts, turns and fine shifts at a full physics state (nstate,)."""
        model, data = self._model, self._data
        data.qpos[:] = state[1 : 1 + model.nq]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_jacSite(model, data, self._jacobian[:3], self._jacobian[3:], self._site)
        jacobian = self._jacobian[:, self._dofs]
        inverse = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T + DAMPING * np.eye(6))
        shift, turn = np.zeros((model.nu, 3)), np.zeros((model.nu, 3))
        shift[self._actuators] = inverse[:, :3] * SHIFT_M
        turn[self._actuators] = inverse[:, 3:] * TURN_RAD
        return shift, turn, FINE * shift
