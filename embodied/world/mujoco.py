# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""The MuJoCo world: physics, actuators with the robot's published limits, measurements."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from embodied.errors import WorldError
from embodied.types import (
    Array,
    BaseState,
    CameraImage,
    Command,
    Observation,
    Pose,
    StepResult,
    WorldSpec,
)
from embodied.world import robots
from embodied.world._command_limits import limit_command
from embodied.world._gripper_drive import drive_of
from embodied.world._mujoco_spec import pose_of, write_home
from embodied.world._mujoco_spec import world_spec as world_spec
from embodied.world._poses import LazyPoses
from embodied.world._scene_world import SceneWorld
from embodied.world.builder import build_model
from embodied.world.layout import Layout
from embodied.world.robots import Robot
from embodied.world.scene import Scene

if TYPE_CHECKING:
    from embodied.world.raycast import RayRenderer
    from embodied.world.rendering import Renderer

_BAD = np.array(
    [
        int(mujoco.mjtWarning.mjWARN_BADQPOS),
        int(mujoco.mjtWarning.mjWARN_BADQVEL),
        int(mujoco.mjtWarning.mjWARN_BADQACC),
    ]
)
SETTLE_S = 0.5
"""Simulated time that a layout gets to come to rest at reset."""


def build_world(
    scene: Scene, robot: str | Robot = "fr3", *, stacks: float | None = None
) -> MujocoWorld:
    """Build the world of a scene with a robot; call ``reset`` before the first step.

    Args:
        scene: The scene.
        robot: A robot or anything that ``robots.load`` takes.
        stacks: Chance that an item starts on another one; None leaves it to the scene.

    Raises:
        ConfigurationError: There is no such robot.
        EnvironmentMissingError: A Menagerie model was asked for and there is no Menagerie.
    """
    loaded = robots.load(robot) if isinstance(robot, str) else robot
    model = build_model(scene, loaded)
    return MujocoWorld(model, world_spec(scene, loaded, model), loaded, scene=scene, stacks=stacks)


def planning_model(scene: Scene, robot: str | Robot = "fr3") -> mujoco.MjModel:
    """The same geometry for the planner's kinematics and collision checks, whatever the world.

    Nothing sleeps in it, so that each ``mj_collision`` answers for the ``qpos`` just written.
    """
    model = build_model(scene, robot)
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    return model


