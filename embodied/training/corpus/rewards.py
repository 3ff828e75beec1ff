# ruff: noqa: E501 - templates are read as whole lines
"""Sentences whose meaning is a reward program, with the slots that say it."""

from __future__ import annotations

import random
from collections.abc import Callable

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.goals_dialogue import CHAT, ELSEWHERE, Turn
from embodied.training.corpus.lexicon import Lexicon
from embodied.training.corpus.phrasing import amount, say

Clause = tuple[str, str]
"""A clause and its slots."""

PAW = "(paw|paw|foot|leg|feet|limb)"
_FEET = {
    "front-left": "(front left|left front|fore left|left fore)",
    "front-right": "(front right|right front|fore right|right fore)",
    "rear-left": "(rear left|back left|left rear|left back|hind left|left hind)",
    "rear-right": "(rear right|back right|right rear|right back|hind right|right hind)",
}
_SIDES = {
    "left": "(left|left|to the left|to your left|leftwards|counterclockwise|anticlockwise|counter clockwise|ccw)",
    "right": "(right|right|to the right|to your right|rightwards|clockwise|cw)",
}


def _q(rng: random.Random, numbers: tuple[float, ...], unit: str) -> tuple[str, str]:
    return amount(rng, rng.choice(numbers), unit)


_SPEEDS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1, 1.2)
"""Walking speeds in m/s; the last one is too fast for walking sideways."""
_CM = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 20, 22, 24, 25, 30, 35, 40)
_DEG = (5, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90, 100, 120, 135, 150, 180)


def _foot(rng: random.Random) -> tuple[str, str]:
    name = rng.choice(tuple(_FEET))
    return say(rng, f"(the|your|its|the|your|) {_FEET[name]} {PAW}"), name


def _height(rng: random.Random) -> Clause:
    draw = rng.random()
    if draw < 0.3:
        return (
            say(
                rng,
                "(sit|sit down|crouch|crouch down|squat|duck|get low|lie down|sit low|stay low|go low"
                "|lower your (body|torso|belly)|sink down|be low|keep low|sit down low|hunker down|get"
                " down|belly (to|close to|near) the (ground|floor)|lower the (body|torso)|bring your"
                " (body|torso|belly) (down|close to the floor)|flatten yourself to the ground|hug the"
                " floor|make yourself small|drop your body|torso low|body down)",
            ),
            "height low",
        )
    if draw < 0.45:
        return (
            say(
                rng,
                "(stand tall|stretch up|stand as high as you can|rise up|raise your (body|torso|trunk)"
                "|be tall|get up high|stand high|make yourself tall|torso high|lift your (body|torso)"
                " (high|up)|push your body up|stretch your legs|go up high|stand up tall)",
            ),
            "height high",
        )
    if draw < 0.6:
        return (
            say(
                rng,
                "(stand|stand up|stand normally|stand up straight|just stand|get up|stand up again"
                "|normal height|back to standing|return to normal|stand like usual|be normal|stand at"
                " normal height|stand upright|get back on your feet|go back to standing|rise to the normal"
                " height|stand in your usual posture)",
            ),
            "height stand",
        )
    a, s = _q(rng, (10, 12, 14, 15, 16, 18, 20, 22, 24, 25, 26, 28, 30, 32, 35, 38, 40), "cm")
    return (
        say(
            rng,
            "((crouch|go|get down|lower yourself|sit|squat|raise yourself|rise) to {a}|(set|bring|lower"
            "|raise|keep|hold|move) (the|your) (torso|body|trunk) (to|at) {a}|(torso|body) (height|)"
            " (at|of|to|:) {a}|(torso|body) {a} (above|over|off) the (ground|floor)|stand {a} (high|tall)"
            "|be {a} (high|tall)|height {a}|make (the|your) (torso|body) height {a})",
            a=a,
        ),
        f"height {s}",
    )


def _pitch(rng: random.Random) -> Clause:
    way = rng.choice(("up", "down"))
    up = way == "up"
    if rng.random() < 0.6:
        a, s = _q(rng, tuple(d for d in _DEG if d <= 80), "deg")
        return (
            say(
                rng,
                f"((nose|head|front|front end|snout) {way} (by|) {{a}}|pitch {way} (by|) {{a}}|(tilt|"
                + ("lift|raise" if up else "lower|drop")
                + f") (the|your) (nose|head|front|chest|snout) {way if not up else '(up|)'} (by|) {{a}}"
                f"|tilt (forward|forwards) {{a}}|{{a}} nose {way})".replace(
                    "|tilt (forward|forwards) {a}",
                    "|tilt (backward|back) {a}" if up else "|tilt forward {a}",
                ),
                a=a,
            ),
            f"pitch {way} {s}",
        )
    if up:
        text = (
            "(nose up|look up|head up|look at the (sky|ceiling)|raise your (nose|head|chest)|tilt up"
            "|(tilt|point|lift) (the|your) (nose|head|snout) up (a bit|a little|)|pitch up|front up|lean"
            " back|chin up|nose (to|towards) the sky|raise your front)"
        )
    else:
        text = (
            "(nose down|look down|head down|look at the (floor|ground)|lower your (nose|head|chest)"
            "|tilt down|(tilt|point) (the|your) (nose|head|snout) down (a bit|a little|)|pitch down"
            "|front down|bow|bow down|take a bow|lean forward|nose (to|towards) the ground|dip your"
            " front|lower your front)"
        )
    return say(rng, text), f"pitch {way}"


