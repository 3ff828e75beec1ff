"""The nine quadruped tasks of Language to Rewards: oracle rewards and success predicates.

Predicates read measured states of the simulation model, vectorised over recorded time; a task is
solved when its phases are held one after the other, each for its stated time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.language.reward.building import (
    LIFT_HEIGHT_M,
    SPIN_RATE,
    at_height,
    facing,
    lifting,
    on_two_feet,
    rolled,
    spinning,
    stage,
)
from embodied.routes.reward.robot import Layout
from embodied.types import RewardProgram, RewardStage

Signal = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """``holds(view)`` (T,) must stay true for ``hold_s``; ``text`` says so in words."""

    text: str
    holds: Callable[[Any], Signal]
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class L2rTask:
    """One task.

    Attributes:
        name: Short name.
        instructions: Sentences, given one after the other in one conversation.
        oracle: Reward program written by hand.
        phases: Success predicate.
        limit_s: Simulated time allowed.
        scene: Objects of the scene, for the arm.
        layout: Where they are; the default layout otherwise.
    """

    name: str
    instructions: tuple[str, ...]
    oracle: RewardProgram
    phases: tuple[Phase, ...]
    limit_s: float
    scene: tuple[str, ...] = ()
    layout: Layout | None = None

    @property
    def robot(self) -> str:
        """Which robot."""
        return self.oracle.robot


def program(*stages: RewardStage, robot: str = "quadruped") -> RewardProgram:
    """A program written by hand."""
    return RewardProgram(robot=robot, stages=stages, source="oracle")


ON_GROUND = 0.035


def _near(angle: Any, target: float, width: float) -> Signal:
    return np.abs((angle - target + math.pi) % (2 * math.pi) - math.pi) < width


def _upright(v: Any) -> Signal:
    return (v.height()[0] > 0.18) & (np.abs(v.pitch()[0]) < 0.4) & (v.roll_size()[0] < 0.4)


def _faces(angle: float) -> Callable[[Any], Signal]:
    return lambda v: _near(v.heading()[0], angle, 0.2) & _upright(v)


def _lifted(foot: str, height: float) -> Callable[[Any], Signal]:
    others = [f for f in ("front_left", "front_right", "rear_left", "rear_right") if f != foot]

    def holds(v: Any) -> Signal:
        down = np.all([v.foot_height(f)[0] < ON_GROUND for f in others], axis=0)
        return (v.foot_height(foot)[0] > height) & down & _upright(v)

    return holds


def _spins(v: Any) -> Signal:
    """Mean turn rate over the last second within 20% of the asked one."""
    heading = np.unwrap(v.heading()[0])
    n = max(1, int(np.searchsorted(v.time, v.time[0] + 1.0)))
    rate = np.zeros_like(heading)
    rate[n:] = (heading[n:] - heading[:-n]) / (v.time[n:] - v.time[:-n])
    return (np.abs(rate - SPIN_RATE) < 0.2 * SPIN_RATE) & _upright(v)


def _stands_on_two(v: Any) -> Signal:
    rear = (v.foot_height("rear_left")[0] < 0.05) & (v.foot_height("rear_right")[0] < 0.05)
    front = (v.foot_height("front_left")[0] > 0.25) & (v.foot_height("front_right")[0] > 0.25)
    knees = (v.knee_height("rear_left")[0] > 0.06) & (v.knee_height("rear_right")[0] > 0.06)
    return rear & front & knees & (v.pitch()[0] > 0.9) & (v.height()[0] > 0.48)


def _sits(v: Any) -> Signal:
    return (v.height()[0] < 0.17) & (np.abs(v.pitch()[0]) < 0.15) & (v.roll_size()[0] < 0.15)


QUADRUPED_TASKS: tuple[L2rTask, ...] = (
    L2rTask(
        name="face-sunrise",
        instructions=("The sun rises in the east: turn and face the sunrise",),
        oracle=program(stage(*facing(0.0))),
        phases=(Phase(text="heading within 0.2 rad of east", holds=_faces(0.0), hold_s=1.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="face-sunset",
        instructions=("The sun sets in the west: turn and face the sunset",),
        oracle=program(stage(*facing(math.pi))),
        phases=(Phase(text="heading within 0.2 rad of west", holds=_faces(math.pi), hold_s=1.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="sit-low",
        instructions=("sit down low with a flat torso",),
        oracle=program(stage(*at_height(0.12))),
        phases=(Phase(text="torso below 0.17 m and level", holds=_sits, hold_s=1.0),),
        limit_s=4.0,
    ),
    L2rTask(
        name="roll-over",
        instructions=("roll over by 180 degrees",),
        oracle=program(stage(*rolled(math.pi))),
        phases=(
            Phase(
                text="roll at least 2.6 rad",
                holds=lambda v: v.roll_size()[0] > 2.6,
                hold_s=1.0,
            ),
        ),
        limit_s=6.0,
    ),
    L2rTask(
        name="spin-fast",
        instructions=("spin fast",),
        oracle=program(stage(*spinning())),
        phases=(Phase(text="turns at 2.5 rad/s +- 20%", holds=_spins, hold_s=2.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="lift-paw",
        instructions=("lift the front right paw",),
        oracle=program(stage(*lifting({"front_right": LIFT_HEIGHT_M}))),
        phases=(
            Phase(
                text="front right sole above 0.08 m, the others down",
                holds=_lifted("front_right", 0.08),
                hold_s=1.0,
            ),
        ),
        limit_s=5.0,
    ),
    L2rTask(
        name="lift-paw-higher",
        instructions=("lift the front right paw", "lift it even higher"),
        oracle=program(
            stage(*lifting({"front_right": LIFT_HEIGHT_M}), seconds=3.0),
            stage(*lifting({"front_right": 0.24})),
        ),
        phases=(
            Phase(
                text="front right sole above 0.08 m, the others down",
                holds=_lifted("front_right", 0.08),
                hold_s=0.5,
            ),
            Phase(
                text="front right sole above 0.18 m, the others down",
                holds=_lifted("front_right", 0.18),
                hold_s=1.0,
            ),
        ),
        limit_s=8.0,
    ),
    L2rTask(
        name="lift-diagonal-spin",
        instructions=("lift the front left paw", "now the diagonal paw instead", "now spin"),
        oracle=program(
            stage(*lifting({"front_left": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*lifting({"rear_right": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*spinning()),
        ),
        phases=(
            Phase(
                text="front left sole above 0.08 m, the others down",
                holds=_lifted("front_left", 0.08),
                hold_s=1.0,
            ),
            Phase(
                text="rear right sole above 0.08 m, the others down",
                holds=_lifted("rear_right", 0.08),
                hold_s=1.0,
            ),
            Phase(text="turns at 2.5 rad/s +- 20%", holds=_spins, hold_s=1.0),
        ),
        limit_s=14.0,
    ),
    L2rTask(
        name="stand-on-two",
        instructions=("stand on your two back feet like a human",),
        oracle=program(stage(*on_two_feet())),
        phases=(
            Phase(
                text="on the rear feet, knees off the ground, torso above 0.48 m, nose up",
                holds=_stands_on_two,
                hold_s=1.0,
            ),
        ),
        limit_s=8.0,
    ),
)