class MujocoWorld(SceneWorld):
    """A robot with position actuators in a scene; implements the ``World`` protocol.

    Between two commands the set-points move in a straight line from the last ones to the new ones,
    so ``Command.q`` is where the joints should be at the *end* of the control period. The joint
    torque is ``k_p (q_d - q) + k_v (dq_d - dq)`` plus gravity compensation, cut off at the robot's
    torque limits; nothing else acts on the joints. The gripper's gap follows its target at the
    gripper's speed and squeezes with the force asked for; what it holds is held by friction alone.

    Attributes:
        spec: What does not change while the world runs.
        model: The MuJoCo model; treat as read-only.
        data: The MuJoCo state; treat as read-only.
        scene: The scene, None for a model without one.
        robot: The robot's description.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        spec: WorldSpec,
        robot: Robot,
        *,
        scene: Scene | None = None,
        stacks: float | None = None,
    ) -> None:
        self.spec = spec
        self.model = model
        self.data = mujoco.MjData(model)
        self.scene = scene
        self.robot = robot
        self.stacks = stacks
        steps = max(1, round(spec.control_dt_s / model.opt.timestep))
        self._shares = np.arange(1, steps + 1)[:, None] / steps
        joints = [model.joint(name) for name in robot.joints]
        self._qpos = np.array([int(j.qposadr[0]) for j in joints])
        self._dof = np.array([int(j.dofadr[0]) for j in joints])
        self._ctrl = np.array([_actuator_of(model, j.id, j.name) for j in joints])
        kp = model.actuator_gainprm[self._ctrl, 0]
        self._kv_over_kp = -model.actuator_biasprm[self._ctrl, 2] / kp
        self._drive = robot.gripper and drive_of(model, robot.gripper)
        statics = {
            n: Pose(position=b.pos, quat_wxyz=b.quat)
            for n, o in spec.objects.items()
            if o.kind not in ("item", "drawer") and (b := model.body(n)) is not None
        }
        moving = [n for n in spec.objects if n not in statics]
        self._bodies = np.array([model.body(n).id for n in moving], dtype=int)
        self._places: dict[str, Pose | int] = {
            n: statics[n] if n in statics else moving.index(n) for n in spec.objects
        }
        self._site = model.site(robot.ee_site).id if robot.ee_site else -1
        self._slides = {
            n: int(model.joint(n).qposadr[0]) for n, o in spec.objects.items() if o.kind == "drawer"
        }
        self._q_set = np.array(spec.q_home)
        self._dq_set = np.zeros(len(joints))
        self._renderer: Renderer | RayRenderer | None = None

    # ---------------------------------------------------------------- protocol

    def set_configuration(self, qpos: Array) -> Observation:
        """Start from a recorded configuration, at rest; fingers around something squeeze it.

        Args:
            qpos: Configuration as ``qpos`` gave it, (model.nq,).

        Raises:
            ValueError: It has another length, or is not finite.
            WorldError: The simulation diverges from there, or the world is closed.
        """
        self._refuse_when("closed")
        model, data = self.model, self.data
        if qpos.shape != (model.nq,) or not np.isfinite(qpos).all():
            raise ValueError(f"a configuration has {model.nq} finite values, got {qpos.shape}")
        mujoco.mj_resetData(model, data)
        data.qpos[:] = qpos
        self._q_set = np.array(data.qpos[self._qpos])
        self._dq_set = np.zeros(len(self._ctrl))
        data.ctrl[self._ctrl] = self._q_set
        mujoco.mj_forward(model, data)
        if self._drive:
            self._drive.resume(model, data)
        return self._settled(gripping=True)

    def step(self, command: Command) -> StepResult:
        """Apply a command for one control period.

        Raises:
            WorldError: The simulation diverged (reset to go on), or there was no reset.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._refuse_when("new", "closed", "broken")
        applied, reasons = limit_command(self.spec, command, self._q_set)
        assert applied.dq is not None
        q0, dq0 = self._q_set, self._dq_set
        grip = self._drive
        if grip:
            grip.told(self.model, self.data, applied.gripper_width_m, applied.gripper_force_n)
        a = self._shares
        targets = q0 + a * (applied.q - q0) + self._kv_over_kp * (dq0 + a * (applied.dq - dq0))
        model, data = self.model, self.data
        control = data.ctrl
        for target in targets:
            control[self._ctrl] = target
            if grip:
                grip.drive(model, data)
            mujoco.mj_step(model, data)
        self._q_set, self._dq_set = applied.q, applied.dq
        self._check_finite()
        return StepResult(observation=self._observe(), applied=applied, reasons=reasons)

    def close(self) -> None:
        """Release everything; may be called twice."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        self._state = "closed"

    # ------------------------------------------------------------------ extras

    @property
    def qpos(self) -> Array:
        """Copy of the whole configuration, (model.nq,): enough to draw this instant again."""
        return self.data.qpos.copy()

    def render(
        self,
        camera: str = "main",
        *,
        width: int = 640,
        height: int = 480,
        segmentation: bool = True,
    ) -> CameraImage:
        """Take an RGB-D image of this instant, with ground-truth segmentation unless told not to.

        OpenGL draws it, or MuJoCo's rays where OpenGL does not work.

        Raises:
            ValueError: There is no such camera.
        """
        from embodied.world.rendering import open_renderer

        self._refuse_when("new", "closed")
        if self._renderer is None or self._renderer.size != (width, height):
            if self._renderer is not None:
                self._renderer.close()
            self._renderer = open_renderer(self.model, width=width, height=height, quality="sensor")
        names = tuple(self.spec.objects) if segmentation else None
        return self._renderer.image(self.data, camera, names=names)

    # ----------------------------------------------------------------- private

    def _start(self, layout: Layout | None) -> Observation:
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        write_home(model, data, self.robot)
        if layout is not None:
            for name, pose in layout.poses.items():
                address = int(model.joint(name).qposadr[0])
                data.qpos[address : address + 3] = pose.position
                data.qpos[address + 3 : address + 7] = pose.quat_wxyz
            for name, opening in layout.openings_m.items():
                data.qpos[self._slides[name]] = opening
        data.ctrl[self._ctrl] = self.spec.q_home
        self._q_set = np.array(self.spec.q_home)
        self._dq_set = np.zeros(len(self._ctrl))
        grip = self._drive
        if grip:
            grip.reset(model, data)
        mujoco.mj_forward(model, data)
        return self._settled(gripping=False)

    def _settled(self, *, gripping: bool) -> Observation:
        """Let everything come to rest; the episode begins then."""
        for _ in range(round(SETTLE_S / self.model.opt.timestep)):
            if gripping and self._drive:
                self._drive.drive(self.model, self.data)
            mujoco.mj_step(self.model, self.data)
        self.data.time = 0.0
        self._state = "running"
        self._check_finite()
        return self._observe()

    def _check_finite(self) -> None:
        data = self.data
        # a value that is not finite makes its square so, and the sum
        squares = data.qpos.dot(data.qpos) + data.qvel.dot(data.qvel)
        if data.warning.number[_BAD].any() or not isfinite(squares):
            self._state = "broken"
            raise WorldError(
                f"the simulation diverged at t = {self.data.time:.3f} s: reset the world; if it"
                " happens again, look for overlapping bodies in the scene"
            )

    def _observe(self) -> Observation:
        data = self.data
        base = None
        if self.robot.base:
            base = _base_state(self.model, data, self.robot.base)
        if self.robot.ee_site:
            ee = pose_of(data.site_xpos[self._site], data.site_xmat[self._site])
        elif base is not None:
            ee = base.pose_base_in_world
        else:
            last = int(self.model.jnt_bodyid[self.model.joint(self.robot.joints[-1]).id])
            ee = Pose(position=data.xpos[last], quat_wxyz=data.xquat[last])
        grip = self._drive
        return Observation(
            time=float(data.time),
            q=data.qpos[self._qpos],
            dq=data.qvel[self._dof],
            tau=data.qfrc_actuator[self._dof],
            pose_ee_in_world=ee,
            gripper=grip.measure(self.model, data) if grip else None,
            poses=LazyPoses(self._places, data.xpos[self._bodies], data.xquat[self._bodies]),
            openings_m={n: float(data.qpos[a]) for n, a in self._slides.items()},
            base=base,
        )


def _actuator_of(model: mujoco.MjModel, joint: int, name: str) -> int:
    for i in range(model.nu):
        on_joint = model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        if on_joint and model.actuator_trnid[i, 0] == joint:
            if model.actuator_biastype[i] != mujoco.mjtBias.mjBIAS_AFFINE:
                raise WorldError(f"joint {name!r} needs a position actuator")
            return i
    raise WorldError(f"joint {name!r} has no actuator")


def _base_state(model: mujoco.MjModel, data: mujoco.MjData, base: str) -> BaseState:
    body = model.body(base)
    dof = int(model.jnt_dofadr[int(body.jntadr[0])])
    return BaseState(
        pose_base_in_world=Pose(position=data.xpos[body.id], quat_wxyz=data.xquat[body.id]),
        linear_velocity_base_in_world=data.qvel[dof : dof + 3].copy(),
        angular_velocity_base_in_base=data.qvel[dof + 3 : dof + 6].copy(),
    )