def _flat(rng: random.Random) -> Clause:
    return (
        say(
            rng,
            "((keep|hold|with|have) (the|your|a) (torso|body|back|trunk) (flat|level|horizontal|even)"
            "|torso (flat|level)|stay level|level your (torso|body)|flat (torso|back|body)|be level|(the|"
            "your) (torso|body) (should be|must be|stays) (flat|level|horizontal)|level out|level body)",
        ).replace("with a torso flat", "with a flat torso"),
        "flat",
    )


def _roll(rng: random.Random) -> Clause:
    draw = rng.random()
    side = rng.choice(("left", "right"))
    if draw < 0.3:
        return (
            say(
                rng,
                "(roll over|roll over (onto|on) your back|lie on your back|turn (onto|on) your back|roll"
                " (over|) by 180 degrees|flip over|turn over|roll upside down|get on your back|belly up"
                "|be on your back|do a roll onto your back|turn upside down|lie upside down|show me your"
                " belly|roll 180 deg|feet in the air on your back|go belly up)",
            ),
            "roll over",
        )
    if draw < 0.5:
        return (
            say(
                rng,
                "((lie|lay|roll|get|fall|turn) (down|over|) (on|onto) (your|the) {s} side|lie (down|) on"
                " {s} side|{s} side down|be on your {s} side)",
                s=side,
            ),
            f"side {side}",
        )
    if draw < 0.8:
        a, s = _q(rng, tuple(d for d in _DEG if d <= 80), "deg")
        return (
            say(
                rng,
                "((roll|lean|tilt|bank) (to the|to your|) {s} (by|) {a}|(roll|lean|tilt|bank) {a}"
                " (to the|to your|) {s}|tilt (the|your) (torso|body) {a} (to the|) {s})",
                s=side,
                a=a,
            ),
            f"roll {side} {s}",
        )
    return (
        say(
            rng,
            "((lean|tilt|roll|bank) (to the|to your|over to the|) {s} (a bit|a little|slightly|)|tilt"
            " (the|your) (torso|body) (to the|) {s})",
            s=side,
        ),
        f"roll {side}",
    )


def _turn(rng: random.Random) -> Clause:
    side = rng.choice(("left", "right"))
    draw = rng.random()
    way = say(rng, _SIDES[side])
    if draw < 0.42:
        a, s = _q(rng, _DEG, "deg")
        return (
            say(
                rng,
                "((turn|rotate|look|face|swing|pivot|yaw|swivel|head) {w} (by|) {a}|(turn|rotate|pivot"
                "|yaw) (by|) {a} {w}|{a} {w}|{w} turn (of|by) {a}|make a {a} turn {w})",
                w=way,
                a=a,
            ),
            f"turn {side} {s}",
        )
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
        return (
            say(
                rng,
                "(turn around|about face|make a half turn|turn the other way|look behind you|face"
                " backwards|do a 180|turn round|half turn|face the opposite (way|direction)|look back"
                "|reverse your direction|turn your back to me|spin half a turn)",
            ),
            "turn around",
        )
    face = rng.choice(("sunrise", "sunset", "north", "south", "east", "west"))
    return (
        say(
            rng,
            "((face|face|look|turn|turn to|point|look towards|look to|head|face to|orient yourself to"
            "|turn your head to|point your nose to|aim at|watch) (the|the|due|towards|) {f}|{f})",
            f=face,
        ).replace("the north", rng.choice(("north", "the north"))),
        f"face {face}",
    )


