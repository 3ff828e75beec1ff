"""The Panda of ``pybullet_data`` with its hand: motors with torque limits, and measurements."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from embodied.errors import WorldError
from embodied.types import Array, Pose, WorldSpec
from embodied.world._bullet import add_shape, panda_folder, share_of_friction
from embodied.world.builder import PHYSICS_DT_S
from embodied.world.panda import finger_boxes
from embodied.world.quaternions import wxyz_from_xyzw

EE_IN_HAND_M = 0.1034
"""From the hand's flange to the point between the pads, as the maker states it."""

FINGER_SPEED_M_S = 0.05
"""Of one finger; the gap changes twice as fast."""

POSITION_GAIN = 0.1
"""Share of a joint's error that its motor wants to remove in one physics step."""

LINK_FRICTION = 0.6
PAD_FRICTION_ON_ITEM = 1.2
ITEM_FRICTION = 0.6
"""Rubber pads on the usual item: the product of both shares gives the pads' coefficient."""

PAD_TORSION_M = 0.02
PAD_STIFFNESS_N_M = 1e5
PAD_DAMPING_N_S_M = 1e3
_SQUEEZE_M = 0.002
_BELT_FORCE_N = 200.0


def panda_urdf() -> str:
    """The Panda that PyBullet ships, with boxes for fingers and without their friction anchors.

    Anchors keep contact points from creeping, but they also keep points whose normals have turned
    round meanwhile: an opening finger then holds on to what it should let go. Without them a grasp
    is Coulomb friction and nothing else.
    """
    source = panda_folder()
    root = ElementTree.fromstring((source / "panda.urdf").read_text("utf-8"))
    for mesh in root.iter("mesh"):
        file = mesh.get("filename", "").removeprefix("package://")
        mesh.set("filename", str(source / file))
    for link in root.iter("link"):
        side = {"panda_leftfinger": 1, "panda_rightfinger": -1}.get(link.get("name", ""))
        if side is None:
            continue
        for unwanted in (*link.findall("contact"), *link.findall("collision")):
            link.remove(unwanted)
        for centre, extents in finger_boxes(side):
            add_shape(link, "collision", "box", extents, centre)
    return ElementTree.tostring(root, encoding="unicode")


