# pyright: reportAttributeAccessIssue=false
"""A stepping gait as a space to search in: few numbers move the body, kinematics moves the legs.

The problem of a replan stays that of the reward program,

    min_z  1/T sum_t J(x_t)      x_{t+1} = f(x_t, u_t)      u_t = controls(t, z(t)),

but the knots of z (6,) are changes of forward, left and turning speed, height, pitch and roll
against what the program asks for, not joint set-points: white noise on twelve joints hardly ever
is a step. Rhythm, swing and the share of the cycle in the air are those of the ``foot_stepping``
terms. With the share c of a foot's cycle, its time on the ground T and its home h below the hip,

    foot = h + v T b(c) + k (v_measured - v_asked) a(c) + (swing_height s(c) - height - e) e_z
    v    = v_asked + z_v + (z_turn + turn) e_z x h

where b goes from -1/2 to 1/2 in the air and back on the ground, a from 0 to 1 and back, and s is a
half sine in the air. The term in k steps to where a robot that is too fast can be caught (Raibert
1986); e = G (asked height - (z + L dz/dt)) corrects the height, for a robot lighter or heavier than
its model. Feet on the ground carry the weight in equal parts (``Legs.set_points``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import mujoco
import numpy as np

from embodied.types import RewardStage, RewardTerm
from embodied_controllers.mpc.legs import FEET, Legs
from embodied_controllers.mpc.norms import Array

CAPTURE_S = 0.05
"""How far off its place a foot lands per speed that the torso is off, s."""
HEIGHT_GAIN, HEIGHT_LEAD_S, HEIGHT_MAX_M = 1.0, 0.05, 0.04
"""Correction of the height per error of the height that is ahead by a lead, and its bound."""
STANDING_M = 0.27
"""Height of the torso where the program asks for none."""
HEIGHTS_M = (0.16, 0.36)
TILT_MAX = 0.4
"""A torso that is to tilt more than this, rad, does not trot."""
TERMS = frozenset(
    {
        "torso_velocity",
        "torso_turn_rate",
        "torso_path",
        "torso_path_heading",
        "torso_heading",
        "torso_position",
        "torso_height",
        "torso_pitch",
        "torso_roll",
        "foot_stepping",
        "posture",
        "stillness",
    }
)
"""A program with other terms wants legs that do more than step: it is searched in the joints."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GaitSpace:
    """Search space of a stepping quadruped (``SearchSpace``); feet in the order of ``FEET``.

    Attributes:
        legs: Of the robot.
        frequency: Steps per second, (4,).
        air: Share of the cycle in the air, (4,).
        phase: Start of the swing in the cycle, (4,).
        swing_m: Height of the swing, (4,).
        swing_forward_m: Length of the swing where the program gives one, else 0, (4,).
        asked: What the program asks for: forward, left, turn, height, pitch, roll, (6,).
        capture: Landing offset of the feet, forward and left, (2,), m.
        raise_m: Correction of the height.
    """

    scale: ClassVar[Array] = np.array([1.3, 1.0, 2.6, 0.07, 0.2, 0.2])
    limit: ClassVar[Array] = np.array([0.6, 0.4, 1.5, 0.05, 0.2, 0.2])
    keep: ClassVar[Array] = np.array([1.0, 1.0, 1.0, 0.9, 0.9, 0.9])
    """Height, pitch and roll are drawn back to what is asked; else they wander."""
    samples: ClassVar[int] = 16

    legs: Legs
    frequency: Array
    air: Array
    phase: Array
    swing_m: Array
    swing_forward_m: Array
    asked: Array
    capture: Array
    raise_m: float = 0.0

    def at(self, state: Array) -> GaitSpace:
        """The same gait for a robot in a full physics state that begins with its torso's pose."""
        w, x, y, z = state[4:8]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        c, s = np.cos(yaw), np.sin(yaw)
        vx, vy, vz = state[8 + self.legs.lower.shape[0] :][:3]
        speed = np.array([c * vx + s * vy, c * vy - s * vx])
        low = HEIGHT_GAIN * (self.asked[3] - state[3] - HEIGHT_LEAD_S * vz)
        return replace(
            self,
            capture=CAPTURE_S * (speed - self.asked[:2]),
            raise_m=float(np.clip(low, -HEIGHT_MAX_M, HEIGHT_MAX_M)),
        )

    def controls(self, times: Array, numbers: Array) -> Array:
        """Joint set-points (N, T, nu) of numbers (N, T, 6) at simulated times (T,)."""
        cycle = (self.frequency * times[:, None] - self.phase) % 1.0
        swing = cycle < self.air
        share = np.clip(cycle / self.air, 0.0, 1.0)
        ground = np.clip((cycle - self.air) / (1 - self.air), 0.0, 1.0)
        b = np.where(swing, share - np.sin(2 * np.pi * share) / (2 * np.pi), 1 - ground) - 0.5
        a = np.where(swing, share, 1 - ground)
        lift = np.where(swing, self.swing_m * np.sin(np.pi * share), 0.0)
        on_ground_s = (1 - self.air) / self.frequency
        home = self.legs.home
        forward, left, turn, height, pitch, roll = np.moveaxis(
            np.broadcast_to(self.asked, numbers.shape) + numbers, -1, 0
        )[..., None]
        given = self.swing_forward_m != 0
        own = np.where(given, self.swing_forward_m / on_ground_s - self.asked[0], 0.0)
        foot = np.empty((*numbers.shape[:2], len(FEET), 3))
        foot[..., 0] = home[:, 0] + (forward + own - turn * home[:, 1]) * on_ground_s * b
        foot[..., 1] = home[:, 1] + (left + turn * home[:, 0]) * on_ground_s * b
        foot[..., :2] += self.capture * a[..., None]
        tilt = pitch * home[:, 0] + roll * home[:, 1]
        foot[..., 2] = lift + self.legs.sole_m - height - self.raise_m - tilt
        down = np.logical_not(swing)
        load = self.legs.weight_n * down / np.maximum(down.sum(axis=-1, keepdims=True), 1)
        return self.legs.set_points(foot, load)