def _spin(rng: random.Random) -> Clause:
    side = rng.choice(("left", "right"))
    way = say(rng, _SIDES[side])
    draw = rng.random()
    if draw < 0.35:
        a, s = (
            _q(rng, (0.5, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4), "rad/s")
            if rng.random() < 0.6
            else _q(rng, (20, 30, 45, 60, 90, 120, 180), "deg/s")
        )
        return (
            say(
                rng,
                "((spin|rotate|turn|whirl|keep turning|twirl) {w} (at|with|) {a}|(spin|rotate|turn) (at"
                "|with) {a} {w}|(keep spinning|spinning) {w} (at|with) {a})",
                w=way,
                a=a,
            ),
            f"spin {side} {s}",
        )
    if draw < 0.6:
        side_said = rng.random() < 0.5
        if not side_said:
            side, way = "left", ""
        return (
            say(
                rng,
                "((spin|rotate|whirl|twirl|turn) {w} (fast|quickly|rapidly|as fast as possible|like crazy"
                "|at full speed|like a top|very fast|real quick|at top speed)|(fast|quick) spin {w}|(spin"
                "|whirl) (quickly|fast) {w})",
                w=way,
            ),
            f"spin {side} fast",
        )
    if draw < 0.75:
        return (
            say(
                rng,
                "((spin|rotate|keep turning) {w} (slowly|gently|slow)|slowly (spin|rotate|turn|whirl) {w}"
                "|(slow|gentle) spin {w})",
                w=way,
            ),
            f"spin {side} slow",
        )
    if rng.random() < 0.3:
        side, way = "left", ""
    return (
        say(
            rng,
            "(spin {w}|spin around {w}|whirl {w}|spin in place {w}|keep rotating {w}|rotate on the spot"
            " {w}|keep turning {w}|twirl {w}|keep spinning {w}|go round and round {w}|do a pirouette {w})",
            w=way,
        ),
        f"spin {side}",
    )


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
        a, s = _q(rng, _SPEEDS[: None if way in ("forward", "back") else -1], "m/s")
        return (
            say(
                rng,
                f"({verb} {{w}} (at|with|) {{a}}|{verb} {{w}} at a (speed|pace) of {{a}}|{verb} (at|with)"
                " {a} {w})",
                w=w,
                a=a,
            ),
            f"walk {way} {s}",
        )
    if draw < 0.5:
        return (
            say(
                rng,
                f"({verb} {{w}} (fast|quickly|at full speed|rapidly|swiftly|in a hurry|briskly)"
                "|(run|rush|sprint|dash|hurry|gallop) {w})",
                w=w,
            ),
            f"walk {way} fast",
        )
    if draw < 0.64:
        return (
            say(
                rng,
                f"({verb} {{w}} (slowly|gently|slow|at a slow pace|carefully)|slowly {verb} {{w}}"
                "|(creep|crawl|sneak|inch) {w})",
                w=w,
            ),
            f"walk {way} slow",
        )
    if draw < 0.8:
        if way == "forward" and rng.random() < 0.3:
            return say(
                rng, "(walk|start walking|take a walk|trot|run along|just walk)"
            ), "walk forward"
        return say(rng, f"{verb} {{w}}", w=w), f"walk {way}"
    a, s = (
        _q(rng, (20, 30, 40, 50, 60, 80), "cm")
        if rng.random() < 0.4
        else _q(rng, (0.5, 1, 1.5, 2, 2.5, 3, 4, 5), "m")
    )
    return (
        say(
            rng,
            f"({verb} (by|) {{a}} {{w}}|{verb} {{w}} (by|for|) {{a}}|(go|move) to a (spot|place|point)"
            " {a} {w}|{a} {w})",
            w=w,
            a=a,
        ),
        f"go {way} {s}",
    )


def _lift(rng: random.Random) -> Clause:
    draw = rng.random()
    if draw < 0.15:
        pair, words = rng.choice(
            (("front", "(front|fore)"), ("rear", "(rear|back|hind)"), ("front", "front"))
        )
        f = say(
            rng,
            f"(both|both of|) (the|your|) {words} (paws|feet|legs)",
        )
        name = pair
    else:
        f, name = _foot(rng)
    if rng.random() < 0.5:
        a, s = _q(rng, _CM, "cm")
        return (
            say(
                rng,
                "((lift|raise|hold|pick up|hold up|bring up|put) {f} (up|) (by|to|) {a}|{f} (up|) (by|to|)"
                " {a}|{f} {a} (up|high|off the (ground|floor)|above the (ground|floor)|in the air)|(lift"
                "|raise|keep|hold) {f} {a} (off the (ground|floor)|high|above the (ground|floor)|up))",
                f=f,
                a=a,
            ),
            f"lift {name} {s}",
        )
    how = rng.random()
    if how < 0.2:
        return (
            say(
                rng,
                "((lift|raise|hold) {f} (high|up high|very high|as high as you can|high up|way up)|{f}"
                " (high|up high|way up))",
                f=f,
            ),
            f"lift {name} high",
        )
    if how < 0.35:
        return (
            say(
                rng,
                "((lift|raise|hold) {f} (slightly|a little|a bit|a tiny bit|just off the ground|a touch)"
                "|{f} up (a little|a bit|slightly))",
                f=f,
            ),
            f"lift {name} low",
        )
    return (
        say(
            rng,
            "((lift|lift|raise|hold up|pick up|put up|give me|show me) {f} (up|)|{f} up|{f} (off the"
            " ground|in the air)|(keep|hold) {f} (up|in the air|off the ground)|get {f} off the floor)",
            f=f,
        ),
        f"lift {name}",
    )


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
        a, s = _q(rng, (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15), "cm")
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
        base = say(
            rng,
            "((stomp|tap|step|stamp|paw|drum) with {f}|(tap|stomp|drum|stamp) {f}|keep lifting and"
            " lowering {f}|(wave|waggle|wiggle|pump) {f})",
            f=phrase,
        )
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
            (
                say(
                    rng,
                    "((stand|stand up|rear up|balance|get up|rise|walk) on (your|the|two) (back|hind|rear)"
                    " (feet|legs|paws)|rear up|stand on two (back|hind) (feet|legs)|stand (up|) like a"
                    " (human|person|man)|beg|sit up and beg|up on (your|the) (hind|back) legs|do a wheelie)",
                ),
                "stand hind",
            ),
            (
                say(
                    rng,
                    "(do a hand stand|make a handstand|stand on (your|the|two) front (feet|legs|paws)"
                    "|balance on (your|the) front (legs|paws|feet)|hand stand|tail up high, standing on"
                    " the front paws|up on (your|the) front legs)",
                ),
                "stand front",
            ),
            (
                say(
                    rng,
                    "(be still|don't move|do not move|freeze|stop|stop moving|halt|hold still|stand still"
                    "|remain still|keep still|stay where you are|no motion|stay put|rest|quiet|wait there"
                    "|do nothing|hold your position|whoa)",
                ),
                "still",
            ),
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


