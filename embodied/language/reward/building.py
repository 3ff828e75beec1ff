"""Building blocks of reward programs: the stages that make one motion, with tried weights.

The rules translator and the benchmark's oracle rewards are put together from these, so that a
sentence and its hand-written program cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from embodied.language.reward.vocabulary import FEET, make_term
from embodied.types import RewardCondition, RewardGuard, RewardStage, RewardTerm

q = make_term
a = partial(make_term, robot="fr3-hand")

STANDING_HEIGHT_M = 0.27
SPIN_RATE = 2.5
LIFT_HEIGHT_M = 0.14
WAITING_M = 0.16
IN_HAND_M, TWO_IN_HAND_M = 0.07, 0.1
"""Farthest that a thing's centre is from the palm's while the fingers hold it."""
LEVEL = (q("torso_pitch", angle=0.0), q("torso_roll", angle=0.0))
CALM = (q("posture"), q("stillness", weight=1.0))
STANDING = (q("torso_height", height=STANDING_HEIGHT_M), *LEVEL)

OPEN = a("hand_closure", fraction=0.0, weight=5.0)
CLOSE = a("hand_closure", fraction=1.0, weight=5.0)
DOWN = a("palm_orientation", direction="down", weight=2.0)
ARM_CALM = (a("posture"), a("stillness"))
ARM_STILL = (a("stillness", weight=0.2),)
ARM_HELD = (a("stillness", weight=1.0),)
"""Fingers that have closed take along what they hold at no cost: two things need an arm at rest."""


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


def in_hand(thing: str, *, back: int, within: float = IN_HAND_M) -> RewardGuard:
    """A thing is still between the fingers; otherwise go back so many stages and take it again."""
    return RewardGuard(condition=until("distance", "palm", thing, below=within), back=back)


def off_table(thing: str, *, back: int) -> RewardGuard:
    """A thing has left the table; otherwise go back: a hand may jam under what it holds."""
    return RewardGuard(condition=until("object_height", thing, above=0.08), back=back)


def upright(thing: str, weight: float = 10.0) -> RewardTerm:
    """A thing stands."""
    return a("object_orientation", object=thing, orientation="upright", weight=weight)


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


def near(first: str, second: str, weight: float = 10.0) -> RewardTerm:
    """Two points together."""
    return a("distance", a=first, b=second, weight=weight, norm="l2")


def _reaching(point: str) -> RewardStage:
    reached = until("distance", "palm", point, below=0.03)
    return stage(near("palm", point), DOWN, OPEN, *ARM_CALM, seconds=3.0, until=reached)


def touching(thing: str) -> tuple[RewardStage, ...]:
    """The hand around a thing, then closing on it."""
    return (_reaching(thing), stage(near("palm", thing), DOWN, CLOSE, *ARM_CALM))


def off(thing: str) -> RewardTerm:
    """The palm at the distance where it waits before it grasps."""
    return a("distance", a="palm", b=thing, distance=WAITING_M, weight=10.0)


def coming(thing: str, *terms: RewardTerm) -> tuple[RewardStage, ...]:
    """The open hand off a thing, if it is there after a failed attempt, then near it.

    Args:
        thing: What to come near.
        terms: Everything but the distance.
    """
    above = a("distance", a="palm", b="rest_position", weight=2.0)  # not from the side
    reached = until("distance", "palm", thing, below=WAITING_M + 0.02)
    clear = until("distance", "palm", thing, above=WAITING_M - 0.03)
    return (
        stage(off(thing), above, *terms, seconds=1.0, until=clear),
        stage(off(thing), above, *terms, seconds=2.0, until=reached),
    )


def grasping(thing: str, *keep: RewardTerm, facing_: RewardTerm = DOWN) -> tuple[RewardStage, ...]:
    """Hand near a thing, then around it, settled, then closed.

    Args:
        thing: What to take.
        keep: Terms that hold while the hand comes near, e.g. that the thing stays upright.
        facing_: Where the palm faces.
    """
    reached, held = until("distance", "palm", thing, below=0.03), (in_hand(thing, back=4),)
    around, firm = near("palm", thing), near("palm", thing, 30.0)
    return (
        *coming(thing, *keep, OPEN, facing_, *ARM_CALM),
        stage(around, *keep, OPEN, facing_, *ARM_CALM, seconds=4.0, until=reached),
        stage(firm, *keep, OPEN, facing_, *ARM_STILL, seconds=0.5),
        stage(firm, *keep, CLOSE, facing_, *ARM_STILL, seconds=1.0, guards=held),
    )


def _carried(thing: str, height: float) -> tuple[RewardTerm, ...]:
    return _with_hand(thing, a("object_height", object=thing, height=height, weight=20.0))


def _with_hand(thing: str, height: RewardTerm) -> tuple[RewardTerm, ...]:
    return (height, near("palm", thing), CLOSE, DOWN, *ARM_CALM)


def _raising(thing: str, *terms: RewardTerm, above: float, seconds: float = 2.0) -> RewardStage:
    """A thing that was grasped, up to a height; back to the grasp where it slips."""
    raised, held = until("object_height", thing, above=above), (in_hand(thing, back=5),)
    return stage(*terms, seconds=seconds, until=raised, guards=held)


def lifting_thing(thing: str, height: float) -> tuple[RewardStage, ...]:
    """Grasp a thing and lift it to a height."""
    return (
        *grasping(thing),
        _raising(thing, *_carried(thing, height), above=0.15),
        stage(
            *_carried(thing, height),
            guards=(in_hand(thing, back=6), off_table(thing, back=6)),
        ),
    )


def moving(thing: str, target: str) -> tuple[RewardStage, ...]:
    """Grasp a thing and bring it beside another.

    Height and distance are small, so their norms are sharp: within its width of 5 cm the smooth one
    hardly lifts and stays 2 cm short, and a box that drags over the table topples or stays behind.
    """
    lifted = a("object_height", object=thing, height=0.07, weight=20.0, norm="l2")
    return (
        *grasping(thing, upright(thing, 5.0)),
        _raising(thing, *_with_hand(thing, lifted), above=0.055),
        stage(
            a("distance", a=thing, b=target, distance=0.09, weight=40.0, norm="l2"),
            lifted,
            upright(target),
            near("palm", thing, 20.0),
            CLOSE,
            DOWN,
            *ARM_CALM,
            guards=(in_hand(thing, back=6),),
        ),
    )


def apart(first: str, second: str, distance: float) -> RewardTerm:
    """Two points at a distance."""
    together = near(first, second)
    return replace(together, parameters={**together.parameters, "distance": distance})


def beside(thing: str, target: str, distance: float) -> tuple[RewardStage, ...]:
    """As ``moving``, but to another distance."""
    *earlier, last = moving(thing, target)
    first, *rest = last.terms
    first = replace(first, parameters={**first.parameters, "distance": distance})
    return (*earlier, replace(last, terms=(first, *rest)))


def uprighting(thing: str, standing_height: float = 0.05) -> tuple[RewardStage, ...]:
    """Grasp a lying thing, turn it upright in the air, put it down.

    The arm keeps near its rest posture: with the elbow in the middle the wrist alone turns what
    the hand took lengthwise. Turning weighs little enough to keep it between the fingers, and to
    stay low: raised high, it would have to tilt again on its way down.
    """
    across = a("closing_across", object=thing, weight=2.0)
    square, calm = a("posture", weight=0.5), a("stillness", weight=0.03)
    up, kept = upright(thing, 15.0), near("palm", thing, 40.0)
    within_reach = a("distance", a=thing, b="rest_position", distance=0.2, weight=5.0)
    wrong_way = RewardGuard(condition=until("object_tilt", thing, below=1.9), back=1)
    return (
        *grasping(thing, across),
        _raising(thing, *_carried(thing, 0.2), square, above=0.16),
        stage(
            up,
            a("object_height", object=thing, height=0.2, weight=60.0),
            kept,
            within_reach,
            CLOSE,
            square,
            calm,
            seconds=5.0,
            until=until("object_tilt", thing, below=0.3),
            guards=(in_hand(thing, back=6), wrong_way),
        ),
        stage(
            up,
            a("object_height", object=thing, height=standing_height, weight=30.0),
            kept,
            within_reach,
            CLOSE,
            square,
            calm,
            seconds=3.0,
            until=until("object_height", thing, below=standing_height + 0.009),
            guards=(in_hand(thing, back=7),),
        ),
        stage(
            up,
            apart("palm", thing, 0.12),
            OPEN,
            *ARM_CALM,
            guards=(RewardGuard(condition=until("object_tilt", thing, below=0.8), back=8),),
        ),
    )


def flipping(thing: str) -> tuple[RewardStage, ...]:
    """Grasp a thing and turn it upside down in the air."""
    return (
        *grasping(thing),
        _raising(thing, *_carried(thing, 0.4), above=0.33, seconds=3.0),
        stage(
            a("object_orientation", object=thing, orientation="upside_down", weight=40.0),
            a("object_height", object=thing, height=0.4, weight=5.0),
            near("palm", thing),
            CLOSE,
        ),
    )


def lifting_two(first: str, second: str, height: float = 0.3) -> tuple[RewardStage, ...]:
    """Grasp two things that stand side by side and lift them together."""
    both = (near("palm", first), near("palm", second))
    # Weak, the hand would rather rise out of what closing fingers push about.
    down_to = (near("palm", first, 30.0), near("palm", second, 30.0))
    standing = (upright(first), upright(second))
    in_line = a("closing_along", a=first, b=second, weight=3.0)
    raised = (
        *(a("object_height", object=t, height=height, weight=20.0) for t in (first, second)),
        *both,
        CLOSE,
        DOWN,
        *ARM_CALM,
    )
    return (
        *coming(first, off(second), in_line, OPEN, DOWN, *ARM_CALM),
        stage(*down_to, *standing, in_line, OPEN, DOWN, *ARM_CALM, seconds=3.0),
        stage(*down_to, in_line, CLOSE, DOWN, *ARM_HELD, seconds=1.0),
        stage(
            *raised,
            seconds=2.5,
            until=until("object_height", first, above=0.15),
            guards=tuple(in_hand(t, back=4, within=TWO_IN_HAND_M) for t in (first, second)),
        ),
        stage(
            *raised,
            guards=(
                *(in_hand(t, back=5, within=TWO_IN_HAND_M) for t in (first, second)),
                *(off_table(t, back=5) for t in (first, second)),
            ),
        ),
    )


def turning_joint(joint: str, fraction: float = 1.0) -> tuple[RewardStage, ...]:
    """Take the handle of the drawer or the faucet between the fingers and open or close it."""
    handle = f"{joint}_handle"
    return (
        _reaching(handle),
        stage(
            a("joint_fraction", joint=joint, fraction=fraction, weight=20.0),
            near("palm", handle),
            OPEN,
            DOWN,
            *ARM_CALM,
        ),
    )
