# ruff: noqa: E501 - templates are read as whole lines
"""Sentences whose meaning is a value-map program, with the slots that say it."""

from __future__ import annotations

import random

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.goals_dialogue import CHAT, ELSEWHERE, IMPOSSIBLE, Turn
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import amount, say
from embodied.training.corpus.scenes import mended, refer

Clause = tuple[str, str]
"""A clause and its slots."""

MOVE = (
    "(move|move|go|go|head|travel|navigate|come|get|drive|reach|approach|fly|proceed|position yourself"
    "|swing|glide|make your way|steer|float|wander|sweep|pop|scoot)"
)
PACED_MOVES = {
    "slow": "(creep|crawl|inch|sneak|tiptoe|ease|edge)",
    "fast": "(rush|hurry|dash|race|zip|speed|dart|zoom|sprint|bolt)",
}
SIDE_WORDS = {
    "left-of": "(to the left of|left of|on the left of|to the left side of|on the left side of|at the left of|on the left-hand side of|off to the left of)",
    "right-of": "(to the right of|right of|on the right of|to the right side of|on the right side of|on the right-hand side of|off to the right of)",
    "front-of": "(in front of|to the front of|before|ahead of)",
    "behind": "(behind|to the back of|in back of|at the rear of|round the back of)",
    "above": "(above|over|on top of|directly above|right above|right over|straight above|up above)",
}
_CM = (3, 4, 5, 6, 8, 9, 10, 12, 14, 15, 18, 20, 22, 25, 30)
_DIRECTIONS = {
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


def _cm(rng: random.Random) -> tuple[str, str]:
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
        a, s = _cm(rng)
        phrase = say(
            rng,
            "({a} {w} {t}|{a} {w} {t}|(to a (point|spot|place|position)) {a} {w} {t}|{w} {t} by {a}"
            "|{w} {t}, (about|at|) {a} (away|off|)|{w} {t} (at a distance of|with a gap of) {a})",
            a=a,
            w=words,
            t=name,
        )
        return phrase, f"{side} {t.name} {s}", t.name
    lead = rng.choice(("", "", "to a spot ", "to a point ", "just ", "somewhere "))
    return f"{lead}{words} {name}", f"{side} {t.name}", t.name


def _speed(rng: random.Random) -> tuple[str, str, bool]:
    """An adverb of speed, its slot, and whether it may stand in front of the verb."""
    draw = rng.random()
    if draw < 0.35:
        text = (
            "(slowly|slow|gently|carefully|at low speed|nice and slow|softly|at a slow speed|very slowly"
            "|in no hurry|nice and easy|at a crawl|no rush|taking your time|at a snail's pace|ever so slowly)"
        )
        return say(rng, text), "speed slow", True
    if draw < 0.55:
        text = (
            "(fast|quickly|rapidly|at high speed|as fast as you can|swiftly|at full speed|in a hurry|asap"
            "|at top speed|full throttle|in a flash|quick|as quickly as possible|make it quick|step on it)"
        )
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


def _condition(rng: random.Random, scene: SceneView, about: str) -> Clause:
    t = _some(rng, scene, about)
    name = refer(rng, t, scene)
    draw = rng.random()
    if draw < 0.30:
        side = rng.choice(("left-of", "right-of", "front-of", "behind", "above"))
        words = say(rng, SIDE_WORDS[side])
        plain = {"left-of": "left", "right-of": "right", "front-of": "front", "behind": "back"}.get(
            side
        )
        template = (
            "((stay|staying|keep|keeping|remain|remaining|always|pass|passing|going|go|while staying|stay"
            " on the way) {w} {t})"
        )
        if plain and rng.random() < 0.5:
            template = (
                "((keep|leave|have|keeping|leaving) {t} (on|to) your "
                + {"left": "right", "right": "left"}.get(plain, "far")
                + f"|(stay|staying|keep|keeping|pass|passing) (on|to|at|along) the {plain} (side|) of {{t}}"
                f"|(pass|passing|go past) {{t}} on (its|the) {plain} (side|)|with {{t}} on (your|the) "
                + {"left": "right", "right": "left"}.get(plain, "far")
                + ")"
            )
            if plain in ("front", "back"):
                template = "((stay" + template.split("|(stay", 1)[1].split("|with")[0] + ")"
        return say(rng, template, w=words, t=name), f"stay {side} {t.name}"
    if draw < 0.70:
        if rng.random() < 0.6:
            a, s = _cm(rng)
            return (
                say(
                    rng,
                    "((keep|keeping|stay|staying|remain|remaining|be|hold) (at least|a minimum of|no less"
                    " than|) {a} (away from|from|clear of|off) {t}|(stay|keep|keeping|staying) (away from"
                    "|clear of|off) {t} (by|by at least) {a}|(don't|do not|never) (get|come|go) (closer than"
                    "|nearer than|within) {a} (to|of|from) {t}|(avoid|avoiding) {t} by {a}|(leave|leaving"
                    "|keep) {a} (distance|of space|of room) (to|from|around) {t}|with {a} clearance (to|from)"
                    " {t}|without (getting|coming|going) (closer than|within) {a} (to|of) {t}|(leave|leaving)"
                    " {t} {a} of (room|space)|no (closer|nearer) than {a} to {t}|(at least|) {a} (clear|off) of {t}"
                    "|give {t} (at least|) {a} of (room|space|clearance)|(at least|) {a} between you and {t}"
                    "|pass {t} (at|with) {a} (distance|clearance)|(do not|don't) (approach|come near) {t} by less"
                    " than {a}|(skirt|clear|bypass) {t} by {a})",
                    a=a,
                    t=name,
                ),
                f"avoid {t.name} {s}",
            )
        return (
            say(
                rng,
                "((avoid|avoiding|watch out for|steering clear of|steer clear of|mind|dodge|dodging|while"
                " avoiding|stay away from|staying away from|keep away from|keep clear of|don't touch|do not"
                " touch|don't hit|without touching|without hitting|go around|going around|beware of|keep off"
                "|don't bump into|without bumping into|keep your distance from|do not collide with|skirt|skirting"
                "|bypass|bypassing|stay out of the way of|don't go near|never touch|don't come close to|be careful not"
                " to hit|careful not to touch|don't knock over|without knocking over|not too close to|make a detour"
                " around|circle around|don't brush against|don't go through|not through) {t}|give {t} a wide berth"
                "|leave {t} alone|don't knock {t} over|{t} must not be touched|{t} is fragile|giving {t} a wide berth"
                "|{t} is in the way|keep off {t})",
                t=name,
            ),
            f"avoid {t.name}",
        )
    if draw < 0.9:
        if rng.random() < 0.65:
            a, s = _cm(rng)
            return (
                say(
                    rng,
                    "((slow down|slowing down|be slow|go slow|slow|reduce (your|the) speed|move slowly|go"
                    " slowly|be careful and slow) (within|when within|inside|in a radius of|when closer than"
                    "|if you are within|once within|when nearer than|at less than|under) {a} (of|from|to|around)"
                    " {t}|(within|closer than|nearer than|when within) {a} (of|to|from) {t} (go slow|slow down"
                    "|move slowly|go slowly|be slow|reduce your speed)|(ease off|ease up|calm down|creep|crawl|go easy) (within"
                    "|inside|when within) {a} of {t}|(take|do) the last {a} (to|before) {t} slowly|gently (within|inside)"
                    " {a} of {t}|from {a} before {t} (go|move) slowly)",
                    a=a,
                    t=name,
                ),
                f"slow near {t.name} {s}",
            )
        return (
            say(
                rng,
                "((slow down|slowing down|be slow|go slow|be gentle|move slowly|take it slow|careful) (near"
                "|close to|around|next to|by|in the vicinity of|when near|when you are near|when passing|while passing) {t}"
                "|(ease off|ease up|go easy|creep|crawl|careful|easy|slow|slowly|gently) (near|around|close to|past|when"
                " near|by) {t}|no rush (near|around) {t}|don't (rush|hurry) (near|around|past) {t})",
                t=name,
            ),
            f"slow near {t.name}",
        )
    phrase, slots = _area(rng, scene)
    return (
        say(
            rng,
            "((slow down|be slow|go slow|move slowly|go slowly|slowly) (in|within|inside|when in) {p})",
            p=phrase,
        ),
        f"slow {slots}",
    )


def _pointing(rng: random.Random) -> Clause:
    way = rng.choice(("down", "down", "forward", "up", "left", "right", "back"))
    words = {
        "down": "(down|downwards|straight down|at the table|towards the table|vertical|to the floor)",
        "forward": "(forward|forwards|horizontally forward|to the front|straight ahead)",
        "up": "(up|upwards|straight up|to the ceiling)",
        "left": "(left|to the left)",
        "right": "(right|to the right)",
        "back": "(back|backwards|towards you)",
    }[way]
    return (
        say(
            rng,
            f"((point|pointing|face|facing|turn|orient|tilt|rotate|aim) (the|your) (gripper|hand|fingers)"
            f" {words}|with the (gripper|hand|fingers) (pointing|facing|turned|) {words}|keep the gripper"
            f" (pointing|facing) {words}|gripper {words})",
        ),
        f"point {way}",
    )


def _motion(rng: random.Random, scene: SceneView) -> tuple[str, str, str]:
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
            text = say(
                rng,
                "(move|bring|put|take|steer|place|drive|get) (the|your) (gripper|hand|arm|fingers) {p}",
                p=phrase,
            )
        return text, f"to {slots}", about
    if draw < 0.48:
        way = rng.choice(tuple(_DIRECTIONS))
        words = say(rng, _DIRECTIONS[way])
        if rng.random() < 0.75:
            a, s = _cm(rng)
            text = say(
                rng,
                "((move|go|shift|travel|slide|come|drive) {w} (by|) {a}|(move|go|shift) {a} {w}|{a} {w}"
                "|(move|shift|bring) the (gripper|hand) {a} {w})",
                w=words,
                a=a,
            )
            return text, f"go {way} {s}", "gripper"
        text = say(
            rng,
            "((move|go|shift|come) {w} (a bit|a little|slightly|)|(a bit|a little|slightly|a touch|a tad|a smidge) {w}"
            "|{w} a (bit|little))",
            w=words,
        )
        return text, f"go {way}", "gripper"
    push = "(push|push|shove|slide|nudge|move|press|drag|scoot|propel|knock|budge|bump|shift|ease|prod)"
    if draw < 0.62:
        t = rng.choice(items)
        way = rng.choice(("left", "right", "forward", "back"))
        words = say(rng, _DIRECTIONS[way])
        name = refer(rng, t, scene)
        if rng.random() < 0.8:
            a, s = _cm(rng)
            return (
                say(
                    rng,
                    f"({push} {{t}} {{w}} (by|) {{a}}|{push} {{t}} {{a}} {{w}}|{push} {{t}} (along a"
                    " (straight|) line|in a (straight|) line|straight) {w} (by|for|) {a})",
                    t=name,
                    w=words,
                    a=a,
                ),
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
            text = say(
                rng,
                "((close|shut) {d} (by pushing (it|)|with a push|by pushing against it|)|push {d} (closed"
                "|shut|in|close)|(slide|press) {d} (shut|closed|in)"
                "|{d} (shut|closed)|give {d} a push so (that|) it (closes|shuts)|(bump|nudge) {d} (shut|closed))",
                d=name,
            )
            return text, f"push {d.name} close", d.name
        text = say(
            rng,
            "((open|pull open) {d}|(pull|tug|yank) {d} (open|out)|open {d} by pulling|slide {d} open|{d} open)",
            d=name,
        )
        return text, f"push {d.name} open", d.name
    if draw < 0.90:
        t = rng.choice(items)
        text = say(
            rng,
            "((grasp|grab|grip|pick|pick up|take|seize|take hold of|get hold of|clutch|close the gripper"
            " around|pluck|snatch|nab|get a grip on|clasp|hold|catch hold of|grab on to|wrap your fingers around|close your"
            " fingers (on|around)|go and (grab|get)) {t} (from the table|from where it is|)|grasp {t})",
            t=refer(rng, t, scene),
        )
        return text, f"grasp {t.name}", t.name
    if draw < 0.96:
        phrase, slots, about = _place(rng, scene)
        text = say(
            rng,
            "((drop|release|let go of|put down|let go|set down|leave|lower|unload|let fall) (it|the object|what you hold"
            "|what you are holding|that|the thing) {p}"
            "|(drop|release) it {p})",
            p=phrase,
        )
        return (
            text.replace("it to ", rng.choice(("it at ", "it on ", "it in ", "it to "))),
            (f"drop {slots}"),
            about,
        )
    way = rng.choice(("open", "close"))
    text = (
        "(open (the|your) (gripper|hand|fingers)|release|let go|let it go|open up|gripper open|open hand"
        "|release the object|let loose|open wide|drop it|ungrip|unclench|fingers (wide|apart)|relax your grip)"
        if way == "open"
        else "(close (the|your) (gripper|hand|fingers)|gripper closed|grip|shut the gripper|pinch|close the"
        " jaws|squeeze|fingers together|clamp)"
    )
    return say(rng, text), f"grip {way}", "gripper"


def stage(rng: random.Random, scene: SceneView) -> Clause:
    """A motion with zero to two conditions."""
    if rng.random() < 0.05:
        return _pointing(rng)
    text, slots, about = _motion(rng, scene)
    n = rng.choices((0, 1, 2), (0.42, 0.46, 0.12))[0]
    for i in range(n):
        if slots.startswith("grip "):
            break
        if rng.random() < 0.38:
            if " speed " in slots:
                continue
            adverb, condition, front = _speed(rng)
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
            phrase, condition = _condition(rng, scene, about)
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
            a, s = _cm(rng)
            words_ = say(rng, _DIRECTIONS[way])
            return (
                say(rng, "(push|shove|slide|nudge|move) it ({w} {a}|{a} {w})", w=words_, a=a),
                f"push {name} {way} {s}",
            )
        side = rng.choice(tuple(SIDE_WORDS))
        where = say(rng, SIDE_WORDS[side])
        return say(rng, f"{MOVE} {{w}} it", w=where), f"to {side} {name}"
    if words[0] == "grasp" and draw < 0.7:
        way = rng.choice(("up", "up", "up", "left", "right", "forward", "back"))
        a, s = _cm(rng)
        verb = "(lift|raise|hoist|bring|take)" if way == "up" else "(move|carry|bring|take|pull)"
        if way == "up":
            return say(rng, f"{verb} it (up|) (by|) {{a}}", a=a), f"go up {s}"
        w = say(rng, _DIRECTIONS[way])
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
        return (
            say(
                rng,
                "((first|first of all|) {a}, (then|and then|after that|afterwards|next) {b}|{a} and then"
                " {b}|{a} then {b})",
                a=text,
                b=more,
            ),
            f"{slots} then {more_slots}",
        )
    return text, slots


_FURTHER = (
    "(more|further|even more|a bit more|further away|a bit further|higher|some more|go further|farther"
    "|not enough|keep going|more distance|increase the distance)",
    "(less|not so far|a bit less|closer|nearer|lower|too far|too much|less distance|not that much|a bit"
    " closer|reduce the distance)",
)
_NO = (
    "(no|no,|not that,|sorry,|i meant|actually|wait,|nope,|i said|rather|instead|oops,|hmm,|i mean)"
)
_KEEP = "(and|and also|but|also|now also|, but|same but|keep that but|again but|like that but|this time)"


def _direction(words: list[str]) -> str:
    """The direction of ``go left ...`` or ``push cup left ...``."""
    return next((w for w in words[1:3] if w in _DIRECTIONS), "")


def _other_way(rng: random.Random, text: str, slots: str) -> Turn:
    """Another side of the same object, or another direction with the same distance."""
    words = slots.split()
    old = next((w for w in words if w in SIDE_WORDS), "")
    if old:
        new = rng.choice([s for s in SIDE_WORDS if s != old])
        where = say(rng, SIDE_WORDS[new])
        said = say(
            rng,
            f"({_NO} {{w}} it|{{w}} it (instead|rather|)|now {{w}} it|rather {{w}} it|{_NO} {{w}} it,"
            " not {o} it|not {o} it, {w} it)",
            w=where,
            o=say(rng, SIDE_WORDS[old]),
        )
    else:
        old = _direction(words)
        new = rng.choice(
            [d for d in _DIRECTIONS if d != old and (words[0] == "go" or d not in ("up", "down"))]
        )
        said = say(
            rng,
            f"({_NO} {{w}}|{{w}} instead|{{w}}, not {{o}}|not {{o}}, {{w}}|now {{w}}|{{w}} i said)",
            w=say(rng, _DIRECTIONS[new]),
            o=say(rng, _DIRECTIONS[old]),
        )
    return Turn(text, slots, said, " ".join(new if w == old else w for w in words))


def correction(rng: random.Random, scene: SceneView) -> Turn:
    """A sentence and a follow-up whose meaning needs it."""
    while True:
        text, slots, about = _motion(rng, scene)
        words = slots.split()
        style = rng.random()
        distance = words[-1] == "cm" or (words[0] in ("go",) and len(words) == 2)
        sided = len(words) > 1 and (
            words[1] in SIDE_WORDS or (len(words) > 3 and words[3] in SIDE_WORDS)
        )
        if style < 0.16 and (distance or sided):
            way = rng.randrange(2)
            return Turn(text, slots, say(rng, _FURTHER[way]), ("more", "less")[way])
        if style < 0.20 and distance:
            s, change = rng.choice(
                (
                    ("(double it|twice that|twice as far)", "double"),
                    ("(half that|half as far|half of it)", "half"),
                )
            )
            return Turn(text, slots, say(rng, s), change)
        if (
            style < 0.28
            and (sided or words[0] in ("go", "push"))
            and "area" not in words
            and "above" not in words
        ):
            if words[0] == "push" and words[-1] in ("open", "close"):
                continue
            other = "(the other way|other direction|the other side|other side|opposite side|wrong side|the"
            other += " opposite|reverse|on the other side|opposite direction|wrong direction)"
            return Turn(text, slots, say(rng, other), "opposite")
        if style < 0.35 and (sided or (words[0] in ("go", "push") and _direction(words))):
            return _other_way(rng, text, slots)
        if style < 0.42 and words[0] in ("to", "go", "push", "grasp"):
            way = rng.randrange(2)
            s = (
                "(faster|quicker|speed up|hurry up|too slow|be quick|go faster|faster please|move faster"
                "|a bit faster|quickly)",
                "(slower|slow down|too fast|more slowly|not so fast|slower please|gently|take it easy|a bit"
                " slower|carefully|slowly)",
            )[way]
            return Turn(text, slots, say(rng, s), ("keep ; speed fast", "keep ; speed slow")[way])
        if style < 0.62 and words[0] != "grip":
            if rng.random() < 0.3:
                adverb, condition, _ = _speed(rng)
                s = say(rng, f"({_KEEP}|do it|this time|) {{a}}", a=adverb)
            else:
                phrase, condition = _condition(rng, scene, about)
                s = say(rng, f"{_KEEP} {{a}}", a=phrase)
            return Turn(text, slots, s, f"keep ; {condition}")
        if style < 0.85:
            names = [t.name for t in scene.things]
            used = [w for w in words if w in names]
            if not used:
                if words[0] == "go" and words[-1] == "cm":
                    a, s = _cm(rng)
                    said = say(rng, f"({_NO} {{a}}|make it {{a}}|{{a}}|{{a}} instead)", a=a)
                    return Turn(text, slots, said, f"{words[0]} {words[1]} {s}")
                continue
            old = rng.choice(used)
            options = [
                t for t in scene.things if t.name not in used and t.kind == scene.thing(old).kind
            ]
            if words[-1] == "cm" and rng.random() < 0.35:
                a, s = _cm(rng)
                said = say(
                    rng, f"({_NO} {{a}}|make it {{a}}|{{a}}|{{a}} instead|{{a}}, not more)", a=a
                )
                return Turn(text, slots, said, " ".join(words[:-2]) + " " + s)
            if not options:
                continue
            same = [t for t in options if t.category == scene.thing(old).category]
            new = rng.choice(same or options)
            phrase = refer(rng, new, scene, noun_known=scene.thing(old).category)
            said = say(
                rng,
                f"({_NO} {{n}}|{{n}}|{{n}} instead|now {{n}}|not {{o}}, {{n}}|{{n}}, not {{o}}|the same"
                " with {n}|now the same for {n}|{n} i said|{n} this time)",
                n=phrase,
                o=refer(rng, scene.thing(old), scene),
            )
            return Turn(text, slots, said, " ".join(new.name if w == old else w for w in words))
        new_text, new_slots = stage(rng, scene)
        return Turn(text, slots, say(rng, "({c}|now {c}|then {c})", c=new_text), new_slots)


def refused(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> tuple[str, str]:
    """A sentence that cannot be done here, and ``cannot REASON``."""
    item = rng.choice([t for t in scene.things if t.kind == "item"])
    x = refer(rng, item, scene)
    kind = rng.choices(("object", "ambiguous", "action", "range", "chat"), (4, 3, 3, 1.5, 2))[0]
    if kind == "ambiguous":
        groups: dict[str, int] = {}
        for t in scene.things:
            if t.kind == "item" and len(t.name) > 1:
                groups[t.category] = groups.get(t.category, 0) + 1
        # "the drawer" is no question if one is called just that
        named = {t.name for t in scene.things}
        several = [c for c, n in groups.items() if n > 1 and c not in named]
        if several:
            c = rng.choice(several)
            return (
                say(
                    rng,
                    f"(({MOVE}) to the {{c}}|{MOVE} (left of|right of|behind|above|in front of) the {{c}}"
                    "|(push|slide|shove|nudge) the {c} (left|right|forward|back|10 cm to the left)|(grasp"
                    "|grab|pick) the {c}|go to the {c} (slowly|quickly|))",
                    c=c,
                ),
                "cannot ambiguous",
            )
        kind = "object"
    if kind == "chat":
        return say(rng, CHAT, x=x, t="the box", c=item.category + "s"), "cannot chat"
    if kind == "action":
        if rng.random() < 0.45:
            return say(rng, ELSEWHERE), "cannot action"
        return say(rng, f"{IMPOSSIBLE} {{x}}", x=x), "cannot action"
    if kind == "range":
        n = str(rng.choice((3, 4, 5, 6, 8, 10, 20)))
        return (
            say(
                rng,
                "(move to {x} (at|with) {b} m/s|(push|slide) {x} {n} m (to the left|to the right|forward|back)"
                "|(move|go) {n} m (up|down|left|right|forward)|(keep|stay) {n} m away from {x}|go {n} m above"
                " {x}|{b} m/s to {x})",
                x=x,
                n=n,
                b=str(rng.choice((5, 10, 20, 40, 100))),
            ),
            "cannot range",
        )
    present = {w for o in scene.things for w in (*o.name.split("-"), *o.aliases, o.category)}
    noun = rng.choice([n for n in lexicon.absent if n not in present])
    if rng.random() < 0.4:
        missing = [c for c in COLORS[:9] if c not in present]
        if item.color and missing:
            noun = f"{rng.choice(missing)} {item.category}"
    elif rng.random() < 0.5:
        theme = rng.choice(sorted(lexicon.items))
        fresh = [n.split("=")[0] for n in lexicon.items[theme] if not set(n.split("=")) & present]
        noun = rng.choice(fresh or [noun])
    return (
        say(
            rng,
            f"({MOVE} to the {{n}}|{MOVE} (left of|right of|behind|above|in front of) the {{n}}|(push|slide)"
            " the {n} (to the left|forward|10 cm right|back)|(grasp|grab|pick up) the {n}|(push|slide) {x} to"
            " the {n}|go to {x} but (avoid|stay away from) the {n}|move to the {n} (slowly|fast)|hover over"
            " the {n}|go {a} cm above the {n})",
            n=noun,
            x=x,
            a=str(rng.choice((5, 10, 15, 20))),
        ),
        "cannot object",
    )
