"""Clauses about what the quadruped should do."""

from __future__ import annotations

import random
from collections.abc import Callable

from embodied.training.corpus.phrasing import amount, say, templates

_WORDS = templates("rewards")

Clause = tuple[str, str]
"""A clause and its slots."""

PAW = "(paw|paw|foot|leg|feet|limb)"
FEET = {
    "front-left": "(front left|left front|fore left|left fore)",
    "front-right": "(front right|right front|fore right|right fore)",
    "rear-left": "(rear left|back left|left rear|left back|hind left|left hind)",
    "rear-right": "(rear right|back right|right rear|right back|hind right|right hind)",
}
_SIDES = {
    "left": _WORDS["sides-left"],
    "right": "(right|right|to the right|to your right|rightwards|clockwise|cw)",
}


def quantity(rng: random.Random, numbers: tuple[float, ...], unit: str) -> tuple[str, str]:
    """A random number with its unit as said, and as a slot."""
    return amount(rng, rng.choice(numbers), unit)


_SPEEDS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1, 1.2)
"""Walking speeds in m/s; the last one is too fast for walking sideways."""
CM = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 20, 22, 24, 25, 30, 35, 40)
DEG = (5, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90, 100, 120, 135, 150, 180)


def _foot(rng: random.Random) -> tuple[str, str]:
    name = rng.choice(tuple(FEET))
    return say(rng, f"(the|your|its|the|your|) {FEET[name]} {PAW}"), name


def _height(rng: random.Random) -> Clause:
    draw = rng.random()
    if draw < 0.3:
        return (say(rng, _WORDS["height-low"]), "height low")
    if draw < 0.45:
        return (say(rng, _WORDS["height-high"]), "height high")
    if draw < 0.6:
        return (say(rng, _WORDS["height-stand"]), "height stand")
    a, s = quantity(rng, (10, 12, 14, 15, 16, 18, 20, 22, 24, 25, 26, 28, 30, 32, 35, 38, 40), "cm")
    return (say(rng, _WORDS["height"], a=a), f"height {s}")


def _pitch(rng: random.Random) -> Clause:
    way = rng.choice(("up", "down"))
    up = way == "up"
    if rng.random() < 0.6:
        a, s = quantity(rng, tuple(d for d in DEG if d <= 80), "deg")
        return (
            say(
                rng,
                _WORDS["pitch-3"].format(
                    way=way,
                    move="lift|raise" if up else "lower|drop",
                    up="(up|)" if up else way,
                    tilt="(backward|back)" if up else "forward",
                ),
                a=a,
            ),
            f"pitch {way} {s}",
        )
    if up:
        text = _WORDS["pitch"]
    else:
        text = _WORDS["pitch-2"]
    return say(rng, text), f"pitch {way}"


def _flat(rng: random.Random) -> Clause:
    return (say(rng, _WORDS["flat"]).replace("with a torso flat", "with a flat torso"), "flat")


def _roll(rng: random.Random) -> Clause:
    draw = rng.random()
    side = rng.choice(("left", "right"))
    if draw < 0.3:
        return (say(rng, _WORDS["roll-over"]), "roll over")
    if draw < 0.5:
        return (say(rng, _WORDS["roll-side"], s=side), f"side {side}")
    if draw < 0.8:
        a, s = quantity(rng, tuple(d for d in DEG if d <= 80), "deg")
        return (say(rng, _WORDS["roll"], s=side, a=a), f"roll {side} {s}")
    return (say(rng, _WORDS["roll-2"], s=side), f"roll {side}")