def arm_scene(rng: random.Random, lexicon: Lexicon) -> SceneView:
    """Objects, handles and joints in front of the hand."""
    nouns = [n.split("=")[0] for t in sorted(lexicon.items) for n in lexicon.items[t]]
    names = rng.sample(sorted(set(nouns)), rng.randint(2, 5))
    if rng.random() < 0.25:
        names = list(dict.fromkeys([*rng.sample(("apple", "bowl", "box", "cup"), 4), *names[:1]]))
    joints = rng.sample(
        ("drawer", "faucet", "door", "lid", "valve", "window", "fridge", "lever", "oven", "hatch"),
        rng.choice((1, 1, 2)),
    )
    if rng.random() < 0.3:
        joints = ["drawer", "faucet"]
    return SceneView(
        robot="arm",
        things=tuple(Thing(name=n, kind="item", category=n) for n in names),
        joints=tuple(joints),
        handles=tuple(f"{j}_handle" for j in joints),
    )


def arm_clause(rng: random.Random, scene: SceneView) -> Clause:
    """One thing that the hand should do."""
    names = scene.names("item")
    o = rng.choice(names)
    the = rng.choice(("the ", "the ", "the ", ""))
    draw = rng.random()
    if draw < 0.14:
        target = rng.choice((*names, *scene.handles))
        return (
            say(
                rng,
                "((touch|reach|reach for|tap|feel|go to|move to|grab|grab hold of|grasp|put your (hand|"
                "palm|finger) on|place (the|your) (hand|palm) on|contact|get your hand on|reach out to|get"
                " hold of|hold|take hold of|bring your hand to|poke|press against|lay a finger on) {t}"
                "|(hand|palm|finger) on {t})",
                t=f"{the}{target.replace('_', ' ')}",
            ),
            f"touch {target}",
        )
    if draw < 0.30:
        if rng.random() < 0.6:
            a, s = (
                _q(rng, _CM, "cm")
                if rng.random() < 0.6
                else _q(rng, (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6), "m")
            )
            if len(names) > 1 and rng.random() < 0.25:
                p = rng.choice([n for n in names if n != o])
                return (
                    say(
                        rng,
                        "((lift|raise|hoist|pick up|hold) (both|) the {o} and the {p} (together|at once"
                        "|both|) (by|to|up to|) {a})",
                        o=o,
                        p=p,
                        a=a,
                    ),
                    f"lift {o} {s} ; lift {p} {s}",
                )
            return (
                say(
                    rng,
                    "((lift|raise|hoist|pick up|elevate|hold|bring|take|heave) {o} (up|) (by|to|up to|to a"
                    " height of|) {a}|{o} (up|) (to|by|at) {a}|(lift|raise|hold) {o} {a} (high|up|off the"
                    " table|above the table|into the air)|{o} {a} (high|above the table))",
                    o=the + o,
                    a=a,
                ),
                f"lift {o} {s}",
            )
        return (
            say(
                rng,
                "((lift|raise|pick up|hoist|hold up|elevate|take|pick) {o} (up|)|lift {o}|{o} (up|into the"
                " air|off the table))",
                o=the + o,
            ),
            f"lift {o}",
        )
    if draw < 0.46 and len(names) > 1:
        target = rng.choice([n for n in (*names, *scene.handles) if n != o])
        t = f"{the}{target.replace('_', ' ')}"
        if rng.random() < 0.3:
            a, s = _q(rng, (3, 5, 8, 10, 12, 15, 20, 25, 30, 40), "cm")
            first, slot = (
                (rng.choice(("your hand", "the hand", "the palm", "your palm", "hand")), "hand")
                if rng.random() < 0.4
                else (the + o, o)
            )
            if slot == target:
                slot, first = "hand", "the hand"
            return (
                say(
                    rng,
                    "((keep|hold|put|place|bring|leave|move|have) {o} {a} (from|away from|apart from|off"
                    "|distant from) {t}|{o} (should be|must be|stays|) {a} (from|away from) {t}|(keep|leave)"
                    " {a} between {o} and {t}|(keep|hold) {o} at a distance of {a} (from|to) {t})",
                    o=first,
                    t=t,
                    a=a,
                ),
                f"bring {slot} {target} {s}",
            )
        return (
            say(
                rng,
                "((put|move|bring|take|carry|push|place|set|deliver|get) {o} (to|into|in|onto|on|next to|by"
                "|beside|over to|against|close to|near|right to|together with) {t}|{o} (to|into|in|on|next"
                " to|near|onto) {t}|{o} and {t} (together|should touch|side by side))",
                o=the + o,
                t=t,
            ),
            f"bring {o} {target}",
        )
    if draw < 0.58:
        if rng.random() < 0.5:
            return (
                say(
                    rng,
                    "((place|stand|set|put|turn|get|make|bring) {o} (upright|up straight|right side up"
                    "|right way up|back upright|straight up|on its base|back up|the right way up)|{o}"
                    " (upright|right side up|standing up)|right {o}|stand {o} up (again|)|{o} (has fallen"
                    " over|tipped over|is lying down), (stand|set|put) it (up|upright) (again|)"
                    "|straighten {o} up)",
                    o=the + o,
                ),
                f"upright {o}",
            )
        return (
            say(
                rng,
                "((flip|turn|put|set) {o} (upside down|over|on its head|top down|bottom up)|flip {o}|{o}"
                " (upside down|bottom up|inverted|flipped)|invert {o}|turn {o} over|flip over {o})",
                o=the + o,
            ),
            f"flip {o}",
        )
    if draw < 0.82 and scene.joints:
        j = rng.choice(scene.joints)
        water = j == "faucet"
        t = "the " + (rng.choice(("faucet", "tap", "water")) if water else j)
        if rng.random() < 0.4:
            n = rng.choice((10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90))
            a, s = amount(rng, n, "%")
            if n in (25, 50, 75) and rng.random() < 0.6:
                a = say(
                    rng,
                    {
                        25: "(a quarter|one quarter|a quarter of the way)",
                        50: "(half way|half|halfway|half of the way|by half)",
                        75: "(three quarters|three quarters of the way|3 quarters)",
                    }[n],
                )
                s = f"{n} %"
            verb = "turn on" if water else "(open|pull open|pull out|slide open)"
            if rng.random() < 0.2:
                return (
                    say(rng, "(close|shut|push in) {t} (by|) {a}", t=t, a=a),
                    f"close {j} {s}",
                )
            return (
                say(
                    rng,
                    f"({verb} {{t}} {{a}}|{verb} {{t}} (by|to) {{a}}|open {{t}} {{a}}|{{t}} {{a}} open"
                    "|{t} (at|to) {a}|{t} open (by|to|) {a})",
                    t=t,
                    a=a,
                ),
                f"open {j} {s}",
            )
        if rng.random() < 0.6:
            verb = (
                "(turn on|open|switch on|start|open up|let run)"
                if water
                else "(open|pull open|slide open|open up|pull out|crack open)"
            )
            return (
                say(
                    rng,
                    f"({verb} {{t}} (fully|completely|all the way|entirely|)|{verb} {{t}}|{{t}} (on|open)"
                    "|get {t} (open|on)|i want {t} open)"
                    if water
                    else f"({verb} {{t}} (fully|completely|all the way|entirely|)|{verb} {{t}}|{{t}} open"
                    " (all the way|)|get {t} open|i want {t} open|make {t} open)",
                    t=t,
                ),
                f"open {j}",
            )
        verb = (
            "(turn off|close|switch off|shut off|stop|turn down)"
            if water
            else "(close|shut|push shut|push closed|slide shut|push in)"
        )
        return (
            say(
                rng,
                f"({verb} {{t}} (fully|completely|all the way|again|)|{verb} {{t}}|{{t}} (off|closed))"
                if water
                else f"({verb} {{t}} (fully|completely|all the way|again|)|{verb} {{t}}|{{t}} (shut|closed)"
                "|get {t} (closed|shut))",
                t=t,
            ),
            f"close {j}",
        )
    if draw < 0.9:
        way = rng.choice(("down", "up", "forward", "backward", "left", "right"))
        return (
            say(
                rng,
                "((palm|hand) (facing|pointing|turned|to face|) {w}|(turn|point|face|rotate|orient|keep)"
                " (the|your) (palm|hand) {w}|with (the|your) palm (facing|) {w}|palm {w}(wards|))",
                w=way,
            ),
            f"palm {way}",
        )
    if draw < 0.97:
        way = rng.choice(("open", "close"))
        text = (
            "(open (your|the) (hand|fingers)|hand open|spread (your|the) fingers|release|let go|fingers"
            " apart|unclench|open up your hand|relax your fingers|loosen your grip)"
            if way == "open"
            else "(close (your|the) (hand|fingers)|hand closed|clench|clench your fist|fist|make a ball"
            " with your hand|curl your fingers|squeeze your hand|grip tight|form a fist|close the fist)"
        )
        return say(rng, text), f"hand {way}"
    return (
        say(
            rng,
            "((go|move|return|come) (back|) (home|to (the|your) (rest|home|start|starting|initial) (position"
            "|pose|place))|rest|take your hand (back|away)|back to rest|go home|retract your (hand|arm)"
            "|relax your arm|move your hand home)",
        ),
        "rest",
    )


