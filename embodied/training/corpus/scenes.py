# ruff: noqa: E501 - templates are read as whole lines
"""Random scenes and how people refer to what is in them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.lexicon import COLORS, Lexicon


def plural(noun: str) -> str:
    """English plural of a noun."""
    irregular = {"knife": "knives", "shelf": "shelves", "mouse": "mice", "dice": "dice"}
    if noun in irregular:
        return irregular[noun]
    if noun in ("scissors", "pliers", "tongs"):
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun in ("tomato", "potato", "mango") else "s")


def random_scene(rng: random.Random, lexicon: Lexicon) -> SceneView:
    """Some items of one or two themes, containers, a drawer or two, one or two surfaces."""
    themes = rng.sample(sorted(lexicon.items), rng.choice((1, 1, 2)))
    nouns = [n for t in themes for n in lexicon.items[t]]
    things: list[Thing] = []
    taken: set[str] = set()
    target = rng.randint(3, 8)
    while len(things) < target:
        entry = rng.choice(nouns)
        noun, *aliases = entry.split("=")
        kept = tuple(aliases) if rng.random() < 0.4 else ()
        for thing in _named(rng, noun, kept):
            if thing.name not in taken and len(things) < target + 1:
                taken.add(thing.name)
                things.append(thing)
    for kind, options, n in (
        ("container", lexicon.containers, rng.choice((1, 1, 2, 2, 3))),
        ("drawer", lexicon.drawers, rng.choice((0, 0, 1, 1, 2))),
        ("surface", lexicon.surfaces, rng.choice((1, 1, 2))),
    ):
        for _ in range(n):
            noun, *aliases = rng.choice(options).split("=")
            color = rng.choice(COLORS) if rng.random() < 0.25 else ""
            if kind == "drawer":
                name, category = (f"{noun}-drawer" if noun else "drawer"), "drawer"
                aliases, color = [], ""
            else:
                category = noun
                name = f"{color}-{noun}" if color and rng.random() < 0.6 else noun
            clash = any(t.category == category and t.kind != kind for t in things)
            if name in taken or clash:
                continue
            taken.add(name)
            kept = tuple(aliases) if rng.random() < 0.3 else ()
            things.append(Thing(name=name, kind=kind, category=category, color=color, aliases=kept))
    return SceneView(things=tuple(things))


def _named(rng: random.Random, noun: str, aliases: tuple[str, ...]) -> list[Thing]:
    draw = rng.random()
    if draw < 0.45:  # red-block, blue-block ...
        colors = rng.sample(COLORS, rng.choice((1, 2, 2, 3, 4)))
        return [_item(f"{c}-{noun}", noun, c, aliases) for c in colors]
    if draw < 0.62:  # bolt-a, bolt-b ...
        marks = rng.choice(("abcd", "1234", ("small", "large"), ("left", "right"), "xyz"))
        front = isinstance(marks, tuple)
        n = rng.choice((2, 2, 3)) if not front else 2
        return [
            _item(f"{m}-{noun}" if front else f"{noun}-{m}", noun, "", aliases) for m in marks[:n]
        ]
    if draw < 0.65:  # a, b, c
        return [_item(m, noun, "", ()) for m in "abcdef"[: rng.randint(2, 5)]]
    if draw < 0.69:  # b1, b2, b3 ...
        numbers = rng.sample(range(1, 13), rng.randint(3, 8))
        return [_item(f"{noun[0]}{i}", noun, "", ()) for i in numbers]
    color = rng.choice(COLORS) if rng.random() < 0.35 else ""
    return [_item(noun, noun, color, aliases)]


def _item(name: str, noun: str, color: str, aliases: tuple[str, ...]) -> Thing:
    return Thing(name=name, kind="item", category=noun, color=color, aliases=aliases)


def refer(
    rng: random.Random, thing: Thing, scene: SceneView, *, noun_known: str = "", article: str = ""
) -> str:
    """A phrase that means exactly this thing in this scene.

    Args:
        rng: Source of choices.
        thing: What is meant.
        scene: Where; decides what is unique.
        noun_known: Category that was just spoken of, so that "the red one" is understood.
        article: ``"the "`` unless given.
    """
    the = article or "the "
    spoken = thing.name.replace("-", " ")
    options = [the + spoken] * 3
    same = [t for t in scene.things if t.category == thing.category]
    mark = thing.name.replace(thing.category, "").strip("-")
    if len(thing.name) == 1 or (len(thing.name) < 4 and thing.name[1:].isdigit()):
        return rng.choice((thing.name, f"{thing.category} {thing.name}", thing.name))
    if len(same) == 1:
        options += [the + thing.category] * 3
        options += [the + a for a in thing.aliases[:1] if _unique_word(a, scene)]
    if thing.color:
        twins = [t for t in scene.things if t.color == thing.color]
        if [t for t in same if t.color == thing.color] == [thing]:
            options += [f"{the}{thing.color} {thing.category}"] * 2
            options += [
                f"{the}{thing.color} {a}" for a in thing.aliases[:1] if _unique_word(a, scene)
            ]
            if rng.random() < 0.2:
                options += [
                    f"{the}{thing.category} that is {thing.color}",
                    f"{the}{thing.color} colored {thing.category}",
                    f"{the}{thing.category} in {thing.color}",
                    f"{the}{thing.color} one of the {plural(thing.category)}",
                ]
            if noun_known == thing.category:
                options += [f"{the}{thing.color} one"] * 4 + [f"{the}{thing.color}"]
        if twins == [thing] and thing.kind == "item":
            options += [f"{the}{thing.color} {w}" for w in ("thing", "one", "object")]
            if rng.random() < 0.5:
                options.append(the + thing.color)
    elif noun_known == thing.category and len(same) > 1 and "-" in thing.name:
        options += [mark] * 2 + ([f"the {mark} one"] if len(mark) > 1 else [])
    if mark in _OTHER_MARKS and len(same) > 1 and rng.random() < 0.3:
        options = [f"{the}{m}".format(noun=thing.category) for m in _OTHER_MARKS[mark]]
    return rng.choice(options)


_OTHER_MARKS = {
    "small": ("little {noun}", "smaller {noun}", "smallest {noun}", "tiny {noun}"),
    "large": ("big {noun}", "bigger {noun}", "larger {noun}", "biggest {noun}"),
    "left": ("{noun} on the left", "left-hand {noun}", "leftmost {noun}"),
    "right": ("{noun} on the right", "right-hand {noun}", "rightmost {noun}"),
    "1": ("first {noun}", "{noun} number one", "{noun} number 1"),
    "2": ("second {noun}", "{noun} number two", "{noun} number 2"),
    "3": ("third {noun}", "{noun} number three", "{noun} number 3"),
}
"""What else people say for the marks that tell things of one kind apart."""


def mended(rng: random.Random, thing: Thing, scene: SceneView) -> str:
    """A slip of the tongue that is put right at once: "the red, no, the blue one"."""
    others = [t for t in scene.things if t.kind == thing.kind and t is not thing]
    same = [t for t in others if t.category == thing.category]
    if not others:
        return refer(rng, thing, scene)
    wrong = rng.choice(same or others)
    slip = rng.choice(
        (", no, ", ", sorry, ", ", i mean ", ", no wait, ", " - no, ", ", or rather ")
    )
    right = refer(rng, thing, scene, noun_known=wrong.category)
    if rng.random() < 0.25:
        return f"not {refer(rng, wrong, scene)} but {right}"
    return f"{refer(rng, wrong, scene)}{slip}{right}"


def _unique_word(word: str, scene: SceneView) -> bool:
    holders = [t for t in scene.things if word in (*t.aliases, t.category, *t.name.split("-"))]
    return len({t.category for t in holders}) == 1 and len(holders) == 1


def several(rng: random.Random, names: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(names) == 1:
        return names[0]
    joint = rng.choice((" and ", " and ", " and ", ", ", " & ", " + ", " as well as ", " plus "))
    return ", ".join(names[:-1]) + joint + names[-1]
