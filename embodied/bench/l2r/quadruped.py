"""The nine quadruped tasks of Language to Rewards: oracle rewards and success predicates.

Predicates read measured states of the simulation model, vectorised over recorded time; a task is
solved when its phases are held one after the other, each for its stated time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources
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
from embodied.tables import load_toml, read_table
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


@dataclass(frozen=True, slots=True)
class Held:
    """What a phase is in ``tasks.toml``."""

    text: str
    hold_s: float


@dataclass(frozen=True, slots=True)
class Said:
    """What a task is in ``tasks.toml``."""

    say: tuple[str, ...]
    limit_s: float
    phase: tuple[Held, ...]
    scene: tuple[str, ...] = ()


def task(
    name: str,
    stages: Iterable[RewardStage],
    *holds: Callable[[View], Signal],
    robot: str = "quadruped",
    layout: Layout | None = None,
) -> L2rTask:
    """A task of ``tasks.toml`` with its program, written by hand, and what its phases hold."""
    text = (resources.files("embodied.bench.l2r") / "tasks.toml").read_text("utf-8")
    said = read_table(Said, load_toml(text, "tasks.toml")[name], name, [])
    assert said is not None
    return L2rTask(
        name=name,
        instructions=said.say,
        oracle=RewardProgram(robot=robot, stages=tuple(stages), source="oracle"),
        phases=tuple(Phase(p.text, p.hold_s, h) for p, h in zip(said.phase, holds, strict=True)),
        limit_s=said.limit_s,
        scene=said.scene,
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


QUADRUPED_TASKS: tuple[L2rTask, ...] = (
    task("face-sunrise", [stage(*facing(0.0))], _faces(0.0)),
    task("face-sunset", [stage(*facing(math.pi))], _faces(math.pi)),
    task("sit-low", [stage(*at_height(0.12))], _sits),
    task("roll-over", [stage(*rolled(math.pi))], lambda v: v.roll_size()[0] > 2.6),
    task("spin-fast", [stage(*spinning())], _spins),
    task(
        "lift-paw", [stage(*lifting({"front_right": LIFT_HEIGHT_M}))], _lifted("front_right", 0.08)
    ),
    task(
        "lift-paw-higher",
        [
            stage(*lifting({"front_right": LIFT_HEIGHT_M}), seconds=3.0),
            stage(*lifting({"front_right": 0.24})),
        ],
        _lifted("front_right", 0.08),
        _lifted("front_right", 0.18),
    ),
    task(
        "lift-diagonal-spin",
        [
            stage(*lifting({"front_left": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*lifting({"rear_right": LIFT_HEIGHT_M}), seconds=3.5),
            stage(*spinning()),
        ],
        _lifted("front_left", 0.08),
        _lifted("rear_right", 0.08),
        _spins,
    ),
    task("stand-on-two", [stage(*on_two_feet())], _stands_on_two),
)