def _turn(rng: random.Random) -> Clause:
    side = rng.choice(("left", "right"))
    draw = rng.random()
    way = say(rng, _SIDES[side])
    if draw < 0.42:
        a, s = quantity(rng, DEG, "deg")
        return (say(rng, _WORDS["turn"], w=way, a=a), f"turn {side} {s}")
    if draw < 0.55:
        template, deg = rng.choice(
            (
                ("(make|do|) (a|) quarter turn {w}", "90 deg"),
                ("(turn|rotate) a quarter {w}", "90 deg"),
                ("(make|do) a right angle turn {w}", "90 deg"),
                ("(make|do) an eighth of a turn {w}", "45 deg"),
                ("(turn|rotate) half a quarter {w}", "45 deg"),
            )
        )
        return say(rng, template, w=way), f"turn {side} {deg}"
    if draw < 0.65:
        return say(rng, "(turn|rotate|look|face|pivot) {w}", w=way), f"turn {side}"
    if draw < 0.75:
        return (say(rng, _WORDS["turn-around"]), "turn around")
    face = rng.choice(("sunrise", "sunset", "north", "south", "east", "west"))
    return (
        say(rng, _WORDS["turn-face"], f=face).replace(
            "the north", rng.choice(("north", "the north"))
        ),
        f"face {face}",
    )


def _spin(rng: random.Random) -> Clause:
    side = rng.choice(("left", "right"))
    way = say(rng, _SIDES[side])
    draw = rng.random()
    if draw < 0.35:
        a, s = (
            quantity(rng, (0.5, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4), "rad/s")
            if rng.random() < 0.6
            else quantity(rng, (20, 30, 45, 60, 90, 120, 180), "deg/s")
        )
        return (say(rng, _WORDS["spin"], w=way, a=a), f"spin {side} {s}")
    if draw < 0.6:
        side_said = rng.random() < 0.5
        if not side_said:
            side, way = "left", ""
        return (say(rng, _WORDS["spin-fast"], w=way), f"spin {side} fast")
    if draw < 0.75:
        return (say(rng, _WORDS["spin-slow"], w=way), f"spin {side} slow")
    if rng.random() < 0.3:
        side, way = "left", ""
    return (say(rng, _WORDS["spin-2"], w=way), f"spin {side}")


_WAYS = {
    "forward": "(forward|forwards|ahead|straight ahead|straight|onward|to the front)",
    "back": "(backward|backwards|back|in reverse|rearwards)",
    "left": "(left|to the left|sideways left|to your left|sideways to the left|leftwards)",
    "right": "(right|to the right|sideways right|to your right|sideways to the right|rightwards)",
}


def _walk(rng: random.Random) -> Clause:
    way = rng.choice(("forward", "forward", "back", "left", "right"))
    verb = (
        "(walk|walk|go|trot|move|run|step|march|advance|head|stroll|keep walking|proceed)"
        if way == "forward"
        else "(walk|walk|go|move|trot|step|back up|retreat)"
        if way == "back"
        else "(sidestep|step|walk|move|shuffle|strafe|go|side-step|drift)"
    )
    w = say(rng, _WAYS[way])
    draw = rng.random()
    if draw < 0.35:
        a, s = quantity(rng, _SPEEDS[: None if way in ("forward", "back") else -1], "m/s")
        return (say(rng, _WORDS["walk"].format(verb=verb), w=w, a=a), f"walk {way} {s}")
    if draw < 0.5:
        return (say(rng, _WORDS["walk-fast"].format(verb=verb), w=w), f"walk {way} fast")
    if draw < 0.64:
        return (say(rng, _WORDS["walk-slow"].format(verb=verb), w=w), f"walk {way} slow")
    if draw < 0.8:
        if way == "forward" and rng.random() < 0.3:
            return say(
                rng, "(walk|start walking|take a walk|trot|run along|just walk)"
            ), "walk forward"
        return say(rng, f"{verb} {{w}}", w=w), f"walk {way}"
    a, s = (
        quantity(rng, (20, 30, 40, 50, 60, 80), "cm")
        if rng.random() < 0.4
        else quantity(rng, (0.5, 1, 1.5, 2, 2.5, 3, 4, 5), "m")
    )
    return (say(rng, _WORDS["walk-go"].format(verb=verb), w=w, a=a), f"go {way} {s}")


