# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""The MuJoCo world: physics, actuators with the robot's published limits, measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from embodied.errors import WorldError
from embodied.types import (
    Array,
    BaseState,
    CameraImage,
    CameraSpec,
    Command,
    GripperState,
    Observation,
    Pose,
    StepResult,
    WorldSpec,
)
from embodied.world import robots
from embodied.world._command_limits import limit_command
from embodied.world.builder import build_model
from embodied.world.layout import Layout, LayoutError, sample_layout
from embodied.world.robots import Gripper, Robot
from embodied.world.scene import Scene

if TYPE_CHECKING:
    from embodied.world.raycast import RayRenderer
    from embodied.world.rendering import Renderer

CONTROL_DT_S = 0.01
"""Time between two commands."""

SETTLE_S = 0.5
"""Simulated time that a layout gets to come to rest at reset."""

RESUME_FORCE_N = 30.0
"""Force on what is between the fingers when a recorded configuration is taken up again."""

SETTLE_DRIFT_M = 0.01
"""Farther than this an item may not move while it settles, or the layout is drawn again."""

LAYOUT_TRIES = 20
"""So often a layout is drawn again that did not stay where it was put."""


def build_world(
    scene: Scene,
    robot: str | Robot = "fr3",
    *,
    stacks: float | None = None,
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


def world_spec(scene: Scene, robot: Robot, model: mujoco.MjModel) -> WorldSpec:
    """What does not change while the world of a scene runs."""
    data = mujoco.MjData(model)
    _write_home(model, data, robot)
    mujoco.mj_forward(model, data)
    cameras: dict[str, CameraSpec] = {}
    for i in range(model.ncam):
        name = model.camera(i).name
        cameras[name] = CameraSpec(
            name=name,
            width_px=640,
            height_px=480,
            fovy_rad=float(np.deg2rad(model.cam_fovy[i])),
            pose_camera_in_world=_pose(data.cam_xpos[i], data.cam_xmat[i]),
        )
    return WorldSpec(
        name=scene.name,
        robot=robot.name,
        joint_names=robot.joints,
        q_lower=robot.q_lower,
        q_upper=robot.q_upper,
        dq_max=robot.dq_max,
        ddq_max=robot.ddq_max,
        dddq_max=robot.dddq_max,
        tau_max=robot.tau_max,
        q_home=robot.q_home,
        control_dt_s=CONTROL_DT_S,
        objects=scene.objects,
        gripper=None if robot.gripper is None else robot.gripper.spec,
        cameras=cameras,
        workspace_lower=np.array(scene.workspace_lower_m),
        workspace_upper=np.array(scene.workspace_upper_m),
    )


class MujocoWorld:
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
        self._steps = max(1, round(spec.control_dt_s / model.opt.timestep))
        joints = [model.joint(name) for name in robot.joints]
        self._qpos = np.array([int(j.qposadr[0]) for j in joints])
        self._dof = np.array([int(j.dofadr[0]) for j in joints])
        self._ctrl = np.array([_actuator_of(model, j.id, j.name) for j in joints])
        kp = model.actuator_gainprm[self._ctrl, 0]
        self._kv_over_kp = -model.actuator_biasprm[self._ctrl, 2] / kp
        self._drive = robot.gripper and _GripperDrive(model, robot.gripper)
        self._statics = {
            n: Pose(position=b.pos, quat_wxyz=b.quat)
            for n, o in spec.objects.items()
            if o.kind not in ("item", "drawer") and (b := model.body(n)) is not None
        }
        self._moving = {n: model.body(n).id for n in spec.objects if n not in self._statics}
        self._slides = {
            n: int(model.joint(n).qposadr[0]) for n, o in spec.objects.items() if o.kind == "drawer"
        }
        self._q_set = np.array(spec.q_home)
        self._dq_set = np.zeros(len(joints))
        self._renderer: Renderer | RayRenderer | None = None
        self._state = "new"  # then "running" or "broken", at last "closed"

    # ---------------------------------------------------------------- protocol

    def reset(self, *, seed: int) -> Observation:
        """Start an episode: the arm at home, the items where the seed puts them, all at rest.

        Raises:
            LayoutError: The scene's items do not fit where they should.
            WorldError: No layout of this seed stays where it was put, or the world is closed.
        """
        self._refuse_when("closed")
        if self.scene is None:
            return self._start(None)
        rng = np.random.default_rng(seed)
        for _ in range(LAYOUT_TRIES):
            layout = sample_layout(self.scene, rng, stack_probability=self.stacks)
            observation = self._start(layout)
            if self._drift(layout, observation) <= SETTLE_DRIFT_M:
                return observation
        raise WorldError(
            f"scene {self.scene.name!r}, seed {seed}: no layout in {LAYOUT_TRIES} stays where it"
            " is put; check the scene's stackable items and its clearance"
        )

    def set_layout(self, layout: Layout) -> Observation:
        """Start an episode from a given layout; the items are let go there and come to rest.

        Raises:
            LayoutError: The layout misses or invents an item.
        """
        self._refuse_when("closed")
        items = {n for n, o in self.spec.objects.items() if o.kind == "item"}
        if set(layout.poses) != items:
            wrong = sorted(set(layout.poses) ^ items)
            raise LayoutError(
                f"the layout must place exactly {', '.join(sorted(items))}; differs in {wrong}"
            )
        return self._start(layout)

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
        for _ in range(round(SETTLE_S / model.opt.timestep)):
            if self._drive:
                self._drive.drive(model, data)
            mujoco.mj_step(model, data)
        data.time = 0.0
        self._state = "running"
        self._check_finite()
        return self._observe()

    def observe(self) -> Observation:
        """Measure without advancing time."""
        self._refuse_when("new", "closed")
        return self._observe()

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
            grip.told(self.model, applied.gripper_width_m, applied.gripper_force_n)
        for k in range(1, self._steps + 1):
            a = k / self._steps
            q = q0 + a * (applied.q - q0)
            dq = dq0 + a * (applied.dq - dq0)
            self.data.ctrl[self._ctrl] = q + self._kv_over_kp * dq
            if grip:
                grip.drive(self.model, self.data)
            mujoco.mj_step(self.model, self.data)
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
        _write_home(model, data, self.robot)
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
        for _ in range(round(SETTLE_S / model.opt.timestep)):
            mujoco.mj_step(model, data)
        data.time = 0.0
        self._state = "running"
        self._check_finite()
        return self._observe()

    def _drift(self, layout: Layout, observation: Observation) -> float:
        moved = [
            float(np.linalg.norm(observation.poses[n].position - p.position))
            for n, p in layout.poses.items()
        ]
        return max(moved, default=0.0)

    def _check_finite(self) -> None:
        warnings = self.data.warning
        bad = any(
            warnings[int(w)].number > 0
            for w in (
                mujoco.mjtWarning.mjWARN_BADQPOS,
                mujoco.mjtWarning.mjWARN_BADQVEL,
                mujoco.mjtWarning.mjWARN_BADQACC,
            )
        )
        if bad or not np.isfinite(self.data.qpos).all() or not np.isfinite(self.data.qvel).all():
            self._state = "broken"
            raise WorldError(
                f"the simulation diverged at t = {self.data.time:.3f} s: reset the world; if it"
                " happens again, look for overlapping bodies in the scene"
            )

    def _observe(self) -> Observation:
        data, spec = self.data, self.spec
        poses = dict(self._statics)
        for name, body in self._moving.items():
            poses[name] = Pose(position=data.xpos[body], quat_wxyz=data.xquat[body])
        base = None
        if self.robot.base:
            base = _base_state(self.model, data, self.robot.base)
        if self.robot.ee_site:
            site = data.site(self.robot.ee_site)
            ee = _pose(site.xpos, site.xmat)
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
            poses={n: poses[n] for n in spec.objects},
            openings_m={n: float(data.qpos[a]) for n, a in self._slides.items()},
            base=base,
        )

    def _refuse_when(self, *states: str) -> None:
        if self._state in states:
            advice = {
                "new": "call reset first",
                "broken": "the simulation diverged: call reset",
                "closed": "the world is closed",
            }
            raise WorldError(advice[self._state])


