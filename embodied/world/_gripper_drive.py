# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A parallel gripper in a MuJoCo model: how its gap is driven and measured."""

from __future__ import annotations

import mujoco
import numpy as np

from embodied.types import GripperState
from embodied.world.robots import Gripper

RESUME_FORCE_N = 30.0
"""Force on what is between the fingers when a recorded configuration is taken up again."""


class GripperDrive:
    """Moves the gap between the pads at limited speed and force, and measures it."""

    def __init__(self, model: mujoco.MjModel, gripper: Gripper) -> None:
        self.gripper = gripper
        self.actuator = model.actuator(gripper.actuator).id
        self.kp = float(model.actuator_gainprm[self.actuator, 0])
        joints = [model.joint(j) for j in gripper.joints]
        self.qpos = np.array([int(j.qposadr[0]) for j in joints])
        self.dof = np.array([int(j.dofadr[0]) for j in joints])
        self.pads = [int(model.geom(p).id) for p in gripper.pads]
        self.target = gripper.spec.max_width_m
        self.force = 20.0
        self.set_point = self.target

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Open, at rest."""
        self.target = self.set_point = self.gripper.spec.max_width_m
        self.force = 20.0
        data.qpos[self.qpos] = self.target / len(self.qpos)
        data.ctrl[self.actuator] = self.target
        model.actuator_forcerange[self.actuator] = (-self.force, self.force)

    def resume(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Keep the gap that is measured; close on what touches both pads."""
        self.set_point = self.target = float(data.qpos[self.qpos].sum())
        self.force = RESUME_FORCE_N
        pairs = data.contact.geom if data.ncon else np.zeros((0, 2), dtype=int)
        if all(np.any(pairs == pad) for pad in self.pads):
            self.target = 0.0
        data.ctrl[self.actuator] = self.set_point
        model.actuator_forcerange[self.actuator] = (-self.force, self.force)

    def told(self, model: mujoco.MjModel, width: float | None, force: float) -> None:
        """Take over a command: gap, m, None for the one before, and force, N."""
        if width is not None:
            self.target = width
            self.force = force
        model.actuator_forcerange[self.actuator] = (-self.force, self.force)

    def drive(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """One physics step: the set-point moves towards the target, or squeezes."""
        gap = float(data.qpos[self.qpos].sum())
        step = self.gripper.speed_m_s * model.opt.timestep
        # Closing aims beyond the target by what the force needs, so that an object which is as
        # wide as the target is squeezed; the range of the fingers keeps the gap above zero.
        squeeze = 1.2 * self.force / self.kp
        target = self.target - squeeze if self.target < gap - 1e-4 else self.target
        moved = min(max(target, self.set_point - step), self.set_point + step)
        # The set-point never runs farther ahead of the gap than full force needs.
        self.set_point = min(max(moved, gap - squeeze), gap + squeeze)
        data.ctrl[self.actuator] = self.set_point

    def measure(self, model: mujoco.MjModel, data: mujoco.MjData) -> GripperState:
        """Gap, its rate, and the smaller of the forces on the pads."""
        forces = dict.fromkeys(self.pads, 0.0)
        wrench = np.zeros(6)
        geoms = data.contact.geom
        touching = np.flatnonzero(np.isin(geoms, self.pads).any(axis=1)) if data.ncon else ()
        for i in touching:
            mujoco.mj_contactForce(model, data, int(i), wrench)
            for pad in self.pads:
                if pad in geoms[i]:
                    forces[pad] += float(wrench[0])
        return GripperState(
            width_m=max(0.0, float(data.qpos[self.qpos].sum())),
            speed_m_s=float(data.qvel[self.dof].sum()),
            force_n=min(forces.values()),
        )
