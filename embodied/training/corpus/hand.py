"""Scenes and clauses of the hand for rewards."""

from __future__ import annotations

import random

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.lexicon import Lexicon
from embodied.training.corpus.phrasing import amount, say, templates
from embodied.training.corpus.quadruped import CM, Clause, quantity

_WORDS = templates("rewards")


def arm_scene(rng: random.Random, lexicon: Lexicon) -> SceneView:
    """Objects, handles and joints in front of the hand."""
    nouns = [n.split("=")[0] for t in sorted(lexicon.items) for n in lexicon.items[t]]
    names = rng.sample(sorted(set(nouns)), rng.randint(2, 5))
    if rng.random() < 0.25:
        names = list(dict.fromkeys([*rng.sample(("apple", "bowl", "box", "cup"), 4), *names[:1]]))
    joints = rng.sample(
        ("drawer", "faucet", "door", "lid", "valve", "window", "fridge", "lever", "oven", "hatch"),
        rng.choice((1, 1, 2)),
    )
    if rng.random() < 0.3:
        joints = ["drawer", "faucet"]
    return SceneView(
        robot="arm",
        things=tuple(Thing(name=n, kind="item", category=n) for n in names),
        joints=tuple(joints),
        handles=tuple(f"{j}_handle" for j in joints),
    )


def arm_clause(rng: random.Random, scene: SceneView) -> Clause:
    """One thing that the hand should do."""
    names = scene.names("item")
    o = rng.choice(names)
    the = rng.choice(("the ", "the ", "the ", ""))
    draw = rng.random()
    if draw < 0.14:
        target = rng.choice((*names, *scene.handles))
        return (
            say(rng, _WORDS["arm-clause-touch"], t=f"{the}{target.replace('_', ' ')}"),
            f"touch {target}",
        )
    if draw < 0.30:
        if rng.random() < 0.6:
            a, s = (
                quantity(rng, CM, "cm")
                if rng.random() < 0.6
                else quantity(rng, (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6), "m")
            )
            if len(names) > 1 and rng.random() < 0.25:
                p = rng.choice([n for n in names if n != o])
                return (
                    say(rng, _WORDS["arm-clause-lift-lift"], o=o, p=p, a=a),
                    f"lift {o} {s} ; lift {p} {s}",
                )
            return (say(rng, _WORDS["arm-clause-lift"], o=the + o, a=a), f"lift {o} {s}")
        return (say(rng, _WORDS["arm-clause-lift-2"], o=the + o), f"lift {o}")
    if draw < 0.46 and len(names) > 1:
        target = rng.choice([n for n in (*names, *scene.handles) if n != o])
        t = f"{the}{target.replace('_', ' ')}"
        if rng.random() < 0.3:
            a, s = quantity(rng, (3, 5, 8, 10, 12, 15, 20, 25, 30, 40), "cm")
            first, slot = (
                (rng.choice(("your hand", "the hand", "the palm", "your palm", "hand")), "hand")
                if rng.random() < 0.4
                else (the + o, o)
            )
            if slot == target:
                slot, first = "hand", "the hand"
            return (
                say(rng, _WORDS["arm-clause-bring"], o=first, t=t, a=a),
                f"bring {slot} {target} {s}",
            )
        return (say(rng, _WORDS["arm-clause-bring-2"], o=the + o, t=t), f"bring {o} {target}")
    if draw < 0.58:
        if rng.random() < 0.5:
            return (say(rng, _WORDS["arm-clause-upright"], o=the + o), f"upright {o}")
        return (say(rng, _WORDS["arm-clause-flip"], o=the + o), f"flip {o}")
    if draw < 0.82 and scene.joints:
        j = rng.choice(scene.joints)
        water = j == "faucet"
        t = "the " + (rng.choice(("faucet", "tap", "water")) if water else j)
        if rng.random() < 0.4:
            n = rng.choice((10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90))
            a, s = amount(rng, n, "%")
            if n in (25, 50, 75) and rng.random() < 0.6:
                a = say(
                    rng,
                    {
                        25: "(a quarter|one quarter|a quarter of the way)",
                        50: "(half way|half|halfway|half of the way|by half)",
                        75: "(three quarters|three quarters of the way|3 quarters)",
                    }[n],
                )
                s = f"{n} %"
            verb = "turn on" if water else "(open|pull open|pull out|slide open)"
            if rng.random() < 0.2:
                return (say(rng, "(close|shut|push in) {t} (by|) {a}", t=t, a=a), f"close {j} {s}")
            return (
                say(rng, _WORDS["arm-clause-open"].format(verb=verb), t=t, a=a),
                f"open {j} {s}",
            )
        if rng.random() < 0.6:
            verb = (
                "(turn on|open|switch on|start|open up|let run)"
                if water
                else "(open|pull open|slide open|open up|pull out|crack open)"
            )
            return (
                say(
                    rng,
                    _WORDS["arm-clause-open-2"].format(verb=verb)
                    if water
                    else _WORDS["arm-clause-open-3"].format(verb=verb),
                    t=t,
                ),
                f"open {j}",
            )
        verb = (
            "(turn off|close|switch off|shut off|stop|turn down)"
            if water
            else "(close|shut|push shut|push closed|slide shut|push in)"
        )
        return (
            say(
                rng,
                _WORDS["arm-clause-3"].format(verb=verb)
                if water
                else _WORDS["arm-clause-close"].format(verb=verb),
                t=t,
            ),
            f"close {j}",
        )
    if draw < 0.9:
        way = rng.choice(("down", "up", "forward", "backward", "left", "right"))
        return (say(rng, _WORDS["arm-clause-palm"], w=way), f"palm {way}")
    if draw < 0.97:
        way = rng.choice(("open", "close"))
        text = _WORDS["arm-clause"] if way == "open" else _WORDS["arm-clause-2"]
        return say(rng, text), f"hand {way}"
    return (say(rng, _WORDS["arm-clause-rest"]), "rest")