_FURTHER = {
    "height": (
        "(higher|even higher|further up|up more|raise it more|more up|taller|a bit higher|increase the"
        " height|up a bit|go higher|not high enough|raise it a bit more|higher please)",
        "(lower|even lower|further down|down a bit|less high|a bit lower|go lower|too high|not so high"
        "|down more|decrease the height|that is too high|lower please)",
    ),
    "speed": (
        "(faster|even faster|quicker|speed up|hurry up|faster please|go faster|more speed|too slow"
        "|increase the speed|a bit faster|pick up the pace|speed it up|not fast enough)",
        "(slower|even slower|slow down|more slowly|not that fast|too fast|less speed|slow it down|a bit"
        " slower|take it easy|reduce the speed|calm down|easy|gently)",
    ),
    "size": (
        "(more|even more|further|some more|a bit more|more of that|not enough|increase it|a little more"
        "|keep going|do more)",
        "(less|not so much|a bit less|too much|not that far|reduce it|a little less|back off a bit"
        "|that was too much)",
    ),
}
_KEEP = (
    "(keep (that|it|doing that) (up|) (and|, and|but)|and (also|)|also|(at the same time|meanwhile|in"
    " addition|additionally|on top of that|while doing (that|so)|with that)|continue (that|) and|stay"
    " like that and|like that, but (also|)|same but|and while you do that)"
)
_NO = (
    "(no|no,|not that,|sorry,|i meant|actually|wait,|no wait,|nope,|i said|rather|instead|oops,|wrong,"
    "|hmm,)"
)


