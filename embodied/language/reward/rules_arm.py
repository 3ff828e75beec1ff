"""Phrases for the arm: what it may be told to do with the objects of its scene."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from embodied.language.reward import hand_building as hand
from embodied.language.reward.frames import Said, frame
from embodied.language.reward.hand_phrases import ARM_SLOTS, hand_phrases, holding, lifting
from embodied.language.reward.phrases import Phrase, Wish, amount, pattern
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import (
    ARM_HAND_POINTS,
    DIRECTIONS,
    Vocabulary,
    arm_vocabulary,
    make_term,
    prompt,
)
from embodied.language.words.cursor import Abstain
from embodied.types import RewardStage

LIFT_M = 0.3
MOST_WAVES = 10
_CALM = make_term("posture", robot="fr3-hand")
_OPEN_HAND = (hand.DOWN, hand.OPEN, _CALM)
_TO = r"(?: (?:to height|to|at|by|up to|up by))?"
_TOGETHER = r"(?: (?:together|both|simultaneously|at same time|at once))?"


def arm_speech(vocabulary: Vocabulary | None = None, elsewhere: str = "") -> Speech:
    """What the arm with a hand may be told; by default whatever its scenes may hold."""
    words = vocabulary or arm_vocabulary()
    things = (
        "touch, grasp, lift, lift two, hold over, move to, put into, put on, drop into, "
        "set upright, flip, "
    )
    joints = " and ".join(words.names["joints"])
    return Speech(
        vocabulary=words,
        patterns=arm_patterns(words),
        known=(things if words.names["objects"] else "")
        + (f"open or close {joints}, " if joints else "")
        + "open or close the hand, palm direction, wave, rest, amounts with units, "
        "'then', and corrections: higher, lower, more, less, another object",
        elsewhere=elsewhere,
        synonyms={"tap": "faucet", "water": "faucet", "gripper": "hand"},
        paced=paced,
        description=prompt("motion_description_arm"),
        examples=prompt("reward_examples_arm"),
    )


def arm_patterns(words: Vocabulary) -> tuple[Phrase, ...]:
    """The phrases for a scene with the objects, handles and joints of ``words``."""
    objects, joints, points = (words.names[n] for n in ("objects", "joints", "points"))
    handles = tuple(f"{joint}_handle" for joint in joints)
    thing = rf"(?P<thing>{_either(objects)})"
    other = rf"(?P<other>{_either(objects)})"
    found: list[Phrase] = [
        frame(
            rf"(?:touch|tap|poke|pat|feel|prod|go to|approach|point at|"
            rf"put hand on|make contact with|"
            rf"(?:move|bring|put) (?:hand|palm|arm|fingers|gripper) "
            rf"(?:close |near |next |up |down |over )?(?:to|near|on|onto)) {thing}",
            ("with", "time"),
            ARM_SLOTS,
            _touch,
        ),
        *holding(objects, LIFT_M),
        frame(
            rf"(?:grasp|grab|take|hold|seize|grip|clasp|catch|close (?:hand|fingers) around)"
            rf"(?: (?:hold|on to|onto))?(?: of)? {thing}",
            ("with", "time", "above"),
            ARM_SLOTS,
            _grasp,
        ),
        *lifting(objects, LIFT_M),
        pattern(
            rf"(?:(?:pick up|pick|grasp|grab|take|lift) {thing}(?: and|,)* (?:hold|keep) (?P=thing)"
            rf"|(?:hold|keep|carry|bring|lift|move|take|suspend) (?P<held>{_either(objects)}))"
            rf"(?: up)? (?:{{LENGTH}} )?(?:over|above) {other}(?:{_TO} {{LENGTH2}})?",
            _over,
        ),
        pattern(
            rf"(?:stack|put|place|set|lay|pile|rest|drop|balance) {thing} (?:down )?"
            rf"(?:on top|onto top|onto|on|atop) {other}",
            _put_on,
        ),
        pattern(
            rf"(?:drop|throw|toss|dump|release|let go of|let) {thing} (?:down |fall |go |drop )?"
            rf"(?:(?:once|when|as soon as)(?: (?:it|(?P=thing)))?(?: (?:is|are|get|gets|be))? )?"
            rf"(?:into|in|inside|over|above) {other}",
            _drop,
        ),
        pattern(
            rf"(?:put|place|drop|move|stow|store|lay|bring|throw) {thing} (?:back )?"
            rf"(?:into|in|inside) (?:{_either(joints)})",
            partial(_impossible, "no reward says that a thing lies inside a drawer"),
        ),
        pattern(
            rf"(?:push|move|slide|shove|drag|pull|nudge|shift) {thing}(?:{_TO} {{LENGTH}})?"
            rf"(?: away| over)?(?: to)? (?:{'|'.join(DIRECTIONS)}|back|side|away|here)"
            rf"(?: side)?(?:{_TO} {{LENGTH2}})?(?: (?:of|on|over) table)?",
            partial(_impossible, "no reward says where on the table a thing is, only beside what"),
        ),
        pattern(
            rf"(?:knock|tip|push|topple|throw|kick)(?: (?:over|down))? {thing}(?: (?:over|down))*",
            partial(_impossible, "no reward says that a thing is toppled"),
        ),
        pattern(
            rf"(?:shake|pour|throw|spin|roll|squeeze|crush|fill|empty|wipe|stir|toss|hand me|"
            rf"give me)(?: {thing})?(?: .*)?",
            partial(_impossible, "no reward says so"),
        ),
        pattern(
            rf"(?:lift|pick up)(?: both)? {thing} and {other}{_TOGETHER}(?: up)?"
            rf"(?:{_TO} {{LENGTH}})?{_TOGETHER}",
            _lift_two,
        ),
        pattern(
            rf"(?:move|bring|put|push|place|take|carry|set) {thing} (?:over )?"
            rf"(?:to|next to|near|near to|beside|by|close to|right next to|alongside) {other}",
            _move,
        ),
        pattern(rf"(?:move|put|place|bring) {thing} (?:into|in|inside) {other}", _into),
        pattern(
            rf"(?:place|stand|set|put|turn) {thing} (?:upright|up|right side up|on its base)",
            _upright,
        ),
        pattern(rf"{thing} fell over(?: ,)? set (?P=thing) upright", _upright),
        pattern(rf"(?:flip|turn) {thing}(?: (?:upside down|over|on head|on its head))+", _flip),
        pattern(rf"(?:flip(?: over)?|turn over) {thing}(?: over)?", _flip),
        pattern(rf"{thing} (?:upside down|on head)", _flip),
        pattern(
            rf"(?:keep|hold|move|pull|take|bring) (?:hand|arm|palm)(?: back)?(?: {{LENGTH}})?"
            rf" (?:away )?(?:from|off) {thing}",
            _away,
        ),
        *hand_phrases(objects),
        pattern(
            rf"(?:(?:turn|point|keep|face) )?palm(?: (?:facing|to))?"
            rf" (?P<direction>{'|'.join(DIRECTIONS)})",
            _palm,
        ),
        pattern(
            r"(?:go|move|return|bring|take|put)(?: (?:arm|hand))?(?: back)?(?: to)?"
            r" (?:rest position|rest|home|resting position|start|start position)",
            _rest,
        ),
        pattern(r"relax|rest", _rest),
        pattern(
            r"wave(?: (?:with )?(?:hand|arm|gripper))?(?: (?:hello|goodbye|bye))?"
            r"(?: (?P<often>once|twice|thrice|\d+ times))?",
            _wave,
        ),
    ]
    if len(points) > len(ARM_HAND_POINTS):
        found.append(
            pattern(
                rf"keep {thing} {{LENGTH}} (?:away )?from {other}",
                lambda m: Wish(stages=hand.beside(m["thing"], m["other"], amount(m) or 0.1)),
            )
        )
    for joint, handle in zip(joints, handles, strict=True):
        if handle in points:
            found += _joint_patterns(joint, handle)
    return tuple(found)


SHARE = (
    r"(?: (?:to|by|at))?(?: (?P<share>half way|half|fully|all|wide|all way|quarter|third"
    r"|little(?: bit)?|bit|slightly|completely)(?: of)?(?: way)?)?"
)
"""How far a drawer is opened, in words."""


def _joint_patterns(joint: str, handle: str) -> list[Phrase]:
    spoken = joint.replace("_", " ")
    share = SHARE
    partly = rf"{share}(?:{_TO} {{FRACTION}})?"

    def opened(match: re.Match[str]) -> Wish:
        return Wish(stages=hand.turning_joint(joint, share_of(match)))

    def closed(match: re.Match[str]) -> Wish:
        return Wish(stages=hand.turning_joint(joint, 1.0 - share_of(match)))

    def touched(match: re.Match[str]) -> Wish:
        del match
        return Wish(
            essential=(hand.near("palm", handle),),
            support=_OPEN_HAND,
        )

    on, off = rf"{spoken}(?: on| open| running)", rf"{spoken}(?: off| shut| closed)"
    return [
        pattern(
            rf"(?:open|turn on|switch on|pull|slide|pull open|slide open|pull out|start)(?: up)?"
            rf" {spoken}(?: open| on| out| up)?{partly}",
            opened,
        ),
        pattern(rf"(?:(?:turn|switch|pull|keep) )?{on}{partly}", opened),
        pattern(
            rf"(?:close|shut|turn off|switch off|push|slide|slide shut|push in|push shut|stop)"
            rf" {spoken}(?: shut| closed| off| in| back in| up)?{partly}",
            closed,
        ),
        pattern(rf"(?:(?:turn|switch|push|keep) )?{off}{partly}", closed),
        pattern(
            rf"(?:touch|reach(?: for)?|grab|grasp|hold|take)(?: hold)? {spoken}(?: handle)?",
            touched,
        ),
    ]


def share_of(match: re.Match[str]) -> float:
    """The share that ``SHARE``, or an amount in percent, says; 1 where nothing is said."""
    share = (match.group("share") or "").split()
    if "half" in share:
        return 0.5
    if "third" in share:
        return 1 / 3
    if {"quarter", "little", "bit", "slightly"} & set(share):
        return 0.25
    value = amount(match)
    return 1.0 if value is None else value


def _either(choices: tuple[str, ...]) -> str:
    return "|".join(re.escape(c) for c in choices) or r"(?!)"


def _touch(said: Said) -> Wish:
    return Wish(stages=hand.touching(said.part("thing")), seconds=said.amounts.get("time"))


def _grasp(said: Said) -> Wish:
    return Wish(stages=hand.grasping(said.part("thing")), seconds=said.amounts.get("time"))


def _lift_two(match: re.Match[str]) -> Wish:
    _differ(match)
    things = (match["thing"], match["other"])
    return Wish(stages=hand.lifting_two(*things, amount(match) or LIFT_M))


def _move(match: re.Match[str]) -> Wish:
    _differ(match)
    return Wish(stages=hand.moving(match["thing"], match["other"]))


def _into(match: re.Match[str]) -> Wish:
    _differ(match)
    return Wish(stages=hand.beside(match["thing"], match["other"], 0.0))


def _over(match: re.Match[str]) -> Wish:
    thing = match["thing"] or match["held"]
    _differ(match, thing)
    gap = amount(match) or amount(match, "2") or hand.ABOVE_M
    return Wish(stages=hand.over(thing, match["other"], gap))


def _put_on(match: re.Match[str]) -> Wish:
    _differ(match)
    return Wish(stages=hand.put_on(match["thing"], match["other"]))


def _drop(match: re.Match[str]) -> Wish:
    _differ(match)
    return Wish(stages=hand.dropped_into(match["thing"], match["other"]))


def _impossible(why: str, match: re.Match[str]) -> Wish:
    said = match.group(0)
    raise Abstain(f"'{said}'", f"I cannot {said}: {why}", final=True)


def paced(wish: Wish, factor: float) -> Wish:
    """A wish, gently: the arm at rest counts for more; it is as fast as it goes otherwise."""
    if factor >= 1.0:
        return replace(wish, notes=(*wish.notes, "the arm goes as fast as it can anyway"))

    def calm(stage: RewardStage) -> RewardStage:
        terms = tuple(
            replace(t, weight=t.weight / factor**2) if t.name == "stillness" else t
            for t in stage.terms
        )
        return replace(stage, terms=terms)

    note = "slowly: the arm at rest counts for more"
    support = (*wish.support, make_term("stillness", robot="fr3-hand", weight=0.05))
    return replace(
        wish, stages=tuple(map(calm, wish.stages)), notes=(*wish.notes, note),
        support=support if wish.essential else wish.support,
    )  # fmt: skip


def _differ(match: re.Match[str], thing: str = "") -> None:
    if (thing or match["thing"]) == match["other"]:
        raise Abstain(f"'{match.group(0)}'", f"the {match['other']} is named twice")


def _upright(match: re.Match[str]) -> Wish:
    return Wish(stages=hand.uprighting(match["thing"]))


def _flip(match: re.Match[str]) -> Wish:
    return Wish(stages=hand.flipping(match["thing"]))


def _away(match: re.Match[str]) -> Wish:
    distance = amount(match) or 0.2
    return Wish(essential=(hand.apart("palm", match["thing"], distance),), support=(_CALM,))


def _palm(match: re.Match[str]) -> Wish:
    term = make_term("palm_orientation", robot="fr3-hand", direction=match["direction"], weight=2.0)
    return Wish(essential=(term,), support=(_CALM,))


def _wave(match: re.Match[str]) -> Wish:
    often = match["often"] or "twice"
    times = {"once": 1, "twice": 2, "thrice": 3}.get(often) or int(often.split()[0])
    if not 1 <= times <= MOST_WAVES:
        raise Abstain(f"'{match.group(0)}'", f"I wave 1 to {MOST_WAVES} times")
    return Wish(stages=hand.waving(times))


def _rest(match: re.Match[str]) -> Wish:
    del match
    return Wish(essential=(hand.near("palm", "rest_position"),), support=_OPEN_HAND[1:])
