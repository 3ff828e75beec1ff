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

from embodied.app.reward_rig import Layout
from embodied.language.reward import make_term
from embodied.types import RewardProgram, RewardStage, RewardTerm

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


def stage(*terms: RewardTerm, seconds: float | None = None) -> RewardStage:
    """A stage that ends by time, or never."""
    return RewardStage(terms=terms, duration_s=seconds)


def program(*stages: RewardStage, robot: str = "quadruped") -> RewardProgram:
    """A program written by hand."""
    return RewardProgram(robot=robot, stages=stages, source="oracle")


t = make_term
LEVEL = (t("torso_pitch", angle=0.0), t("torso_roll", angle=0.0))
CALM = (t("posture"), t("stillness", weight=1.0))
STANDING = (t("torso_height", height=0.27), *LEVEL)
ON_GROUND = 0.035
SPIN_RATE = 2.5


def grounded(*feet: str) -> tuple[RewardTerm, ...]:
    """Feet that stay down."""
    return tuple(t("foot_lift", foot=foot, height=0.0, weight=25.0) for foot in feet)


def trot(frequency: float = 2.5, height: float = 0.07) -> tuple[RewardTerm, ...]:
    """Diagonal pairs of feet step in turn."""
    return tuple(
        t(
            "foot_stepping",
            foot=foot,
            frequency=frequency,
            air_ratio=0.5,
            phase=phase,
            swing_height=height,
        )
        for foot, phase in (
            ("front_left", 0.0),
            ("rear_right", 0.0),
            ("front_right", 0.5),
            ("rear_left", 0.5),
        )
    )


def _facing(angle: float) -> tuple[RewardStage, ...]:
    return (
        stage(
            t("torso_heading", angle=angle, weight=10.0, norm="l2"),
            *STANDING,
            *trot(),
            t("posture"),
        ),
    )


def _lift(foot: str, height: float) -> tuple[RewardTerm, ...]:
    others = [f for f in ("front_left", "front_right", "rear_left", "rear_right") if f != foot]
    return (
        t("foot_lift", foot=foot, height=height),
        *grounded(*others),
        *STANDING,
        *CALM,
    )


SPIN = (
    t("torso_turn_rate", rate=SPIN_RATE, weight=4.0),
    t("torso_velocity", forward=0.0, left=0.0, weight=1.0),
    t("torso_height", height=0.27, weight=30.0),
    t("torso_pitch", angle=0.0, weight=10.0),
    t("torso_roll", angle=0.0, weight=10.0),
    *trot(),
    t("posture", weight=0.3),
)


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
    return rear & front & (v.pitch()[0] > 0.9) & (v.height()[0] > 0.38)


def _sits(v: Any) -> Signal:
    return (v.height()[0] < 0.17) & (np.abs(v.pitch()[0]) < 0.15) & (v.roll_size()[0] < 0.15)


QUADRUPED_TASKS: tuple[L2rTask, ...] = (
    L2rTask(
        name="face-sunrise",
        instructions=("The sun rises in the east: turn and face the sunrise",),
        oracle=program(*_facing(0.0)),
        phases=(Phase(text="heading within 0.2 rad of east", holds=_faces(0.0), hold_s=1.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="face-sunset",
        instructions=("The sun sets in the west: turn and face the sunset",),
        oracle=program(*_facing(math.pi)),
        phases=(Phase(text="heading within 0.2 rad of west", holds=_faces(math.pi), hold_s=1.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="sit-low",
        instructions=("sit down low with a flat torso",),
        oracle=program(
            stage(
                t("torso_height", height=0.12, weight=40.0),
                *LEVEL,
                t("posture"),
                t("stillness", weight=0.3),
            )
        ),
        phases=(Phase(text="torso below 0.17 m and level", holds=_sits, hold_s=1.0),),
        limit_s=4.0,
    ),
    L2rTask(
        name="roll-over",
        instructions=("roll over by 180 degrees",),
        oracle=program(
            stage(t("torso_roll", angle=math.pi, weight=10.0), t("posture", weight=0.02))
        ),
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
        oracle=program(stage(*SPIN)),
        phases=(Phase(text="turns at 2.5 rad/s +- 20%", holds=_spins, hold_s=2.0),),
        limit_s=8.0,
    ),
    L2rTask(
        name="lift-paw",
        instructions=("lift the front right paw",),
        oracle=program(stage(*_lift("front_right", 0.14))),
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
            stage(*_lift("front_right", 0.14), seconds=3.0), stage(*_lift("front_right", 0.24))
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
            stage(*_lift("front_left", 0.14), seconds=3.5),
            stage(*_lift("rear_right", 0.14), seconds=3.5),
            stage(*SPIN),
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
        oracle=program(
            stage(
                t("torso_pitch", angle=1.4, weight=10.0, norm="l2"),
                t("torso_height", height=0.55, weight=20.0),
                *grounded("rear_left", "rear_right"),
                t("torso_roll", angle=0.0, weight=3.0),
                t("stillness", weight=1.0),
                t("posture", weight=0.02),
            )
        ),
        phases=(
            Phase(
                text="on the rear feet, nose up by 0.9 rad or more, front feet above 0.25 m",
                holds=_stands_on_two,
                hold_s=1.0,
            ),
        ),
        limit_s=8.0,
    ),
)
