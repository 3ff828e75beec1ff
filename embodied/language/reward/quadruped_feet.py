"""Feet of the quadruped as they are spoken of, and what is done with them."""

from __future__ import annotations

import re
from dataclasses import replace

from embodied.language.reward import building as build
from embodied.language.reward.frames import Said
from embodied.language.reward.phrases import Wish, motion
from embodied.language.reward.vocabulary import FEET, make_term
from embodied.language.words.cursor import Abstain

_ONE = (
    r"(?:both |2 )?(?:(?:front|rear) (?:left|right)|(?:left|right) (?:front|rear))(?: paws?| 1s?)?"
    r"|(?:both |2 )?(?:front|rear)(?: 2)? (?:paws|1s)|(?:both |2 )?(?:left|right) paws"
)
FEET_NAMED = rf"(?P<feet>(?:{_ONE})(?:(?: and| ,)+ (?:{_ONE}))*)"
"""One foot or several by name."""
FOOT = r"(?:(?:front|rear|back) (?:left|right)|(?:left|right) (?:front|rear|back))(?: paw| 1)?"


def feet_of(text: str) -> tuple[str, ...]:
    """The feet that words name, in the order of ``FEET``."""
    found: set[str] = set()
    for part in re.split(r" and | , ", text):
        words = part.split()
        ends = [w for w in ("front", "rear") if w in words] or ["front", "rear"]
        sides = [w for w in ("left", "right") if w in words] or ["left", "right"]
        found |= {f"{end}_{side}" for end in ends for side in sides}
    return tuple(f for f in FEET if f in found)


def lift_feet(said: Said) -> Wish:
    """Feet in the air, the others down; or all down, where they are put down."""
    if said.has("inout"):
        return place_foot(said)
    down = said.has("down") or said.verb.startswith(("lower", "set"))
    if down and not said.has("off", "high", "length"):
        return replace(put_down(), seconds=said.amounts.get("time"))
    if said.verb.startswith(("put ", "bring ", "get ", "take ", "have", "stick")):
        if not re.search(r"\bup\b", said.verb) and not said.has("off", "high", "length", "asif"):
            raise Abstain(f"'{said.verb}'", "it does not say where to put the paw")
    value = said.amounts.get("length")
    if value is None:
        value = 0.24 if said.has("high") else 0.08 if said.has("bit") else build.LIFT_HEIGHT_M
    return replace(lifted(feet_of(said.part("feet")), value), seconds=said.amounts.get("time"))


def lifted(feet: tuple[str, ...], value: float) -> Wish:
    """Feet in the air, the others down."""
    return replace(motion(build.lifting(dict.fromkeys(feet, value)), "foot_lift"), pose=True)


def put_down(match: object = None) -> Wish:
    """All feet down again."""
    del match
    terms = build.lifting({})
    return Wish(
        essential=tuple(t for t in terms if t.name == "foot_lift"),
        support=tuple(t for t in terms if t.name != "foot_lift"),
        pose=True,
    )


def stand_on(said: Said) -> Wish:
    """Standing on three named feet is lifting the fourth; on the rear two, rearing up."""
    feet = feet_of(said.part("feet"))
    seconds = said.amounts.get("time")
    if feet == ("rear_left", "rear_right"):
        up = motion(build.on_two_feet(), "torso_pitch", "torso_height")
        return replace(up, seconds=seconds, pose=True)
    others = tuple(f for f in FEET if f not in feet)
    if len(others) != 1:
        raise Abstain(f"'{said.verb}'", "it can stand on its rear feet, or on three feet")
    return replace(lifted(others, build.LIFT_HEIGHT_M), seconds=seconds)


def place_foot(said: Said) -> Wish:
    """A foot away from its home place."""
    value = said.amounts.get("length") or (0.04 if said.has("bit") else 0.08)
    way = (said.part("to") or said.word("inout")).removeprefix("further ").split(" to ")[0]
    way = "outward" if way in ("to side", "sideways", "out") else way
    if not way and not said.verb.startswith(("spread", "stretch", "extend")):
        raise Abstain(f"'{said.verb}'", "it does not say where to put the paw")
    way = way or ("outward" if said.verb.startswith("spread") else "forward")
    ahead = way in ("forward", "backward", "back")
    offset = value if way == "forward" or way.startswith("in") else -value
    name = "foot_forward" if ahead else "foot_inward"
    terms = tuple(make_term(name, foot=f, offset=offset) for f in feet_of(said.part("feet")))
    support = (*build.STANDING, *build.CALM)
    return Wish(essential=terms, support=support, seconds=said.amounts.get("time"), pose=True)


def stomp(said: Said) -> Wish:
    """Feet that lift and land, the others down."""
    feet = feet_of(said.part("feet"))
    frequency = said.amounts.get("frequency") or 1.5
    steps = tuple(make_term("foot_stepping", foot=f, frequency=frequency) for f in feet)
    others = build.grounded(*(f for f in FEET if f not in feet))
    support = (*others, *build.STANDING, make_term("posture"))
    count = 2.0 if said.has("twice") else said.amounts.get("times")
    seconds = said.amounts.get("time", None if count is None else round(count / frequency, 2))
    return Wish(essential=steps, support=support, seconds=seconds)


WAVE_M, WAVE_S = (0.22, 0.1), 0.7


def wave(said: Said) -> Wish:
    """A foot up and half down, several times."""
    feet = feet_of(said.part("feet"))
    count = 2 if said.has("twice") else int(said.amounts.get("times", 2))
    high, low = (
        build.stage(*build.lifting(dict.fromkeys(feet, h)), seconds=WAVE_S) for h in WAVE_M
    )
    return Wish(stages=(high, low) * count, pose=True)


def shake(said: Said) -> Wish:
    """Offer a front paw."""
    side = said.part("side")
    if not said.has("asif") and said.verb.startswith(("lift", "hold", "put", "bring")):
        which_paw(said.verb)
    wish = lifted((f"front_{side or 'right'}",), build.LIFT_HEIGHT_M)
    notes = () if side else ("the right paw, since none is said",)
    return replace(wish, notes=notes, seconds=said.amounts.get("time"))


def which_paw(match: re.Match[str] | str) -> Wish:
    """Refuse: there are four."""
    said = match if isinstance(match, str) else match.group(0)
    legal = ", ".join(f.replace("_", " ") for f in FEET)
    raise Abstain(f"'{said}'", "it does not say which paw", f"paws: {legal}")


def diagonal(foot: str) -> str:
    """The foot at the other end on the other side."""
    end, side = foot.split("_")
    ends, sides = {"front": "rear", "rear": "front"}, {"left": "right", "right": "left"}
    return f"{ends[end]}_{sides[side]}"
