"""Phrases for the quadruped: what it may be told to do, and with which terms."""

from __future__ import annotations

import math
import re

from embodied.language.reward import building as build
from embodied.language.reward.phrases import Pattern, Wish, amount, motion, pattern
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


def _turn(match: re.Match[str]) -> Wish:
    way = match.groupdict().get("way") or "left"
    sign = 1.0 if way in ("left", "counterclockwise") else -1.0
    return motion(
        build.facing(sign * (amount(match) or 0.0)),
        "torso_heading",
        notes=("the turn counts from heading 0, east",),
    )


def _spin(match: re.Match[str]) -> Wish:
    words = match.groupdict()
    usual = 0.5 * build.SPIN_RATE if words.get("pace") == "slowly" else build.SPIN_RATE
    way = words.get("way") or "left"
    sign = 1.0 if way in ("left", "counterclockwise") else -1.0
    return motion(build.spinning(sign * (amount(match) or usual)), "torso_turn_rate")


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


_WALK = {"forward": 0.4, "backward": -0.3, "back": -0.3, "left": 0.25, "right": -0.25}


def _walk(match: re.Match[str]) -> Wish:
    words = match.groupdict()
    way = words.get("dir") or "forward"
    usual = _WALK[way] * {"fast": 1.5, "slowly": 0.5}.get(words.get("pace") or "", 1.0)
    value = amount(match)
    speed = usual if value is None else math.copysign(value, usual)
    gait = words.get("gait") or "trot"
    return _moving(0.0, speed, gait) if way in ("left", "right") else _moving(speed, 0.0, gait)


def _moving(forward: float, left: float, gait: str = "trot") -> Wish:
    return motion(build.walking(forward, left, gait), "torso_velocity")


def _diagonally(match: re.Match[str]) -> Wish:
    forward, left = float(match.group("ahead")), float(match.group("aside"))
    forward = -forward if match.group("fwd") in ("backward", "back") else forward
    return _moving(forward, -left if match.group("side") == "right" else left)


def _walk_to(match: re.Match[str]) -> Wish:
    value = amount(match) or 0.0
    words = match.groupdict()
    way = words.get("dir") or words.get("dir2") or "forward"
    x, y = {"left": (0.0, value), "right": (0.0, -value), "forward": (value, 0.0)}.get(
        way, (-value, 0.0)
    )
    return motion(
        build.going_to(x, y),
        "torso_position",
        notes=("the distance counts from the origin, with east ahead",),
    )


def _turning(match: re.Match[str]) -> Wish:
    sign = 1.0 if match.group("way") in ("left", "counterclockwise") else -1.0
    return Wish(essential=(make_term("torso_turn_rate", rate=sign * 0.5),))


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


def _march(match: re.Match[str]) -> Wish:
    terms = (*build.trot(amount(match) or 1.5), *build.STANDING, make_term("posture"))
    return motion(terms, "foot_stepping")


def _stomp(match: re.Match[str]) -> Wish:
    foot = foot_of(match)
    step = make_term("foot_stepping", foot=foot, frequency=amount(match) or 1.5)
    others = build.grounded(*(f for f in FEET if f != foot))
    return Wish(essential=(step,), support=(*others, *build.STANDING, make_term("posture")))


def _stand(match: re.Match[str]) -> Wish:
    del match
    return motion(build.at_height(build.STANDING_HEIGHT_M), "torso_height")


def _for_time(match: re.Match[str]) -> Wish:
    return Wish(seconds=amount(match))


def _nothing(match: re.Match[str]) -> Wish:
    """A reason, such as "the sun rises in the east", that asks for nothing."""
    del match
    return Wish()


_TO = r"(?: (?:at|to|by|up to|up by|with|with speed|at speed|at height))?"
_PACE = r"(?P<pace>fast|slowly)"
_END = r"(?P<pair>front|rear|back)"
PATTERNS: tuple[Pattern, ...] = (
    # Feet
    pattern(
        rf"(?:lift|hold|pick up|put up|bring up|keep)(?: up)? {FOOT}{_UP}(?:{_TO} {{LENGTH}})?"
        rf"{_OFF}(?: (?P<high>high)| {_BIT})?(?: (?:by|to) {{LENGTH2}})?",
        _lift,
    ),
    pattern(rf"{FOOT} (?:up|off floor|in air)(?:{_TO} {{LENGTH}})?{_OFF}", _lift),
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
    pattern(rf"(?:march|step|trot|walk|run) in place(?: ,)?(?:{_TO} {{FREQUENCY}})?", _march),
    # Height
    pattern(
        rf"(?:sit|lie|crouch|squat|duck)(?: torso)?(?: down| very low| low| lower| flat)*"
        rf"(?:{_TO} {{LENGTH}})?",
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
    pattern(rf"(?:turn|look|face|head)(?: to)? {_DIRECTION}{_TO} {{ANGLE}}", _turn),
    pattern(rf"turn{_TO} {{ANGLE}}(?: turn)?(?:(?: to)? {_DIRECTION})?", _turn),
    pattern(
        rf"spin(?: around| in place)*(?:(?: to)? {_DIRECTION})?(?: {_PACE})?(?:{_TO} {{RATE}})?",
        _spin,
    ),
    pattern(
        rf"spin(?: around| in place)* {_PACE}(?:(?: to)? {_DIRECTION})?(?:{_TO} {{RATE}})?", _spin
    ),
    pattern(rf"turn(?: around| in place)*(?: to)? {_DIRECTION}(?: {_PACE}|{_TO} {{RATE}})", _spin),
    pattern(rf"turn(?: around| in place)*{_TO} {{RATE}}(?:(?: to)? {_DIRECTION})?", _spin),
    pattern(rf"turning(?: to)? {_DIRECTION}", _turning),
    # Walking
    pattern(
        rf"(?:walk|trot|run|jog|(?P<gait>pace|bound))(?: straight)?(?: to)?(?: {_WAY})?"
        rf"(?: {_PACE})?(?:{_TO} {{SPEED}})?",
        _walk,
    ),
    pattern(
        rf"(?:walk|trot|run|jog|go|move) {_PACE}(?: straight)?(?: to)? {_WAY}(?:{_TO} {{SPEED}})?",
        _walk,
    ),
    pattern(
        rf"(?:go|move|step|march|sidestep|shuffle|strafe)(?: straight)?(?: to)? {_WAY}(?: {_PACE})?"
        rf"(?:{_TO} {{SPEED}})?",
        _walk,
    ),
    pattern(
        r"(?:walk|trot|run|go|move)(?: diagonally)?(?: ,)? (?P<fwd>forward|backward|back)(?: at)? "
        r"(?P<ahead>\d+(?:\.\d+)?)(?: m/s)? and (?P<side>left|right)(?: at)? "
        r"(?P<aside>\d+(?:\.\d+)?) m/s",
        _diagonally,
    ),
    pattern(
        rf"(?:walk|trot|run|go|move|step|sidestep)(?: (?:to )?{_WAY})?{_TO} {{LENGTH}}"
        r"(?: (?:to )?(?P<dir2>forward|backward|back|left|right))?",
        _walk_to,
    ),
    pattern(rf"(?P<dir>back) up{_TO} {{LENGTH}}", _walk_to),
    # Rest, time
    pattern(
        r"(?:stay|stand|be|hold|keep)(?: (?:still|normally|normal|quiet|up))+"
        r"|stand|stop|freeze|stop moving|stay",
        _stand,
    ),
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
        description=prompt("motion_description_quadruped"),
        examples=prompt("reward_examples_quadruped"),
    )
