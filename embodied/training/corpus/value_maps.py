"""Sentences whose meaning is a value-map program, with the slots that say it."""

from __future__ import annotations

import random

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.phrasing import amount, say, templates
from embodied.training.corpus.scenes import mended, refer

_WORDS = templates("value_maps")

Clause = tuple[str, str]
"""A clause and its slots."""

MOVE = _WORDS["move"]
PACED_MOVES = {
    "slow": "(creep|crawl|inch|sneak|tiptoe|ease|edge)",
    "fast": "(rush|hurry|dash|race|zip|speed|dart|zoom|sprint|bolt)",
}
SIDE_WORDS = {
    "left-of": _WORDS["side-words-left-of"],
    "right-of": _WORDS["side-words-right-of"],
    "front-of": "(in front of|to the front of|before|ahead of)",
    "behind": "(behind|to the back of|in back of|at the rear of|round the back of)",
    "above": "(above|over|on top of|directly above|right above|right over|straight above|up above)",
}
_CM = (3, 4, 5, 6, 8, 9, 10, 12, 14, 15, 18, 20, 22, 25, 30)
DIRECTIONS = {
    "left": "(left|to the left|to your left|leftwards)",
    "right": "(right|to the right|to your right|rightwards)",
    "forward": "(forward|forwards|away from you|ahead|straight ahead|to the front|further away)",
    "back": "(back|backwards|backward|towards you|toward you|closer to you)",
    "up": "(up|upwards|higher)",
    "down": "(down|downwards|lower)",
}
AREA_WORDS = {
    "left": "(left|left side|left half|left part|left-hand side)",
    "right": "(right|right side|right half|right part|right-hand side)",
    "front": "(front|front side|front half|far side|far end|front edge)",
    "back": "(back|back side|back half|near side|near end|rear)",
    "center": "(center|middle|centre)",
    "front-left": "(front left corner|left front corner|far left corner|front left)",
    "front-right": "(front right corner|right front corner|far right corner|front right)",
    "back-left": "(back left corner|left back corner|near left corner|back left)",
    "back-right": "(back right corner|right back corner|near right corner|back right)",
}


def distance(rng: random.Random) -> tuple[str, str]:
    """A distance as said, and as a slot."""
    return amount(rng, rng.choice(_CM), "cm")


def _of(rng: random.Random, scene: SceneView, *kinds: str, but: str = "") -> Thing:
    pool = [t for t in scene.things if t.name != but and (not kinds or t.kind in kinds)]
    return rng.choice(pool or list(scene.things))


def _some(rng: random.Random, scene: SceneView, but: str = "") -> Thing:
    return _of(rng, scene, "item", "item", "container", but=but)


def _area(rng: random.Random, scene: SceneView) -> Clause:
    area = rng.choice(tuple(AREA_WORDS))
    surface = rng.choice([t.category for t in scene.things if t.kind == "surface"] or ["table"])
    where = rng.choice((surface, surface, "workspace", "table"))
    return say(rng, f"the {AREA_WORDS[area]} of the {{w}}", w=where), f"area {area}"


def _place(rng: random.Random, scene: SceneView, but: str = "") -> tuple[str, str, str]:
    """A phrase for a place, its slots, and the object it is about."""
    t = _some(rng, scene, but)
    name = mended(rng, t, scene) if rng.random() < 0.03 else refer(rng, t, scene)
    draw = rng.random()
    if draw < 0.25:
        return f"to {name}", t.name, t.name
    if draw < 0.35:
        phrase, slots = _area(rng, scene)
        return f"to {phrase}", slots, ""
    side = rng.choice(tuple(SIDE_WORDS))
    words = say(rng, SIDE_WORDS[side])
    if rng.random() < 0.55:
        a, s = distance(rng)
        phrase = say(rng, _WORDS["place"], a=a, w=words, t=name)
        return phrase, f"{side} {t.name} {s}", t.name
    lead = rng.choice(("", "", "to a spot ", "to a point ", "just ", "somewhere "))
    return f"{lead}{words} {name}", f"{side} {t.name}", t.name


