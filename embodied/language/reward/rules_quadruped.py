"""Phrases for the quadruped: what it may be told to do, and with which terms."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import partial

from embodied.language.reward import building as build
from embodied.language.reward.phrases import Pattern, Wish, amount, motion, pattern
from embodied.language.reward.quadruped_going import (
    backing,
    curve,
    diagonally,
    march,
    other_way,
    paced,
    spin,
    steps,
    turned_by,
    turning,
    walk,
    walk_to,
)
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import FEET, QUADRUPED, make_term, prompt
from embodied.language.words.cursor import Abstain

HEADINGS = {
    "sunrise": 0.0, "east": 0.0, "sunset": math.pi, "west": math.pi, "north": math.pi / 2,
    "south": -math.pi / 2,
}  # fmt: skip
FOOT = (
    r"(?:(?P<end>front|rear|back) (?P<side>left|right)"
    r"|(?P<side2>left|right) (?P<end2>front|rear|back))(?: paw| 1)?"
)
_WAY = r"(?P<dir>forward|backward|back|left|right)"
_BIT = r"(?P<bit>little(?: bit)?|bit|slightly)"
_BIT2 = _BIT.replace("<bit>", "<bit2>")
_UP = r"(?: up| off floor| above floor| in air| up in air)*"
_DIRECTION = r"(?P<way>left|right|clockwise|counterclockwise)"
_OFF = r"(?: (?:off|above|over|from) floor)?"


def foot_of(match: re.Match[str]) -> str:
    """The foot that a match names."""
    end = match.group("end") or match.group("end2")
    side = match.group("side") or match.group("side2")
    return f"{'front' if end == 'front' else 'rear'}_{side}"


def diagonal(foot: str) -> str:
    """The foot at the other end on the other side."""
    end, side = foot.split("_")
    ends, sides = {"front": "rear", "rear": "front"}, {"left": "right", "right": "left"}
    return f"{ends[end]}_{sides[side]}"


def _lift(match: re.Match[str]) -> Wish:
    value = amount(match) or amount(match, "2")
    words = match.groupdict()
    if value is None:
        value = 0.24 if words.get("high") else 0.08 if words.get("bit") else build.LIFT_HEIGHT_M
    return lifted((foot_of(match),), value)


def lifted(feet: tuple[str, ...], value: float) -> Wish:
    """Feet in the air, the others down."""
    return motion(build.lifting(dict.fromkeys(feet, value)), "foot_lift")


def _lift_pair(match: re.Match[str]) -> Wish:
    value = amount(match) or build.LIFT_HEIGHT_M
    end = "front" if match.group("pair") == "front" else "rear"
    return lifted((f"{end}_left", f"{end}_right"), value)


def _which_paw(match: re.Match[str]) -> Wish:
    legal = ", ".join(f.replace("_", " ") for f in FEET)
    raise Abstain(f"'{match.group(0)}'", "it does not say which paw", f"paws: {legal}")


def _low(match: re.Match[str]) -> Wish:
    return motion(build.at_height(amount(match) or 0.12), "torso_height")


def _height(match: re.Match[str]) -> Wish:
    tall = any(w in match.group(0).split() for w in ("tall", "high"))
    usual = 0.33 if tall else build.STANDING_HEIGHT_M
    return motion(build.at_height(amount(match) or usual), "torso_height")


def _flat(match: re.Match[str]) -> Wish:
    del match
    level = build.at_height(build.STANDING_HEIGHT_M)
    return motion(level, "torso_pitch", "torso_roll")


def _face(match: re.Match[str]) -> Wish:
    return motion(build.facing(HEADINGS[match.group("where")]), "torso_heading")


def _roll_over(match: re.Match[str]) -> Wish:
    del match
    return motion(build.rolled(math.pi), "torso_roll")


def _on_side(match: re.Match[str]) -> Wish:
    sign = -1.0 if match.group("side") == "left" else 1.0
    return motion(build.rolled(sign * math.pi / 2), "torso_roll")


def _lean(match: re.Match[str]) -> Wish:
    usual = 0.1 if match.group("bit") else 0.25
    sign = -1.0 if match.group("side") == "left" else 1.0
    angle = sign * (amount(match) or usual)
    return motion(build.leaning(angle), "torso_roll")


def _nose(match: re.Match[str]) -> Wish:
    angle = amount(match) or (0.15 if match.group("bit") else 0.3)
    down = any(w in match.group(0).split() for w in ("down", "lower", "bow"))
    return motion(build.pitched(-angle if down else angle), "torso_pitch")


def _rear_up(match: re.Match[str]) -> Wish:
    del match
    return motion(build.on_two_feet(), "torso_pitch", "torso_height")


def _place_foot(match: re.Match[str]) -> Wish:
    value = amount(match) or 0.08
    foot, way = foot_of(match), match.group("to")
    if way in ("forward", "backward", "back"):
        offset = value if way == "forward" else -value
        term = make_term("foot_forward", foot=foot, offset=offset)
    else:
        offset = value if way.startswith("in") else -value
        term = make_term("foot_inward", foot=foot, offset=offset)
    return Wish(essential=(term,), support=(*build.STANDING, *build.CALM))


def _stomp(match: re.Match[str]) -> Wish:
    foot = foot_of(match)
    step = make_term("foot_stepping", foot=foot, frequency=amount(match) or 1.5)
    others = build.grounded(*(f for f in FEET if f != foot))
    return Wish(essential=(step,), support=(*others, *build.STANDING, make_term("posture")))


def _shake(match: re.Match[str]) -> Wish:
    side = match.groupdict().get("side")
    wish = lifted((f"front_{side or 'right'}",), build.LIFT_HEIGHT_M)
    return wish if side else replace(wish, notes=("the right paw, since none is said",))


def _harmless(match: re.Match[str]) -> Wish:
    """A plea such as "don't hurt that squirrel": nothing here is seen that could be hurt."""
    return Wish(notes=(f"'{match.group(0)}': nothing here sees that; only the motion counts",))


def _stand(match: re.Match[str]) -> Wish:
    del match
    return motion(build.at_height(build.STANDING_HEIGHT_M), "torso_height")


def _impossible(why: str, match: re.Match[str]) -> Wish:
    raise Abstain(f"'{match.group(0)}'", f"I cannot {match.group(0)}: {why}", final=True)


def _for_time(match: re.Match[str]) -> Wish:
    return Wish(seconds=amount(match))


def _nothing(match: re.Match[str]) -> Wish:
    """A reason, such as "the sun rises in the east", that asks for nothing."""
    del match
    return Wish()


_TO = r"(?: (?:at|to|by|up to|up by|with|with speed|at speed|at height))?"
_STEP = r"(?P<count>\d+)"
_LIKE = r"(?: (?:like|as if|as though|as)(?: (?:are|were|is|to|in))*(?: \w+){1,3})?"
_GAIT = r"(?P<gait>trot|pace|bound)"
_IMPOSSIBLE = {
    r"fly|take off|hover|levitate|float": "it stays on the ground",
    r"jump|hop|leap|backflip|do backflip|somersault|pounce|skip": "jumps are not among its motions",
    r"fetch|bring|get (?:ball|stick|newspaper|toy|slippers|it)|carry|pick up "
    r"(?!front|rear|back|left|right|paw|2|both)|grab|catch|drop|hold (?:ball|stick)": (
        "it has nothing to take things with"
    ),
    r"bark|speak|howl|sing|growl|talk|say|roar": "it has no voice",
    r"wag|wag tail|chase tail": "it has no tail",
    r"climb|go up stairs|walk up stairs|swim|dig": "it only knows level ground",
    r"dance|moonwalk": "dances are not among its motions",
    r"bite|eat|drink|lick|sniff": "it has no mouth",
    r"(?:come|walk|go|run|trot|move) (?:here|to me|over here|to kitchen|home|to door)": (
        "it does not see where that is"
    ),
    r"follow me|follow|heel|find|guard": "it does not see people or things",
}  # fmt: skip
"""What it cannot do, and why."""
_END = r"(?P<pair>front|rear|back)"
PATTERNS: tuple[Pattern, ...] = (
    # Feet
    pattern(
        rf"(?:lift|hold|pick up|put up|bring up|keep)(?: up)? {FOOT}{_UP}(?:{_TO} {{LENGTH}})?"
        rf"{_OFF}(?: (?P<high>high)| {_BIT})?(?: (?:by|to) {{LENGTH2}})?",
        _lift,
    ),
    pattern(rf"{FOOT} (?:up|lifted|off floor|in air)(?:{_TO} {{LENGTH}})?{_OFF}", _lift),
    pattern(
        rf"(?:lift |hold |put )?(?:up )?(?:both |2 )?{_END} paws{_UP}(?:{_TO} {{LENGTH}})?{_OFF}",
        _lift_pair,
    ),
    pattern(r"(?:lift|hold|raise)(?: up)? (?:(?:left|right|front|rear|back|1) )?paw", _which_paw),
    pattern(
        rf"(?:move|slide|bring|stretch|put|set|reach|shift) {FOOT}"
        rf" (?P<to>forward|backward|back|inward|outward|in|out)(?:{_TO} {{LENGTH}})?",
        _place_foot,
    ),
    pattern(rf"(?:stomp|tap|step|pat|stamp)(?: with)? {FOOT}(?:{_TO} {{FREQUENCY}})?", _stomp),
    pattern(rf"(?:march|step|walk|run|jog|{_GAIT}) in place(?: ,)?(?:{_TO} {{FREQUENCY}})?", march),
    pattern(
        r"(?:lift|hold|give|offer|put|bring)(?: up)?(?: me)?(?: (?P<side>left|right))?(?: front)?"
        r" paw (?:like|as if|as though|as)(?: (?:are|were|is|to|in|would|for))*(?: \w+){1,3}",
        _shake,
    ),
    pattern(r"(?:give|offer)(?: me)?(?: (?P<side>left|right))?(?: front)? paw", _shake),
    pattern(
        r"(?:shake|shaking)(?: (?P<side>left|right))?(?: front)? paws?|give me 5|high 5", _shake
    ),
    pattern(
        rf"(?:stand|balance) on 3 paws(?: ,| with| keep| hold| and)* {FOOT}"
        r" (?:up|lifted|in air|off floor)",
        _lift,
    ),
    pattern(
        r"(?:(?:stand|balance|keep|stay|remain) on |keep )(?:other|remaining)(?: 3)?(?: paws)?"
        r"(?: on floor| down)?",
        _nothing,
    ),
    pattern(r"(?:stand|balance) on 3 paws", _which_paw),
    # Height
    pattern(
        rf"(?:sit|lie|crouch|squat|duck)(?: torso)?(?: down| very low| low| lower| flat)*"
        rf"(?: on (?:torso|floor))?(?:{_TO} {{LENGTH}})?",
        _low,
    ),
    pattern(r"(?:get|go|stay|lower|keep)(?: torso)?(?: down)?(?: very)? (?:low|down)", _low),
    pattern(
        r"(?:get|bring|put|lower|keep) torso(?: down)? (?:near|close to|to|onto|on) floor", _low
    ),
    pattern(
        r"(?:lift|lower|bring|set|keep|hold|move)(?: level)? torso(?: up| down| level)*"
        rf"{_TO} {{LENGTH}}(?: high| above floor)?",
        _height,
    ),
    pattern(r"(?:at|with)(?: torso)? height {LENGTH}", _height),
    pattern(rf"(?:stand|torso)(?: up)?{_TO} {{LENGTH}}(?: high| tall)?", _height),
    pattern(r"stand(?: up)? (?:tall|high)|as tall as possible", _height),
    # Level, pitch, roll
    pattern(r"(?:keep |hold |have )?torso (?:flat|level|horizontal|straight)", _flat),
    pattern(r"(?:keep |have )?(?:flat|level|horizontal)(?: torso)?|stay level", _flat),
    pattern(
        rf"(?:(?:lift|point|tilt|pitch|bring|put|lower|turn) )?(?:nose|head|front end|front)"
        rf" (?:up|down|to sky)(?:{_TO} {{ANGLE}})?(?: {_BIT})?",
        _nose,
    ),
    pattern(rf"(?:lift|lower) (?:nose|head|front end)(?:{_TO} {{ANGLE}})?(?: {_BIT})?", _nose),
    pattern(rf"(?:pitch|tilt)(?: torso)? (?:up|down)(?:{_TO} {{ANGLE}})?(?: {_BIT})?", _nose),
    pattern(rf"bow(?: down)?(?: ,)?(?: front end down)?(?: {_BIT})?(?:{_TO} {{ANGLE}})?", _nose),
    pattern(
        rf"(?:roll|lean|tilt|bank)(?: torso)?(?: over)?(?: {_BIT})?(?: to)? (?P<side>left|right)"
        rf"(?:{_TO} {{ANGLE}})?",
        _lean,
    ),
    pattern(
        r"roll over(?: (?:by )?180 deg)?(?: onto back)?"
        r"|(?:lie|roll|turn|get)(?: over)? on(?:to)? back",
        _roll_over,
    ),
    pattern(r"(?:lie|roll)(?: down)?(?: over)? on(?:to)? (?P<side>left|right) side", _on_side),
    pattern(
        r"(?:stand|rear|get)(?: up)? on(?: 2)? (?:rear|back)(?: 2)? paws(?: like human)?|rear up",
        _rear_up,
    ),
    pattern(r"stand(?: up)? on 2 paws(?: like human)?|stand(?: up)? like human", _rear_up),
    # Turning
    pattern(r"sun (?:rises in east|sets in west)", _nothing),
    pattern(
        r"(?:turn(?: and)?|face|look|point|head|go)(?: (?:to|at|due|face))*"
        r" (?P<where>sunrise|sunset|north|south|east|west)",
        _face,
    ),
    pattern(rf"(?:turn|look|face|head)(?: to)? {_DIRECTION}{_TO} {{ANGLE}}", turned_by),
    pattern(
        rf"turn(?: around| in place)*{_TO} {{ANGLE}}(?: turn)?(?:(?: to)? {_DIRECTION})?", turned_by
    ),
    pattern(
        rf"turn(?: in place)?(?: {_BIT})?(?: to)? {_DIRECTION}(?: {_BIT2})?",
        turned_by,
    ),
    pattern(
        r"(?:face|look)(?: in)?(?: to)? (?:other|opposite) (?:way|direction)|about face|about turn",
        other_way,
    ),
    pattern(
        rf"spin(?: around| in place| round| ,)*(?:(?: to)? {_DIRECTION})?(?: around| in place| ,)*"
        rf"(?:{_TO} {{RATE}})?",
        spin,
    ),
    pattern(rf"turn(?: around| in place)*(?: to)? {_DIRECTION}{_TO} {{RATE}}", spin),
    pattern(rf"turn(?: around| in place)*{_TO} {{RATE}}(?:(?: to)? {_DIRECTION})?", spin),
    pattern(rf"turning(?: {_BIT})?(?: to)? {_DIRECTION}", turning),
    # Walking
    pattern(
        rf"(?:walk|trot|jog|(?P<run>run)|(?P<gait>pace|bound|gallop))(?: straight)?(?: to)?"
        rf"(?: {_WAY})?"
        rf"(?: straight)?(?:{_TO} {{SPEED}})?",
        walk,
    ),
    pattern(
        rf"(?:go|move|step|march|sidestep|shuffle|strafe)(?: straight)?(?: to)? {_WAY}"
        rf"(?:{_TO} {{SPEED}})?",
        walk,
    ),
    pattern(r"back (?:off|away|up)|retreat|reverse|(?:go|move|walk|step) away", backing),
    pattern(
        r"(?:walk|trot|run|go|move)(?: diagonally)?(?: ,)? (?P<fwd>forward|backward|back)(?: at)? "
        r"(?P<ahead>\d+(?:\.\d+)?)(?: m/s)? and (?P<side>left|right)(?: at)? "
        r"(?P<aside>\d+(?:\.\d+)?) m/s",
        diagonally,
    ),
    pattern(
        rf"(?:walk|trot|run|go|move|step|sidestep|shuffle)(?: straight)?(?: (?:to )?{_WAY})?"
        rf"{_TO} {{LENGTH}}(?: (?:to )?(?P<dir2>forward|backward|back|left|right))?"
        rf"(?:{_TO} {{SPEED2}})?",
        walk_to,
    ),
    pattern(rf"(?:(?P<dir>back) (?:up|off|away)|retreat|reverse){_TO} {{LENGTH}}", walk_to),
    pattern(
        rf"(?:(?:take|make|do|walk|go|move) )?(?:{_STEP} )?(?:small |big |little |more )?steps?"
        r"(?: to)? (?P<dir2>forward|backward|back|left|right)",
        steps,
    ),
    pattern(rf"(?:walk|go|move|step|take)(?: (?:to )?{_WAY})? {_STEP} steps?", steps),
    pattern(
        r"(?:head|set|go|wander|move|walk|run|trot)(?: off| out| away) (?:to )?(?P<way>left|right)"
        r"(?:(?: ,)?(?: and)? (?:curving|bending|turning|arcing))?(?:(?: ,)? (?:while|as) walk)?",
        curve,
    ),
    pattern(
        r"(?:veer|bear|curve|arc|swerve|drift|bend)(?: off)?(?: to)? (?P<way>left|right)"
        r"(?: (?:while|as) walk)?",
        curve,
    ),
    pattern(
        rf"(?:walk|trot|go|move|run)(?: around)?(?: forward)? in (?:wide |big |small |tight )?"
        rf"(?:arc|curve|(?P<circle>circles?))(?:(?: to)? {_DIRECTION})?",
        curve,
    ),
    pattern(
        rf"(?:turn|curve)(?: {_BIT})?(?: to)? {_DIRECTION}(?: {_BIT2})? "
        r"(?:while|as|when)(?: keep)? (?:walk|walking|trot|trotting|move|moving|go|going)"
        r"(?: on| forward)*",
        curve,
    ),
    # Rest, time
    pattern(
        r"(?:stay|stand|be|hold|keep)(?: (?:still|normally|normal|quiet|up|put))+|hold position"
        r"|stop moving|stop walking|come to stop|stand by|stand|stop|freeze|stay|rise|up"
        r"|(?:get|rise|stand)(?: back)? up"
        r"|do not move(?: (?:muscle|inch|at all))?",
        _stand,
    ),
    pattern(
        r"(?:do not|without|never) (?:hurt|scare|frighten|harm|chase|attack|bite|startle|disturb|"
        r"hurting|scaring|frightening|harming|startling|disturbing)(?: (?:that|this))?"
        r"(?: \w+){1,2}",
        _harmless,
    ),
    *(
        pattern(rf"(?:{verbs})(?: .*)?", partial(_impossible, why))
        for verbs, why in _IMPOSSIBLE.items()
    ),
    pattern(r"(?:hold|keep) (?:it|that)(?: up| there)*", _nothing),
    pattern(r"for {TIME}", _for_time),
)


def quadruped_speech() -> Speech:
    """What the quadruped may be told."""
    return Speech(
        vocabulary=QUADRUPED,
        patterns=PATTERNS,
        known=(
            "sit, crouch, stand, stand on the rear paws, lie on a side, roll over, lean, nose "
            "up/down, face a direction, turn by an angle, spin, walk, pace, bound, sidestep, "
            "march, lift or move a paw, amounts with units, 'for 3 s', 'then', and corrections: "
            "higher, lower, faster, slower, the other paw, a bit to the left, keep that and also "
            "..."
        ),
        paced=paced,
        synonyms={"hand": "front paw", "hands": "front paws", "arm": "front paw"},
        description=prompt("motion_description_quadruped"),
        examples=prompt("reward_examples_quadruped"),
    )
