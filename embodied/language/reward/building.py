"""Building blocks of reward programs: the stages that make one motion, with tried weights.

The rules translator and the benchmark's oracle rewards are put together from these, so that a
sentence and its hand-written program cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from embodied.language.reward.vocabulary import FEET, make_term
from embodied.types import RewardCondition, RewardGuard, RewardStage, RewardTerm

q = make_term

STANDING_HEIGHT_M = 0.27
SITTING_HEIGHT_M, SITTING_PITCH = 0.19, 0.5
SPIN_RATE = 2.5
LIFT_HEIGHT_M = 0.14
LEVEL = (q("torso_pitch", angle=0.0), q("torso_roll", angle=0.0))
CALM = (q("posture"), q("stillness", weight=1.0))
STANDING = (q("torso_height", height=STANDING_HEIGHT_M), *LEVEL)


def stage(
    *terms: RewardTerm,
    seconds: float | None = None,
    until: RewardCondition | None = None,
    guards: tuple[RewardGuard, ...] = (),
) -> RewardStage:
    """A stage."""
    return RewardStage(terms=terms, duration_s=seconds, until=until, guards=guards)


def until(
    sensor: str, *arguments: str, above: float | None = None, below: float | None = None
) -> RewardCondition:
    """A condition that ends a stage.

    Raises:
        ValueError: Neither or both of ``above`` and ``below`` are given.
    """
    value = above if above is not None else below
    if value is None or (above is not None and below is not None):
        raise ValueError("give one of above and below")
    return RewardCondition(
        sensor=sensor, op=">=" if above is not None else "<=", value=value, arguments=arguments
    )


def grounded(*feet: str) -> tuple[RewardTerm, ...]:
    """Feet that stay down."""
    return tuple(q("foot_lift", foot=foot, height=0.0, weight=25.0) for foot in feet)


GAITS: Mapping[str, tuple[float, float, tuple[float, float, float, float]]] = {
    "trot": (2.5, 0.5, (0.0, 0.5, 0.5, 0.0)),
    "pace": (2.5, 0.5, (0.0, 0.5, 0.0, 0.5)),
    "bound": (3.0, 0.4, (0.0, 0.0, 0.5, 0.5)),
}
"""Steps per second, share of the cycle in the air, and start of the swing of each foot of ``FEET``:
diagonal pairs, the feet of a side, or the feet of an end step together."""


def stepping(
    gait: str, frequency: float | None = None, height: float = 0.07
) -> tuple[RewardTerm, ...]:
    """All feet step in the rhythm of a gait."""
    usual, air_ratio, phases = GAITS[gait]
    return tuple(
        q(
            "foot_stepping",
            foot=foot,
            frequency=frequency or usual,
            air_ratio=air_ratio,
            phase=phase,
            swing_height=height,
        )
        for foot, phase in sorted(zip(FEET, phases, strict=True), key=lambda pair: pair[1])
    )


def trot(frequency: float = 2.5, height: float = 0.07) -> tuple[RewardTerm, ...]:
    """Diagonal pairs of feet step in turn."""
    return stepping("trot", frequency, height)


def facing(angle: float) -> tuple[RewardTerm, ...]:
    """Turn to a heading, trotting."""
    return (
        q("torso_heading", angle=angle, weight=10.0, norm="l2"),
        *STANDING,
        *trot(),
        q("posture"),
    )


def lifting(heights: Mapping[str, float]) -> tuple[RewardTerm, ...]:
    """Feet lifted to heights, the others down, torso level."""
    return (
        *(q("foot_lift", foot=foot, height=height) for foot, height in heights.items()),
        *grounded(*(f for f in FEET if f not in heights)),
        *STANDING,
        *CALM,
    )


def spinning(rate: float = SPIN_RATE) -> tuple[RewardTerm, ...]:
    """Turn on the spot at a rate, trotting."""
    return (
        q("torso_turn_rate", rate=rate, weight=8.0),
        q("torso_velocity", forward=0.0, left=0.0, weight=1.0),
        q("torso_height", height=STANDING_HEIGHT_M, weight=30.0),
        q("torso_pitch", angle=0.0, weight=10.0),
        q("torso_roll", angle=0.0, weight=10.0),
        *trot(frequency=3.0, height=0.06),
        q("posture", weight=0.3),
    )


def walking(forward: float, left: float, gait: str = "trot") -> tuple[RewardTerm, ...]:
    """Walk at a velocity in the robot's own frame."""
    return (
        q("torso_velocity", forward=forward, left=left, weight=5.0),
        q("torso_turn_rate", rate=0.0),
        *STANDING,
        *stepping(gait),
        q("posture"),
    )


def at_height(height: float) -> tuple[RewardTerm, ...]:
    """The torso at a height, level and calm."""
    return (
        q("torso_height", height=height, weight=40.0),
        *LEVEL,
        q("posture"),
        q("stillness", weight=0.3),
    )


def sitting() -> tuple[RewardTerm, ...]:
    """The rear down, the front up on its feet, as dogs sit."""
    return (
        q("torso_height", height=SITTING_HEIGHT_M, weight=40.0),
        q("torso_pitch", angle=SITTING_PITCH, weight=20.0),
        q("torso_roll", angle=0.0),
        *grounded("front_left", "front_right"),
        q("posture", weight=0.02),
        q("stillness", weight=0.3),
    )


def rolled(angle: float) -> tuple[RewardTerm, ...]:
    """Roll to an angle; pi is lying on the back."""
    return (q("torso_roll", angle=angle, weight=10.0), q("posture", weight=0.02))


def _tilted(name: str, angle: float, level: str) -> tuple[RewardTerm, ...]:
    return (
        q(name, angle=angle, weight=10.0),
        q(level, angle=0.0),
        q("torso_height", height=STANDING_HEIGHT_M),
        *grounded(*FEET),
        *CALM,
    )


def pitched(angle: float) -> tuple[RewardTerm, ...]:
    """The nose up (positive) or down by an angle, all feet down."""
    return _tilted("torso_pitch", angle, "torso_roll")


def leaning(angle: float) -> tuple[RewardTerm, ...]:
    """Lean to a side by an angle, all feet down; to the right is positive."""
    return _tilted("torso_roll", angle, "torso_pitch")


def going_to(x: float, y: float) -> tuple[RewardTerm, ...]:
    """Trot to a place, facing east."""
    return (q("torso_position", x=x, y=y, weight=4.0), *facing(0.0)[1:])


def on_two_feet() -> tuple[RewardTerm, ...]:
    """Upright on the rear feet."""
    return (
        q("torso_pitch", angle=1.4, weight=10.0, norm="l2"),
        q("torso_height", height=0.6, weight=40.0),
        *grounded("rear_left", "rear_right"),
        q("torso_roll", angle=0.0, weight=3.0),
        q("stillness", weight=1.0),
        q("posture", weight=0.02),
    )
