"""Phrases that every hand on an arm is told: lift, hold, put down, let go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from embodied.language.reward import hand_building as hand
from embodied.language.reward.frames import Said, Slot, frame
from embodied.language.reward.phrases import Phrase, Wish, amount, pattern
from embodied.language.reward.vocabulary import make_term

BIT_M = 0.1
"""How high "a bit" lifts a thing's centre above the table."""
_CALM = make_term("posture", robot="fr3-hand")
_AIR = (
    r"(?:(?:straight |right )?(?:up|high|aloft)(?: (?:high|in air))?|(?:in|into|through) air"
    r"|(?:off|above|over|from)(?: of)? (?:table|floor|surface|table top)|off|clear of table)"
)
ARM_SLOTS: Mapping[str, Slot] = {
    "length": Slot(r"(?:(?:to|at|of|by|up to|up by) )?(?:height (?:of )?)?{LENGTH}"
                   r"(?: (?:high|tall))?"),
    "air": Slot(_AIR),
    "time": Slot(r"(?:for )?{TIME}"),
    "bit": Slot(r"(?:little(?: bit)?|bit|slightly)"),
    "again": Slot(r"again|now|there|steady|still|upright|level"),
    "with": Slot(r"(?:with |using )?(?:palm|hand|fingers?|fingertips?|gripper|1 finger|finger tips?"
                 r"|tips? of fingers?|back of hand)"),
    "above": Slot(r"(?:from )?(?:above|top)"),
}  # fmt: skip
_LIFTED = ("length", "air", "time", "bit", "again", "above")


def either(names: Sequence[str]) -> str:
    """An expression for one of several names."""
    return "|".join(re.escape(n) for n in names) or r"(?!)"


def lifting(things: Sequence[str], usual_m: float) -> tuple[Phrase, ...]:
    """``lift the cup 20 cm into the air``, for a hand that lifts so high by default."""

    def lifted(said: Said) -> Wish:
        height = said.amounts.get("length", BIT_M if said.has("bit") else usual_m)
        seconds = said.amounts.get("time")
        return Wish(stages=hand.lifting_thing(said.part("thing"), height), seconds=seconds)

    thing = rf"(?P<thing>{either(things)})"
    verbs = r"lift|pick up|pick|take up|lift up|hold up|bring up|get|pull up|elevate"
    return (frame(rf"(?:{verbs})(?: up)? {thing}", _LIFTED, ARM_SLOTS, lifted),)


def holding(things: Sequence[str], usual_m: float) -> tuple[Phrase, ...]:
    """``hold the cup in the air``; after a motion with it, ``hold it for 3 s`` goes on."""

    def held(said: Said) -> Wish:
        height = said.amounts.get("length", usual_m)
        return Wish(
            stages=hand.lifting_thing(said.part("thing"), height),
            seconds=said.amounts.get("time"),
            waits=not said.has("length"),
        )

    thing = rf"(?P<thing>{either(things)})"
    slots = ("length", "air", "time", "again")
    return (
        frame(rf"(?:hold|keep|suspend|keep holding|holding|keeping) {thing}"
              rf"(?= (?:up|high|aloft|in air|into air|off|above table|over table|from table|for"
              rf"|there|still|steady|level|at|to|\d))", slots, ARM_SLOTS, held),
        pattern(r"(?:wait|pause|stay|hold|hold on|hold still|keep still)(?: there)?"
                r"(?: (?:for )?{TIME})?", lambda m: Wish(seconds=amount(m), waits=True)),
        pattern(r"for {TIME}", lambda m: Wish(seconds=amount(m), waits=True)),
    )  # fmt: skip


def hand_phrases(things: Sequence[str]) -> tuple[Phrase, ...]:
    """The fingers, and what is let go."""
    thing = either(things)
    return (
        frame(rf"reach(?: out)?(?: for| to)? (?P<thing>{thing})", ("with", "time", "above"),
              ARM_SLOTS, _reached),
        pattern(r"(?:open|spread|relax|straighten|stretch)(?: (?:out|all))*"
                r" (?:hand|fingers|fist|it)"
                r"(?: (?:up|wide|fully|apart|again|out))*"
            r"|(?:hand|fingers) (?:wide )?open(?: wide)?",
                
                _opened),
        pattern(rf"(?:let go(?: of)?|let|release|drop)(?: (?:it|that|{thing}))?(?: go| fall| drop)?"
                rf"(?: again| there)?", _opened),
        pattern(r"(?:close|clench|ball|shut)(?: all)? (?:hand|fingers|fist)(?: (?:up|fully|again))*"
                r"|(?:make|form) fist|(?:hand|fingers) closed", _closed),
        pattern(r"(?:open|close) (?:hand|fingers) (?:half way|half)", _half),
        pattern(put_down_phrase(things), _put_down),
        pattern(rf"(?:do not|never|without) (?:just |ever )?(?:take|taking|grab|grabbing|grasp"
                rf"|grasping|lift|lifting|drop|dropping|throw|throwing|move|moving|spill|spilling"
                rf"|pick up|picking up|let|squeeze|squeezing|crush|crushing|tip|tipping|break"
                rf"|breaking)(?: (?:{thing}))?(?: (?:up|over|fall|down))?", _unharmed),
    )  # fmt: skip


def _reached(said: Said) -> Wish:
    """The open hand around a thing."""
    stages = hand.touching(said.part("thing"))
    return Wish(stages=(replace(stages[0], duration_s=None, until=None),))


def put_down_phrase(things: Sequence[str]) -> str:
    """``put the cup down``, ``set it down where it stood``."""
    thing = either(things)
    where = rf"(?:to )?where (?:(?:it|{thing}) )?(?:was|stood|lay|came from)(?: before)?"
    end = rf"(?: (?:{where}|in place|again|there|(?:on|onto|to) (?:table|table top)))*"
    verbs = r"(?:put|set|lay|place|bring)"
    return (
        rf"(?:{verbs}(?: back)? down (?P<thing>{thing})|{verbs} (?P<thing2>{thing})"
        rf"(?: back)? down(?: again)?|lower (?P<thing3>{thing})(?: back)?(?: down)?"
        rf"|{verbs} (?P<thing4>{thing}) back(?= {where}| in place)){end}"
    )


def put_down_thing(match: re.Match[str]) -> str:
    """What a match of ``put_down_phrase`` puts down."""
    return next(match[f"thing{n}"] for n in ("", "2", "3", "4") if match[f"thing{n}"])


def _opened(match: re.Match[str]) -> Wish:
    del match
    return Wish(essential=(hand.OPEN,), support=(_CALM,), pose=True)


def _closed(match: re.Match[str]) -> Wish:
    del match
    return Wish(essential=(hand.CLOSE,), support=(_CALM,), pose=True)


def _half(match: re.Match[str]) -> Wish:
    del match
    term = make_term("hand_closure", robot="fr3-hand", fraction=0.5)
    return Wish(essential=(term,), support=(_CALM,), pose=True)


def _unharmed(match: re.Match[str]) -> Wish:
    """What is not to be done, and is not: the motion that was asked for does nothing of it."""
    return Wish(notes=(f"'{match.group(0)}': nothing of the kind is done",))


def _put_down(match: re.Match[str]) -> Wish:
    thing = put_down_thing(match)
    return Wish(stages=hand.lowered(thing), held=thing)
