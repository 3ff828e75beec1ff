"""Which directions a sentence can mean: "clockwise" is right, "bow" is down, "hind" is rear.

Only plain cases are decided: where words of one side are there and none of the other, the other
side is struck from the grammar. Where both or neither are there, nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from embodied.language.offline.grammar import Symbols

LEFT = frozenset("left leftwards leftward counterclockwise anticlockwise ccw counter".split())
RIGHT = frozenset("right rightwards rightward clockwise cw".split())
FRONT = frozenset("front fore forelimb forelimbs".split())
REAR = frozenset("rear hind back hindlimb hindlimbs".split())
UP = frozenset(
    "up upwards upward lift raise higher high sky ceiling chin back backward backwards rise elevate"
    " above".split()
)
DOWN = frozenset(
    "down downwards downward lower low floor ground bow dip drop forward forwards below".split()
)
SEVERAL = frozenset("paws feet legs limbs both two 2 pair".split())

_WITH = r"\b(?:keep|keeping|leave|leaving|have|having|with|w /)"
_MIRRORED = re.compile(
    rf"(?:{_WITH}|\b(?:pass|passing)) .*\b(?:on|to|at) (?:your|the|its) (?:left|right)\b"
)
"""Where "left" may be the side that a thing is on, or the side of it to be on."""

_THING_ON_SIDE = re.compile(
    rf"{_WITH} [a-z0-9 ]+? (?:on|to) (?:your|the) (left|right)\b(?![ -](?:hand|of|side))"
)
"""What "keep the cup on your left" says of the cup: the way is on its other side."""

_SPIN = frozenset("spin spinning whirl twirl rotate rotating turning pirouette round".split())
"""Words of turning on the spot; to the left unless it is said."""

_OTHER = frozenset(
    "other opposite reverse diagonal diagonally instead wrong swap mirror not no".split()
)

_COUNTER = re.compile(r"\b(?:c\w*n?t\w*r|ant\w*)[ -]?clockwise")
"""Counter-clockwise and anticlockwise, however they were typed."""

_FOOT = r"(?:paws?|foot|feet|legs?|limbs?|forelimbs?|hindlimbs?)"
_END = "(?:(?:front|fore|back|rear|hind) )?"
_OF_FOOT = re.compile(rf"\b{_END}(?:left|right) {_END}{_FOOT}\b")


def apart_from_feet(text: str) -> str:
    """The normalised text without the sides of feet ("left hind paw"), for how the body turns."""
    return _OF_FOOT.sub(" ", text)


def struck(words: frozenset[str], text: str, *, quadruped: bool) -> frozenset[str]:
    """Slot words that the sentence excludes.

    Args:
        words: Words of the normalised sentence.
        text: The normalised sentence.
        quadruped: Whether it is for the quadruped, whose feet have sides and ends.
    """
    if words & _OTHER:
        return frozenset()
    plain = frozenset(_COUNTER.sub("counterclockwise", text).replace(",", " ").split())
    words = (words - {"clockwise"}) | (plain & {"clockwise", "counterclockwise"})
    left, right = words & LEFT, words & RIGHT
    out: set[str] = set()
    sides = re.findall(r"\b(?:left|right)\b", text)
    things_on = _THING_ON_SIDE.findall(text)
    if not quadruped and len(sides) == len(things_on) == 1:
        return frozenset({f"{things_on[0]}-of"})
    said_plainly = "right angle" not in text and (quadruped or not _MIRRORED.search(text))
    if said_plainly:
        turns_either_way = words & _SPIN and re.search(r",| and | then ", text)
        if right and not left and not turns_either_way:
            out |= {"left", "left-of", "front-left", "rear-left", "back-left"}
        if left and not right:
            out |= {"right", "right-of", "front-right", "rear-right", "back-right"}
    if quadruped:
        if words & FRONT and not words & REAR:
            out |= {"rear", "rear-left", "rear-right"}
        if words & REAR and not words & FRONT:
            out |= {"front", "front-left", "front-right"}
        if not words & SEVERAL:
            out |= {"front", "rear"}
    return frozenset(out)


def vertical(words: frozenset[str]) -> frozenset[str]:
    """``up`` or ``down`` where the sentence speaks of the other only."""
    if words & _OTHER:
        return frozenset()
    if words & DOWN and not words & UP:
        return frozenset({"up"})
    if words & UP and not words & DOWN:
        return frozenset({"down"})
    return frozenset()


_FROM_TOP = re.compile(r"\b(?:from (?:the )?top|top (?:down|to bottom|first))\b")
_FROM_BOTTOM = re.compile(r"\b(?:from (?:the )?(?:bottom|base)|bottom (?:up|to top|first))\b")


def order_struck(text: str) -> frozenset[str]:
    """The slot of a pile that lists it the other way round than the normalised sentence says."""
    top, bottom = _FROM_TOP.search(text), _FROM_BOTTOM.search(text)
    if bool(top) == bool(bottom):
        return frozenset()
    return frozenset({"tower "} if top else {"stack "})


def without(
    rules: Mapping[str, tuple[Symbols, ...]], names: Iterable[str], excluded: frozenset[str]
) -> dict[str, tuple[Symbols, ...]]:
    """The rules with the excluded words struck from those named, unless nothing would be left."""
    result = dict(rules)
    for name in names:
        if name in result:
            kept = tuple(a for a in result[name] if a[0][1:] not in excluded)
            result[name] = kept or result[name]
    return result