def correction(rng: random.Random, scene: SceneView) -> Turn:
    """A sentence for this robot and a follow-up whose meaning needs it."""
    quadruped = scene.robot == "quadruped"

    def fresh() -> Clause:
        return quadruped_clause(rng) if quadruped else arm_clause(rng, scene)

    while True:
        before, slots = fresh()
        words = slots.split()
        verb = words[0]
        style = rng.random()
        kind = (
            "height"
            if verb in ("lift", "height")
            else "speed"
            if verb in ("spin", "walk", "step")
            else "size"
            if verb in ("pitch", "turn", "roll", "foot", "open", "go")
            else ""
        )
        if slots in ("roll over", "turn around"):
            kind = ""
        if style < 0.34 and kind:
            way = rng.randrange(2)
            text = _FURTHER[kind if rng.random() < 0.8 else ("size" if kind != "size" else kind)][
                way
            ]
            return Turn(before, slots, say(rng, text), ("more", "less")[way])
        if style < 0.40 and kind:
            text, change = rng.choice(
                (
                    (
                        "(double it|twice that|two times that|double that|double|twice as {k})",
                        "double",
                    ),
                    ("(half of that|halve it|half that|only half|half as {k})", "half"),
                )
            )
            k = {"height": "high", "speed": "fast", "size": "far"}[kind]
            return Turn(before, slots, say(rng, text, k=k), change)
        if (
            style < 0.50
            and quadruped
            and verb in ("spin", "walk", "turn", "pitch", "roll", "foot", "side")
        ):
            if slots in ("roll over", "turn around"):
                continue
            text = "(the other way|the other direction|opposite direction|other way|reverse|in the other"
            text += " direction|wrong way|the opposite|wrong direction|reverse it|other way around)"
            return Turn(before, slots, say(rng, text), "opposite")
        if style < 0.68:
            more, more_slots = fresh()
            if more_slots.split()[0] == verb or " then " in more_slots:
                continue
            text = say(rng, f"({_KEEP} {{c}}|{{c}} (too|also|as well|meanwhile))", c=more)
            return Turn(before, slots, text, f"keep ; {more_slots}")
        if style < 0.86:
            turn = _replaced(rng, scene, before, slots)
            if turn is not None:
                return turn
            continue
        new, new_slots = fresh()
        text = say(rng, f"({{c}}|{{c}}|now {{c}}|{_NO} {{c}}|then {{c}})", c=new)
        return Turn(before, slots, text, new_slots)