def gait_of(stage: RewardStage, model: mujoco.MjModel) -> GaitSpace | None:
    """The space of a stage in which all four feet step and the legs do nothing else.

    Raises:
        KeyError: The model's legs are not as ``Legs`` wants them.
    """
    terms = [t for t in stage.terms if t.weight > 0]
    steps = {str(t.parameters["foot"]): t for t in terms if t.name == "foot_stepping"}
    if set(steps) != set(FEET) or any(t.name not in TERMS for t in terms):
        return None
    asked = np.array([0.0, 0.0, 0.0, STANDING_M, 0.0, 0.0])
    for term in terms:
        _ask(asked, term)
    if np.abs(asked[4:]).max() > TILT_MAX:
        return None

    def of(name: str) -> Array:
        return np.array([float(steps[foot].parameters[name]) for foot in FEET])

    return GaitSpace(
        legs=Legs.of(model),
        frequency=of("frequency"),
        air=np.clip(of("air_ratio"), 0.1, 0.75),
        phase=of("phase"),
        swing_m=of("swing_height"),
        swing_forward_m=of("swing_forward"),
        asked=asked,
        capture=np.zeros(2),
    )


def _ask(asked: Array, term: RewardTerm) -> None:
    p = term.parameters
    match term.name:
        case "torso_velocity":
            asked[:2] = float(p["forward"]), float(p["left"])
        case "torso_turn_rate":
            asked[2] = float(p["rate"])
        case "torso_height":
            asked[3] = np.clip(float(p["height"]), *HEIGHTS_M)
        case "torso_pitch":
            asked[4] = float(p["angle"])
        case "torso_roll":
            asked[5] = float(p["angle"])
        case _:
            pass
