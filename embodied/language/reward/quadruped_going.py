"""Walking and turning as the quadruped is told to: speeds, distances, angles, steps, curves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from embodied.language.reward import building as build
from embodied.language.reward.phrases import Wish, amount, motion
from embodied.language.reward.vocabulary import make_term
from embodied.language.words.cursor import Abstain
from embodied.types import RewardTerm

_WALK = {"forward": 0.4, "backward": -0.3, "back": -0.3, "left": 0.25, "right": -0.25}
NO_ANGLE = "a quarter turn, since no angle is said"
BIT_RAD = math.pi / 6
TURN_RAD_S, WALK_M_S, RAMP_S = 0.8, 0.4, 0.25
"""Usual speeds of turns and ways of a stated size, and what starting up costs."""
Pose = tuple[float, float, float]
START: Pose = (0.0, 0.0, 0.0)
"""Place and heading at which a program begins: x, y, rad."""


def _sign(match: re.Match[str]) -> float:
    way = match.groupdict().get("way") or "left"
    return 1.0 if way in ("left", "counterclockwise") else -1.0


def turned_by(match: re.Match[str]) -> Wish:
    """A turn by an angle; a quarter turn where none is said."""
    angle = amount(match)
    if angle is None:
        bit = match.groupdict().get("bit") or match.groupdict().get("bit2")
        return Wish(turn=_sign(match) * (BIT_RAD if bit else math.pi / 2), notes=(NO_ANGLE,))
    return Wish(turn=_sign(match) * angle)


def other_way(match: re.Match[str]) -> Wish:
    """Half a turn."""
    del match
    return Wish(turn=math.pi)


def spin(match: re.Match[str]) -> Wish:
    """Turn on the spot at a rate."""
    rate = amount(match)
    turning = build.spinning(_sign(match) * (rate or build.SPIN_RATE))
    return replace(motion(turning, "torso_turn_rate"), exact=rate is not None)


RUNNING = 2.0
"""How much faster running is than walking."""


def walk(match: re.Match[str]) -> Wish:
    """Walk, trot, pace or bound in a direction."""
    words = match.groupdict()
    way = words.get("dir") or "forward"
    value = amount(match)
    speed = _WALK[way] if value is None else math.copysign(value, _WALK[way])
    if value is None and words.get("run"):
        speed *= RUNNING
    gait, notes = words.get("gait") or "trot", ()
    if gait == "gallop":
        gait, notes = "bound", ("there is no gallop: it bounds",)
    forward, left = (0.0, speed) if way in ("left", "right") else (speed, 0.0)
    walk = motion(build.walking(forward, left, gait), "torso_velocity", notes=notes)
    return replace(walk, exact=value is not None)


def _moving(forward: float, left: float, gait: str = "trot") -> Wish:
    return motion(build.walking(forward, left, gait), "torso_velocity")


def backing(match: re.Match[str]) -> Wish:
    """Walk backwards: "back off"."""
    del match
    return _moving(_WALK["back"], 0.0)


def curve(match: re.Match[str]) -> Wish:
    """Walking with a turn: "veer left", "walk in a circle"."""
    words = match.groupdict()
    rate = _sign(match) * (
        0.5 if words.get("circle") else 0.25 if (words.get("bit") or words.get("bit2")) else 0.4
    )
    turned = motion(
        (*build.walking(_WALK["forward"], 0.0), make_term("torso_turn_rate", rate=rate)),
        "torso_velocity",
    )
    turn = make_term("torso_turn_rate", rate=rate)
    support = tuple(t for t in turned.support if t.name != "torso_turn_rate")
    around = round(2 * math.pi / abs(rate), 1) if words.get("circle") == "circle" else None
    return replace(
        turned, essential=(*turned.essential, turn), support=support, seconds=around,
        notes=("one circle",) if around else (),
    )  # fmt: skip


def diagonally(match: re.Match[str]) -> Wish:
    """Forward and to a side at once."""
    forward, left = float(match.group("ahead")), float(match.group("aside"))
    forward = -forward if match.group("fwd") in ("backward", "back") else forward
    return _moving(forward, -left if match.group("side") == "right" else left)


def walk_to(match: re.Match[str]) -> Wish:
    """Go a distance."""
    value = amount(match) or 0.0
    words = match.groupdict()
    backwards = match.group(0).startswith(("back", "retreat", "reverse"))
    way = words.get("dir") or words.get("dir2") or ("back" if backwards else "forward")
    speed = amount(match, "2")
    factor = None if speed is None else speed / abs(_WALK[way])
    return Wish(travel=_along(way, value), factor=factor, exact=speed is not None)


def _along(way: str, length: float) -> tuple[float, float]:
    return {"left": (0.0, length), "right": (0.0, -length), "forward": (length, 0.0)}.get(
        way, (-length, 0.0)
    )


def steps(match: re.Match[str]) -> Wish:
    """Go a number of steps of the usual gait."""
    words = match.groupdict()
    way = words.get("dir") or words.get("dir2") or "forward"
    count = float(words.get("count") or words.get("count2") or 1)
    step = abs(_WALK[way]) / build.GAITS["trot"][0]
    return Wish(
        travel=_along(way, count * step), notes=(f"a step is {100 * step:.3g} cm",)
    )  # fmt: skip


def turning(match: re.Match[str]) -> Wish:
    """Turn while something else goes on."""
    sign = 1.0 if match.group("way") in ("left", "counterclockwise") else -1.0
    return Wish(essential=(make_term("torso_turn_rate", rate=sign * 0.5),))


def march(match: re.Match[str]) -> Wish:
    """Step in place."""
    gait = match.groupdict().get("gait") or "trot"
    steps = build.stepping(gait, amount(match) or 1.5)
    marching = motion((*steps, *build.STANDING, make_term("posture")), "foot_stepping")
    return replace(marching, exact=amount(match) is not None)


def paced(wish: Wish, factor: float) -> Wish:
    """A wish, so many times as fast as usual."""
    if wish.exact or not wish.asks:
        return wish
    if wish.turn is not None and NO_ANGLE in wish.notes:  # "turn left fast" goes on turning
        rate = math.copysign(build.SPIN_RATE, wish.turn)
        return paced(motion(build.spinning(rate), "torso_turn_rate"), factor)
    if wish.turn is not None or wish.travel is not None:
        return replace(wish, factor=factor)
    essential = tuple(_faster(t, factor) for t in wish.essential)
    if essential == wish.essential and wish.essential and factor > 1.0:
        return replace(wish, notes=(*wish.notes, "this is done as fast as it goes anyway"))
    if essential == wish.essential and wish.essential and factor < 1.0:
        note = "slowly: being at rest counts for more"
        calm = make_term("stillness", weight=2.0)
        support = (*(t for t in wish.support if t.name != "stillness"), calm)
        return replace(wish, support=support, notes=(*wish.notes, note))
    return replace(wish, essential=essential)


def _faster(term: RewardTerm, factor: float) -> RewardTerm:
    """A term with its speed scaled; spinning on the spot is as fast as it goes already."""
    names = {"torso_velocity": ("forward", "left"), "torso_turn_rate": ("rate",),
             "foot_stepping": ("frequency",)}.get(term.name, ())  # fmt: skip
    values = dict(term.parameters)
    for name in names:
        value = float(values[name])
        most = build.SPIN_RATE if name == "rate" else 4.0 if name == "frequency" else math.inf
        scaled = value * factor
        values[name] = math.copysign(min(abs(scaled), max(most, abs(value))), value)
    return replace(term, parameters=values)


def in_turn(found: Sequence[Wish]) -> list[list[Wish]]:
    """Phrases that cannot go on at once: what has an end comes before what "and" adds."""
    groups: list[list[Wish]] = []
    for wish in found:
        after = bool(groups) and any(w.turn is not None or w.travel is not None for w in groups[-1])
        with_it = re.search(r"\b(?:with|while|but)\b", wish.joined)
        same = bool(groups) and any(
            (w.turn, w.travel) == (wish.turn, wish.travel) != (None, None) for w in groups[-1]
        )
        timed = wish.seconds is not None and not wish.essential
        if same:
            continue  # "turn around and face the other way" is one turn
        if groups and not (after and not with_it and not timed and wish.asks):
            groups[-1].append(wish)
        else:
            groups.append([wish])
    return groups


def ambiguous(texts: Sequence[str]) -> None:
    """Refuse "turn around and walk back": backwards, or the way that it came?

    Raises:
        Abstain: Where a sentence says so.
    """
    whole = " ; ".join(texts)
    found = re.search(r"turn 180 deg\b.*?\b((?:walk|go|run|trot|move) back)\b(?! paw)", whole)
    if found:
        problem = "after a turn around this may be backwards, or the way it came"
        raise Abstain(f"'{found[1]}'", problem, "say forward or backward", final=True)


def placed(
    found: Sequence[Wish], pose: Pose, *, last: bool, seconds: float, relative: bool = False
) -> tuple[list[Wish], Pose]:
    """Turns and ways of a stated size as terms, from the pose that the stages before lead to.

    Args:
        found: What one stage asks for.
        pose: Where it begins.
        last: Whether nothing follows: then it goes on until it is there.
        seconds: How long a stage lasts where nothing is said.
        relative: The robot has moved before, so turns and ways are a speed for a time.
    """
    said = next((w.seconds for w in found if w.seconds is not None), None)
    made: list[Wish] = []
    for wish in found:
        if relative and wish.factor is None:
            wish = replace(wish, factor=1.0)
        if wish.turn is not None:
            wish = _turned(wish, wish.turn, pose, last=last)
            pose = (*pose[:2], pose[2] + (found[len(made)].turn or 0.0))
        elif wish.travel is not None:
            pose, way = _onward(pose, wish.travel), wish.travel
            wish = _travelled(wish, way, pose, last=last)
        else:
            pose = _reckoned(pose, wish, said or seconds)
        made.append(wish)
    return made, pose


def _onward(pose: Pose, way: tuple[float, float]) -> Pose:
    x, y, heading = pose
    c, s = math.cos(heading), math.sin(heading)
    return (
        round(x + c * way[0] - s * way[1], 6),
        round(y + s * way[0] + c * way[1], 6),
        heading,
    )


def _reckoned(pose: Pose, wish: Wish, seconds: float) -> Pose:
    """Where a stage that goes on for so long leads to."""
    values = {(t.name, n): v for t in wish.essential for n, v in t.parameters.items()}
    forward, left, rate, heading = (
        float(values.get(key, 0.0))
        for key in (("torso_velocity", "forward"), ("torso_velocity", "left"),
                    ("torso_turn_rate", "rate"), ("torso_heading", "angle"))
    )  # fmt: skip
    if ("torso_heading", "angle") in values:
        return (*pose[:2], heading)
    if rate and (forward or left):
        turned = rate * seconds
        chord = 2 * math.sin(turned / 2) / rate
        c, s = math.cos(turned / 2), math.sin(turned / 2)
        way = (chord * (c * forward - s * left), chord * (s * forward + c * left))
        return (*_onward(pose, way)[:2], pose[2] + turned)
    return (*_onward(pose, (forward * seconds, left * seconds))[:2], pose[2] + rate * seconds)


def _turned(wish: Wish, angle: float, pose: Pose, *, last: bool) -> Wish:
    rate = TURN_RAD_S * (wish.factor or 1.0)
    if wish.factor is not None or abs(angle) > math.pi + 1e-6:
        seconds = round(abs(angle) / rate + RAMP_S, 2)
        spin = motion(build.spinning(math.copysign(rate, angle)), "torso_turn_rate")
        note = f"{math.degrees(abs(angle)):.4g} degrees at {rate:.3g} rad/s take {seconds:g} s"
        return replace(spin, seconds=seconds, notes=(*wish.notes, note))
    heading = math.remainder(pose[2] + angle, 2 * math.pi)
    heading = angle if pose[2] == 0.0 else heading
    facing = motion(build.facing(heading), "torso_heading")
    note = "the turn counts from " + ("heading 0, east" if pose[2] == 0.0 else "the heading before")
    seconds = None if last else max(3.0, round(abs(angle) / TURN_RAD_S + 1.0, 1))
    return replace(facing, seconds=wish.seconds or seconds, notes=(*wish.notes, note))


def _travelled(wish: Wish, way: tuple[float, float], pose: Pose, *, last: bool) -> Wish:
    length = math.hypot(*way)
    if wish.factor is not None:
        usual = abs(_WALK["left" if way[1] else "forward" if way[0] > 0 else "back"])
        speed = usual * wish.factor
        seconds = round(length / speed + RAMP_S, 2)
        walk = _moving(way[0] / length * speed, way[1] / length * speed)
        note = f"{length:.3g} m at {speed:.3g} m/s take {seconds:g} s"
        return replace(walk, seconds=seconds, notes=(*wish.notes, note))
    first = pose == (*way, 0.0)
    note = "the distance counts from " + (
        "the origin, with east ahead" if first else "where the stage before ends"
    )
    seconds = round(length / WALK_M_S + 2.0, 1)
    there = motion(build.going_to(pose[0], pose[1]), "torso_position")
    over = None if last and length <= 2.0 else seconds
    return replace(there, seconds=wish.seconds or over, notes=(*wish.notes, note))
