# pyright: reportAttributeAccessIssue=false
"""Four legs of three joints: from feet to joint set-points, with every number from the model.

A leg is a hip that turns about the torso's x axis, then a thigh and a knee about y; the knee bends
backwards. Bodies are called ``{foot}_hip``, ``{foot}_thigh`` and ``{foot}_calf``, the sole's centre
is the site ``{foot}``, the joints are ``{foot}_hip``, ``{foot}_thigh`` and ``{foot}_knee``.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from embodied_controllers.mpc.norms import Array

FEET = ("front_left", "front_right", "rear_left", "rear_right")
SEGMENTS = ("hip", "thigh", "knee")
STRAIGHTEST = 0.985
"""Largest share of its length that a leg is stretched to."""
SHORTEST_M = 0.09
"""Smallest distance of a foot from its thigh's axis."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Legs:
    """Geometry, weight and servos, in the order of ``FEET`` and ``SEGMENTS``.

    Attributes:
        hip: Hip joints in the torso's frame, (4, 3), m.
        side: Offset of the leg's plane from the hip, left positive, (4,), m.
        thigh: Length of the thighs, (4,), m.
        calf: Length from knee to the sole's centre, (4,), m.
        sole_m: Radius of a foot.
        weight_n: Weight of the robot.
        stiffness: Of the position servos, (4, 3), Nm/rad.
        controls: Place of every joint among the controls, (4, 3).
        lower: Smallest set-points, (nu,), rad.
        upper: Largest set-points, (nu,), rad.
    """

    hip: Array
    side: Array
    thigh: Array
    calf: Array
    sole_m: float
    weight_n: float
    stiffness: Array
    controls: np.ndarray
    lower: Array
    upper: Array

    @classmethod
    def of(cls, model: mujoco.MjModel) -> Legs:
        """Read the legs of a model.

        Raises:
            KeyError: A body, site, geom or joint of a leg is missing.
        """
        hips = [model.body(f"{foot}_hip").id for foot in FEET]
        servo = {int(j): i for i, j in enumerate(model.actuator_trnid[:, 0])}
        controls = np.array(
            [[servo[model.joint(f"{foot}_{s}").id] for s in SEGMENTS] for foot in FEET]
        )
        return cls(
            hip=np.array(model.body_pos[hips]),
            side=np.array([model.body(f"{foot}_thigh").pos[1] for foot in FEET]),
            thigh=np.array([-model.body(f"{foot}_calf").pos[2] for foot in FEET]),
            calf=np.array([-model.site(foot).pos[2] for foot in FEET]),
            sole_m=float(model.geom(f"{FEET[0]}_foot_touch").size[0]),
            weight_n=float(model.body_mass.sum() * -model.opt.gravity[2]),
            stiffness=np.array(model.actuator_gainprm[controls, 0]),
            controls=controls,
            lower=np.array(model.actuator_ctrlrange[:, 0]),
            upper=np.array(model.actuator_ctrlrange[:, 1]),
        )

    @property
    def home(self) -> Array:
        """Place of the feet below their hips, forward and left of the torso, (4, 2), m."""
        return np.stack([self.hip[:, 0], self.hip[:, 1] + self.side], axis=-1)

    def set_points(self, foot: Array, load: Array) -> Array:
        """Set-points (..., nu) that put the soles' centres somewhere while they carry something.

        ``q + J(q)^T f / kp``: a servo gives way by its torque over its stiffness, so it is asked
        for as much more. Feet out of reach are put as close as the leg allows.

        Args:
            foot: In the torso's frame, (..., 4, 3), m.
            load: Vertical force of the ground on each foot, (..., 4), N.
        """
        x, y, z = np.moveaxis(foot - self.hip, -1, 0)
        d, thigh, calf = self.side, self.thigh, self.calf
        leg = np.sqrt(np.maximum(y * y + z * z - d * d, 0.03**2))
        hip = np.arctan2(z, y) - np.arctan2(-leg, d)
        hip = (hip + np.pi) % (2 * np.pi) - np.pi
        reach = np.clip(np.hypot(x, leg), SHORTEST_M, STRAIGHTEST * (thigh + calf))
        bend = (thigh**2 + calf**2 - reach**2) / (2 * thigh * calf)
        knee = np.arccos(np.clip(bend, -1.0, 1.0)) - np.pi
        lag = np.arctan2(-calf * np.sin(knee), thigh + calf * np.cos(knee))
        up = np.arctan2(-x, leg) + lag
        back = -thigh * np.sin(up) - calf * np.sin(up + knee)
        drop = thigh * np.cos(up) + calf * np.cos(up + knee)
        torque = np.stack(
            [
                d * np.cos(hip) + drop * np.sin(hip),
                -np.cos(hip) * back,
                np.cos(hip) * calf * np.sin(up + knee),
            ],
            axis=-1,
        )
        q = np.stack([hip, up, knee], axis=-1) - load[..., None] * torque / self.stiffness
        out = np.empty((*q.shape[:-2], self.lower.shape[0]))
        out[..., self.controls.ravel()] = q.reshape(*q.shape[:-2], -1)
        return np.clip(out, self.lower, self.upper)
