# pyright: reportAttributeAccessIssue=false
"""The FR3-class arm with a three-finger hand at a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.arm import FINGERS, ArmView
from embodied_controllers.mpc.arm_models import (
    ARM_DQ_MAX,
    ARM_HOME,
    FAUCET_RADIUS_M,
    FIXTURES,
    HAND_OPEN,
    HANDLES,
    ITEMS,
    arm_spec,
    scene_xml,
)

from embodied.language.reward.rules_arm import arm_speech
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import arm_vocabulary
from embodied.routes.reward.robot import Layout, Place, RewardRobot, Things
from embodied.types import ObjectSpec
from embodied.world.mpc_world import Randomise
from embodied.world.robots import Robot, load

if TYPE_CHECKING:
    import mujoco

FINGER_SPEED = 5.0
"""Speed limit of the knuckles, rad/s."""
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


def at_table(things: Things) -> mujoco.MjSpec:
    """The arm at a table with these things."""
    from embodied.world.builder import dress_table

    spec = arm_spec(things)
    dress_table(spec)
    return spec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandArm(Robot):
    """The arm with its hand, for a scene: the fingers are joints of the world."""

    def mjspec(self) -> mujoco.MjSpec:
        """A fresh, editable model without a scene."""
        import mujoco

        return mujoco.MjSpec.from_string(scene_xml(()))


def hand_arm() -> Robot:
    """The arm with its hand as other arms are described."""
    arm = load("fr3")
    n = len(FINGERS)
    return HandArm(
        name="fr3-hand",
        model_path=arm.model_path,
        joints=(*arm.joints, *(f"{finger}_knuckle" for finger in FINGERS)),
        q_home=np.array([*ARM_HOME, *HAND_OPEN]),
        q_lower=np.array([*arm.q_lower, *[-0.45] * n]),
        q_upper=np.array([*arm.q_upper, *[1.25] * n]),
        dq_max=np.array([*arm.dq_max, *[FINGER_SPEED] * n]),
        ddq_max=np.array([*arm.ddq_max, *[50.0] * n]),
        dddq_max=np.array([*arm.dddq_max, *[5000.0] * n]),
        tau_max=np.array([*arm.tau_max, *[6.0] * n]),
        ee_site="palm",
    )


ROBOT = RewardRobot(
    name="fr3-hand",
    speech=speech,
    model=at_table,
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
    arm=hand_arm,
    shown=("object_height",),
)
"""Planner settings are tuned on the l2r tasks with oracle rewards."""
