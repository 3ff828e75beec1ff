"""Building blocks of reward programs for the three-finger hand, with tried weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from embodied.language.reward.building import stage, until
from embodied.language.reward.vocabulary import make_term
from embodied.types import RewardGuard, RewardStage, RewardTerm

a = partial(make_term, robot="fr3-hand")

WAITING_M = 0.16
WAVE_M, WAVE_S = 0.12, 1.3
"""How far the hand goes to either side when it waves, and the time that it has for it."""
IN_HAND_M, TWO_IN_HAND_M = 0.07, 0.1
"""Farthest that a thing's centre is from the palm's while the fingers hold it."""
OPEN = a("hand_closure", fraction=0.0, weight=5.0)
CLOSE = a("hand_closure", fraction=1.0, weight=5.0)
DOWN = a("palm_orientation", direction="down", weight=2.0)
ARM_CALM = (a("posture"), a("stillness"))
ARM_STILL = (a("stillness", weight=0.2),)
ARM_HELD = (a("stillness", weight=1.0),)
"""Fingers that have closed take along what they hold at no cost: two things need an arm at rest."""


def in_hand(thing: str, *, back: int, within: float = IN_HAND_M) -> RewardGuard:
    """A thing is still between the fingers; otherwise go back so many stages and take it again."""
    return RewardGuard(condition=until("distance", "palm", thing, below=within), back=back)


def off_table(thing: str, *, back: int) -> RewardGuard:
    """A thing has left the table; otherwise go back: a hand may jam under what it holds."""
    return RewardGuard(condition=until("object_height", thing, above=0.08), back=back)


def upright(thing: str, weight: float = 10.0) -> RewardTerm:
    """A thing stands."""
    return a("object_orientation", object=thing, orientation="upright", weight=weight)


def near(first: str, second: str, weight: float = 10.0) -> RewardTerm:
    """Two points together."""
    return a("distance", a=first, b=second, weight=weight, norm="l2")


def _reaching(point: str) -> RewardStage:
    reached = until("distance", "palm", point, below=0.03)
    return stage(near("palm", point), DOWN, OPEN, *ARM_CALM, seconds=3.0, until=reached)


def touching(thing: str) -> tuple[RewardStage, ...]:
    """The hand around a thing, then closing on it."""
    return (_reaching(thing), stage(near("palm", thing), DOWN, CLOSE, *ARM_CALM))


def waving(times: int = 2) -> tuple[RewardStage, ...]:
    """The hand to its left and to its right and back, with what it holds."""
    sides = (WAVE_M, -WAVE_M) * times
    there = (stage(a("palm_offset", left=left), *ARM_CALM, seconds=WAVE_S) for left in sides)
    middle = stage(a("palm_offset"), *ARM_CALM)
    begun = until("distance", "palm", "rest_position", below=0.04)
    return (replace(middle, duration_s=5.0, until=begun), *there, middle)


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


HALF_M = {"apple": 0.035, "bowl": 0.03, "box": 0.04, "cup": 0.05}
"""Height of a thing's centre where it stands on the table."""
ABOVE_M = 0.15


def over(thing: str, other: str, gap_m: float = ABOVE_M) -> tuple[RewardStage, ...]:
    """Grasp a thing and hold it straight above another.

    A centre that is as far from the other's as it is higher lies straight above it.
    """
    height = round(HALF_M.get(other, 0.04) + gap_m, 4)
    raised = a("object_height", object=thing, height=height, weight=20.0, norm="l2")
    beside_it = a("distance", a=thing, b=other, distance=gap_m, weight=40.0, norm="l2")
    return (
        *grasping(thing, upright(thing, 5.0)),
        _raising(thing, *_with_hand(thing, raised), above=height - 0.04),
        stage(
            beside_it,
            raised,
            near("palm", thing, 20.0),
            CLOSE,
            DOWN,
            *ARM_CALM,
            guards=(in_hand(thing, back=6),),
        ),
    )


def put_on(thing: str, other: str) -> tuple[RewardStage, ...]:
    """Hold a thing above another, lower it onto it and let go."""
    gap = round(HALF_M.get(thing, 0.04) + HALF_M.get(other, 0.04) + 0.01, 4)
    *earlier, held = over(thing, other)
    *_, lowered = over(thing, other, gap)
    return (
        *earlier,
        replace(held, duration_s=4.0, until=until("distance", thing, other, below=ABOVE_M + 0.02)),
        replace(lowered, duration_s=3.0, until=until("distance", thing, other, below=gap + 0.01),
                guards=(in_hand(thing, back=7),)),
        _let_go(thing, a("distance", a=thing, b=other, distance=gap, weight=5.0, norm="l2")),
    )  # fmt: skip


def dropped_into(thing: str, other: str) -> tuple[RewardStage, ...]:
    """Hold a thing above another and let go."""
    *earlier, held = over(thing, other, 0.1)
    return (
        *earlier,
        replace(held, duration_s=4.0, until=until("distance", thing, other, below=0.12)),
        _let_go(thing, near(thing, other, 5.0)),
    )


def _let_go(thing: str, asked: RewardTerm) -> RewardStage:
    return stage(asked, apart("palm", thing, 0.16), OPEN, DOWN, *ARM_CALM)


def lowered(thing: str) -> tuple[RewardStage, ...]:
    """What is in the hand down to the table, and let go."""
    half = HALF_M.get(thing, 0.04)
    down = a("object_height", object=thing, height=half, weight=20.0, norm="l2")
    landed = until("object_height", thing, below=half + 0.012)
    return (
        stage(down, upright(thing, 5.0), near("palm", thing), CLOSE, DOWN, *ARM_CALM, seconds=5.0,
              until=landed),
        _let_go(thing, down),
    )  # fmt: skip


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
