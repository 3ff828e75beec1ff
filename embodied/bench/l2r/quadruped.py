"""The nine quadruped tasks of Language to Rewards: oracle rewards and success predicates.

Predicates read measured states of the simulation model, vectorised over recorded time; a task is
solved when its phases are held one after the other, each for its stated time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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

Signal: TypeAlias = NDArray[np.bool_]
View: TypeAlias = Any
"""The recorded states of an episode: a ``QuadrupedView`` or an ``ArmView`` (1, T)."""


@dataclass(frozen=True, slots=True)
class Phase:
    """``holds(view)`` (T,) must stay true for ``hold_s``; ``text`` says so in words."""

    text: str
    hold_s: float
    holds: Callable[[View], Signal]


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


def task(
    name: str,
    said: str | tuple[str, ...],
    stages: Sequence[RewardStage],
    limit_s: float,
    *phases: Phase,
    robot: str = "quadruped",
    scene: tuple[str, ...] = (),
    layout: Layout | None = None,
) -> L2rTask:
    """A task with a program written by hand."""
    return L2rTask(
        name=name,
        instructions=(said,) if isinstance(said, str) else said,
        oracle=RewardProgram(robot=robot, stages=tuple(stages), source="oracle"),
        phases=phases,
        limit_s=limit_s,
        scene=scene,
        layout=layout,
    )


ON_GROUND = 0.035


def _near(angle: NDArray[np.float64], target: float, width: float) -> Signal:
    return np.abs((angle - target + math.pi) % (2 * math.pi) - math.pi) < width


def _upright(v: View) -> Signal:
    return (v.height()[0] > 0.18) & (np.abs(v.pitch()[0]) < 0.4) & (v.roll_size()[0] < 0.4)


def _faces(angle: float) -> Callable[[View], Signal]:
    return lambda v: _near(v.heading()[0], angle, 0.2) & _upright(v)


def _lifted(foot: str, height: float) -> Callable[[View], Signal]:
    others = [f for f in ("front_left", "front_right", "rear_left", "rear_right") if f != foot]

    def holds(v: View) -> Signal:
        down = np.all([v.foot_height(f)[0] < ON_GROUND for f in others], axis=0)
        return (v.foot_height(foot)[0] > height) & down & _upright(v)

    return holds


def _spins(v: View) -> Signal:
    """Mean turn rate over the last second within 20% of the asked one."""
    heading = np.unwrap(v.heading()[0])
    n = max(1, int(np.searchsorted(v.time, v.time[0] + 1.0)))
    rate = np.zeros_like(heading)
    rate[n:] = (heading[n:] - heading[:-n]) / (v.time[n:] - v.time[:-n])
    return (np.abs(rate - SPIN_RATE) < 0.2 * SPIN_RATE) & _upright(v)


def _stands_on_two(v: View) -> Signal:
    rear = (v.foot_height("rear_left")[0] < 0.05) & (v.foot_height("rear_right")[0] < 0.05)
    front = (v.foot_height("front_left")[0] > 0.25) & (v.foot_height("front_right")[0] > 0.25)
    knees = (v.knee_height("rear_left")[0] > 0.06) & (v.knee_height("rear_right")[0] > 0.06)
    return rear & front & knees & (v.pitch()[0] > 0.9) & (v.height()[0] > 0.48)


def _sits(v: View) -> Signal:
    return (v.height()[0] < 0.17) & (np.abs(v.pitch()[0]) < 0.15) & (v.roll_size()[0] < 0.15)


def _paw(foot: str, height: float, hold_s: float) -> Phase:
    words = foot.replace("_", " ")
    text = f"{words} sole above {height:g} m, the others down"
    return Phase(text, hold_s, _lifted(foot, height))


QUADRUPED_TASKS: tuple[L2rTask, ...] = (
    task(
        "face-sunrise",
        "The sun rises in the east: turn and face the sunrise",
        [stage(*facing(0.0))],
        8.0,
        Phase("heading within 0.2 rad of east", 1.0, _faces(0.0)),
    ),
    task(
        "face-sunset",
        "The sun sets in the west: turn and face the sunset",
        [stage(*facing(math.pi))],
        8.0,
        Phase("heading within 0.2 rad of west", 1.0, _faces(math.pi)),
    ),
    task(
        "sit-low",
        "sit down low with a flat torso",
        [stage(*at_height(0.12))],
        4.0,
        Phase("torso below 0.17 m and level", 1.0, _sits),
    ),
    task(
        "roll-over",
        "roll over by 180 degrees",
        [stage(*rolled(math.pi))],
        6.0,
        Phase("roll at least 2.6 rad", 1.0, lambda v: v.roll_size()[0] > 2.6),
    ),
    task(
        "spin-fast",
        "spin fast",
        [stage(*spinning())],
        8.0,
        Phase("turns at 2.5 rad/s +- 20%", 2.0, _spins),
    ),
    task(
        "lift-paw",
        "lift the front right paw",
        [stage(*lifting({"front_right": LIFT_HEIGHT_M}))],
        5.0,
        _paw("front_right", 0.08, 1.0),
    ),
    task(
        "lift-paw-higher",
        ("lift the front right paw", "lift it even higher"),
        [
            stage(*lifting({"front_right": LIFT_HEIGHT_M}), seconds=3.0),
            stage(*lifting({"front_right": 0.24})),
        ],
        8.0,
        _paw("front_right", 0.08, 0.5),
        _paw("front_right", 0.18, 1.0),
    ),
    task(
        "lift-diagonal-spin",
        ("lift the front left paw", "now the diagonal paw instead", "now spin"),
        [
            stage(*lifting({"front_left": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*lifting({"rear_right": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*spinning()),
        ],
        14.0,
        _paw("front_left", 0.08, 1.0),
        _paw("rear_right", 0.08, 1.0),
        Phase("turns at 2.5 rad/s +- 20%", 1.0, _spins),
    ),
    task(
        "stand-on-two",
        "stand on your two back feet like a human",
        [stage(*on_two_feet())],
        8.0,
        Phase(
            "on the rear feet, knees off the ground, torso above 0.48 m, nose up",
            1.0,
            _stands_on_two,
        ),
    ),
)
