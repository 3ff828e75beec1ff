# pyright: reportAttributeAccessIssue=false
"""A quadruped with twelve joints on a floor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.plan_models import robot_spec
from embodied_controllers.mpc.quadruped import QuadrupedView

from embodied.language.reward.rules_quadruped import quadruped_speech
from embodied.routes.reward.robot import RewardRobot

if TYPE_CHECKING:
    import mujoco


def _scatter(model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator) -> None:
    """Any heading, small changes of place and joints."""
    del model
    yaw = rng.uniform(-math.pi, math.pi)
    data.qpos[:2] += rng.uniform(-0.1, 0.1, 2)
    data.qpos[3:7] = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
    data.qpos[7:] += 0.05 * rng.standard_normal(12)


ROBOT = RewardRobot(
    name="quadruped",
    speech=lambda things, elsewhere: quadruped_speech(),
    model=lambda things: robot_spec("quadruped"),
    view=QuadrupedView,
    options=PlannerOptions(horizon_s=0.6, n_knots=4, n_samples=40, halvings=(0.5,)),
    scatter=lambda things, layout: _scatter,
    shown=("torso_height", "torso_pitch", "torso_roll", "torso_heading", "torso_turn_rate"),
)
"""Planner settings are tuned on the l2r tasks with oracle rewards."""