def speed(rng: random.Random) -> tuple[str, str, bool]:
    """An adverb of speed, its slot, and whether it may stand in front of the verb."""
    draw = rng.random()
    if draw < 0.35:
        text = _WORDS["speed"]
        return say(rng, text), "speed slow", True
    if draw < 0.55:
        text = _WORDS["speed-2"]
        return say(rng, text), "speed fast", True
    if draw < 0.63:
        return (
            say(rng, "(at half speed|with half the speed|at half the usual speed|half speed)"),
            ("speed half"),
            False,
        )
    if draw < 0.68:
        return (
            say(rng, "(at normal speed|at the usual speed|at regular speed)"),
            "speed normal",
            False,
        )
    a, s = (
        amount(rng, rng.choice((0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)), "m/s")
        if rng.random() < 0.75
        else (lambda n: (f"{n} cm/s", f"{n} cm/s"))(rng.choice((5, 8, 10, 15, 20, 25, 30)))
    )
    return say(rng, "(at|with|at a speed of|with a speed of) {a}", a=a), f"speed {s}", False


def condition_on(rng: random.Random, scene: SceneView, about: str) -> Clause:
    """What is to be kept to on the way."""
    t = _some(rng, scene, about)
    name = refer(rng, t, scene)
    draw = rng.random()
    if draw < 0.30:
        side = rng.choice(("left-of", "right-of", "front-of", "behind", "above"))
        words = say(rng, SIDE_WORDS[side])
        plain = {"left-of": "left", "right-of": "right", "front-of": "front", "behind": "back"}.get(
            side
        )
        template = _WORDS["condition"]
        if plain and rng.random() < 0.5:
            template = (
                "((keep|leave|have|keeping|leaving) {t} (on|to) your "
                + {"left": "right", "right": "left"}.get(plain, "far")
                + _WORDS["condition-2"].format(plain=plain)
                + {"left": "right", "right": "left"}.get(plain, "far")
                + ")"
            )
            if plain in ("front", "back"):
                template = "((stay" + template.split("|(stay", 1)[1].split("|with")[0] + ")"
        return say(rng, template, w=words, t=name), f"stay {side} {t.name}"
    if draw < 0.70:
        if rng.random() < 0.6:
            a, s = distance(rng)
            return (say(rng, _WORDS["condition-avoid"], a=a, t=name), f"avoid {t.name} {s}")
        return (say(rng, _WORDS["condition-avoid-2"], t=name), f"avoid {t.name}")
    if draw < 0.9:
        if rng.random() < 0.65:
            a, s = distance(rng)
            return (say(rng, _WORDS["condition-slow-near"], a=a, t=name), f"slow near {t.name} {s}")
        return (say(rng, _WORDS["condition-slow-near-2"], t=name), f"slow near {t.name}")
    phrase, slots = _area(rng, scene)
    return (say(rng, _WORDS["condition-3"], p=phrase), f"slow {slots}")


def _pointing(rng: random.Random) -> Clause:
    way = rng.choice(("down", "down", "forward", "up", "left", "right", "back"))
    words = {
        "down": _WORDS["pointing-words-down"],
        "forward": "(forward|forwards|horizontally forward|to the front|straight ahead)",
        "up": "(up|upwards|straight up|to the ceiling)",
        "left": "(left|to the left)",
        "right": "(right|to the right)",
        "back": "(back|backwards|towards you)",
    }[way]
    return (say(rng, _WORDS["pointing-point"].format(words=words)), f"point {way}")


