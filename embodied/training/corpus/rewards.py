"""Sentences whose meaning is a reward program, with the slots that say it."""

from __future__ import annotations

import random

from embodied.language.offline.scene_view import SceneView
from embodied.training.corpus.goals_dialogue import CHAT, ELSEWHERE, Turn
from embodied.training.corpus.hand import arm_clause
from embodied.training.corpus.lexicon import Lexicon
from embodied.training.corpus.phrasing import amount, say, templates
from embodied.training.corpus.quadruped import CM, DEG, FEET, Clause, quadruped_clause, quantity

_WORDS = templates("rewards")

_FURTHER = {
    "height": (_WORDS["further-height"], _WORDS["further-height-2"]),
    "speed": (_WORDS["further-speed"], _WORDS["further-speed-2"]),
    "size": (_WORDS["further-size"], _WORDS["further-size-2"]),
}
_KEEP = _WORDS["keep"]
_NO = _WORDS["no"]


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
            text = _WORDS["correction-text"]
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
            "cm": CM,
            "deg": tuple(d for d in DEG if d <= 80),
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
        if words[0] in ("lift", "foot", "step") and words[1] in FEET:
            other = rng.choice([f for f in FEET if f != words[1]])
            end, side = other.split("-")
            old_end, old_side = words[1].split("-")
            phrase = say(rng, f"(the|your|) {FEET[other]} (one|paw|leg|foot|)")
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
                _WORDS["replaced-text"].format(_NO=_NO),
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
        text = say(rng, _WORDS["replaced"].format(_NO=_NO), n=new, o=words[1])
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
        a, s = quantity(rng, (1, 2, 3, 4, 5, 6, 8, 10), "s")
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
        text = say(rng, _WORDS["sentence"], a=first, b=second)
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
                say(rng, _WORDS["refused-cannot-object"], n=noun).replace(" me the", " the"),
                "cannot object",
            )
        if kind == "ambiguous":
            return (say(rng, _WORDS["refused-cannot-ambiguous"]), "cannot ambiguous")
        if kind == "action":
            if rng.random() < 0.3:
                return say(rng, ELSEWHERE), "cannot action"
            return (say(rng, _WORDS["refused-cannot-action"]), "cannot action")
        n = rng.choice((2, 3, 4, 5, 6, 8, 10))
        big = rng.choice((40, 50, 80, 100))
        return (
            say(
                rng,
                _WORDS["refused-cannot-range"],
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
        return (say(rng, _WORDS["refused-cannot-action-2"], o=o), "cannot action")
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
                _WORDS["refused-cannot-object-2"],
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
            _WORDS["refused-cannot-range-2"],
            o=o,
            n=str(rng.choice((2, 3, 4, 5, 6, 8, 10, 100))),
            c=str(rng.choice((150, 200, 300, 500))),
            j=rng.choice(scene.joints),
            p=str(rng.choice((150, 200, 300))),
        ),
        "cannot range",
    )
