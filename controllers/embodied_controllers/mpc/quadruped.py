"""Residuals, sensors, path and gait of the quadruped, by the conventions of the reward vocabulary.

World frame x east, y north, z up; heading 0 east, left positive; pitch nose up; roll left side up.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import numpy as np

from embodied.types import RewardStage, RewardTerm
from embodied_controllers.mpc.gait import gait_of
from embodied_controllers.mpc.legs import FEET
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.path import Path, Pose2
from embodied_controllers.mpc.search_space import SearchSpace
from embodied_controllers.mpc.terms import Layout, Parameters, View

FOOT_RADIUS_M = 0.022
HOME_JOINTS = np.array([0.0, 0.9, -1.8] * 4)
HOME_FEET = {
    "front_left": (0.1934, 0.142),
    "front_right": (0.1934, -0.142),
    "rear_left": (-0.1934, 0.142),
    "rear_right": (-0.1934, -0.142),
}
"""Place of the feet in the home stance relative to the torso, forward and left, m."""


def _stack(*components: Array) -> Array:
    return np.stack(components, axis=-1)


def _speeds(stage: RewardStage) -> dict[str, float]:
    """Forward, left and turning speed that a stage asks for."""
    asked = {"forward": 0.0, "left": 0.0, "rate": 0.0}
    for term in stage.terms:
        if term.name in ("torso_velocity", "torso_turn_rate"):
            asked |= {n: float(v) for n, v in term.parameters.items() if n in asked}
    return asked


def _derived(name: str, parameters: dict[str, float]) -> RewardTerm:
    return RewardTerm(name=name, parameters={**parameters}, weight=8.0, norm="l22")


def _pose(layout: Layout, state: Array) -> Pose2:
    """Place and heading of the torso in a full physics state (nstate,)."""
    first = layout.qpos["torso"]
    w, i, j, k = (float(v) for v in state[first + 3 : first + 7])
    heading = math.atan2(2 * (w * k + i * j), 1 - 2 * (j * j + k * k))
    return Pose2(x=float(state[first]), y=float(state[first + 1]), heading=heading)


class QuadrupedView(View):
    """Quantities of the quadruped over (N, T)."""

    RESIDUALS = {
        "torso_height": "_torso_height",
        "torso_pitch": "_torso_pitch",
        "torso_roll": "_torso_roll",
        "torso_position": "_torso_position",
        "torso_velocity": "_torso_velocity",
        "torso_heading": "_torso_heading",
        "torso_turn_rate": "_torso_turn_rate",
        "torso_path": "_torso_path",
        "torso_path_heading": "_torso_path_heading",
        "foot_lift": "_foot_lift",
        "foot_forward": "_foot_forward",
        "foot_inward": "_foot_inward",
        "foot_stepping": "_foot_stepping",
        "joint_target": "_joint_target",
        "posture": "_posture",
        "stillness": "_stillness",
    }
    DERIVED = {"torso_path": (0.3, "m"), "torso_path_heading": (0.26, "rad")}
    SPEEDS = frozenset({"torso_velocity", "torso_turn_rate"})
    SENSORS = {
        "torso_height": "height",
        "torso_pitch": "pitch",
        "torso_roll": "roll_size",
        "torso_x": "x",
        "torso_y": "y",
        "torso_speed": "speed",
        "torso_turn_rate": "turn_rate",
        "torso_heading": "heading",
        "foot_height": "foot_height",
        "joint_angle": "joint",
    }

    @classmethod
    def completed(cls, stage: RewardStage) -> RewardStage:
        """Add the place and heading that the speeds of a stepping stage add up to.

        They are read off the program's own terms, so a correction ("faster") moves them along.
        """
        names = {t.name for t in stage.terms}
        feet = {str(t.parameters["foot"]) for t in stage.terms if t.name == "foot_stepping"}
        if feet != set(FEET) or names & {"torso_position", *cls.DERIVED}:
            return stage
        speeds = _speeds(stage)
        if "torso_turn_rate" not in names and (speeds["forward"] or speeds["left"]):
            return stage  # it may turn as it likes, so its speeds add up to no path
        added = [_derived("torso_path", speeds)]
        if "torso_heading" not in names:
            added.append(_derived("torso_path_heading", {"rate": speeds["rate"]}))
        return replace(stage, terms=(*stage.terms, *added))

    @classmethod
    def goes_on(cls, stage: RewardStage) -> bool:
        """Whether a stage walks, turns or steps on, not to a place or a heading."""
        terms = cls.completed(stage).terms
        names = {t.name for t in terms}
        moves = any(t.name in cls.SPEEDS and any(t.parameters.values()) for t in terms)
        steps = bool(names & set(cls.DERIVED)) and "torso_heading" not in names
        return steps or (moves and not names & {"torso_heading", "torso_position"})

    @classmethod
    def path_of(cls, stage: RewardStage, layout: Layout, state: Array) -> Path | None:
        """The path of a stage with derived terms, from the torso's pose and speed."""
        if not any(t.name in cls.DERIVED for t in stage.terms):
            return None
        asked, pose = _speeds(stage), _pose(layout, state)
        v = layout.qvel["torso"]
        c, s = math.cos(pose.heading), math.sin(pose.heading)
        vx, vy, rate = float(state[v]), float(state[v + 1]), float(state[v + 5])
        now = np.array([c * vx + s * vy, c * vy - s * vx, 0.3 * rate])
        wish = np.array([asked["forward"], asked["left"], 0.3 * asked["rate"]])
        share = float(np.clip(now @ wish / max(wish @ wish, 1e-6), 0.0, 1.0))
        return Path(begin_s=float(state[0]), begin=pose, share=share, **asked)

    @classmethod
    def waiting(cls, path: Path, layout: Layout, state: Array) -> Path:
        """The path, waiting for the torso."""
        return path.waiting(float(state[0]), _pose(layout, state))

    @classmethod
    def search_space(cls, stage: RewardStage, layout: Layout) -> SearchSpace | None:
        """The gait of a stage in which all four feet step."""
        return gait_of(stage, layout.model)

    def numbers(self) -> dict[str, float]:
        """Distances along and across the first heading, the turn, and how far it was off."""
        if self.path is None:
            return {}
        x, y, heading = self.x()[0], self.y()[0], np.unwrap(self.heading()[0])
        c, s = math.cos(heading[0]), math.sin(heading[0])
        dx, dy = float(x[-1] - x[0]), float(y[-1] - y[0])
        off = np.linalg.norm(self._torso_path({})[0], axis=-1)
        told = {
            "seconds": float(self.time[-1] - self.time[0]),
            "forward_m": c * dx + s * dy,
            "left_m": c * dy - s * dx,
            "turned_rad": float(heading[-1] - heading[0]),
            "farthest_off_path_m": float(off.max()),
        }
        return {name: round(value, 3) for name, value in told.items()}

    @cached_property
    def _position(self) -> Array:
        return self.sensor("torso_position")

    @cached_property
    def _nose(self) -> Array:
        return self.sensor("torso_nose")

    @cached_property
    def _up(self) -> Array:
        return self.sensor("torso_up")

    @cached_property
    def _side_up(self) -> Array:
        """Height of the body's left axis, (N, T): z of (up x nose)."""
        up, nose = self._up, self._nose
        return up[..., 0] * nose[..., 1] - up[..., 1] * nose[..., 0]

    @cached_property
    def _heading_axis(self) -> tuple[Array, Array]:
        """Unit vector of the heading in the ground plane.

        From the nose while it is closer to level than to vertical, blended with the side axis so
        that it stays defined when the robot stands upright.
        """
        nose, up = self._nose, self._up
        side_x = up[..., 1] * nose[..., 2] - up[..., 2] * nose[..., 1]
        side_y = up[..., 2] * nose[..., 0] - up[..., 0] * nose[..., 2]
        flip = np.where(up[..., 2] < -0.5, 0.0, 1.0)
        x = nose[..., 0] + flip * side_y
        y = nose[..., 1] - flip * side_x
        length = np.sqrt(x * x + y * y) + 1e-9
        return x / length, y / length

    def height(self) -> Array:
        """Height of the torso's centre, m."""
        return self._position[..., 2]

    def pitch(self) -> Array:
        """Pitch, nose up, rad."""
        return np.arcsin(np.clip(self._nose[..., 2], -1.0, 1.0))

    def roll_size(self) -> Array:
        """Size of the roll, rad, 0 to pi."""
        return np.abs(np.arctan2(self._side_up, self._up[..., 2]))

    def x(self) -> Array:
        """East, m."""
        return self._position[..., 0]

    def y(self) -> Array:
        """North, m."""
        return self._position[..., 1]

    def speed(self) -> Array:
        """Speed over the ground, m/s."""
        v = self.sensor("torso_velocity")
        return np.hypot(v[..., 0], v[..., 1])

    def turn_rate(self) -> Array:
        """Turn rate about the vertical, left positive, rad/s."""
        return self.sensor("torso_turning")[..., 2]

    def heading(self) -> Array:
        """Heading, rad."""
        x, y = self._heading_axis
        return np.arctan2(y, x)

    def foot_height(self, foot: str) -> Array:
        """Height of a sole above the ground, m."""
        return self.sensor(foot)[..., 2] - FOOT_RADIUS_M

    def knee_height(self, foot: str) -> Array:
        """Height of the knee's axis above the ground, m; kneeling is about 0.03."""
        return self.sensor(f"{foot}_knee")[..., 2]

    def _foot_offset(self, foot: str) -> tuple[Array, Array]:
        """Forward and left offsets of a foot from its home place, m."""
        offset = self.sensor(foot) - self._position
        x, y = self._heading_axis
        forward = x * offset[..., 0] + y * offset[..., 1]
        left = -y * offset[..., 0] + x * offset[..., 1]
        home = HOME_FEET[foot]
        return forward - home[0], left - home[1]

    def _torso_height(self, p: Parameters) -> Array:
        return (self.height() - float(p["height"]))[..., None]

    def _torso_pitch(self, p: Parameters) -> Array:
        # Angle from arcsin: linear in the angle also near upright, where its sine is flat.
        return (self.pitch() - float(p["angle"]))[..., None]

    def _torso_roll(self, p: Parameters) -> Array:
        angle = float(p["angle"])
        scale = np.sqrt(np.maximum(1.0 - self._nose[..., 2] ** 2, 0.0))
        return _stack(
            self._side_up - scale * np.sin(angle), self._up[..., 2] - scale * np.cos(angle)
        )

    def _torso_position(self, p: Parameters) -> Array:
        return self._position[..., :2] - np.array([float(p["x"]), float(p["y"])])

    def _torso_velocity(self, p: Parameters) -> Array:
        v = self.sensor("torso_velocity")
        x, y = self._heading_axis
        return _stack(
            x * v[..., 0] + y * v[..., 1] - float(p["forward"]),
            -y * v[..., 0] + x * v[..., 1] - float(p["left"]),
        )

    def _torso_heading(self, p: Parameters) -> Array:
        x, y = self._heading_axis
        angle = float(p["angle"])
        return _stack(x - np.cos(angle), y - np.sin(angle))

    def _torso_turn_rate(self, p: Parameters) -> Array:
        return (self.turn_rate() - float(p["rate"]))[..., None]

    def _torso_path(self, p: Parameters) -> Array:
        """Distance from where a steady walk would be by now."""
        del p
        if self.path is None:
            return np.zeros((*self.states.shape[:2], 2))
        x, y, _ = self.path.at(self.time)
        return _stack(self.x() - x, self.y() - y)

    def _torso_path_heading(self, p: Parameters) -> Array:
        del p
        if self.path is None:
            return np.zeros((*self.states.shape[:2], 1))
        x, y = self._heading_axis
        _, _, heading = self.path.at(self.time)
        c, s = np.cos(heading), np.sin(heading)
        return np.arctan2(c * y - s * x, c * x + s * y)[..., None]

    def _foot_lift(self, p: Parameters) -> Array:
        return (self.foot_height(str(p["foot"])) - float(p["height"]))[..., None]

    def _foot_forward(self, p: Parameters) -> Array:
        return (self._foot_offset(str(p["foot"]))[0] - float(p["offset"]))[..., None]

    def _foot_inward(self, p: Parameters) -> Array:
        foot = str(p["foot"])
        inward = -np.sign(HOME_FEET[foot][1]) * self._foot_offset(foot)[1]
        return (inward - float(p["offset"]))[..., None]

    def _foot_stepping(self, p: Parameters) -> Array:
        """Height follows a half sine in the air; swing_forward moves the foot with it.

        The cycle runs on simulated time: the foot is in the air while the fractional part of
        ``frequency * t - phase`` is below ``air_ratio``.
        """
        foot = str(p["foot"])
        air = float(p["air_ratio"])
        cycle = (float(p["frequency"]) * self.time - float(p["phase"])) % 1.0
        share = np.clip(cycle / max(air, 1e-6), 0.0, 1.0)
        swing = np.where(cycle < air, np.sin(np.pi * share), 0.0)
        height = self.foot_height(foot) - float(p["swing_height"]) * swing
        stride = float(p["swing_forward"])
        if stride == 0.0:
            return height[..., None]
        forward = self._foot_offset(foot)[0] - stride * np.where(
            cycle < air, share - 0.5, 0.5 - (cycle - air) / max(1 - air, 1e-6)
        )
        return _stack(height, forward)

    def _joint_target(self, p: Parameters) -> Array:
        return (self.joint(str(p["joint"])) - float(p["angle"]))[..., None]

    @cached_property
    def _joints(self) -> Array:
        first = self.layout.qpos["front_left_hip"]
        return self.states[..., first : first + 12]

    def _posture(self, p: Parameters) -> Array:
        return self._joints - HOME_JOINTS

    def _stillness(self, p: Parameters) -> Array:
        return np.concatenate(
            [self.sensor("torso_velocity"), 0.3 * self.sensor("torso_turning")], axis=-1
        )