def motion(rng: random.Random, scene: SceneView) -> tuple[str, str, str]:
    """A motion, its slots, and the object it is about."""
    items = [t for t in scene.things if t.kind == "item"]
    drawers = [t for t in scene.things if t.kind == "drawer"]
    draw = rng.random()
    if draw < 0.36:
        phrase, slots, about = _place(rng, scene)
        if rng.random() < 0.12 and slots.startswith("above"):
            name = refer(rng, scene.thing(about), scene)
            text = say(rng, "(hover|stay|float|hang) (over|above) {t}", t=name)
            return text, f"to above {about}", about
        verb = (
            "(reach|approach|visit|touch|go to)" if slots == about and rng.random() < 0.3 else MOVE
        )
        if verb != MOVE:
            phrase = phrase.removeprefix("to ")
        text = say(rng, f"{verb} {{p}}", p=phrase)
        if rng.random() < 0.07:
            pace = rng.choice(tuple(PACED_MOVES))
            text = say(rng, f"{PACED_MOVES[pace]} (over|) {{p}}", p=phrase)
            return text, f"to {slots} ; speed {pace}", about
        if verb == MOVE and text.startswith(("reach to", "approach to")):
            text = text.replace("reach to", "move to").replace("approach to", "go to")
        if rng.random() < 0.1:
            text = phrase.removeprefix("to a ").removeprefix("to ")
        elif rng.random() < 0.1:
            text = say(rng, _WORDS["motion-text"], p=phrase)
        return text, f"to {slots}", about
    if draw < 0.48:
        way = rng.choice(tuple(DIRECTIONS))
        words = say(rng, DIRECTIONS[way])
        if rng.random() < 0.75:
            a, s = distance(rng)
            text = say(rng, _WORDS["motion"], w=words, a=a)
            return text, f"go {way} {s}", "gripper"
        text = say(rng, _WORDS["motion-2"], w=words)
        return text, f"go {way}", "gripper"
    push = _WORDS["motion-push"]
    if draw < 0.62:
        t = rng.choice(items)
        way = rng.choice(("left", "right", "forward", "back"))
        words = say(rng, DIRECTIONS[way])
        name = refer(rng, t, scene)
        if rng.random() < 0.8:
            a, s = distance(rng)
            return (
                say(rng, _WORDS["motion-3"].format(push=push), t=name, w=words, a=a),
                f"push {t.name} {way} {s}",
                t.name,
            )
        return say(rng, f"{push} {{t}} {{w}}", t=name, w=words), f"push {t.name} {way}", t.name
    if draw < 0.72:
        t = rng.choice(items)
        phrase, slots, about = _place(rng, scene, t.name)
        return (
            say(rng, f"{push} {{t}} {{p}}", t=refer(rng, t, scene), p=phrase),
            f"push {t.name} to {slots}",
            t.name,
        )
    if draw < 0.80 and drawers:
        d = rng.choice(drawers)
        name = refer(rng, d, scene)
        if rng.random() < 0.6:
            text = say(rng, _WORDS["motion-4"], d=name)
            return text, f"push {d.name} close", d.name
        text = say(rng, _WORDS["motion-text-2"], d=name)
        return text, f"push {d.name} open", d.name
    if draw < 0.90:
        t = rng.choice(items)
        text = say(rng, _WORDS["motion-5"], t=refer(rng, t, scene))
        return text, f"grasp {t.name}", t.name
    if draw < 0.96:
        phrase, slots, about = _place(rng, scene)
        text = say(rng, _WORDS["motion-6"], p=phrase)
        return (
            text.replace("it to ", rng.choice(("it at ", "it on ", "it in ", "it to "))),
            (f"drop {slots}"),
            about,
        )
    way = rng.choice(("open", "close"))
    text = _WORDS["motion-7"] if way == "open" else _WORDS["motion-8"]
    return say(rng, text), f"grip {way}", "gripper"


def stage(rng: random.Random, scene: SceneView) -> Clause:
    """A motion with zero to two conditions."""
    if rng.random() < 0.05:
        return _pointing(rng)
    text, slots, about = motion(rng, scene)
    n = rng.choices((0, 1, 2), (0.42, 0.46, 0.12))[0]
    for i in range(n):
        if slots.startswith("grip "):
            break
        if rng.random() < 0.38:
            if " speed " in slots:
                continue
            adverb, condition, front = speed(rng)
            if (
                front
                and rng.random() < 0.3
                and i == 0
                and text.split()[0] not in ("to", "a", "the")
            ):
                text = f"{adverb} {text}" if adverb.endswith("ly") else f"{text} {adverb}"
            else:
                text = f"{text} {adverb}"
        elif rng.random() < 0.1:
            phrase, condition = _pointing(rng)
            text = say(rng, "(({a} and|{a},|{a}) {b}|{b} and {a})", a=text, b=phrase)
        else:
            phrase, condition = condition_on(rng, scene, about)
            ing = phrase.split()[0].endswith("ing") or phrase.startswith(
                ("while", "without", "with ")
            )
            joint = (
                "( |, | while |, )"
                if ing and not phrase.startswith("w")
                else "( and |, | but |, but )"
            )
            if ing and phrase.startswith("w"):
                joint = "( |, )"
            if phrase.startswith("push") or (rng.random() < 0.18 and i == 0):
                text = f"{phrase}, {text}"
            else:
                glue = rng.choice(joint.strip("()").split("|"))
                letting = (
                    slots.startswith("push") and condition.startswith("stay") and rng.random() < 0.3
                )
                if letting:
                    phrase = phrase.replace("staying", "stay").replace("keeping", "keep")
                    phrase = (
                        f"letting it {phrase}" if phrase.startswith(("stay", "keep")) else phrase
                    )
                    glue = " "
                text = f"{text}{glue}{phrase}"
        slots = f"{slots} ; {condition}"
    return text, slots


