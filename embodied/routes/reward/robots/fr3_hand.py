# pyright: reportAttributeAccessIssue=false
"""The FR3-class arm with a three-finger hand at a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.arm import ArmView
from embodied_controllers.mpc.arm_models import (
    ARM_DQ_MAX,
    FAUCET_RADIUS_M,
    FIXTURES,
    HANDLES,
    ITEMS,
    arm_spec,
)

from embodied.language.reward.rules_arm import arm_speech
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import arm_vocabulary
from embodied.routes.reward.robot import Layout, Place, RewardRobot, Things
from embodied.types import ObjectSpec
from embodied.world.mpc_world import Randomise

if TYPE_CHECKING:
    import mujoco

STANDING_HEIGHT_M = {"apple": 0.035, "bowl": 0.03, "box": 0.04, "cup": 0.05}
TRAVEL_M = {"drawer": 0.2, "faucet": FAUCET_RADIUS_M * math.pi / 2}


def speech(things: Things, elsewhere: str) -> Speech:
    """What may be said among these things."""
    items = tuple(t for t in things if t in ITEMS)
    joints = tuple(t for t in things if t in FIXTURES)
    words = arm_vocabulary(items, tuple(HANDLES[j] for j in joints), joints)
    return arm_speech(words, elsewhere)


def default_layout(items: Things) -> Layout:
    """One item in front of the robot, or several on an arc, moved by up to 6 cm."""
    angles = np.linspace(-0.45, 0.45, len(items)) if len(items) > 1 else np.zeros(len(items))

    def layout(rng: np.random.Generator) -> Mapping[str, Place]:
        places: dict[str, Place] = {}
        for item, angle in zip(items, angles, strict=True):
            reach = 0.05 if len(items) > 1 else 0.0
            x, y = (0.5 + reach) * math.cos(angle), (0.5 + reach) * math.sin(angle)
            spread = 0.06 if len(items) == 1 else 0.02
            dx, dy = rng.uniform(-spread, spread, 2)
            places[item] = (x + dx, y + dy, STANDING_HEIGHT_M[item], False)
        return places

    return layout


def _object(name: str) -> ObjectSpec:
    if name in TRAVEL_M:
        return ObjectSpec(name=name, kind="drawer", category=name, travel_m=TRAVEL_M[name])
    return ObjectSpec(name=name, kind="item", category=name)


def _scatter(things: Things, layout: Layout | None) -> Randomise:
    half = math.sqrt(0.5)
    draw = layout or default_layout(tuple(t for t in things if t in ITEMS))

    def scatter(model: mujoco.MjModel, data: mujoco.MjData, rng: np.random.Generator) -> None:
        del model
        for name, (x, y, z, lying) in draw(rng).items():
            joint = data.joint(name)
            joint.qpos[:3] = (x, y, z)
            joint.qpos[3:] = (half, 0.0, half, 0.0) if lying else (1.0, 0.0, 0.0, 0.0)
        for i in range(7):
            data.joint(f"joint{i + 1}").qpos[0] += 0.03 * rng.standard_normal()

    return scatter


ROBOT = RewardRobot(
    name="fr3-hand",
    speech=speech,
    model=arm_spec,
    view=ArmView,
    scenes={"table": ITEMS, "drawer": ("drawer",), "faucet": ("faucet",)},
    things=(*ITEMS, *FIXTURES),
    options=PlannerOptions(horizon_s=0.5, n_knots=3, n_samples=32, halvings=(0.5,)),
    scale=(*[0.25] * 7, *[1.0] * 3),
    correlation=0.7,
    shared=((7, 8, 9),),  # the fingers open and close together
    directions=("palm", tuple(ARM_DQ_MAX)),
    ee_site="palm",
    dq_max=ARM_DQ_MAX,
    objects=_object,
    hinges_m={"faucet": FAUCET_RADIUS_M},
    scatter=_scatter,
    shown=("object_height",),
)
"""Planner settings are tuned on the l2r tasks with oracle rewards."""