def _replaced(rng: random.Random, scene: SceneView, before: str, slots: str) -> Turn | None:
    """One word or number of the sentence before is changed."""
    words = slots.split()
    if ";" in words:
        return None
    if len(words) >= 2 and words[-2].replace(".", "").isdigit() and rng.random() < 0.45:
        unit = words[-1]
        numbers = {
            "cm": _CM,
            "deg": tuple(d for d in _DEG if d <= 80),
            "%": (20, 25, 30, 50, 60, 75, 80),
            "m/s": (0.2, 0.3, 0.4, 0.6, 0.8),
            "rad/s": (0.5, 1, 2, 3),
            "deg/s": (30, 60, 90),
            "m": (0.2, 0.3, 0.4, 0.5),
            "hz": (1, 2, 3),
        }[unit]
        a, s = amount(rng, rng.choice(numbers), unit)
        text = say(rng, f"(to {{a}}|{_NO} {{a}}|make (it|that) {{a}}|{{a}}|{{a}} instead)", a=a)
        return Turn(before, slots, text, " ".join(words[:-2]) + " " + s)
    if scene.robot == "quadruped":
        if words[0] in ("lift", "foot", "step") and words[1] in _FEET:
            other = rng.choice([f for f in _FEET if f != words[1]])
            end, side = other.split("-")
            old_end, old_side = words[1].split("-")
            phrase = say(rng, f"(the|your|) {_FEET[other]} (one|paw|leg|foot|)")
            if end == old_end and rng.random() < 0.6:
                phrase = say(rng, "the {s} (one|paw|leg|foot)", s=side)
            elif side == old_side and rng.random() < 0.6:
                phrase = say(
                    rng, f"the {'(back|rear|hind)' if end == 'rear' else 'front'} (one|paw|leg)"
                )
            elif end != old_end and side != old_side and rng.random() < 0.5:
                phrase = say(rng, "the (diagonal|diagonally opposite|opposite) (one|paw|leg|foot)")
            text = say(
                rng, f"({_NO} {{o}}|{{o}}|{{o}} instead|now {{o}}|do it with {{o}})", o=phrase
            )
            return Turn(before, slots, text, " ".join([words[0], other, *words[2:]]))
        swap = {"left": "right", "right": "left", "up": "down", "down": "up", "forward": "back"}
        if (
            len(words) > 1
            and words[1] in swap
            and words[0] in ("turn", "spin", "roll", "walk", "pitch")
        ):
            new = swap[words[1]]
            text = say(
                rng,
                f"({_NO} {{n}}|{{n}}, not {{o}}|to the {{n}}|{{n}} (instead|i said)|not {{o}}, {{n}})",
                n=new + ("wards" if new == "back" else ""),
                o=words[1],
            )
            return Turn(before, slots, text, " ".join([words[0], new, *words[2:]]))
        return None
    names = scene.names("item")
    if words[0] in ("touch", "lift", "upright", "flip", "bring") and words[1] in names:
        options = [n for n in names if n not in words]
        if not options:
            return None
        new = rng.choice(options)
        text = say(
            rng,
            f"({_NO} the {{n}}|the {{n}} (instead|i said|)|now the {{n}}|(and|) the {{n}} (too|as well)"
            "|not the {o}, the {n}|the {n}, not the {o}|same with the {n})",
            n=new,
            o=words[1],
        )
        return Turn(before, slots, text, " ".join([words[0], new, *words[2:]]))
    if words[0] in ("open", "close") and len(words) == 2:
        text = say(
            rng,
            "((and|now|ok|then|) (close|shut|turn off) it (again|)|shut it (again|))"
            if words[0] == "open"
            else "((and|now|ok|then|) (open|turn on) it (again|)|open it (again|))",
        )
        return Turn(before, slots, text, ("close " if words[0] == "open" else "open ") + words[1])
    return None


def sentence(rng: random.Random, scene: SceneView) -> Clause:
    """One to three clauses, together or in order."""

    def fresh() -> Clause:
        return quadruped_clause(rng) if scene.robot == "quadruped" else arm_clause(rng, scene)

    first, slots = fresh()
    if rng.random() < 0.12 and scene.robot == "quadruped":
        a, s = _q(rng, (1, 2, 3, 4, 5, 6, 8, 10), "s")
        first, slots = f"{first} for {a}", f"{slots} ; for {s}"
        if rng.random() < 0.3:
            return first, slots
    elif rng.random() < 0.6:
        return first, slots
    while True:
        second, more = fresh()
        if more.split()[0] != slots.split()[0] or more.split()[:2] != slots.split()[:2]:
            break
    if "; for" in slots or rng.random() < 0.5:
        text = say(
            rng,
            "((first|start by:|first of all|) {a}, (then|and then|after that|afterwards|next|and after"
            " that) {b}|{a} and then {b}|{a} then {b}|{a}, then {b}|(once|when) you (are done|have done"
            " that): {a}, {b})",
            a=first,
            b=second,
        )
        if text.startswith(("once", "when")):
            text = f"{first}, then {second}"
        if rng.random() < 0.15:
            third, last = fresh()
            return f"{text}, then {third}", f"{slots} then {more} then {last}"
        return text, f"{slots} then {more}"
    joint = "(and|and|, and|,|while|with|at the same time|, and also|, also|. |plus|as well as|and"
    text = say(rng, "{a} " + joint + " simultaneously) {b}", a=first, b=second)
    return text, f"{slots} ; {more}"


