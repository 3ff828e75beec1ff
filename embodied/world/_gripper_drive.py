# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A gripper in a MuJoCo model: how its gap is driven and measured."""

from __future__ import annotations

import mujoco
import numpy as np

from embodied.types import GripperState
from embodied.world.robots import Gripper

RESUME_FORCE_N = 30.0
"""Force on what is between the fingers when a recorded configuration is taken up again."""


class GripperDrive:
    """Moves the gap between the pads at limited speed and force, and measures it.

    The actuator's control is a length l, the sum of the finger joints' positions times their
    signs; the gap g(l) is l itself for slides, a table for hinges, and a force F between the pads
    takes F dg/dl of the actuator.
    """

    def __init__(self, model: mujoco.MjModel, gripper: Gripper) -> None:
        self.gripper = gripper
        self.actuator = model.actuator(gripper.actuator).id
        joints = [model.joint(j) for j in gripper.joints]
        self.qpos = np.array([int(j.qposadr[0]) for j in joints])
        self.dof = np.array([int(j.dofadr[0]) for j in joints])
        self.pads = [int(model.geom(p).id) for p in gripper.pads]
        self.signs = np.array(gripper.signs)
        self.plain = not gripper.spec.gaps_m
        self.gaps, self.lengths = gripper.travel
        self._step_m = gripper.speed_m_s * float(model.opt.timestep)
        self.kp = float(model.actuator_gainprm[self.actuator, 0])
        self.target = gripper.spec.max_width_m
        self.force = 20.0
        self.set_point = self.target

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Open, at rest."""
        self.target = self.set_point = self.gripper.spec.max_width_m
        self.force = 20.0
        data.qpos[self.qpos] = self.gripper.spec.joint_positions(self.target)
        data.ctrl[self.actuator] = self._length(self.target)
        self._limit(model, data)

    def resume(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Keep the gap that is measured; close on what touches both pads."""
        self.set_point = self.target = self._gap(data)
        self.force = RESUME_FORCE_N
        pairs = data.contact.geom if data.ncon else np.zeros((0, 2), dtype=int)
        if all(np.any(pairs == pad) for pad in self.pads):
            self.target = 0.0
        data.ctrl[self.actuator] = self._length(self.set_point)
        self._limit(model, data)

    def told(
        self, model: mujoco.MjModel, data: mujoco.MjData, width: float | None, force: float
    ) -> None:
        """Take over a command: gap, m, None for the one before, and force, N."""
        if width is not None:
            self.target = width
            self.force = force
        self._limit(model, data)

    def drive(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """One physics step: the set-point moves towards the target, or squeezes."""
        gap = self._gap(data)
        step = self._step_m
        # Closing aims beyond the target by what the force needs, so that an object which is as
        # wide as the target is squeezed; the range of the fingers keeps the gap above zero.
        squeeze = 1.2 * self.force / self.kp
        if not self.plain:
            squeeze *= self._lever(gap) ** 2
        target = self.target - squeeze if self.target < gap - 1e-4 else self.target
        moved = min(max(target, self.set_point - step), self.set_point + step)
        # The set-point never runs farther ahead of the gap than full force needs.
        self.set_point = min(max(moved, gap - squeeze), gap + squeeze)
        data.ctrl[self.actuator] = self._length(self.set_point)

    def measure(self, model: mujoco.MjModel, data: mujoco.MjData) -> GripperState:
        """Gap, its rate, and the smaller of the forces on the pads."""
        gap = self._gap(data)
        rate = float(self.signs.dot(data.qvel[self.dof]))
        return GripperState(
            width_m=max(0.0, gap),
            speed_m_s=rate * self._lever(gap),
            force_n=min(_forces(model, data, self.pads)),
        )

    def _gap(self, data: mujoco.MjData) -> float:
        length = float(self.signs.dot(data.qpos[self.qpos]))
        return length if self.plain else _along(length, self.lengths, self.gaps)

    def _length(self, gap: float) -> float:
        return gap if self.plain else _along(gap, self.gaps, self.lengths)

    def _lever(self, gap: float) -> float:
        """Change of the gap for a unit of the actuator's length."""
        if self.plain:
            return 1.0
        i = int(np.clip(np.searchsorted(self.gaps, gap), 1, len(self.gaps) - 1))
        return float((self.gaps[i] - self.gaps[i - 1]) / (self.lengths[i] - self.lengths[i - 1]))

    def _limit(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        force = self.force * self._lever(self._gap(data))
        model.actuator_forcerange[self.actuator] = (-force, force)


class SuctionDrive:
    """Switches a suction cup (MuJoCo's adhesion actuator) and measures what it touches.

    The gap that it reports goes to 0 at the tool's speed while the pump runs.
    """

    def __init__(self, model: mujoco.MjModel, gripper: Gripper) -> None:
        self.gripper = gripper
        self.actuator = model.actuator(gripper.actuator).id
        self.pads = [int(model.geom(p).id) for p in gripper.pads]
        self.target = self.set_point = gripper.spec.max_width_m
        self.force = gripper.spec.max_force_n

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Off."""
        self.target = self.set_point = self.gripper.spec.max_width_m
        data.ctrl[self.actuator] = 0.0

    def resume(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """On where the cup touches something."""
        touches = bool(data.ncon) and bool(np.isin(data.contact.geom, self.pads).any())
        self.target = self.set_point = 0.0 if touches else self.gripper.spec.max_width_m

    def told(
        self, model: mujoco.MjModel, data: mujoco.MjData, width: float | None, force: float
    ) -> None:
        """Take over a command: on below half of the widest gap."""
        if width is not None:
            on = width < 0.5 * self.gripper.spec.max_width_m
            self.target = 0.0 if on else self.gripper.spec.max_width_m

    def drive(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """One physics step."""
        step = self.gripper.speed_m_s * model.opt.timestep
        self.set_point = min(max(self.target, self.set_point - step), self.set_point + step)
        data.ctrl[self.actuator] = float(self.target == 0.0)

    def measure(self, model: mujoco.MjModel, data: mujoco.MjData) -> GripperState:
        """Force between the cup and what it touches."""
        return GripperState(
            width_m=self.set_point, speed_m_s=0.0, force_n=sum(_forces(model, data, self.pads))
        )


def drive_of(model: mujoco.MjModel, gripper: Gripper) -> GripperDrive | SuctionDrive:
    """The drive of a gripper."""
    kind = SuctionDrive if gripper.spec.kind == "suction" else GripperDrive
    return kind(model, gripper)


def _along(value: float, known: np.ndarray, wanted: np.ndarray) -> float:
    """Linear interpolation in a table, continued beyond its ends."""
    if known[0] <= value <= known[-1]:
        return float(np.interp(value, known, wanted))
    i = 1 if value < known[0] else len(known) - 1
    slope = (wanted[i] - wanted[i - 1]) / (known[i] - known[i - 1])
    return float(wanted[i] + slope * (value - known[i]))


def _forces(model: mujoco.MjModel, data: mujoco.MjData, pads: list[int]) -> list[float]:
    """Normal force on each pad, N."""
    forces = dict.fromkeys(pads, 0.0)
    wrench = np.zeros(6)
    if not data.ncon:
        return list(forces.values())
    geoms = data.contact.geom
    on = {pad: (geoms == pad).any(axis=1) for pad in forces}
    for i in np.logical_or.reduce(list(on.values())).nonzero()[0]:
        mujoco.mj_contactForce(model, data, int(i), wrench)
        for pad in pads:
            if on[pad][i]:
                forces[pad] += float(wrench[0])
    return list(forces.values())
