# pyright: reportAttributeAccessIssue=false
# (mujoco and pybullet ship no type stubs)
"""The PyBullet world: the same scenes and layouts, another physics engine, the Franka Panda."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np

from embodied.errors import WorldError
from embodied.types import (
    Array,
    CameraImage,
    Command,
    GripperState,
    Observation,
    Pose,
    StepResult,
    WorldSpec,
)
from embodied.world._bullet import connect, load_bodies, panda_folder, scene_bodies
from embodied.world._bullet_arm import PandaArm
from embodied.world._bullet_camera import take_image
from embodied.world._command_limits import limit_command
from embodied.world._scene_world import SceneWorld
from embodied.world.builder import PHYSICS_DT_S
from embodied.world.layout import Layout
from embodied.world.mujoco import SETTLE_S, world_spec
from embodied.world.panda import panda_model, panda_robot, panda_spec
from embodied.world.quaternions import wxyz_from_xyzw, xyzw_from_wxyz
from embodied.world.scene import Scene

SOLVER_ITERATIONS = 200

_DRAWER_FRICTION_N = 1.0
_DRAWER_DAMPING = 6.0


def planning_model(scene: Scene) -> mujoco.MjModel:
    """The scene with the Panda's limits and touching shapes, for the planner.

    Its coordinates are those of the model that ``embodied.world.mujoco`` builds with the arm fr3.

    Raises:
        EnvironmentMissingError: PyBullet is not installed.
    """
    return panda_model(scene, panda_folder() / "meshes" / "collision")


def planning_spec(scene: Scene) -> mujoco.MjSpec:
    """The same, not compiled yet, for those who add bodies of their own.

    Raises:
        EnvironmentMissingError: PyBullet is not installed.
    """
    return panda_spec(scene, panda_folder() / "meshes" / "collision")


class PybulletWorld(SceneWorld):
    """The Panda with position controlled joints in a scene; implements the ``World`` protocol.

    Between two commands the set-points move in a straight line from the last ones to the new ones.
    Each joint's motor asks for the speed ``dq_d + k (q_d - q)`` and gets as much torque for it as
    its limit allows; carrying the arm's weight is part of that torque. The gripper's gap follows
    its target at the gripper's speed and squeezes with the force asked for; what it holds is held
    by friction alone.

    Args:
        scene: The scene.
        stacks: Chance that an item starts on another one; None leaves it to the scene.

    Attributes:
        spec: What does not change while the world runs.
        scene: The scene.
        model: MuJoCo model of the same scene whose ``qpos`` draws this world's states.

    Raises:
        EnvironmentMissingError: PyBullet is not installed.
    """

    def __init__(self, scene: Scene, *, stacks: float | None = None) -> None:
        self.scene = scene
        self.stacks = stacks
        self.model = planning_model(scene)
        self.spec: WorldSpec = world_spec(scene, panda_robot(), self.model)
        self._client = connect()
        self._descriptions = scene_bodies(scene, self.model)
        self._bodies: dict[str, int] = {}
        self._arm: PandaArm | None = None
        self._items = scene.of_kind("item")
        self._drawers = scene.of_kind("drawer")
        self._substeps = max(1, round(self.spec.control_dt_s / PHYSICS_DT_S))
        self._q_set = np.array(self.spec.q_home)
        self._dq_set = np.zeros(len(self.spec.q_home))
        self._ticks = 0
        self._mirror: mujoco.MjData | None = None

    # ---------------------------------------------------------------- protocol

    def step(self, command: Command) -> StepResult:
        """Apply a command for one control period.

        Raises:
            WorldError: The simulation diverged (reset to go on), or there was no reset.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._refuse_when("new", "closed", "broken")
        arm = self._running_arm()
        applied, reasons = limit_command(self.spec, command, self._q_set)
        assert applied.dq is not None
        q0, dq0 = self._q_set, self._dq_set
        arm.told(applied.gripper_width_m, applied.gripper_force_n)
        for k in range(1, self._substeps + 1):
            a = k / self._substeps
            arm.drive(q0 + a * (applied.q - q0), dq0 + a * (applied.dq - dq0))
            self._client.stepSimulation()
        self._q_set, self._dq_set = applied.q, applied.dq
        self._ticks += 1
        return StepResult(observation=self._measured(), applied=applied, reasons=reasons)

    def close(self) -> None:
        """Release everything; may be called twice."""
        if self._state != "closed":
            self._client.disconnect()
        self._state = "closed"

    # ------------------------------------------------------------------ extras

    @property
    def qpos(self) -> Array:
        """This instant as a configuration of ``model``, (model.nq,): enough to draw it."""
        self._refuse_when("new", "closed")
        return self._qpos_of(self._observe(), self._running_arm().fingers())

    @property
    def data(self) -> mujoco.MjData:
        """A state of ``model`` that follows this world from now on, for windows; not simulated."""
        if self._mirror is None:
            self._mirror = mujoco.MjData(self.model)
            self._reflect()
        return self._mirror

    def render(
        self,
        camera: str = "main",
        *,
        width: int = 640,
        height: int = 480,
        segmentation: bool = True,
    ) -> CameraImage:
        """Take an RGB-D image of this instant, with ground-truth segmentation unless told not to.

        Raises:
            ValueError: There is no such camera.
        """
        self._refuse_when("new", "closed")
        if camera not in self.spec.cameras:
            raise ValueError(f"no camera {camera!r}; there are: {', '.join(self.spec.cameras)}")
        fixed = self.model.camera(camera)
        pose = Pose(position=fixed.pos, quat_wxyz=fixed.quat)
        if self.model.body(int(fixed.bodyid[0])).name == "hand":
            pose = self._running_arm().pose_hand_in_world() @ pose
        image = take_image(
            self._client,
            pose,
            fovy_rad=self.spec.cameras[camera].fovy_rad,
            width=width,
            height=height,
            bodies=self._bodies,
            names=tuple(self.spec.objects),
        )
        return image if segmentation else dataclasses.replace(image, segmentation=None)

    # ----------------------------------------------------------------- private

    def _start(self, layout: Layout | None) -> Observation:
        """A fresh simulation: caches of an earlier one would make equal seeds differ."""
        assert layout is not None
        client = self._client
        client.resetSimulation()
        client.setGravity(0.0, 0.0, -9.81)
        client.setPhysicsEngineParameter(
            fixedTimeStep=PHYSICS_DT_S,
            numSolverIterations=SOLVER_ITERATIONS,
            numSubSteps=0,
            deterministicOverlappingPairs=1,
        )
        self._bodies = dict(load_bodies(client, self._descriptions))
        self._arm = PandaArm(client, self.spec)
        for name, pose in layout.poses.items():
            client.resetBasePositionAndOrientation(
                self._bodies[name], pose.position.tolist(), xyzw_from_wxyz(pose.quat_wxyz).tolist()
            )
        for name in self._drawers:
            self._set_drawer(name, layout.openings_m.get(name, 0.0))
        self._q_set = np.array(self.spec.q_home)
        self._dq_set = np.zeros(len(self._q_set))
        self._arm.reset(self._q_set)
        for _ in range(round(SETTLE_S / PHYSICS_DT_S)):
            self._arm.drive(self._q_set, self._dq_set)
            client.stepSimulation()
        self._ticks = 0
        self._state = "running"
        return self._measured()

    def _set_drawer(self, name: str, opening_m: float) -> None:
        body = self._bodies[name]
        self._client.resetJointState(body, 0, opening_m)
        # A motor that wants to stand still with little force is dry friction.
        self._client.setJointMotorControl2(
            body, 0, self._client.VELOCITY_CONTROL, targetVelocity=0.0, force=_DRAWER_FRICTION_N
        )
        self._client.changeDynamics(body, 0, jointDamping=_DRAWER_DAMPING)

    def _running_arm(self) -> PandaArm:
        if self._arm is None:
            raise WorldError("call reset first")
        return self._arm

    def _measured(self) -> Observation:
        """Observe after time went on; raises WorldError when the simulation diverged."""
        try:
            observation = self._observe()
            finite = all(
                np.isfinite(v).all()
                for v in (
                    observation.q,
                    observation.dq,
                    *(p.position for p in observation.poses.values()),
                )
            )
        except ValueError:  # a quaternion that is none
            observation, finite = None, False
        if observation is None or not finite:
            self._state = "broken"
            raise WorldError(
                f"the simulation diverged at t = {self._ticks * self.spec.control_dt_s:.3f} s:"
                " reset the world; if it happens again, look for overlapping bodies in the scene"
            )
        if self._mirror is not None:
            self._reflect()
        return observation

    def _observe(self) -> Observation:
        arm = self._running_arm()
        q, dq, tau = arm.joints()
        openings = {n: float(self._client.getJointState(self._bodies[n], 0)[0])
                    for n in self._drawers}  # fmt: skip
        return Observation(
            time=self._ticks * self.spec.control_dt_s,
            q=q,
            dq=dq,
            tau=tau,
            pose_ee_in_world=arm.pose_ee_in_world(),
            gripper=GripperState(
                width_m=max(0.0, float(arm.fingers().sum())),
                speed_m_s=arm.gap_speed(),
                force_n=arm.squeeze(),
            ),
            poses={n: self._pose_of(n) for n in self.spec.objects},
            openings_m=openings,
        )

    def _pose_of(self, name: str) -> Pose:
        body = self._bodies[name]
        if name in self._drawers:
            state = self._client.getLinkState(body, 0, computeForwardKinematics=True)
            position, quat_xyzw = state[4], state[5]
        else:
            position, quat_xyzw = self._client.getBasePositionAndOrientation(body)
        return Pose(position=np.array(position), quat_wxyz=wxyz_from_xyzw(quat_xyzw))

    def _qpos_of(self, observation: Observation, fingers: Array) -> Array:
        model = self.model
        qpos = model.qpos0.copy()
        joints = zip(self.spec.joint_names, observation.q, strict=True)
        grips = zip(("finger_joint1", "finger_joint2"), fingers, strict=True)
        for name, value in (*joints, *grips, *observation.openings_m.items()):
            qpos[int(model.joint(name).qposadr[0])] = value
        for name in self._items:
            address, pose = int(model.joint(name).qposadr[0]), observation.poses[name]
            qpos[address : address + 3] = pose.position
            qpos[address + 3 : address + 7] = pose.quat_wxyz
        return qpos

    def _reflect(self) -> None:
        assert self._mirror is not None
        self._mirror.qpos[:] = self.qpos
        self._mirror.time = self._ticks * self.spec.control_dt_s
        mujoco.mj_forward(self.model, self._mirror)


build_world = PybulletWorld
"""As of ``embodied.world.mujoco``; call ``reset`` before the first step."""