def refused(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> tuple[str, str]:
    """A sentence that this robot cannot do, and ``cannot REASON``."""
    kind = rng.choices(("object", "ambiguous", "action", "range", "chat"), (3, 1.5, 4, 2, 2))[0]
    if scene.robot == "quadruped":
        if kind == "chat":
            return say(rng, CHAT, x="the dog", t="the room", c="paws"), "cannot chat"
        if kind == "object":
            noun = rng.choice(lexicon.absent)
            return (
                say(
                    rng,
                    "((go|walk|run|trot) to the {n}|(touch|fetch|bring|get|sniff|push|kick|pick up|chase"
                    "|follow) (me|) the {n}|(lift|raise|move) your (third|sixth|seventh|extra) (leg|paw"
                    "|arm)|(wag|raise|move|lift) your (tail|arm|wing|hand|ears|trunk)|face the {n}|sit on"
                    " the {n}|put your paw on the {n})",
                    n=noun,
                ).replace(" me the", " the"),
                "cannot object",
            )
        if kind == "ambiguous":
            return (
                say(
                    rng,
                    "((lift|raise|hold up|move|shift) (a|one|some|one of your|any) (leg|paw|foot|limb)|turn"
                    "|(rotate|lean|tilt) (a bit|somewhat|)|do (it|something|that|this)|go there|(move|step)"
                    " aside|move (it|that one)|do your thing|move)",
                ),
                "cannot ambiguous",
            )
        if kind == "action":
            if rng.random() < 0.3:
                return say(rng, ELSEWHERE), "cannot action"
            return (
                say(
                    rng,
                    "(woof|meow|howl|sing|dance (a waltz|salsa|ballet|)|swim|fly|climb the (stairs|wall"
                    "|tree)|jump|leap|hop (on one leg|)|do a (backflip|somersault|cartwheel)|fetch|dig a"
                    " hole|catch a ball|eat|drink|bite (me|)|smile|laugh|talk|growl|scratch yourself"
                    "|shake hands|blink|play dead and sing|open the door|skip rope|swing your hips|climb"
                    " up|wag|fall asleep|jump (over|onto|up) (the|a) (table|wall|box|chair)|fly away|hover"
                    "|throw something|levitate|cook dinner|kick a ball|breathe)",
                ),
                "cannot action",
            )
        n = rng.choice((2, 3, 4, 5, 6, 8, 10))
        big = rng.choice((40, 50, 80, 100))
        return (
            say(
                rng,
                "((stand|be|grow) {n} m (tall|high)|(lift|raise) your front left (paw|leg) (by|to) {n} m"
                "|(walk|run|trot|go) (at|with) {b} (m/s|km/h)|torso height {n} m|(spin|rotate) (at|with)"
                " {b} rad/s|raise your (torso|body) (to|by) {n} m|crouch to 0 cm|go forward {b} m|nose up"
                " 200 deg|run as fast as {b} km/h|lean {m} deg to the left|walk {b} km ahead)",
                n=str(n),
                b=str(big),
                m=str(rng.choice((200, 270, 300, 360))),
            ),
            "cannot range",
        )
    names = scene.names("item")
    o = rng.choice(names)
    if kind == "chat":
        return say(rng, CHAT, x=f"the {o}", t="the room", c=f"{o}s"), "cannot chat"
    if kind == "action" or kind == "ambiguous":
        elsewhere = say(rng, ELSEWHERE)
        if rng.random() < 0.3 and not set(elsewhere.split()) & set(scene.joints):
            return elsewhere, "cannot action"
        return (
            say(
                rng,
                "(wash|cut|cook|eat|break|burn|paint|smash|clean|drop|slice|throw|juggle|bake|shake|write"
                " with|drink from|repair|sell|kick|measure|squeeze|polish|melt|pour|fill|weigh|empty|boil"
                "|wrap|iron|catch|bite|stir|bounce|scan|photograph|dry) the {o}",
                o=o,
            ),
            "cannot action",
        )
    if kind == "object":
        noun = rng.choice(
            [
                *lexicon.absent,
                *(
                    n.split("=")[0]
                    for t in sorted(lexicon.items)
                    for n in rng.sample(lexicon.items[t], 2)
                ),
            ]
        )
        joints = [
            j for j in ("drawer", "faucet", "door", "lid", "valve", "oven") if j not in scene.joints
        ]
        if noun in names:
            noun = "elephant"
        return (
            say(
                rng,
                "((lift|touch|flip|grab|pick up|raise|turn over|reach for|hold|grasp|take) the {n}|put the"
                " {o} (in|on|next to) the {n}|place the {n} upright|move the {n} to the {o}|(open|close"
                "|turn on|turn off) the {j}|bring the {n} to the {o}|lift the {n} {a} cm)",
                n=noun,
                o=o,
                j=rng.choice(joints),
                a=str(rng.choice((10, 20, 30))),
            ),
            "cannot object",
        )
    return (
        say(
            rng,
            "((lift|raise|hoist) the {o} (to|by|) {n} m|lift the {o} {c} cm|(keep|hold) the {o} {n} m (away"
            "|) from the hand|open the {j} (by|to|) {p} %)",
            o=o,
            n=str(rng.choice((2, 3, 4, 5, 6, 8, 10, 100))),
            c=str(rng.choice((150, 200, 300, 500))),
            j=rng.choice(scene.joints),
            p=str(rng.choice((150, 200, 300))),
        ),
        "cannot range",
    )
