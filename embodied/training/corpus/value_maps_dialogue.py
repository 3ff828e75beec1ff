"""Corrections and refusals for value maps."""

from __future__ import annotations

import random

from embodied.language.offline.scene_view import SceneView
from embodied.training.corpus.goals_dialogue import CHAT, ELSEWHERE, IMPOSSIBLE, Turn
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import say, templates
from embodied.training.corpus.scenes import refer
from embodied.training.corpus.value_maps import (
    DIRECTIONS,
    MOVE,
    SIDE_WORDS,
    condition_on,
    distance,
    motion,
    speed,
    stage,
)

_WORDS = templates("value_maps")

_FURTHER = (_WORDS["further"], _WORDS["further-2"])
_NO = (
    "(no|no,|not that,|sorry,|i meant|actually|wait,|nope,|i said|rather|instead|oops,|hmm,|i mean)"
)
_KEEP = _WORDS["keep"]


def _direction(words: list[str]) -> str:
    """The direction of ``go left ...`` or ``push cup left ...``."""
    return next((w for w in words[1:3] if w in DIRECTIONS), "")


def _other_way(rng: random.Random, text: str, slots: str) -> Turn:
    """Another side of the same object, or another direction with the same distance."""
    words = slots.split()
    old = next((w for w in words if w in SIDE_WORDS), "")
    if old:
        new = rng.choice([s for s in SIDE_WORDS if s != old])
        where = say(rng, SIDE_WORDS[new])
        said = say(rng, _WORDS["other-way"].format(_NO=_NO), w=where, o=say(rng, SIDE_WORDS[old]))
    else:
        old = _direction(words)
        new = rng.choice(
            [d for d in DIRECTIONS if d != old and (words[0] == "go" or d not in ("up", "down"))]
        )
        said = say(
            rng,
            f"({_NO} {{w}}|{{w}} instead|{{w}}, not {{o}}|not {{o}}, {{w}}|now {{w}}|{{w}} i said)",
            w=say(rng, DIRECTIONS[new]),
            o=say(rng, DIRECTIONS[old]),
        )
    return Turn(text, slots, said, " ".join(new if w == old else w for w in words))


def correction(rng: random.Random, scene: SceneView) -> Turn:
    """A sentence and a follow-up whose meaning needs it."""
    while True:
        text, slots, about = motion(rng, scene)
        words = slots.split()
        style = rng.random()
        measured = words[-1] == "cm" or (words[0] in ("go",) and len(words) == 2)
        sided = len(words) > 1 and (
            words[1] in SIDE_WORDS or (len(words) > 3 and words[3] in SIDE_WORDS)
        )
        if style < 0.16 and (measured or sided):
            way = rng.randrange(2)
            return Turn(text, slots, say(rng, _FURTHER[way]), ("more", "less")[way])
        if style < 0.20 and measured:
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
            other = _WORDS["correction-other"]
            other += " opposite|reverse|on the other side|opposite direction|wrong direction)"
            return Turn(text, slots, say(rng, other), "opposite")
        if style < 0.35 and (sided or (words[0] in ("go", "push") and _direction(words))):
            return _other_way(rng, text, slots)
        if style < 0.42 and words[0] in ("to", "go", "push", "grasp"):
            way = rng.randrange(2)
            s = (
                _WORDS[
                    "correction-slower-slow-down-too-fast-more-slowly-not-so-fast-slower-please-gently-take-it-easy-a-bit-slower-carefully-slowly"
                ],
                _WORDS["correction"],
            )[way]
            return Turn(text, slots, say(rng, s), ("keep ; speed fast", "keep ; speed slow")[way])
        if style < 0.62 and words[0] != "grip":
            if rng.random() < 0.3:
                adverb, condition, _ = speed(rng)
                s = say(rng, f"({_KEEP}|do it|this time|) {{a}}", a=adverb)
            else:
                phrase, condition = condition_on(rng, scene, about)
                s = say(rng, f"{_KEEP} {{a}}", a=phrase)
            return Turn(text, slots, s, f"keep ; {condition}")
        if style < 0.85:
            names = [t.name for t in scene.things]
            used = [w for w in words if w in names]
            if not used:
                if words[0] == "go" and words[-1] == "cm":
                    a, s = distance(rng)
                    said = say(rng, f"({_NO} {{a}}|make it {{a}}|{{a}}|{{a}} instead)", a=a)
                    return Turn(text, slots, said, f"{words[0]} {words[1]} {s}")
                continue
            old = rng.choice(used)
            options = [
                t for t in scene.things if t.name not in used and t.kind == scene.thing(old).kind
            ]
            if words[-1] == "cm" and rng.random() < 0.35:
                a, s = distance(rng)
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
                _WORDS["correction-2"].format(_NO=_NO),
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
                say(rng, _WORDS["refused-cannot-ambiguous"].format(MOVE=MOVE), c=c),
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
                _WORDS["refused-cannot-range"],
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
            _WORDS["refused-cannot-object"].format(MOVE=MOVE),
            n=noun,
            x=x,
            a=str(rng.choice((5, 10, 15, 20))),
        ),
        "cannot object",
    )