def _lift(rng: random.Random) -> Clause:
    draw = rng.random()
    if draw < 0.15:
        pair, words = rng.choice(
            (("front", "(front|fore)"), ("rear", "(rear|back|hind)"), ("front", "front"))
        )
        f = say(rng, f"(both|both of|) (the|your|) {words} (paws|feet|legs)")
        name = pair
    else:
        f, name = _foot(rng)
    if rng.random() < 0.5:
        a, s = quantity(rng, CM, "cm")
        return (say(rng, _WORDS["lift"], f=f, a=a), f"lift {name} {s}")
    how = rng.random()
    if how < 0.2:
        return (say(rng, _WORDS["lift-high"], f=f), f"lift {name} high")
    if how < 0.35:
        return (say(rng, _WORDS["lift-low"], f=f), f"lift {name} low")
    return (say(rng, _WORDS["lift-2"], f=f), f"lift {name}")


def _shift(rng: random.Random) -> Clause:
    f, name = _foot(rng)
    way = rng.choice(("forward", "back", "in", "out"))
    word = {
        "forward": "(forward|forwards|to the front|ahead)",
        "back": "(back|backwards|backward|to the rear)",
        "in": "(in|inward|inwards|towards the middle)",
        "out": "(out|outward|outwards|to the side|away from the body)",
    }[way]
    verb = "(move|slide|shift|put|place|stretch|bring|extend|set|push|reach|pull)"
    if rng.random() < 0.7:
        a, s = quantity(rng, (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15), "cm")
        return (
            say(
                rng,
                f"({verb} {{f}} {word} (by|) {{a}}|{verb} {{f}} {{a}} {word}|{{f}} {{a}} {word})",
                f=f,
                a=a,
            ),
            f"foot {name} {way} {s}",
        )
    return say(rng, f"({verb} {{f}} {word}|{{f}} {word})", f=f), f"foot {name} {way}"


def _step(rng: random.Random) -> Clause:
    if rng.random() < 0.5:
        f, name = say(rng, "(with|) (all|all your|) (feet|legs|paws)"), "all"
        verb = "(march|step|trot|walk) (in place|on the spot)"
        base = say(rng, f"({verb}|{verb}|{verb} {{f}}|run on the spot|trample|tread)", f=f)
    else:
        phrase, name = _foot(rng)
        base = say(rng, _WORDS["step"], f=phrase)
    if rng.random() < 0.65:
        n = rng.choice((0.5, 1, 1.5, 2, 2.5, 3, 4))
        a, s = amount(rng, n, "hz")
        if n in (1.0, 2.0, 3.0) and rng.random() < 0.6:
            a = {1: "once", 2: "twice", 3: "(three times|3 times|thrice)"}[int(n)]
            a = say(rng, a + " (a|per|every) second")
            s = f"{n:g} hz"
        elif n in (1.0, 2.0, 3.0, 4.0) and rng.random() < 0.5:
            a, s = f"{n:g} steps per second", f"{n:g} hz"
        return say(rng, "{b} (at|with|,|) {a}", b=base, a=a).replace("at once", "once"), (
            f"step {name} {s}"
        )
    return base, f"step {name}"


def _pose(rng: random.Random) -> Clause:
    return rng.choice(
        (
            (say(rng, _WORDS["pose-stand-hind"]), "stand hind"),
            (say(rng, _WORDS["pose-stand-front"]), "stand front"),
            (say(rng, _WORDS["pose-still"]), "still"),
        )
    )


QUADRUPED_FORMS: tuple[tuple[Callable[[random.Random], Clause], float], ...] = (
    (_height, 0.16),
    (_pitch, 0.11),
    (_flat, 0.04),
    (_roll, 0.09),
    (_turn, 0.15),
    (_spin, 0.11),
    (_walk, 0.16),
    (_lift, 0.20),
    (_shift, 0.06),
    (_step, 0.06),
    (_pose, 0.07),
)


def quadruped_clause(rng: random.Random) -> Clause:
    """One thing that the quadruped should do."""
    form = rng.choices([f for f, _ in QUADRUPED_FORMS], [w for _, w in QUADRUPED_FORMS])[0]
    return form(rng)