class PandaArm:
    """The arm in one simulation; made anew with each.

    Args:
        client: The PyBullet server.
        spec: Limits and rest configuration.

    Raises:
        WorldError: The model that PyBullet ships is not the one this was written for.
    """

    def __init__(self, client: Any, spec: WorldSpec) -> None:
        assert spec.gripper is not None
        self._client = client
        self._spec = spec
        self._max_width_m = spec.gripper.max_width_m
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "panda.urdf"
            path.write_text(panda_urdf(), "utf-8")
            self._body = client.loadURDF(str(path), useFixedBase=True)
        index = {
            client.getJointInfo(self._body, i)[1].decode(): i
            for i in range(client.getNumJoints(self._body))
        }
        try:
            self._joints = [index[f"panda_joint{k}"] for k in range(1, 8)]
            self._fingers = [index[f"panda_finger_joint{k}"] for k in (1, 2)]
            self._hand = index["panda_hand_joint"]
        except KeyError as error:
            raise WorldError(f"the Panda of pybullet_data has lost its joint {error}") from error
        self._set_surfaces()
        self._couple_fingers()
        self._target_m = self._set_point_m = self._max_width_m
        self._force_n = 20.0

    # ------------------------------------------------------------------ driving

    def reset(self, q: Array) -> None:
        """Put the arm at ``q`` (7,) with the fingers open, at rest."""
        for joint, value in zip(self._joints, q, strict=True):
            self._client.resetJointState(self._body, joint, float(value))
        for finger in self._fingers:
            self._client.resetJointState(self._body, finger, self._max_width_m / 2)
        self._target_m = self._set_point_m = self._max_width_m
        self._force_n = 20.0

    def told(self, width_m: float | None, force_n: float) -> None:
        """Take over a command to the gripper; None leaves it as it was told before."""
        if width_m is not None:
            self._target_m = width_m
            self._force_n = force_n

    def drive(self, q: Array, dq: Array) -> None:
        """Set all motors for the next physics step; q and dq are (7,)."""
        client = self._client
        client.setJointMotorControlArray(
            self._body,
            self._joints,
            client.POSITION_CONTROL,
            targetPositions=q.tolist(),
            targetVelocities=dq.tolist(),
            forces=self._spec.tau_max.tolist(),
            positionGains=[POSITION_GAIN] * len(self._joints),
            velocityGains=[1.0] * len(self._joints),
        )
        self._drive_fingers()

    def _drive_fingers(self) -> None:
        gap = float(self.fingers().sum())
        step = 2 * FINGER_SPEED_M_S * PHYSICS_DT_S
        # Closing aims beyond the target, so that an object as wide as the target is squeezed, and
        # the set-point stays near the gap: the motor's force is what was asked for, and no more.
        closing = self._target_m < gap - 1e-4
        target = self._target_m - _SQUEEZE_M if closing else self._target_m
        moved = min(max(target, self._set_point_m - step), self._set_point_m + step)
        self._set_point_m = min(max(moved, gap - _SQUEEZE_M), gap + _SQUEEZE_M)
        client = self._client
        client.setJointMotorControlArray(
            self._body,
            self._fingers,
            client.POSITION_CONTROL,
            targetPositions=[self._set_point_m / 2] * 2,
            forces=[self._force_n] * 2,
            positionGains=[POSITION_GAIN] * 2,
            velocityGains=[1.0] * 2,
        )

    # ---------------------------------------------------------------- measuring

    def joints(self) -> tuple[Array, Array, Array]:
        """Positions, velocities and motor torques, each (7,)."""
        states = self._client.getJointStates(self._body, self._joints)
        q, dq, tau = (np.array([s[i] for s in states]) for i in (0, 1, 3))
        return q, dq, tau

    def fingers(self) -> Array:
        """Positions of the fingers, (2,), m; they add up to the gap."""
        return np.array([s[0] for s in self._client.getJointStates(self._body, self._fingers)])

    def gap_speed(self) -> float:
        """Rate of change of the gap, m/s."""
        return float(sum(s[1] for s in self._client.getJointStates(self._body, self._fingers)))

    def squeeze(self) -> float:
        """Contact force on the pad that is pressed less, N."""
        forces = [
            sum((float(c[9]) for c in self._client.getContactPoints(self._body, -1, f) or ()), 0.0)
            for f in self._fingers
        ]
        return min(forces)

    def pose_hand_in_world(self) -> Pose:
        """Pose of the hand: z along the approach, y along the closing direction."""
        state = self._client.getLinkState(self._body, self._hand, computeForwardKinematics=True)
        return Pose(position=np.array(state[4]), quat_wxyz=wxyz_from_xyzw(state[5]))

    def pose_ee_in_world(self) -> Pose:
        """Pose of the point between the pads, with the hand's directions."""
        offset = Pose(
            position=np.array([0.0, 0.0, EE_IN_HAND_M]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0])
        )
        return self.pose_hand_in_world() @ offset

    # ----------------------------------------------------------------- private

    def _set_surfaces(self) -> None:
        client = self._client
        for link in range(-1, client.getNumJoints(self._body)):
            finger = link in self._fingers
            client.changeDynamics(
                self._body,
                link,
                lateralFriction=PAD_FRICTION_ON_ITEM / share_of_friction(ITEM_FRICTION)
                if finger
                else share_of_friction(LINK_FRICTION),
                spinningFriction=PAD_TORSION_M if finger else 0.0,
                rollingFriction=0.0,
                restitution=0.0,
                linearDamping=0.0,
                angularDamping=0.0,
                jointDamping=0.0,
            )
            if finger:
                client.changeDynamics(
                    self._body,
                    link,
                    contactStiffness=PAD_STIFFNESS_N_M,
                    contactDamping=PAD_DAMPING_N_S_M,
                )

    def _couple_fingers(self) -> None:
        """Both fingers are driven by one belt: they move alike, whichever is pushed."""
        client = self._client
        belt = client.createConstraint(
            self._body,
            self._fingers[0],
            self._body,
            self._fingers[1],
            jointType=client.JOINT_GEAR,
            jointAxis=[0, 1, 0],
            parentFramePosition=[0, 0, 0],
            childFramePosition=[0, 0, 0],
        )
        client.changeConstraint(belt, gearRatio=-1, erp=0.1, maxForce=_BELT_FORCE_N)
