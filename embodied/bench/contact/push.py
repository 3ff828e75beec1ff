# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""A box with its load on one side, pushed over a table along a line by a free gripper.

Pushed at the middle of its face it turns and leaves the line, because its weight is not in its
middle; where it has to be pushed is to be learned. The box lies on the table by contact and
friction, and the fingers push by contact alone. The gripper is that of ``contact_scenes``.
"""

from __future__ import annotations

import mujoco
import numpy as np

from embodied.bench.contact.scenes import (
    START,
    STEP_S,
    command_gripper,
    gripper_state,
    place_gripper,
    read_model,
)
from embodied.types import Array

BOX = np.array([0.36, 0.0, 0.5])
"""Where the middle of the box is, nominally, in the world, m."""
HALF_M = np.array([0.05, 0.07, 0.05])
GOAL_M, OFF_LINE_M, FADE_M = 0.18, 0.02, 0.03
"""How far it is to be pushed along x; so far off the line counts as on it; lost so much further."""
BALLAST_M = (0.03, 0.04)
"""Range of how far to the left (y) the ballast lies."""


class PushWorld:
    """The box and the gripper as a ``ContactTask``.

    A state is (7,): gripper position in the world (3), m; gap between the fingers, m; how far the
    box has gone along x, and to the left of the line, m; its yaw, rad. The pose of the box is read
    from the simulator: ground truth in place of perception. Each trial has its own displacement of
    the box and place of its ballast.
    """

    n_state = 7
    steps = 36

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, seed: int) -> Array:
        """Begin a trial."""
        rng = np.random.default_rng([seed, 11])
        spec = read_model("push")
        spec.body("table").pos = [0.5, 0.0, BOX[2] - HALF_M[2] - 0.02]
        spec.body("box").pos = BOX + np.append(rng.uniform(-0.006, 0.006, 2), 0.0)
        spec.geom("ballast").pos = [0.0, float(rng.uniform(*BALLAST_M)), -0.025]
        place_gripper(spec, START + rng.uniform(-0.02, 0.02, 3), upright=True)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        mujoco.mj_forward(self.model, self.data)
        self._start = np.array(self.data.body("box").xpos)
        return self.state

    @property
    def state(self) -> Array:
        """The state now."""
        body = self.data.body("box")
        gone = body.xpos - self._start
        along = body.xmat.reshape(3, 3)[:, 0]
        yaw = np.arctan2(along[1], along[0])
        return np.array([*gripper_state(self.data), gone[0], gone[1], yaw], np.float64)

    def step(self, action: Array) -> Array:
        """Move the set-point for 0.2 s: displacement (3,) m from where the gripper is, command."""
        command_gripper(self.data, action)
        mujoco.mj_step(self.model, self.data, round(STEP_S / self.model.opt.timestep))
        return self.state

    def opening(self, states: Array) -> Array:
        """Way along the line over the goal, 0 to 1; less where the box has left the line."""
        lost = np.clip((np.abs(states[..., 5]) - OFF_LINE_M) / FADE_M, 0.0, 1.0)
        return np.clip(states[..., 4] / GOAL_M, 0.0, 1.0) * (1.0 - lost)
