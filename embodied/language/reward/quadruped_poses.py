"""Postures of the quadruped as they are spoken of, and what cannot be done."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from embodied.language.reward import building as build
from embodied.language.reward.frames import Said
from embodied.language.reward.phrases import Wish, amount, motion
from embodied.language.reward.quadruped_going import times_of
from embodied.language.words.cursor import Abstain

LOW_M, TALL_M = 0.12, 0.33


def low_pose(said: Said) -> Wish:
    """Lying, or sitting as dogs do."""
    if said.verb.startswith("sit") and not said.has("length", "over"):
        low = [w for w in said.words.get("low", ()) if "down" not in w or "floor" in w]
        if not low:
            wish = motion(build.sitting(), "torso_height", "torso_pitch")
            return replace(wish, seconds=said.amounts.get("time"), pose=True)
    return at_height(said.amounts.get("length", LOW_M), said)


def at_height(height: float, said: Said, *, pose: bool = True) -> Wish:
    """The torso at a height."""
    wish = motion(build.at_height(height), "torso_height")
    over = said.amounts.get("over")
    return replace(wish, seconds=said.amounts.get("time"), pose=pose, over=over)


def level(said: Said) -> Wish:
    """Standing level."""
    wish = motion(
        build.at_height(build.STANDING_HEIGHT_M), "torso_height", "torso_pitch", "torso_roll"
    )
    return replace(wish, seconds=said.amounts.get("time"), pose=True)


def home(said: Said) -> Wish:
    """The place at which the robot was set down: the origin."""
    wish = motion(build.going_to(0.0, 0.0), "torso_position")
    note = "where it started is the origin"
    return replace(wish, seconds=said.amounts.get("time"), notes=(note,))


def crouch(said: Said) -> Wish:
    """Low, on all feet."""
    return replace(low_pose(said), pose=False)


def stand(said: Said) -> Wish:
    """Standing, at a height where one is said."""
    usual = TALL_M if said.has("tall") else build.STANDING_HEIGHT_M
    return at_height(said.amounts.get("length", usual), said)


def raised_or_lowered(said: Said) -> Wish:
    """The torso at a height, or higher or lower by so much."""
    length = said.amounts.get("length")
    down = said.verb.startswith(("lower", "drop", "sink"))
    if length is None:
        low = down or said.has("low", "down")
        return at_height(LOW_M if low else TALL_M, said, pose=False)
    if re.search(r"\b(?:lift|lower|drop|sink) ", said.verb) and not said.has("to"):
        by = -length if down else length
        wish = at_height(round(build.STANDING_HEIGHT_M + by, 4), said, pose=False)
        note = f"from standing at {100 * build.STANDING_HEIGHT_M:g} cm"
        return replace(wish, notes=(note,))
    return at_height(length, said, pose=False)


def absolute(said: Said) -> Wish:
    """The torso at the height that is said."""
    return at_height(said.amounts.get("length", build.STANDING_HEIGHT_M), said, pose=False)


def flat(match: re.Match[str]) -> Wish:
    """The torso level."""
    del match
    level = build.at_height(build.STANDING_HEIGHT_M)
    return motion(level, "torso_pitch", "torso_roll")


def tilt(said: Said) -> Wish:
    """The nose, or the rear end, up or down."""
    angle = said.amounts.get("angle") or (0.15 if said.has("bit") else 0.3)
    down = (
        said.has("down")
        or not said.has("up")
        and bool(re.match(r"(?:lower|dip|drop|bow|put|kneel|curtsy)", said.verb))
    )
    if not down and not said.has("up") and not re.match(r"(?:lift|pitch|push|throw)", said.verb):
        raise Abstain(f"'{said.verb}'", "it does not say whether up or down")
    rear = said.part("end").startswith("rear")
    wish = motion(build.pitched(angle if down == rear else -angle), "torso_pitch")
    return replace(wish, seconds=said.amounts.get("time"))


def bow(said: Said) -> Wish:
    """The nose down, for a while."""
    angle = said.amounts.get("angle") or (0.15 if said.has("bit") else 0.3)
    wish = motion(build.pitched(-angle), "torso_pitch")
    return replace(wish, seconds=said.amounts.get("time"), pose=True)


def lean(said: Said) -> Wish:
    """To a side."""
    side = said.word("spin")
    if not side or "clockwise" in side:
        raise Abstain(f"'{said.verb}'", "it does not say to which side", "say left or right")
    usual = 0.1 if said.has("bit") else 0.25
    angle = (1.0 if "right" in side else -1.0) * said.amounts.get("angle", usual)
    wish = motion(build.leaning(angle), "torso_roll")
    return replace(wish, seconds=said.amounts.get("time"))


def roll_over(match: re.Match[str]) -> Wish:
    """Onto the back."""
    del match
    return replace(motion(build.rolled(math.pi), "torso_roll"), pose=True)


def on_side(match: re.Match[str]) -> Wish:
    """Onto a side."""
    sign = -1.0 if match.group("side") == "left" else 1.0
    return replace(motion(build.rolled(sign * math.pi / 2), "torso_roll"), pose=True)


def rear_up(said: Said) -> Wish:
    """On the rear feet."""
    wish = motion(build.on_two_feet(), "torso_pitch", "torso_height")
    return replace(wish, seconds=said.amounts.get("time"), pose=True)


NOD_S = 0.8


def repeated(said: Said) -> Wish:
    """``nod twice``, ``do three squats``: down and up so many times."""
    nods = "nod" in said.verb or "nod" in said.word("nods")
    down = build.pitched(-0.3) if nods else build.at_height(LOW_M)
    up = build.at_height(build.STANDING_HEIGHT_M)
    count = int(times_of(said) or said.amounts.get("nods") or 1)
    once = (build.stage(*down, seconds=NOD_S), build.stage(*up, seconds=NOD_S))
    return Wish(stages=once * count, pose=True)


def harmless(match: re.Match[str]) -> Wish:
    """A plea such as "don't hurt that squirrel": nothing here is seen that could be hurt."""
    return Wish(notes=(f"'{match.group(0)}': nothing here sees that; only the motion counts",))


def impossible(why: str, match: re.Match[str]) -> Wish:
    """Refuse, with the reason."""
    raise Abstain(f"'{match.group(0)}'", f"I cannot {match.group(0)}: {why}", final=True)


def for_time(match: re.Match[str]) -> Wish:
    """A time of what is asked beside it."""
    return Wish(seconds=amount(match))


def wait(match: re.Match[str]) -> Wish:
    """Standing still, or going on with a pose."""
    still = motion(build.at_height(build.STANDING_HEIGHT_M), "torso_height")
    return replace(still, seconds=amount(match), pose=True, waits=True)


def nothing(match: re.Match[str]) -> Wish:
    """A reason, such as "the sun rises in the east", that asks for nothing."""
    del match
    return Wish()
