"""A fake world for tests: no physics, no contact, no simulator.

It follows commands exactly and moves a held item with the end effector. It is for testing what
stands around a world (agent loop, memory, controllers, run folder); it says nothing about whether
a grasp holds or a motion is free of collisions.
"""

from __future__ import annotations

import numpy as np

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
from embodied.world._command_limits import limit_command
from embodied.world._scene_world import SceneWorld
from embodied.world.grounding import extent_along
from embodied.world.layout import Layout, body_pose
from embodied.world.scene import Scene

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


class FakeWorld(SceneWorld):
    """Kinematic stand-in for a world; see the module's docstring for what it does not do.

    Joints are where the last command put them, within the position and velocity limits. A closing
    gripper stops at an item between its pads, and that item is *attached* until the gripper opens;
    it then drops straight down onto the highest thing under it.

    Args:
        scene: The scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = self._scene = scene
        self.spec = fake_spec(scene)
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

    def _start(self, layout: Layout | None) -> Observation:
        assert layout is not None
        self._poses = dict(layout.poses)
        self._openings = {n: 0.0 for n in self._scene.of_kind("drawer")} | dict(layout.openings_m)
        self._q = np.array(self.spec.q_home)
        self._dq = np.zeros_like(self._q)
        self._width = self._target = self._max_width
        self._held, self._ticks, self._state = "", 0, "running"
        return self._observe()

    def _observe(self) -> Observation:
        fixed = {
            n: body_pose(self._scene, n, self._openings)
            for n, o in self.spec.objects.items()
            if o.kind != "item"
        }
        poses = fixed | self._poses
        return Observation(
            time=self._ticks * self.spec.control_dt_s,
            q=self._q,
            dq=self._dq,
            tau=np.zeros_like(self._q),
            pose_ee_in_world=gantry_kinematics(self._q),
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
        applied, reasons = limit_command(self.spec, command, self._q)
        self._dq = (applied.q - self._q) / self.spec.control_dt_s
        self._q = applied.q
        if applied.gripper_width_m is not None and self.spec.gripper is not None:
            self._target = applied.gripper_width_m
        self._move_gripper()
        if self._held:
            self._poses[self._held] = gantry_kinematics(self._q) @ self._grasp
        self._ticks += 1
        return StepResult(observation=self._observe(), applied=applied, reasons=reasons)

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
                ee = gantry_kinematics(self._q)
                self._grasp = ee.inverse() @ self._poses[between]
        elif self._held:
            stop = before
        self._width = min(max(stop, before - step), before + step)
        self._width_rate = (self._width - before) / self.spec.control_dt_s

    def _between_pads(self) -> tuple[str, float]:
        ee = gantry_kinematics(self._q)
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
            body = self._poses.get(other) or body_pose(self._scene, other, self._openings)
            local = np.abs(body.inverse().apply(pose.position))[:2]
            inside = o.inner_size_m if o.kind in ("container", "drawer") else o.size_m
            if np.any(local > np.array(inside[:2]) / 2):
                continue
            top = float(body.position[2]) + o.size_m[2] / 2
            if o.kind in ("container", "drawer"):
                top = float(body.position[2]) - o.size_m[2] / 2
                top += self._scene.bodies[other].wall_m
            if top <= float(pose.position[2]) - half + 0.01:
                floor = max(floor, top)
        position = np.array([pose.position[0], pose.position[1], floor + half])
        self._poses[name] = Pose(position=position, quat_wxyz=pose.quat_wxyz)
