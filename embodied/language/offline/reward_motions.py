"""What statements of reward slots ask of the robot, in the same tried motions that the rules use.

Signs, usual amounts and names are settled here; weights and the terms that keep the robot on its
feet come from ``language.reward.building``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from embodied.language.offline.amounts import quantity
from embodied.language.offline.scene_view import SceneView
from embodied.language.offline.slots import SlotError
from embodied.language.reward import building as build
from embodied.language.reward import hand_building as hand
from embodied.language.reward.phrases import Wish, motion
from embodied.language.reward.vocabulary import FEET as ALL_FEET
from embodied.language.reward.vocabulary import make_term

Statement: TypeAlias = Sequence[str]

FEET: Mapping[str, tuple[str, ...]] = {
    "front-left": ("front_left",),
    "front-right": ("front_right",),
    "rear-left": ("rear_left",),
    "rear-right": ("rear_right",),
    "front": ("front_left", "front_right"),
    "rear": ("rear_left", "rear_right"),
    "all": ("front_left", "front_right", "rear_left", "rear_right"),
}
"""Feet by the word that slots use."""

FACES: Mapping[str, float] = {
    "sunrise": 0.0,
    "east": 0.0,
    "north": math.pi / 2,
    "sunset": math.pi,
    "west": math.pi,
    "south": -math.pi / 2,
}
"""Headings by name, rad."""

WAYS: Mapping[str, tuple[float, float]] = {
    "forward": (1.0, 0.0),
    "back": (-1.0, 0.0),
    "left": (0.0, 1.0),
    "right": (0.0, -1.0),
}
"""Ways of walking in the heading frame: x forward, y left."""

HEIGHTS_M = {"low": 0.13, "high": 0.38, "stand": build.STANDING_HEIGHT_M}
LIFTS_M = {"": 0.10, "low": 0.05, "high": 0.20}
SPINS_RAD_S = {"": 1.5, "slow": 0.7, "fast": 3.0}
WALKS_M_S = {"": 0.4, "slow": 0.2, "fast": 0.8}
PITCH_RAD = 0.30
ROLL_RAD = 0.30
FOOT_OFFSET_M = 0.05
STEP_HZ = 2.0
HANDSTAND_PITCH_RAD = -1.4
HANDSTAND_HEIGHT_M = 0.50
ARM_LIFT_M = 0.20

_ARM_CALM = make_term("posture", robot="fr3-hand")
_OPEN_HAND = (hand.DOWN, hand.OPEN, _ARM_CALM)


def quadruped_wishes(statements: Sequence[Statement]) -> list[Wish]:
    """What statements of one stage ask of the quadruped; of two about the same the last counts.

    Raises:
        SlotError: A statement is not in the slot language.
    """
    velocity, position, lifts = [0.0, 0.0], [0.0, 0.0], dict[str, float]()
    wishes: dict[tuple[str, ...], Wish] = {}
    for words in statements:
        verb, rest = words[0], list(words[1:])
        if verb in ("walk", "go"):
            total = velocity if verb == "walk" else position
            amount = _amount(rest[1:], WALKS_M_S if verb == "walk" else {})
            for axis, part in enumerate(WAYS[rest[0]]):
                total[axis] = part * amount if part else total[axis]
            make = build.walking if verb == "walk" else build.going_to
            name = "torso_velocity" if verb == "walk" else "torso_position"
            wishes[(verb,)] = motion(make(total[0] + 0.0, total[1] + 0.0), name)
        elif verb == "lift":
            lifts |= dict.fromkeys(FEET[rest[0]], _amount(rest[1:], LIFTS_M))
            wishes[(verb,)] = motion(build.lifting(lifts), "foot_lift")
        else:
            wish = _quadruped(verb, rest)
            wishes[tuple(t.name for t in wish.essential) + _foot(wish)] = wish
    return list(wishes.values())


def _foot(wish: Wish) -> tuple[str, ...]:
    return tuple(str(t.parameters["foot"]) for t in wish.essential if "foot" in t.parameters)


def _quadruped(verb: str, rest: list[str]) -> Wish:
    if verb == "height":
        return motion(build.at_height(_amount(rest, HEIGHTS_M)), "torso_height")
    if verb == "flat":
        level = build.at_height(build.STANDING_HEIGHT_M)
        return motion(level, "torso_pitch", "torso_roll")
    if verb == "still":
        return motion((*build.STANDING, *build.CALM), "stillness")
    if verb == "pitch":
        sign = 1.0 if rest[0] == "up" else -1.0
        angle = sign * _amount(rest[1:], {"": PITCH_RAD})
        return motion(build.pitched(angle), "torso_pitch")
    if verb == "roll" and rest == ["over"]:
        return motion(build.rolled(math.pi), "torso_roll")
    if verb in ("roll", "side"):
        # leaning right raises the left side, which is positive
        sign = 1.0 if rest[0] == "right" else -1.0
        if verb == "side":
            return motion(build.rolled(sign * math.pi / 2), "torso_roll")
        angle = sign * _amount(rest[1:], {"": ROLL_RAD})
        return motion(build.leaning(angle), "torso_roll")
    if verb == "turn":
        sign = -1.0 if rest[0] == "right" else 1.0
        angle = math.pi if rest == ["around"] else sign * _amount(rest[1:], {"": math.pi / 2})
        return motion(build.facing(angle), "torso_heading")
    if verb == "face":
        return motion(build.facing(FACES[rest[0]]), "torso_heading")
    if verb == "spin":
        sign = 1.0 if rest[0] == "left" else -1.0
        rate = sign * _amount(rest[1:], SPINS_RAD_S)
        return motion(build.spinning(rate), "torso_turn_rate")
    if verb == "foot":
        name = "foot_forward" if rest[1] in ("forward", "back") else "foot_inward"
        sign = 1.0 if rest[1] in ("forward", "in") else -1.0
        offset = sign * _amount(rest[2:], {"": FOOT_OFFSET_M})
        return Wish(
            essential=(make_term(name, foot=FEET[rest[0]][0], offset=offset),),
            support=(*build.STANDING, *build.CALM),
        )
    if verb == "step":
        return _stepping(FEET[rest[0]], _amount(rest[1:], {"": STEP_HZ}))
    if verb == "stand" and rest == ["hind"]:
        return motion(build.on_two_feet(), "torso_pitch", "torso_height")
    if verb == "stand":
        return Wish(
            essential=(
                make_term("torso_pitch", angle=HANDSTAND_PITCH_RAD, weight=10.0),
                make_term("torso_height", height=HANDSTAND_HEIGHT_M),
            ),
            support=build.grounded("front_left", "front_right"),
        )
    raise SlotError(f"unknown statement {' '.join((verb, *rest))!r}")


def _stepping(feet: tuple[str, ...], frequency_hz: float) -> Wish:
    posture = make_term("posture")
    if len(feet) == len(ALL_FEET):
        return motion(
            (*build.trot(frequency_hz), *build.STANDING, posture),
            "foot_stepping",
        )
    steps = tuple(make_term("foot_stepping", foot=f, frequency=frequency_hz) for f in feet)
    others = build.grounded(*(f for f in ALL_FEET if f not in feet))
    return Wish(essential=steps, support=(*others, *build.STANDING, posture))


def arm_wishes(statements: Sequence[Statement], scene: SceneView) -> list[Wish]:
    """What statements of one stage ask of the arm with the hand.

    Raises:
        SlotError: A statement is not in the slot language.
    """
    lifted = [(s[1], _amount(list(s[2:]), {"": ARM_LIFT_M})) for s in statements if s[0] == "lift"]
    together = len({name for name, _ in lifted}) == 2 and len({h for _, h in lifted}) == 1
    wishes: list[Wish] = []
    if together:
        (first, height), (second, _) = lifted[0], lifted[-1]
        wishes.append(Wish(stages=hand.lifting_two(first, second, height)))
    for words in statements:
        if words[0] != "lift" or not together:
            wishes.append(_arm(words[0], list(words[1:]), scene))
    return wishes


def _arm(verb: str, rest: list[str], scene: SceneView) -> Wish:
    things = scene.names("item")
    if verb == "touch" and rest[0] in things:
        return Wish(stages=hand.touching(rest[0]))
    if verb == "touch":
        return Wish(essential=(hand.near("palm", rest[0]),), support=_OPEN_HAND)
    if verb == "rest":
        return Wish(essential=(hand.near("palm", "rest_position"),), support=_OPEN_HAND[1:])
    if verb == "bring":
        distance = _amount(rest[2:], {"": 0.0})
        if rest[0] == "hand":
            return Wish(essential=(hand.apart("palm", rest[1], distance),), support=(_ARM_CALM,))
        if rest[1] in things and rest[1] != rest[0]:
            return Wish(stages=hand.beside(rest[0], rest[1], distance))
        return Wish(
            essential=(hand.near("palm", rest[0]), hand.apart(rest[0], rest[1], distance)),
            support=(hand.DOWN, hand.CLOSE, _ARM_CALM),
        )
    if verb == "lift":
        return Wish(stages=hand.lifting_thing(rest[0], _amount(rest[1:], {"": ARM_LIFT_M})))
    whole: dict[str, Callable[[str], tuple[build.RewardStage, ...]]] = {
        "upright": hand.uprighting,
        "flip": hand.flipping,
    }
    if verb in whole:
        return Wish(stages=whole[verb](rest[0]))
    if verb in ("open", "close"):
        share = _amount(rest[1:], {"": 1.0})
        fraction = share if verb == "open" else max(0.0, 1.0 - share)
        if f"{rest[0]}_handle" in scene.handles:
            return Wish(stages=hand.turning_joint(rest[0], fraction))
        return Wish(essential=(hand.a("joint_fraction", joint=rest[0], fraction=fraction),))
    if verb == "hand":
        term = hand.CLOSE if rest[0] == "close" else hand.OPEN
        return Wish(essential=(term,), support=(_ARM_CALM,))
    if verb == "palm":
        term = make_term("palm_orientation", robot="fr3-hand", direction=rest[0], weight=2.0)
        return Wish(essential=(term,), support=(_ARM_CALM,))
    raise SlotError(f"unknown statement {' '.join((verb, *rest))!r}")


def _amount(w: list[str], named: Mapping[str, float]) -> float:
    if not w or w[0] in named:
        return named[w[0] if w else ""]
    value = quantity(w)
    if value is None:
        raise SlotError(f"no amount in {' '.join(w)!r}")
    return value
