"""The eight manipulation tasks of Language to Rewards: oracle rewards and success predicates."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from embodied.app.reward_rig import Place
from embodied.bench.l2r_quadruped import L2rTask, Phase, Signal
from embodied.bench.l2r_quadruped import program as any_program
from embodied.language.reward import make_term
from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm

t = partial(make_term, robot="arm")
OPEN = t("hand_closure", fraction=0.0)
CLOSE = t("hand_closure", fraction=1.0, weight=2.0)
DOWN, FORWARD = (t("palm_orientation", direction=d, weight=2.0) for d in ("down", "forward"))
CALM = t("posture")


def program(*stages: RewardStage) -> RewardProgram:
    """A program for the arm."""
    return any_program(*stages, robot="arm")


def near(a: str, b: str, weight: float = 10.0) -> RewardTerm:
    """Two points together."""
    return t("distance", a=a, b=b, weight=weight)


def until(
    sensor: str, *arguments: str, above: float | None = None, below: float | None = None
) -> RewardCondition:
    """A condition that ends a stage."""
    value = above if above is not None else below
    assert value is not None
    return RewardCondition(
        sensor=sensor, op=">=" if above is not None else "<=", value=value, arguments=arguments
    )


def stage(
    *terms: RewardTerm, seconds: float | None = None, until: RewardCondition | None = None
) -> RewardStage:
    """A stage."""
    return RewardStage(terms=terms, duration_s=seconds, until=until)


def grasp(thing: str, facing: RewardTerm = DOWN) -> tuple[RewardStage, ...]:
    """Hand near a thing, then around it, then closed."""
    return (
        stage(
            t("distance", a="palm", b=thing, distance=0.16, weight=10.0),
            OPEN,
            facing,
            CALM,
            seconds=2.0,
            until=until("distance", "palm", thing, below=0.18),
        ),
        stage(
            near("palm", thing),
            OPEN,
            facing,
            CALM,
            seconds=4.0,
            until=until("distance", "palm", thing, below=0.025),
        ),
        stage(near("palm", thing), CLOSE, facing, CALM, seconds=1.0),
    )


def _held_height(thing: str, low: float, high: float) -> Callable[[Any], Signal]:
    return lambda v: (v.object_height(thing)[0] > low) & (v.object_height(thing)[0] < high)


def _touches(v: Any) -> Signal:
    gaps = [v.distance(p, "apple")[0] for p in ("finger_1", "finger_2", "finger_3")]
    return np.min([*gaps, v.distance("palm", "apple")[0]], axis=0) < 0.05


def _apart(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"box": (x, y, 0.055, False), "cup": (x, y + 0.22, 0.05, False)}


def _side_by_side(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"box": (x, y, 0.055, False), "cup": (x, y - 0.064, 0.05, False)}


def _lying(rng: np.random.Generator) -> dict[str, Place]:
    x, y = 0.5 + rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)
    return {"cup": (x, y, 0.033, True)}


ARM_TASKS: tuple[L2rTask, ...] = (
    L2rTask(
        name="touch",
        instructions=("touch the apple",),
        oracle=program(stage(near("palm", "apple"), DOWN, OPEN, CALM)),
        phases=(
            Phase(
                text="a finger tip or the palm point within 0.05 m of the apple's centre "
                "(radius 0.035)",
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
        oracle=program(
            *grasp("apple"),
            stage(
                t("object_height", object="apple", height=0.5, weight=20.0),
                near("palm", "apple"),
                CLOSE,
                DOWN,
                CALM,
            ),
        ),
        phases=(
            Phase(
                text="apple between 0.45 and 0.55 m",
                holds=_held_height("apple", 0.45, 0.55),
                hold_s=1.0,
            ),
        ),
        limit_s=10.0,
        scene=("apple",),
    ),
    L2rTask(
        name="move",
        instructions=("move the box to the cup",),
        oracle=program(
            *grasp("box"),
            stage(
                t("object_height", object="box", height=0.085, weight=20.0),
                near("palm", "box"),
                CLOSE,
                DOWN,
                CALM,
                seconds=2.0,
                until=until("object_height", "box", above=0.07),
            ),
            stage(
                t("distance", a="box", b="cup", distance=0.09, weight=20.0),
                near("palm", "box"),
                CLOSE,
                DOWN,
                CALM,
            ),
        ),
        phases=(
            Phase(
                text="box within 0.11 m of the cup, cup upright",
                holds=lambda v: (
                    (v.distance("box", "cup")[0] < 0.11) & (v.object_tilt("cup")[0] < 0.3)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=10.0,
        scene=("box", "cup"),
        layout=_apart,
    ),
    L2rTask(
        name="place-upright",
        instructions=("place the cup upright",),
        oracle=program(
            *grasp("cup"),
            stage(
                t("object_height", object="cup", height=0.12, weight=20.0),
                near("palm", "cup"),
                CLOSE,
                DOWN,
                CALM,
                seconds=2.0,
                until=until("object_height", "cup", above=0.1),
            ),
            stage(
                t("object_orientation", object="cup", orientation="upright", weight=10.0),
                t("object_height", object="cup", height=0.12, weight=10.0),
                near("palm", "cup"),
                CLOSE,
                seconds=4.0,
                until=until("object_tilt", "cup", below=0.12),
            ),
            stage(
                t("object_orientation", object="cup", orientation="upright", weight=10.0),
                t("object_height", object="cup", height=0.05, weight=20.0),
                near("palm", "cup"),
                CLOSE,
            ),
        ),
        phases=(
            Phase(
                text="cup upright within 0.25 rad, its centre below 0.065 m (standing: 0.05)",
                holds=lambda v: (
                    (v.object_tilt("cup")[0] < 0.25) & (v.object_height("cup")[0] < 0.065)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=14.0,
        scene=("cup",),
        layout=_lying,
    ),
    L2rTask(
        name="flip",
        instructions=("flip the box upside down",),
        oracle=program(
            *grasp("box"),
            stage(
                t("object_height", object="box", height=0.4, weight=20.0),
                near("palm", "box"),
                CLOSE,
                DOWN,
                seconds=3.0,
                until=until("object_height", "box", above=0.33),
            ),
            stage(
                t("object_orientation", object="box", orientation="upside_down", weight=40.0),
                t("object_height", object="box", height=0.4, weight=5.0),
                near("palm", "box"),
                t("hand_closure", fraction=1.0, weight=2.0),
            ),
        ),
        phases=(
            Phase(
                text="box upside down within 0.3 rad",
                holds=lambda v: v.object_tilt("box")[0] > math.pi - 0.3,
                hold_s=1.0,
            ),
        ),
        limit_s=14.0,
        scene=("box",),
    ),
    L2rTask(
        name="lift-two",
        instructions=("lift the box and the cup at the same time",),
        oracle=program(
            stage(near("palm", "box"), near("palm", "cup"), OPEN, DOWN, CALM, seconds=3.0),
            stage(near("palm", "box"), near("palm", "cup"), CLOSE, DOWN, CALM, seconds=1.0),
            stage(
                t("object_height", object="box", height=0.3, weight=20.0),
                t("object_height", object="cup", height=0.3, weight=20.0),
                near("palm", "box"),
                near("palm", "cup"),
                CLOSE,
                DOWN,
                CALM,
            ),
        ),
        phases=(
            Phase(
                text="box and cup both above 0.2 m",
                holds=lambda v: (
                    (v.object_height("box")[0] > 0.2) & (v.object_height("cup")[0] > 0.2)
                ),
                hold_s=1.0,
            ),
        ),
        limit_s=10.0,
        scene=("box", "cup"),
        layout=_side_by_side,
    ),
    L2rTask(
        name="turn-on-faucet",
        instructions=("turn on the faucet",),
        oracle=program(
            stage(
                near("palm", "faucet_handle"),
                DOWN,
                OPEN,
                CALM,
                seconds=3.0,
                until=until("distance", "palm", "faucet_handle", below=0.03),
            ),
            stage(
                t("joint_fraction", joint="faucet", fraction=1.0, weight=20.0),
                near("palm", "faucet_handle"),
                OPEN,
                DOWN,
                CALM,
            ),
        ),
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
        oracle=program(
            stage(
                near("palm", "drawer_handle"),
                DOWN,
                OPEN,
                CALM,
                seconds=3.0,
                until=until("distance", "palm", "drawer_handle", below=0.03),
            ),
            stage(
                t("joint_fraction", joint="drawer", fraction=1.0, weight=20.0),
                near("palm", "drawer_handle"),
                OPEN,
                DOWN,
                CALM,
            ),
        ),
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
