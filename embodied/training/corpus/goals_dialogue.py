"""Goal sentences that must be refused, and sentences that lean on the one before."""

from __future__ import annotations

import random
from dataclasses import dataclass

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.goals import clause
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import say, templates
from embodied.training.corpus.putting import INTO, ONTO, PUT
from embodied.training.corpus.scenes import refer

_WORDS = templates("goals_dialogue")

IMPOSSIBLE = _WORDS["impossible"]
ELSEWHERE = _WORDS["elsewhere"]
CHAT = _WORDS["chat"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A sentence after another one."""

    before: str
    before_slots: str
    sentence: str
    slots: str


def refused(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> tuple[str, str]:
    """A sentence that cannot be done here, and ``cannot REASON``."""
    items = [t for t in scene.things if t.kind == "item"]
    places = [t for t in scene.things if t.kind != "item"]
    item, place = rng.choice(items), rng.choice(places or items)
    x, t = refer(rng, item, scene), refer(rng, place, scene)
    prep = INTO if place.kind in ("container", "drawer") else ONTO
    kind = rng.choices(("object", "ambiguous", "action", "relation", "chat"), (5, 4, 4, 3, 3))[0]
    if kind == "object":
        return _unknown(rng, scene, lexicon, x, t, prep), "cannot object"
    if kind == "ambiguous":
        groups: dict[str, list[Thing]] = {}
        for thing in scene.things:
            if len(thing.name) > 1:
                groups.setdefault(thing.category, []).append(thing)
        # where one of them is called just that, "the drawer" is no question
        several = [k for k, v in groups.items() if len(v) > 1 and all(t.name != k for t in v)]
        if not several:
            return _unknown(rng, scene, lexicon, x, t, prep), "cannot object"
        c = rng.choice(several)
        kind_of = groups[c][0].kind
        if kind_of == "item":
            other = rng.choice([o for o in scene.things if o.category != c] or [place])
            o = refer(rng, other, scene)
            prep = INTO if other.kind in ("container", "drawer") else ONTO
            template = (
                _WORDS["refused"].format(PUT=PUT, prep=prep) + prep + " {o}"
                f"|the {{c}} goes {prep} {{o}}|{PUT} one {{c}} {prep} {{o}}|take the {{c}})"
            )
            return say(rng, template, c=c, o=o), "cannot ambiguous"
        if kind_of == "drawer":
            return (
                say(
                    rng, f"((open|close|shut|pull open) the drawer|{PUT} {{x}} in the drawer)", x=x
                ),
                "cannot ambiguous",
            )
        p = INTO if kind_of == "container" else ONTO
        return say(rng, f"{PUT} {{x}} {p} the {{c}}", x=x, c=c), "cannot ambiguous"
    if kind == "action":
        if rng.random() < 0.4:
            return say(rng, ELSEWHERE), "cannot action"
        tail = rng.choice(("", "", "", " and put it " + say(rng, prep) + " {t}", " with {t}"))
        return say(rng, f"{IMPOSSIBLE} {{x}}{tail}", x=x, t=t), "cannot action"
    if kind == "relation":
        other = rng.choice([o for o in scene.things if o is not item])
        return (
            say(
                rng,
                _WORDS["refused-cannot-relation"].format(PUT=PUT),
                x=x,
                o=refer(rng, other, scene),
                t=t,
                n=str(rng.choice((2, 3, 5, 8, 10, 12, 15, 20, 30))),
            ),
            "cannot relation",
        )
    return say(rng, CHAT, x=x, t=t, c=item.category + "s"), "cannot chat"


def _unknown(
    rng: random.Random, scene: SceneView, lexicon: Lexicon, x: str, t: str, prep: str
) -> str:
    present = {w for o in scene.things for w in (*o.name.split("-"), *o.aliases, o.category)}
    draw = rng.random()
    noun = rng.choice([n for n in lexicon.absent if n not in present])
    if draw < 0.35:
        colored = [o for o in scene.things if o.color and o.kind == "item"]
        if colored:
            o = rng.choice(colored)
            missing = [c for c in COLORS[:9] if c not in present]
            if missing:
                noun = f"{rng.choice(missing)} {o.category}"
    elif draw < 0.55:
        theme = rng.choice(sorted(lexicon.items))
        fresh = [n.split("=")[0] for n in lexicon.items[theme] if not set(n.split("=")) & present]
        noun = rng.choice(fresh or [noun])
    return say(rng, _WORDS["unknown"].format(PUT=PUT, prep=prep), n=noun, x=x, t=t)


_OPEN = _WORDS["open"]


def correction(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Turn | None:
    """A sentence and a follow-up whose meaning needs it."""
    items = [t for t in scene.things if t.kind == "item"]
    if len(items) < 2:
        return None
    item = rng.choice(items)
    places = [t for t in scene.things if t is not item]
    place = rng.choice(places)
    preposition, prep = ("in", INTO) if place.kind in ("container", "drawer") else ("on", ONTO)
    before = say(
        rng,
        f"({PUT} {{x}} {prep} {{t}}|{{x}} {prep} {{t}})",
        x=refer(rng, item, scene),
        t=refer(rng, place, scene),
    )
    before_slots = f"put {item.name} {preposition} {place.name}"
    others = [t for t in items if t not in (item, place)]
    same = [t for t in others if t.category == item.category]
    style = rng.randrange(11)
    if style <= 2 and others:  # another item instead
        o = rng.choice(same or others)
        phrase = refer(rng, o, scene, noun_known=item.category)
        sibling = len([t for t in items if t.category == item.category]) == 2 and o in same
        if sibling and rng.random() < 0.5:
            phrase = rng.choice(
                ("the other one", "the other", f"the other {o.category}", "other one")
            )
        text = say(
            rng, _WORDS["correction"].format(_OPEN=_OPEN), o=phrase, x=refer(rng, item, scene)
        )
        return Turn(before, before_slots, text, f"put {o.name} {preposition} {place.name}")
    if style <= 4 and others:  # another item too
        o = rng.choice(same or others)
        phrase = refer(rng, o, scene, noun_known=item.category)
        sibling = len([t for t in items if t.category == item.category]) == 2 and o in same
        if sibling and rng.random() < 0.5:
            phrase = rng.choice(("the other one", "the other", f"the other {o.category}"))
        text = say(rng, _WORDS["correction-2"], o=phrase)
        return Turn(before, before_slots, text, f"put {o.name} {preposition} {place.name}")
    if style <= 7:  # another target
        options = [t for t in places if t is not place and (t.kind != "item" or rng.random() < 0.3)]
        if not options:
            return None
        t = rng.choice(options)
        p, prep2 = ("in", INTO) if t.kind in ("container", "drawer") else ("on", ONTO)
        phrase = refer(rng, t, scene, noun_known=place.category)
        text = say(
            rng,
            _WORDS["correction-3"].format(_OPEN=_OPEN, prep2=prep2, PUT=PUT),
            t=phrase,
            p=refer(rng, place, scene),
        )
        return Turn(before, before_slots, text, f"put {item.name} {p} {t.name}")
    if style == 8 and place.kind == "item":
        text = say(
            rng, _WORDS["correction-4"], t=refer(rng, place, scene), x=refer(rng, item, scene)
        )
        return Turn(before, before_slots, text, f"put {place.name} on {item.name}")
    if style == 9 and others:  # on top of it
        o = rng.choice(others)
        text = say(rng, _WORDS["correction-5"], o=refer(rng, o, scene, noun_known=item.category))
        return Turn(before, before_slots, text, f"put {o.name} on {item.name}")
    drawers = [t for t in scene.things if t.kind == "drawer"]
    if style == 10 and drawers:
        d = rng.choice(drawers)
        verb = rng.choice(("open", "close"))
        name = refer(rng, d, scene)
        if rng.random() < 0.5:
            text = say(
                rng,
                _WORDS["correction-text"]
                if verb == "open"
                else "((now|and|then|ok|) open it (again|up|)|open (it|that one) (again|))",
            )
            back = "close" if verb == "open" else "open"
            return Turn(f"{verb} {name}", f"{verb} {d.name}", text, f"{back} {d.name}")
        if len(drawers) == 2:
            o = next(t for t in drawers if t is not d)
            text = say(
                rng,
                _WORDS["correction-6"].format(_OPEN=_OPEN),
                o=refer(rng, o, scene, noun_known="drawer"),
                d=name,
            )
            return Turn(f"{verb} {name}", f"{verb} {d.name}", text, f"{verb} {o.name}")
    said = clause(rng, scene, lexicon)  # a new instruction that does not lean on the first
    return Turn(before, before_slots, said.sentence, said.slots)
