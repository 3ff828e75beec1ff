"""Walking and turning as the quadruped is told to: speeds, distances, angles, steps, curves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from embodied.language.reward import building as build
from embodied.language.reward.frames import Said
from embodied.language.reward.phrases import Wish, motion
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


BIT_M = 0.25
"""What "a bit" means of a way."""


def _sign(said: Said) -> float:
    way = said.word("spin")
    return -1.0 if "right" in way or way == "clockwise" else 1.0


def turning(said: Said) -> Wish:
    """A turn: to a heading, by an angle, at a rate, or on and on."""
    times = times_of(said)
    if said.has("where"):
        return motion(build.facing(HEADINGS[said.word("where").split()[-1]]), "torso_heading")
    if said.has("walking"):
        return _curved(said, 0.25 if said.has("bit") else 0.4)
    size = _turned_size(said, times)
    if said.has("rate"):
        rate = said.amounts["rate"]
        if size is not None and not said.has("time"):  # "90 degrees at 30 deg/s"
            return Wish(turn=_sign(said) * size, factor=rate / TURN_RAD_S, exact=True)
        spin = _spin(_sign(said) * rate)
        return replace(spin, exact=True, seconds=said.amounts.get("time"))
    if size is not None and said.has("over"):  # "one full turn in 12 s"
        rate = size / max(said.amounts["over"] - RAMP_S, RAMP_S)
        return Wish(turn=_sign(said) * size, factor=rate / TURN_RAD_S, exact=True)
    if said.has("angle"):
        return Wish(turn=_sign(said) * said.amounts["angle"] * (times or 1.0))
    if said.has("part"):
        share = {"half": 0.5, "3": 0.75}.get(said.word("part").split()[0], 0.25)
        return Wish(turn=_sign(said) * 2 * math.pi * share)
    if said.has("turns"):
        return Wish(turn=_sign(said) * 2 * math.pi * said.amounts["turns"])
    if said.has("whole") or times and (said.has("round") or said.part("spin")):
        return Wish(turn=_sign(said) * 2 * math.pi * (times or 1.0))
    if said.part("spin") or said.has("time"):
        usual = build.SPIN_RATE if said.part("spin") else TURN_RAD_S
        return replace(_spin(_sign(said) * usual), seconds=said.amounts.get("time"))
    if said.has("reverse") and not said.has("spin"):
        return Wish(turn=math.pi, back=True)
    if said.has("round", "opposite"):
        return Wish(turn=_sign(said) * math.pi)
    if not said.has("spin", "bit"):
        raise Abstain(f"'{said.verb}'", "it does not say which way to turn, or how far")
    angle = BIT_RAD if said.has("bit") else math.pi / 2 * (times or 1.0)
    return Wish(turn=_sign(said) * angle, notes=(NO_ANGLE,))


def _turned_size(said: Said, times: float | None) -> float | None:
    """How far a turn goes, where the words say so, rad."""
    if said.has("angle"):
        return said.amounts["angle"] * (times or 1.0)
    if said.has("turns"):
        return 2 * math.pi * said.amounts["turns"]
    if said.has("whole"):
        return 2 * math.pi * (times or 1.0)
    return math.pi if said.has("round") else None


def times_of(said: Said) -> float | None:
    """How often, where the words say so."""
    return 2.0 if said.has("twice") else said.amounts.get("times")


HEADINGS = {
    "sunrise": 0.0, "east": 0.0, "sunset": math.pi, "west": math.pi, "north": math.pi / 2,
    "south": -math.pi / 2,
}  # fmt: skip


def _spin(rate: float) -> Wish:
    return motion(build.spinning(rate), "torso_turn_rate")


RUNNING = 2.0
"""How much faster running is than walking."""
_FACTORS = {
    "run": RUNNING, "hurry": 1.5, "rush": 1.5, "dash": 3.0, "sprint": 4.0,
    "charge": 3.0, "race": 3.0, "gallop": RUNNING, "creep": 0.5, "crawl": 0.5, "sneak": 0.5,
    "amble": 0.5, "tiptoe": 0.5, "inch": 0.5, "plod": 0.5, "prowl": 0.5, "stalk": 0.5,
    "saunter": 0.5,
}  # fmt: skip
"""Verbs that say how fast, as factors of the usual walk."""
_BACKING = ("back ", "retreat", "reverse")


def going(said: Said) -> Wish:
    """A walk: in a direction, a distance, a number of steps, in place, or along a curve."""
    verb = said.verb.split()[0]
    verb = {"pacing": "pace", "bounding": "bound", "running": "run"}.get(verb, verb)
    factor = _FACTORS.get(verb, 1.0)
    gait, notes = said.word("gait").split(" ")[0] or verb, ()
    if gait.startswith("gallop"):
        gait, notes = "bound", ("there is no gallop: it bounds",)
    gait = gait if gait in build.GAITS else "trot"
    if said.has("place"):
        return _march(said, gait)
    if said.has("circle", "turning", "radius", "rate"):
        wish = _curved(said, 0.5 if said.has("circle", "radius") else 0.4)
        return wish if factor == 1.0 else paced(wish, factor)
    forward, left = _way(said)
    length = said.amounts.get("length")
    speed = said.amounts.get("speed")
    usual = abs(_WALK["left" if left and not forward else "forward" if forward > 0 else "back"])
    if length is None and said.has("steps"):
        step = usual / build.GAITS["trot"][0]
        length, notes = said.amounts.get("steps", 1.0) * step, (f"a step is {100 * step:.3g} cm",)
    seconds = said.amounts.get("time", said.amounts.get("over"))
    if length is None and said.has("bit") and seconds is None:
        length, notes = BIT_M, (*notes, f"a bit: {100 * BIT_M:g} cm")
    if length is not None:
        if seconds is not None and speed is None:
            speed, seconds = length / max(seconds - RAMP_S, RAMP_S), None
        times = factor if factor != 1.0 else None
        return Wish(
            travel=(length * forward, length * left), seconds=seconds, notes=notes,
            factor=times if speed is None else speed / usual, exact=speed is not None,
        )  # fmt: skip
    pace = usual if speed is None else speed
    walk = motion(build.walking(pace * forward, pace * left, gait), "torso_velocity", notes=notes)
    walk = replace(walk, seconds=seconds, exact=speed is not None)
    return walk if factor == 1.0 else paced(walk, factor)


def _way(said: Said) -> tuple[float, float]:
    """Unit vector of the way, forward and left."""
    ways = [w for said_ in said.words.get("way", ()) for w in said_.split() if w in _WALK]
    if not ways and said.verb.startswith(_BACKING):
        ways = ["back"]
    if not ways and said.verb.startswith(_SIDEWAYS) or "sideways" in said.word("way"):
        if not {"left", "right"} & set(ways):
            raise Abstain(f"'{said.verb}'", "it does not say to which side", "say left or right")
    forward = 1.0 if "forward" in ways else -1.0 if {"back", "backward"} & set(ways) else 0.0
    left = 1.0 if "left" in ways else -1.0 if "right" in ways else 0.0
    if said.has("diagonal") and not forward:
        forward = 1.0
    if said.has("diagonal") and not left:
        raise Abstain(f"'{said.verb}'", "it does not say to which side", "say left or right")
    size = math.hypot(forward, left) or 1.0
    return (forward / size, left / size) if forward or left else (1.0, 0.0)


_SIDEWAYS = ("sidestep", "strafe", "sideways", "crab")


def both_ways(said: Said, name: str) -> bool:
    """Whether another direction belongs to the same walk: "forward and left"."""
    measured = said.has("length", "time", "steps", "speed", "bit")
    return name == "way" and not measured and len(said.words["way"]) == 1


def backing(match: re.Match[str]) -> Wish:
    """Walk backwards: "walk away"."""
    del match
    return _moving(_WALK["back"], 0.0)


def _moving(forward: float, left: float, gait: str = "trot") -> Wish:
    return motion(build.walking(forward, left, gait), "torso_velocity")


def curving(said: Said) -> Wish:
    """Walking with a turn: "veer left"."""
    return _curved(said, 0.25 if said.has("bit") else 0.4)


def _curved(said: Said, rate: float) -> Wish:
    """A walk along a curve; a circle lasts as long as it takes."""
    back = bool({"back", "backward"} & set(said.word("way").split()))
    speed = said.amounts.get("speed", _WALK["forward"])
    radius = said.amounts.get("radius")
    rate = speed / radius if radius else said.amounts.get("rate", rate)
    sign = -1.0 if "right" in said.word("way") and not said.has("spin") else _sign(said)
    turn = make_term("torso_turn_rate", rate=sign * (-rate if back else rate))
    turned = _moving(-speed if back else speed, 0.0)
    support = tuple(t for t in turned.support if t.name != "torso_turn_rate")
    once = said.word("circle").endswith("circle") or bool(radius)
    times = times_of(said) or (1.0 if once else None)
    around = None if times is None else round(times * 2 * math.pi / rate, 1)
    return replace(
        turned, essential=(*turned.essential, turn), support=support,
        seconds=said.amounts.get("time", around),
        notes=("one circle",) if around and times == 1.0 and not said.has("time") else (),
    )  # fmt: skip


def diagonally(match: re.Match[str]) -> Wish:
    """Forward and to a side at once, each at a speed."""
    forward, left = float(match.group("ahead")), float(match.group("aside"))
    forward = -forward if match.group("fwd") in ("backward", "back") else forward
    return _moving(forward, -left if match.group("side") == "right" else left)


def turning_meanwhile(said: Said) -> Wish:
    """Turn while something else goes on."""
    rate = said.amounts.get("rate", 0.25 if said.has("bit") else 0.5)
    return Wish(essential=(make_term("torso_turn_rate", rate=_sign(said) * rate),))


def _march(said: Said, gait: str) -> Wish:
    """Step in place."""
    frequency = said.amounts.get("frequency")
    steps = build.stepping(gait, frequency or 1.5)
    marching = motion((*steps, *build.STANDING, make_term("posture")), "foot_stepping")
    return replace(marching, exact=frequency is not None, seconds=said.amounts.get("time"))


def paced(wish: Wish, factor: float) -> Wish:
    """A wish, so many times as fast as usual."""
    if wish.exact or not wish.asks:
        return wish
    if wish.turn is not None and NO_ANGLE in wish.notes and factor > 1.0:
        # "turn left fast" goes on turning
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
    if any(t.name == "torso_velocity" for w in found for t in w.essential):
        found = [_meanwhile(w) for w in found]
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


def _meanwhile(wish: Wish) -> Wish:
    """A turn of no stated size beside a walk goes on with it."""
    if wish.turn is None or NO_ANGLE not in wish.notes:
        return wish
    rate = math.copysign(0.4 * (wish.factor or 1.0), wish.turn)
    return Wish(essential=(make_term("torso_turn_rate", rate=rate),), seconds=wish.seconds)


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
