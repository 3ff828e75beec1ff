"""Sentences whose meaning is a PDDL goal, with the slots that say it."""

from __future__ import annotations

import random
from collections.abc import Callable

from embodied.language.offline.scene_view import SceneView
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import say, templates
from embodied.training.corpus.putting import (
    INTO,
    PUT,
    Said,
    either,
    items_of,
    of_kind,
    preposition_of,
    put,
    set_of,
    stack,
    target_of,
)
from embodied.training.corpus.scenes import plural, refer, several

_WORDS = templates("goals")


def out(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Take something out of, or off, something."""
    item = rng.choice(items_of(scene))
    target = target_of(rng, scene, [item])
    x, t = refer(rng, item, scene), refer(rng, target, scene)
    if target.kind in ("container", "drawer"):
        sentence = say(rng, _WORDS["out"], x=x, t=t)
        return Said(sentence.replace("no the ", "no "), f"out {item.name} of {target.name}", item)
    sentence = say(rng, _WORDS["out-2"], x=x, t=t)
    return Said(sentence, f"off {item.name} of {target.name}", item)


def free(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Nothing in or on something."""
    target = rng.choice(scene.things)
    t = refer(rng, target, scene)
    if target.kind in ("container", "drawer"):
        template = _WORDS["free"]
    elif target.kind == "surface":
        template = _WORDS["free-2"]
    else:
        template = _WORDS["free-3"]
    sentence = say(rng, f"({template})", t=t)
    return Said(sentence, f"free {target.name}", target if target.kind == "item" else None)


def hold(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Pick something up."""
    item = rng.choice(items_of(scene))
    sentence = say(rng, _WORDS["hold"], x=refer(rng, item, scene))
    return Said(sentence, f"hold {item.name}", item)


def drawer(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Open or close drawers, alone or with something put in."""
    drawers = of_kind(scene, "drawer")
    if not drawers:
        return None
    opening = "(open|open|open up|pull open|slide open|pull out|get open|yank open|tug open)"
    closing = "(close|close|shut|shut|push shut|push in|slide shut|close up|slam|push closed)"
    if len(drawers) == 2 and rng.random() < 0.3:
        verb = rng.choice(("open", "close"))
        sentence = say(rng, f"{opening if verb == 'open' else closing} {_WORDS['drawers-both']}")
        return Said(sentence, " ; ".join(f"{verb} {d.name}" for d in drawers))
    if len(drawers) == 2 and rng.random() < 0.25:
        a, b = rng.sample(drawers, 2)
        sentence = say(
            rng,
            _WORDS["drawer"].format(opening=opening, closing=closing),
            a=refer(rng, a, scene),
            b=refer(rng, b, scene, noun_known="drawer"),
        )
        return Said(sentence, f"open {a.name} ; close {b.name}")
    d = rng.choice(drawers)
    where = refer(rng, d, scene)
    draw = rng.random()
    if draw < 0.3:
        sentence = say(rng, _WORDS["drawer-2"].format(opening=opening), d=where)
        return Said(sentence, f"open {d.name}")
    if draw < 0.6:
        sentence = say(rng, _WORDS["drawer-3"].format(closing=closing), d=where)
        return Said(sentence, f"close {d.name}")
    items, slots, n = set_of(rng, scene, None)
    it = "it" if n == 1 else "them"
    del it
    sentence = say(
        rng, _WORDS["drawer-4"].format(opening=opening, PUT=PUT, INTO=INTO), x=items, d=where
    )
    return Said(sentence, f"put {slots} in {d.name} then close {d.name}")


def rest(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Some here, the others there; or sorting by category."""
    items = items_of(scene)
    places = of_kind(scene, "container", "drawer", "surface")
    if len(items) < 3 or len(places) < 2:
        return None
    a, b = rng.sample(places, 2)
    (pa, prep_a), (pb, prep_b) = preposition_of(a), preposition_of(b)
    ra, rb = refer(rng, a, scene), refer(rng, b, scene)
    draw = rng.random()
    if draw < 0.15:
        x, y = rng.sample(items, 2)
        sentence = say(
            rng,
            _WORDS["rest"].format(PUT=PUT, prep_a=prep_a, prep_b=prep_b),
            x=refer(rng, x, scene),
            y=refer(rng, y, scene, noun_known=x.category),
            a=ra,
            b=rb,
        )
        return Said(sentence, f"put {x.name} {pa} {a.name} ; put {y.name} {pb} {b.name}")
    if draw < 0.35:
        kept = rng.sample(items, rng.choice((1, 1, 2)))
        phrase = several(rng, [refer(rng, t, scene) for t in kept])
        be = "stays" if len(kept) == 1 else "stay"
        sentence = say(rng, _WORDS["rest-2"].format(PUT=PUT, prep_a=prep_a, be=be), x=phrase, a=ra)
        return Said(sentence, f"put all but {' '.join(t.name for t in kept)} {pa} {a.name}")
    if draw < 0.5:
        colors = colors_used(SceneView(things=tuple(items)))
        if len(colors) < 2:
            return None
        c, d = rng.sample(colors, 2)
        thing = rng.choice(("ones", "things", "objects", "stuff", "items"))
        sentence = say(
            rng,
            _WORDS["rest-3"].format(prep_a=prep_a, prep_b=prep_b, thing=thing),
            c=c,
            d=d,
            a=ra,
            b=rb,
        )
        return Said(sentence, f"put all {c} {pa} {a.name} ; put all {d} {pb} {b.name}")
    if draw < 0.7:
        categories = sorted({t.category for t in items})
        if len(categories) < 2:
            return None
        c, d = rng.sample(categories, 2)
        if not all(len([t for t in items if t.category == k]) > 1 for k in (c, d)):
            return None
        sentence = say(
            rng,
            _WORDS["rest-4"].format(prep_a=prep_a, prep_b=prep_b),
            c=plural(c),
            d=plural(d),
            a=ra,
            b=rb,
        ).split("|")
        return Said(rng.choice(sentence), f"put all {c} {pa} {a.name} ; put all {d} {pb} {b.name}")
    chosen = rng.sample(items, rng.choice((1, 1, 2)))
    names = " ".join(t.name for t in chosen)
    phrase = several(rng, [refer(rng, t, scene) for t in chosen])
    sentence = say(
        rng, _WORDS["rest-5"].format(PUT=PUT, prep_a=prep_a, prep_b=prep_b), x=phrase, a=ra, b=rb
    )
    return Said(sentence, f"put {names} {pa} {a.name} ; put all but {names} {pb} {b.name}")


def chain(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """A list of which item is on which."""
    items = items_of(scene)
    if len(items) < 4:
        return None
    order = rng.sample(items, rng.randint(3, min(6, len(items))))
    pairs = list(zip(order, order[1:], strict=False))
    if len(pairs) > 2 and rng.random() < 0.3:
        pairs.remove(rng.choice(pairs[1:]))
    if rng.random() < 0.3:
        rng.shuffle(pairs)
    be = say(rng, "(is|should be|goes|must be|should sit|has to be|needs to be|)")
    on = say(rng, "(on|on top of|on|onto|atop)")
    said = [f"{refer(rng, a, scene)} {be} {on} {refer(rng, b, scene)}" for a, b in pairs]
    lead = say(rng, _WORDS["chain"])
    text = ", ".join(said[:-1]) + rng.choice((" and ", ", ", ", and ")) + said[-1]
    slots = " ; ".join(f"put {a.name} on {b.name}" for a, b in pairs)
    return Said(f"{lead} {text}".strip(), slots)


FORMS: tuple[tuple[Callable[[random.Random, SceneView, Lexicon], Said | None], float], ...] = (
    (put, 0.40),
    (stack, 0.13),
    (out, 0.07),
    (free, 0.10),
    (hold, 0.08),
    (drawer, 0.12),
    (rest, 0.09),
    (either, 0.03),
    (chain, 0.05),
)


def clause(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said:
    """One clause of any form."""
    while True:
        form = rng.choices([f for f, _ in FORMS], [w for _, w in FORMS])[0]
        said = form(rng, scene, lexicon)
        if said is not None:
            return said


def sentence(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said:
    """One to three clauses, joined or ordered."""
    first = clause(rng, scene, lexicon)
    if rng.random() < 0.66:
        return first
    second = clause(rng, scene, lexicon)
    if rng.random() < 0.75 and first.slots.split()[0] != "put":
        second = put(rng, scene, lexicon) or second
    if first.item and first.slots.startswith("put") and rng.random() < 0.12:
        # a pronoun: on top of it
        others = [t for t in items_of(scene) if t is not first.item]
        if others and first.target and first.target.kind != "container":
            x = rng.choice([t for t in others if t is not first.target] or others)
            text = say(
                rng,
                "{s} (and|, and|, then) {x} on (it|top of it|top of that|top)",
                s=first.sentence,
                x=refer(rng, x, scene),
            )
            return Said(text, f"{first.slots} ; put {x.name} on {first.item.name}")
    if rng.random() < 0.3:
        text = say(rng, _WORDS["sentence"], a=first.sentence, b=second.sentence)
        return Said(text, f"{first.slots} then {second.slots}")
    text = say(rng, _WORDS["sentence-2"], a=first.sentence, b=second.sentence).replace(
        "while you", "and"
    )
    joined = f"{first.slots} ; {second.slots}"
    if rng.random() < 0.12:
        third = put(rng, scene, lexicon)
        if third is not None:
            return Said(f"{text}, {third.sentence}", f"{joined} ; {third.slots}")
    return Said(text, joined)


def colors_used(scene: SceneView) -> tuple[str, ...]:
    """Colours that appear in the scene."""
    return tuple(c for c in COLORS if any(t.color == c for t in scene.things))