def _next(rng: random.Random, scene: SceneView, slots: str) -> Clause | None:
    """A second stage that speaks of what the first was about, or goes on from there."""
    words = slots.split(" ;")[0].split()
    named = [w for w in words if w in scene.names("item")]
    draw = rng.random()
    if words[0] in ("to", "push") and len(named) == 1 and draw < 0.45:
        name = named[0]
        if draw < 0.15:
            verb = "(grasp|grab|grip|pick up|take|take hold of|seize|get)"
            return say(rng, f"{verb} (it|that)"), f"grasp {name}"
        if draw < 0.30:
            way = rng.choice(("left", "right", "forward", "back"))
            a, s = distance(rng)
            words_ = say(rng, DIRECTIONS[way])
            return (
                say(rng, "(push|shove|slide|nudge|move) it ({w} {a}|{a} {w})", w=words_, a=a),
                f"push {name} {way} {s}",
            )
        side = rng.choice(tuple(SIDE_WORDS))
        where = say(rng, SIDE_WORDS[side])
        return say(rng, f"{MOVE} {{w}} it", w=where), f"to {side} {name}"
    if words[0] == "grasp" and draw < 0.7:
        way = rng.choice(("up", "up", "up", "left", "right", "forward", "back"))
        a, s = distance(rng)
        verb = "(lift|raise|hoist|bring|take)" if way == "up" else "(move|carry|bring|take|pull)"
        if way == "up":
            return say(rng, f"{verb} it (up|) (by|) {{a}}", a=a), f"go up {s}"
        w = say(rng, DIRECTIONS[way])
        return say(rng, f"{verb} it ({{a}} {{w}}|{{w}} {{a}})", a=a, w=w), f"go {way} {s}"
    if draw > 0.9 and words[0] != "grip":
        return say(rng, "(open the (hand|gripper)|let go|release)"), "grip open"
    return None


def sentence(rng: random.Random, scene: SceneView) -> Clause:
    """One or two stages; grasping is often followed by dropping."""
    text, slots = stage(rng, scene)
    if slots.startswith("grasp") and rng.random() < 0.55:
        t = slots.split()[1]
        phrase, place, _ = _place(rng, scene, t)
        if place.split()[0] not in SIDE_WORDS and place.split()[0] != "area":
            phrase = phrase.replace(
                "to ", rng.choice(("in ", "into ", "on ", "onto ", "at ", "to ")), 1
            )
        drop = say(
            rng,
            "(drop|put|place|release|let go of|bring|carry|move|set down|leave|deposit) it {p}",
            p=phrase,
        )
        if rng.random() < 0.15 and place.split()[0] not in ("area",):
            drop = say(
                rng,
                "(carry|bring|take|move) it {p} and (drop it|release it|let go|let it go) (there|)",
                p=phrase,
            )
        return say(
            rng, "{a} (and|and then|, then|, and) {b}", a=text, b=drop
        ), f"{slots} then drop {place}"
    if rng.random() < 0.17:
        more, more_slots = _next(rng, scene, slots) or stage(rng, scene)
        return (say(rng, _WORDS["sentence-then"], a=text, b=more), f"{slots} then {more_slots}")
    return text, slots