class _GripperDrive:
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


def _actuator_of(model: mujoco.MjModel, joint: int, name: str) -> int:
    for i in range(model.nu):
        on_joint = model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        if on_joint and model.actuator_trnid[i, 0] == joint:
            if model.actuator_biastype[i] != mujoco.mjtBias.mjBIAS_AFFINE:
                raise WorldError(f"joint {name!r} needs a position actuator")
            return i
    raise WorldError(f"joint {name!r} has no actuator")


def _write_home(model: mujoco.MjModel, data: mujoco.MjData, robot: Robot) -> None:
    for name, q in zip(robot.joints, robot.q_home, strict=True):
        data.qpos[int(model.joint(name).qposadr[0])] = q
    if robot.base and robot.base_home:
        address = int(model.jnt_qposadr[int(model.body(robot.base).jntadr[0])])
        data.qpos[address : address + 7] = robot.base_home


def _base_state(model: mujoco.MjModel, data: mujoco.MjData, base: str) -> BaseState:
    body = model.body(base)
    dof = int(model.jnt_dofadr[int(body.jntadr[0])])
    return BaseState(
        pose_base_in_world=Pose(position=data.xpos[body.id], quat_wxyz=data.xquat[body.id]),
        linear_velocity_base_in_world=data.qvel[dof : dof + 3].copy(),
        angular_velocity_base_in_base=data.qvel[dof + 3 : dof + 6].copy(),
    )


def _pose(position: Array, rotation: Array) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(rotation, (3, 3))
    matrix[:3, 3] = position
    return Pose.from_matrix(matrix)


def penetrations(
    world: MujocoWorld, *, least_m: float = 0.0, of_robot: bool = True
) -> tuple[tuple[str, str, float], ...]:
    """Pairs of geoms that overlap now, with the depth in metres, deepest first.

    Args:
        world: The world.
        least_m: Shallower overlaps are left out.
        of_robot: Only pairs with a part of the robot in them; its finger pads squeeze what they
            hold and are left out too.
    """
    model = world.model
    scene = set(world.spec.objects) | {f"{n}-cabinet" for n in world.spec.objects} | {"world"}
    pads = world.robot.gripper.pads if world.robot.gripper else ()
    found: list[tuple[str, str, float]] = []
    for contact in world.data.contact:
        pair = [model.geom(int(g)) for g in contact.geom]
        names = [g.name or f"geom {g.id}" for g in pair]
        bodies = [model.body(int(g.bodyid[0])).name for g in pair]
        if of_robot and (all(b in scene for b in bodies) or any(n in pads for n in names)):
            continue
        depth = -float(contact.dist)
        if depth > least_m:
            found.append((names[0], names[1], depth))
    return tuple(sorted(found, key=lambda f: -f[2]))
