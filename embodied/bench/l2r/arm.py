"""The eight manipulation tasks of Language to Rewards: oracle rewards and success predicates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from embodied.bench.l2r.quadruped import L2rTask, Phase, Signal
from embodied.bench.l2r.quadruped import program as any_program
from embodied.language.reward.building import (
    flipping,
    lifting_thing,
    lifting_two,
    moving,
    touching,
    turning_joint,
    uprighting,
)
from embodied.routes.reward.robot import Place
from embodied.types import RewardProgram, RewardStage


def program(*stages: RewardStage) -> RewardProgram:
    """A program for the arm."""
    return any_program(*stages, robot="fr3-hand")


def _held_height(thing: str, low: float, high: float) -> Callable[[Any], Signal]:
    return lambda v: (v.object_height(thing)[0] > low) & (v.object_height(thing)[0] < high)


def _touches(v: Any) -> Signal:
    return v.sensor("hand_apple")[0][:, 0] > 0


def _apart(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"box": (x, y, 0.04, False), "cup": (x, y + 0.22, 0.05, False)}


def _side_by_side(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"box": (x, y, 0.04, False), "cup": (x, y - 0.064, 0.05, False)}


def _lying(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"cup": (x, y, 0.033, True)}


ARM_TASKS: tuple[L2rTask, ...] = (
    L2rTask(
        name="touch",
        instructions=("touch the apple",),
        oracle=program(*touching("apple")),
        phases=(
            Phase(
                text="a geom of the hand is in contact with the apple",
                holds=_touches,
                hold_s=0.5,
            ),
        ),
        limit_s=5.0,
        scene=("apple",),
    ),
    L2rTask(
        name="lift",
        instructions=("lift the apple to 0.5 m",),
        oracle=program(*lifting_thing("apple", 0.5)),
        phases=(
            Phase(
                text="apple between 0.45 and 0.55 m",
                holds=_held_height("apple", 0.45, 0.55),
                hold_s=1.0,
            ),
        ),
        limit_s=12.0,
        scene=("apple",),
    ),
    L2rTask(
        name="move",
        instructions=("move the box to the cup",),
        oracle=program(*moving("box", "cup")),
        phases=(
            Phase(
                text="box within 0.11 m of the cup, cup upright",
                holds=lambda v: (
                    (v.distance("box", "cup")[0] < 0.11) & (v.object_tilt("cup")[0] < 0.3)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=15.0,
        scene=("box", "cup"),
        layout=_apart,
    ),
    L2rTask(
        name="place-upright",
        instructions=("place the cup upright",),
        oracle=program(*uprighting("cup")),
        phases=(
            Phase(
                text="cup upright within 0.25 rad, its centre below 0.065 m (standing: 0.05)",
                holds=lambda v: (
                    (v.object_tilt("cup")[0] < 0.25) & (v.object_height("cup")[0] < 0.065)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=16.0,
        scene=("cup",),
        layout=_lying,
    ),
    L2rTask(
        name="flip",
        instructions=("flip the box upside down",),
        oracle=program(*flipping("box")),
        phases=(
            Phase(
                text="box upside down within 0.3 rad",
                holds=lambda v: v.object_tilt("box")[0] > math.pi - 0.3,
                hold_s=1.0,
            ),
        ),
        limit_s=18.0,
        scene=("box",),
    ),
    L2rTask(
        name="lift-two",
        instructions=("lift the box and the cup at the same time",),
        oracle=program(*lifting_two("box", "cup")),
        phases=(
            Phase(
                text="box and cup both above 0.2 m",
                holds=lambda v: (
                    (v.object_height("box")[0] > 0.2) & (v.object_height("cup")[0] > 0.2)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=12.0,
        scene=("box", "cup"),
        layout=_side_by_side,
    ),
    L2rTask(
        name="turn-on-faucet",
        instructions=("turn on the faucet",),
        oracle=program(*turning_joint("faucet")),
        phases=(
            Phase(
                text="faucet at least 80% open",
                holds=lambda v: v.joint_fraction("faucet")[0] > 0.8,
                hold_s=1.0,
            ),
        ),
        limit_s=8.0,
        scene=("faucet",),
    ),
    L2rTask(
        name="open-drawer",
        instructions=("open the drawer",),
        oracle=program(*turning_joint("drawer")),
        phases=(
            Phase(
                text="drawer at least 80% open",
                holds=lambda v: v.joint_fraction("drawer")[0] > 0.8,
                hold_s=1.0,
            ),
        ),
        limit_s=8.0,
        scene=("drawer",),
    ),
)
