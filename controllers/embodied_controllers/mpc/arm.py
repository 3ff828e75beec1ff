"""Residuals and sensors of the arm with the three-finger hand."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from embodied_controllers.mpc.arm_models import ARM_HOME
from embodied_controllers.mpc.norms import Array
from embodied_controllers.mpc.terms import Parameters, View

FINGERS = ("finger_1", "finger_2", "finger_3")
FINGER_STIFFNESS = 4.5
FINGER_OPEN, FINGER_CLOSED = -0.4, 1.2
JOINT_TRAVEL = {"drawer": 0.2, "faucet": 1.5708}
REST_POSITION = np.array([0.4, 0.0, 0.4])
DIRECTIONS = {
    "down": (0.0, 0.0, -1.0),
    "up": (0.0, 0.0, 1.0),
    "forward": (1.0, 0.0, 0.0),
    "backward": (-1.0, 0.0, 0.0),
    "left": (0.0, 1.0, 0.0),
    "right": (0.0, -1.0, 0.0),
}
UP = {"upright": 1.0, "upside_down": -1.0}


def offset(parameters: Parameters) -> Array:
    """Forward, left and up (3,) of a term, m."""
    return np.array([float(parameters.get(n, 0.0)) for n in ("forward", "left", "up")])


class ArmView(View):
    """Quantities of arm, hand and objects over (N, T)."""

    RESIDUALS = {
        term: f"_{term}"
        for term in "distance object_height object_orientation joint_fraction palm_orientation "
        "palm_offset closing_along closing_across hand_closure posture stillness".split()
    }
    SENSORS = {
        s: s for s in "distance object_height object_tilt joint_fraction palm_height".split()
    }

    def point(self, name: str) -> Array:
        """Position (N, T, 3) of a point, or (3,) of the rest position.

        Raises:
            ValueError: The scene has no such point.
        """
        if name == "rest_position":
            return REST_POSITION
        if name not in self.layout.sensors:
            raise ValueError(f"the scene has no {name!r}")
        return self.sensor(name)

    def distance(self, a: str, b: str) -> Array:
        """Distance between two points, m."""
        d = self.point(a) - self.point(b)
        return np.sqrt(np.einsum("...k,...k->...", d, d))

    def object_height(self, name: str) -> Array:
        """Height of an object's centre above the table, m."""
        return self.sensor(name)[..., 2]

    def object_tilt(self, name: str) -> Array:
        """Angle between an object's up axis and up, rad."""
        return np.arccos(np.clip(self.sensor(f"{name}_up")[..., 2], -1.0, 1.0))

    def joint_fraction(self, name: str) -> Array:
        """Opening of the drawer or the faucet, 0 to 1."""
        return self.joint(name) / JOINT_TRAVEL[name]

    def palm_height(self) -> Array:
        """Height of the grasp centre above the table, m."""
        return self.sensor("palm")[..., 2]

    @cached_property
    def told_closure(self) -> Array:
        """Share of closing that the fingers are told, (N, T, 3): position + force / stiffness."""
        parts = [
            self.joint(f"{f}_knuckle") + self.sensor(f"{f}_force")[..., 0] / FINGER_STIFFNESS
            for f in FINGERS
        ]
        return (np.stack(parts, axis=-1) - FINGER_OPEN) / (FINGER_CLOSED - FINGER_OPEN)

    def _distance(self, p: Parameters) -> Array:
        a, b, target = str(p["a"]), str(p["b"]), float(p["distance"])
        if target == 0.0:
            return self.point(a) - self.point(b) + np.zeros((*self.states.shape[:2], 1))
        return (self.distance(a, b) - target)[..., None]

    def _palm_offset(self, p: Parameters) -> Array:
        return self.sensor("palm") - (REST_POSITION + offset(p))

    def _object_height(self, p: Parameters) -> Array:
        return (self.object_height(str(p["object"])) - float(p["height"]))[..., None]

    def _object_orientation(self, p: Parameters) -> Array:
        up = self.sensor(f"{p['object']}_up")
        return up - np.array([0.0, 0.0, UP[str(p["orientation"])]])

    def _joint_fraction(self, p: Parameters) -> Array:
        return (self.joint_fraction(str(p["joint"])) - float(p["fraction"]))[..., None]

    def _palm_orientation(self, p: Parameters) -> Array:
        return self.sensor("palm_facing") - np.array(DIRECTIONS[str(p["direction"])])

    def _closing_along(self, p: Parameters) -> Array:
        """Sine of the angle between the closing direction and the line, as a vector (N, T, 3)."""
        line = self.point(str(p["b"])) - self.point(str(p["a"]))
        length = np.sqrt(np.einsum("...k,...k->...", line, line))[..., None]
        sine = np.cross(self.sensor("palm_closing"), line / np.maximum(length, 1e-6))
        return np.asarray(sine, dtype=np.float64)

    def _closing_across(self, p: Parameters) -> Array:
        """Cosine of the angle between the closing direction and the object's own axis."""
        up = self.sensor(f"{p['object']}_up")
        return np.einsum("...k,...k->...", self.sensor("palm_closing"), up)[..., None]

    def _hand_closure(self, p: Parameters) -> Array:
        return self.told_closure - float(p["fraction"])

    def _posture(self, p: Parameters) -> Array:
        first = self.layout.qpos["joint1"]
        return self.states[..., first : first + 7] - np.array(ARM_HOME)

    def _stillness(self, p: Parameters) -> Array:
        first = self.layout.qvel["joint1"]
        return self.states[..., first : first + 7]
