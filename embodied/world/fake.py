"""A fake world for tests: no physics, no contact, no simulator.

It follows commands exactly and moves a held item with the end effector. It is for testing what
stands around a world (agent loop, memory, controllers, run folder); it says nothing about whether
a grasp holds or a motion is free of collisions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embodied.errors import WorldError
from embodied.types import (
    Array,
    Command,
    GripperSpec,
    GripperState,
    Observation,
    Pose,
    StepResult,
    WorldSpec,
)
from embodied.world.grounding import extent_along
from embodied.world.layout import Layout, body_pose, sample_layout
from embodied.world.scene import Scene

Kinematics = Callable[[Array], Pose]
"""From joint positions (n,) to the pose of the end effector in the world."""

FAKE_FORCE_N = 20.0
"""Force that the fake gripper reports while it holds something."""

_SPEED_M_S = 0.1


def gantry_kinematics(q: Array) -> Pose:
    """Kinematics of the fake robot: joints x, y, z and yaw move the hand, which points down."""
    half = q[3] / 2
    turn = Pose(position=q[:3], quat_wxyz=np.array([np.cos(half), 0.0, 0.0, np.sin(half)]))
    down = Pose(position=np.zeros(3), quat_wxyz=np.array([0.0, 1.0, 0.0, 0.0]))
    return turn @ down


def fake_spec(scene: Scene) -> WorldSpec:
    """Spec of the fake robot, a gantry with a parallel gripper, in a scene."""
    return WorldSpec(
        name=scene.name,
        robot="fake-gantry",
        joint_names=("x", "y", "z", "yaw"),
        q_lower=np.array([-1.0, -1.0, 0.0, -np.pi]),
        q_upper=np.array([1.0, 1.0, 1.0, np.pi]),
        dq_max=np.array([1.0, 1.0, 1.0, 3.0]),
        ddq_max=np.full(4, 10.0),
        dddq_max=np.full(4, 1000.0),
        tau_max=np.full(4, 100.0),
        q_home=np.array([0.3, 0.0, 0.5, 0.0]),
        control_dt_s=0.01,
        objects=scene.objects,
        gripper=GripperSpec(max_width_m=0.08, max_force_n=70.0, pad_size_m=(0.006, 0.02, 0.02)),
        workspace_lower=np.array(scene.workspace_lower_m),
        workspace_upper=np.array(scene.workspace_upper_m),
    )


class FakeWorld:
    """Kinematic stand-in for a world; see the module's docstring for what it does not do.

    Joints are where the last command put them, within the position and velocity limits. A closing
    gripper stops at an item between its pads, and that item is *attached* until the gripper opens;
    it then drops straight down onto the highest thing under it.

    Args:
        scene: The scene.
        spec: What to imitate; the fake gantry by default.
        kinematics: Of that robot.
    """

    def __init__(
        self,
        scene: Scene,
        spec: WorldSpec | None = None,
        kinematics: Kinematics = gantry_kinematics,
    ) -> None:
        self.scene = scene
        self.spec = spec or fake_spec(scene)
        self._kinematics = kinematics
        self._state = "new"
        self._ticks = 0
        self._q = np.array(self.spec.q_home)
        self._dq = np.zeros_like(self._q)
        self._width = self._max_width
        self._width_rate = 0.0
        self._target = self._width
        self._poses: dict[str, Pose] = {}
        self._openings: dict[str, float] = {}
        self._held = ""
        self._grasp = Pose(position=np.zeros(3), quat_wxyz=np.array([1.0, 0, 0, 0]))

    @property
    def _max_width(self) -> float:
        return self.spec.gripper.max_width_m if self.spec.gripper else 0.0

    def reset(self, *, seed: int) -> Observation:
        """Start an episode; the same layouts as in other worlds of the scene."""
        self._refuse_when("closed")
        return self.set_layout(sample_layout(self.scene, np.random.default_rng(seed)))

    def set_layout(self, layout: Layout) -> Observation:
        """Start an episode from a given layout."""
        self._refuse_when("closed")
        self._poses = dict(layout.poses)
        self._openings = {n: 0.0 for n in self.scene.of_kind("drawer")} | dict(layout.openings_m)
        self._q = np.array(self.spec.q_home)
        self._dq = np.zeros_like(self._q)
        self._width = self._target = self._max_width
        self._held, self._ticks, self._state = "", 0, "running"
        return self.observe()

    def observe(self) -> Observation:
        """Measure without advancing time."""
        self._refuse_when("new", "closed")
        fixed = {
            n: body_pose(self.scene, n, self._openings)
            for n, o in self.spec.objects.items()
            if o.kind != "item"
        }
        poses = fixed | self._poses
        return Observation(
            time=self._ticks * self.spec.control_dt_s,
            q=self._q,
            dq=self._dq,
            tau=np.zeros_like(self._q),
            pose_ee_in_world=self._kinematics(self._q),
            gripper=self.spec.gripper
            and GripperState(
                width_m=self._width,
                speed_m_s=self._width_rate,
                force_n=FAKE_FORCE_N if self._held else 0.0,
            ),
            poses={n: poses[n] for n in self.spec.objects},
            openings_m=dict(self._openings),
        )

    def step(self, command: Command) -> StepResult:
        """Apply a command for one control period.

        Raises:
            WorldError: There was no reset, or the world is closed.
            ValueError: The command has the wrong shape or is not finite.
        """
        self._refuse_when("new", "closed")
        spec, reasons = self.spec, list[str]()
        if command.q.shape != self._q.shape:
            raise ValueError(f"command.q must have shape {self._q.shape}, got {command.q.shape}")
        if not np.isfinite(command.q).all() or (
            command.dq is not None and not np.isfinite(command.dq).all()
        ):
            raise ValueError("the command holds values that are not finite")
        q = np.clip(command.q, spec.q_lower, spec.q_upper)
        if np.any(q != command.q):
            reasons.append("position limit")
        reach = spec.dq_max * spec.control_dt_s
        slowed = np.clip(q, self._q - reach, self._q + reach)
        if np.any(np.abs(slowed - q) > 1e-9):
            reasons.append("velocity limit")
        self._dq = (slowed - self._q) / spec.control_dt_s
        self._q = slowed
        width = command.gripper_width_m
        if width is not None and spec.gripper is not None:
            self._target = min(max(width, 0.0), spec.gripper.max_width_m)
            if self._target != width:
                reasons.append("gripper: width limit")
        self._move_gripper()
        if self._held:
            self._poses[self._held] = self._kinematics(self._q) @ self._grasp
        self._ticks += 1
        applied = Command(
            q=slowed,
            dq=command.dq,
            gripper_width_m=None if width is None else self._target,
            gripper_force_n=command.gripper_force_n,
        )
        return StepResult(observation=self.observe(), applied=applied, reasons=tuple(reasons))

    def close(self) -> None:
        """Release everything; may be called twice."""
        self._state = "closed"

    # ----------------------------------------------------------------- private

    def _move_gripper(self) -> None:
        before = self._width
        step = _SPEED_M_S * self.spec.control_dt_s
        stop = self._target
        between, width = self._between_pads()
        if self._held and self._target > self._width + 1e-6:
            self._drop()
        elif between and not self._held and self._target < width <= before + 1e-9:
            stop = width
            if before - step <= width:
                self._held = between
                ee = self._kinematics(self._q)
                self._grasp = ee.inverse() @ self._poses[between]
        elif self._held:
            stop = before
        self._width = min(max(stop, before - step), before + step)
        self._width_rate = (self._width - before) / self.spec.control_dt_s

    def _between_pads(self) -> tuple[str, float]:
        ee = self._kinematics(self._q)
        for name, pose in self._poses.items():
            spec = self.spec.objects[name]
            local = np.abs(pose.inverse().apply(ee.position))
            if np.all(local <= np.array(spec.size_m) / 2 + 1e-3):
                return name, extent_along(spec, pose.rotation.T @ ee.rotation[:, 1])
        return "", 0.0

    def _drop(self) -> None:
        name, self._held = self._held, ""
        spec, pose = self.spec.objects[name], self._poses[name]
        half = extent_along(spec, pose.rotation[2]) / 2
        floor = 0.0
        for other, o in self.spec.objects.items():
            if other in (name, "table"):
                continue
            body = self._poses.get(other) or body_pose(self.scene, other, self._openings)
            local = np.abs(body.inverse().apply(pose.position))[:2]
            inside = o.inner_size_m if o.kind in ("container", "drawer") else o.size_m
            if np.any(local > np.array(inside[:2]) / 2):
                continue
            top = float(body.position[2]) + o.size_m[2] / 2
            if o.kind in ("container", "drawer"):
                top = float(body.position[2]) - o.size_m[2] / 2
                top += self.scene.bodies[other].wall_m
            if top <= float(pose.position[2]) - half + 0.01:
                floor = max(floor, top)
        position = np.array([pose.position[0], pose.position[1], floor + half])
        self._poses[name] = Pose(position=position, quat_wxyz=pose.quat_wxyz)

    def _refuse_when(self, *states: str) -> None:
        if self._state in states:
            raise WorldError("call reset first" if self._state == "new" else "the world is closed")
