"""The eight manipulation tasks of Language to Rewards: oracle rewards and success predicates."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from embodied.bench.l2r.quadruped import L2rTask, Signal, View, task
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


def _touches(v: View) -> Signal:
    return v.sensor("hand_apple")[0][:, 0] > 0


def _place(rng: np.random.Generator) -> tuple[float, float]:
    return 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)


def _apart(rng: np.random.Generator) -> dict[str, Place]:
    x, y = _place(rng)
    return {"box": (x, y, 0.04, False), "cup": (x, y + 0.22, 0.05, False)}


def _side_by_side(rng: np.random.Generator) -> dict[str, Place]:
    x, y = _place(rng)
    return {"box": (x, y, 0.04, False), "cup": (x, y - 0.064, 0.05, False)}


def _lying(rng: np.random.Generator) -> dict[str, Place]:
    return {"cup": (*_place(rng), 0.033, True)}


_task = partial(task, robot="fr3-hand")

ARM_TASKS: tuple[L2rTask, ...] = (
    _task("touch", touching("apple"), _touches),
    _task(
        "lift",
        lifting_thing("apple", 0.5),
        lambda v: (v.object_height("apple")[0] > 0.45) & (v.object_height("apple")[0] < 0.55),
    ),
    _task(
        "move",
        moving("box", "cup"),
        lambda v: (v.distance("box", "cup")[0] < 0.11) & (v.object_tilt("cup")[0] < 0.3),
        layout=_apart,
    ),
    _task(
        "place-upright",
        uprighting("cup"),
        lambda v: (v.object_tilt("cup")[0] < 0.25) & (v.object_height("cup")[0] < 0.065),
        layout=_lying,
    ),
    _task("flip", flipping("box"), lambda v: v.object_tilt("box")[0] > math.pi - 0.3),
    _task(
        "lift-two",
        lifting_two("box", "cup"),
        lambda v: (v.object_height("box")[0] > 0.2) & (v.object_height("cup")[0] > 0.2),
        layout=_side_by_side,
    ),
    _task("turn-on-faucet", turning_joint("faucet"), lambda v: v.joint_fraction("faucet")[0] > 0.8),
    _task("open-drawer", turning_joint("drawer"), lambda v: v.joint_fraction("drawer")[0] > 0.8),
)
