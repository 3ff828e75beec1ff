"""Building blocks of reward programs for arms at a table."""

from __future__ import annotations

import math
from dataclasses import replace

from embodied.language.reward import hand_building as hand
from embodied.language.reward.building import stage, until
from embodied.types import ObjectSpec, RewardGuard, RewardStage, RewardTerm

TABLE = "table"
RESTING_WEIGHT = 40.0
BESIDE_M = 0.03
"""Gap between a thing and what it is brought close to; by so much it may be off."""
RAISED_M = 0.18
SLIDING_S = 4.0
"""Time to slide a drawer to a share of its travel."""
RELEASED_M = 0.1


def resting(thing: str, place: str, weight: float = RESTING_WEIGHT) -> RewardTerm:
    """A thing in or on a place."""
    parameters = {"object": thing, "place": place}
    return RewardTerm(name="resting", parameters=parameters, weight=weight, norm="l2")


def _set_down(
    thing: str, place: str, *where: RewardTerm, there: tuple[RewardGuard, ...] = ()
) -> tuple[RewardStage, ...]:
    """Take a thing, carry it to its place, let go, leave it.

    Args:
        thing: What to take.
        place: In or on what it is to rest.
        where: Where there.
        there: What must hold once it is let go; otherwise it is taken again.
    """
    held = (hand.in_hand(thing, back=6),)
    up = hand.a("object_height", object=thing, height=RAISED_M, weight=20.0)
    placed = until("off_place", thing, place, below=0.012)
    away = hand.apart("palm", thing, RELEASED_M)
    return (
        *hand.grasping(thing),
        stage(
            up,
            hand.near("palm", thing),
            hand.CLOSE,
            hand.DOWN,
            *hand.ARM_CALM,
            seconds=2.0,
            until=until("object_height", thing, above=RAISED_M - 0.06),
            guards=(hand.in_hand(thing, back=5),),
        ),
        stage(
            resting(thing, place),
            *where,
            hand.near("palm", thing),
            hand.CLOSE,
            hand.DOWN,
            *hand.ARM_CALM,
            seconds=8.0,
            until=placed,
            guards=held,
        ),
        stage(
            resting(thing, place),
            *where,
            away,
            hand.OPEN,
            hand.DOWN,
            *hand.ARM_CALM,
            guards=there,
        ),
    )


def clearing(thing: str) -> tuple[RewardStage, ...]:
    """A thing off what it stands on, onto the table; another stage follows."""
    *before, last = _set_down(thing, TABLE)
    away = until("distance", "palm", thing, above=RELEASED_M - 0.02)
    return (*before, replace(last, duration_s=3.0, until=away))


def letting_go(drawer: str) -> tuple[RewardStage, ...]:
    """The hand opened and off a drawer's handle; another stage follows."""
    handle = f"{drawer}_handle"
    terms = (hand.DOWN, hand.OPEN, *hand.ARM_CALM)
    clear = until("distance", "palm", handle, above=0.1)
    return (
        stage(hand.near("palm", handle), *terms, seconds=0.7),
        stage(hand.apart("palm", handle, 0.13), *terms, seconds=2.0, until=clear),
    )


def putting(thing: str, place: str) -> tuple[RewardStage, ...]:
    """A thing into or onto a place."""
    return _set_down(thing, place)


def bringing(
    thing: ObjectSpec, other: ObjectSpec, distance_m: float | None = None
) -> tuple[RewardStage, ...]:
    """A thing onto the table beside another one, or at a distance between their centres."""
    level_m = _radius(thing) + _radius(other) + BESIDE_M
    usual_m = math.hypot(level_m, (thing.size_m[2] - other.size_m[2]) / 2)
    apart_m = usual_m if distance_m is None else distance_m
    names, again = (thing.name, other.name), 7
    nearest_m, farthest_m = max(0.0, apart_m - BESIDE_M), apart_m + BESIDE_M
    there = (
        RewardGuard(condition=until("distance", *names, below=farthest_m), back=again),
        RewardGuard(condition=until("distance", *names, above=nearest_m), back=again),
    )
    return _set_down(thing.name, TABLE, hand.apart(*names, apart_m), there=there)


def _radius(spec: ObjectSpec) -> float:
    return max(spec.size_m[:2]) / 2


def opening(drawer: str) -> tuple[RewardStage, ...]:
    """A drawer opened and let go; another stage follows."""
    *before, last = sliding(drawer, 1.0)
    opened = until("joint_fraction", drawer, above=0.85)
    return (*before, replace(last, duration_s=6.0, until=opened), *letting_go(drawer))


def sliding(drawer: str, share: float) -> tuple[RewardStage, ...]:
    """Take a drawer by its handle and open it by a share."""
    handle = f"{drawer}_handle"
    reached = until("distance", "palm", handle, below=0.02)
    around, firm = hand.near("palm", handle), hand.near("palm", handle, 30.0)
    return (
        stage(around, hand.DOWN, hand.OPEN, *hand.ARM_CALM, seconds=6.0, until=reached),
        stage(firm, hand.DOWN, hand.OPEN, *hand.ARM_STILL, seconds=0.5),
        stage(firm, hand.DOWN, hand.CLOSE, *hand.ARM_STILL, seconds=0.8),
        stage(
            hand.a("joint_fraction", joint=drawer, fraction=share, weight=20.0),
            around,
            hand.CLOSE,
            hand.DOWN,
            *hand.ARM_CALM,
            guards=(hand.in_hand(handle, back=3, within=0.04),),
        ),
    )


def sliding_partly(drawer: str, share: float) -> tuple[RewardStage, ...]:
    """A drawer opened by a share and let go, so that it stays where it is."""
    *before, slide = sliding(drawer, share)
    released, left = letting_go(drawer)
    still = hand.a("joint_fraction", joint=drawer, fraction=share, weight=1.0)
    left = replace(left, terms=(*left.terms, still), duration_s=None, until=None)
    return (*before, replace(slide, duration_s=SLIDING_S), released, left)
