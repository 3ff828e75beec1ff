"""How many things lie on something at the end of a story in free prose.

A story is cut into clauses; a clause puts something down, takes something up, or turns to a place,
by its verb. All other clauses are passed over, so a wrong count is possible: this is a floor.
"""

from __future__ import annotations

import re

from embodied.errors import Diagnostic, NotUnderstoodError

_ASKED = re.compile(r"how many items are there on the (.+?)\?")
_BREAKS = (
    r"[.;,]|\b(?:and|then|before|after|where|while|as|when)\b"
    r"|\bto\b(?= (?:put|place|set|grab|pick))"
)
_TAKES = (
    r"(?:grab|pick|took|take|retriev|lift|got|get|collect|pulled out|carr|snatch|fetch|seiz|brought"
    r"|hold)\w*"
)
_PUTS = (
    r"(?:put|plac|set|left|leav|drop|position|return|rest|lay|laid|stack|deposit|hung|arrang)\w*"
)
_ONTO = r"(?:on top of|onto|on|upon|atop|in|inside|to|over|at|back|down|there)"
_PUT_ON = re.compile(rf"\b{_PUTS}\b (?P<what>.*?)\b{_ONTO}\b(?P<where>.*)")
_PUT = re.compile(rf"\b{_PUTS}\b(?P<what>.*)(?P<where>)")
_TAKEN = re.compile(rf"\b{_TAKES}(?: up| out)? (?P<what>.*)")
_FACED = re.compile(
    r"\b(?:found|find|finding|discover\w*|spotted|locat\w*|saw|noticed|returned to|walked to|ran to"
    r"|returning to|came across|headed to\w*|turned to|approach\w*|reach\w*) (?P<what>.*)"
)
_FILLERS = frozenset(
    "the a an his her their some of pair piece slice back up down nearby same again once more hand "
    "hands in out both item items then it them now clean wet freshly cleaned previously "
    "aforementioned carefully gently quickly finally with from".split()
)


def count(story: str) -> str:
    """The number of things that lie on what the story asks about.

    Raises:
        NotUnderstoodError: It asks something else.
    """
    text = story.lower()
    asked = _ASKED.search(text)
    if asked is None:
        problem = Diagnostic(where=story[-80:], problem="no question about a number of items")
        raise NotUnderstoodError(story, (problem,))
    place = asked[1].split()[-1]
    lying: set[str] = set()
    held: list[str] = []
    faced = ""
    for clause in re.split(_BREAKS, text[: asked.start()].replace("q:", "")):
        put = _PUT_ON.search(clause.strip()) or _PUT.search(clause.strip())
        taken = _TAKEN.search(clause.strip())
        if put and not (taken and taken.start() < put.start()):
            what, where = _noun(put["what"]), _noun(put["where"])
            if not what or place in what.split():
                what = held[-1] if held else ""
            lying.discard(what)
            if what and (place in where.split() or (not where and place in faced.split())):
                lying.add(what)
            held = [h for h in held if h != what]
        elif taken:
            what = _noun(re.split(r"\b(?:from|off|in|with|on)\b", taken["what"])[0])
            if what and place not in what.split():
                lying.discard(what)
                held = [*(h for h in held if h != what), what]
        if turned := _FACED.search(clause.strip()):
            faced = _noun(re.split(r"\b(?:on|in|for|with)\b", turned["what"])[0])
    return str(len(lying))


def _noun(words: str) -> str:
    return " ".join(w for w in re.findall(r"[a-z']+", words) if w not in _FILLERS)
