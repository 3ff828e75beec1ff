"""The eight manipulation tasks of Language to Rewards: oracle rewards and success predicates."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from embodied.bench.l2r.quadruped import L2rTask, Phase, Signal, View, task
from embodied.language.reward.hand_building import (
    flipping,
    lifting_thing,
    lifting_two,
    moving,
    touching,
    turning_joint,
    uprighting,
)
from embodied.routes.reward.robot import Place


def _held_height(thing: str, low: float, high: float) -> Callable[[View], Signal]:
    return lambda v: (v.object_height(thing)[0] > low) & (v.object_height(thing)[0] < high)


def _touches(v: View) -> Signal:
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


_task = partial(task, robot="fr3-hand")

ARM_TASKS: tuple[L2rTask, ...] = (
    _task(
        "touch",
        "touch the apple",
        touching("apple"),
        5.0,
        Phase("a geom of the hand is in contact with the apple", 0.5, _touches),
        scene=("apple",),
    ),
    _task(
        "lift",
        "lift the apple to 0.5 m",
        lifting_thing("apple", 0.5),
        12.0,
        Phase("apple between 0.45 and 0.55 m", 1.0, _held_height("apple", 0.45, 0.55)),
        scene=("apple",),
    ),
    _task(
        "move",
        "move the box to the cup",
        moving("box", "cup"),
        15.0,
        Phase(
            "box within 0.11 m of the cup, cup upright",
            1.0,
            lambda v: (v.distance("box", "cup")[0] < 0.11) & (v.object_tilt("cup")[0] < 0.3),
        ),
        scene=("box", "cup"),
        layout=_apart,
    ),
    _task(
        "place-upright",
        "place the cup upright",
        uprighting("cup"),
        16.0,
        Phase(
            "cup upright within 0.25 rad, its centre below 0.065 m (standing: 0.05)",
            1.0,
            lambda v: (v.object_tilt("cup")[0] < 0.25) & (v.object_height("cup")[0] < 0.065),
        ),
        scene=("cup",),
        layout=_lying,
    ),
    _task(
        "flip",
        "flip the box upside down",
        flipping("box"),
        18.0,
        Phase(
            "box upside down within 0.3 rad",
            1.0,
            lambda v: v.object_tilt("box")[0] > math.pi - 0.3,
        ),
        scene=("box",),
    ),
    _task(
        "lift-two",
        "lift the box and the cup at the same time",
        lifting_two("box", "cup"),
        12.0,
        Phase(
            "box and cup both above 0.2 m",
            1.0,
            lambda v: (v.object_height("box")[0] > 0.2) & (v.object_height("cup")[0] > 0.2),
        ),
        scene=("box", "cup"),
        layout=_side_by_side,
    ),
    _task(
        "turn-on-faucet",
        "turn on the faucet",
        turning_joint("faucet"),
        8.0,
        Phase("faucet at least 80% open", 1.0, lambda v: v.joint_fraction("faucet")[0] > 0.8),
        scene=("faucet",),
    ),
    _task(
        "open-drawer",
        "open the drawer",
        turning_joint("drawer"),
        8.0,
        Phase("drawer at least 80% open", 1.0, lambda v: v.joint_fraction("drawer")[0] > 0.8),
        scene=("drawer",),
    ),
)
