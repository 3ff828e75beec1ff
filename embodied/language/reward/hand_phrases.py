"""Phrases that every hand on an arm is told: lift, hold, put down, let go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from embodied.language.reward import hand_building as hand
from embodied.language.reward.frames import Said, Slot, frame
from embodied.language.reward.phrases import Phrase, Wish, amount, pattern
from embodied.language.reward.vocabulary import make_term
from embodied.language.words.cursor import Abstain

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
    "with": Slot(r"(?:with|using)(?: (?:palm|hand|fingers|fingertips|gripper|one finger))?"
                 r"|hand|palm|fingers|fingertips"),
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
        pattern(r"(?:open|spread|relax) (?:hand|fingers)(?: (?:up|wide|fully|apart))*", _opened),
        pattern(rf"(?:let go(?: of)?|let|release|drop)(?: (?:it|that|{thing}))?(?: go| fall| drop)?"
                rf"(?: again| there)?", _opened),
        pattern(r"(?:close|clench) (?:hand|fingers)(?: (?:up|fully|tightly))*|make fist", _closed),
        pattern(r"(?:open|close) (?:hand|fingers) (?:half way|half)", _half),
        pattern(rf"(?:put|set|lay|place|lower|bring)(?: back)?(?: down)? (?P<thing>{thing})"
                rf"(?: back)?(?: down)?(?: (?:on|onto|to) (?:table|table top))?(?: again)?",
                _put_down),
    )  # fmt: skip


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


def _put_down(match: re.Match[str]) -> Wish:
    said = match.group(0)
    if not re.search(r"\bdown\b|\btable\b|^lower", said):
        raise Abstain(f"'{said}'", "it does not say where", "say on, in or beside what, or down")
    return Wish(stages=hand.lowered(match["thing"]), held=match["thing"])
