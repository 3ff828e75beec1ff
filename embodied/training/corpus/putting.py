"""Clauses about putting things somewhere: in, on, one of two, towers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.lexicon import Lexicon
from embodied.training.corpus.phrasing import say, templates
from embodied.training.corpus.scenes import mended, plural, refer, several

_WORDS = templates("goals")


@dataclass(frozen=True, slots=True)
class Said:
    """A clause, what it means, and the item and target that "it" and "there" could stand for."""

    sentence: str
    slots: str
    item: Thing | None = None
    target: Thing | None = None


PUT = _WORDS["put-6"]
INTO = "(in|in|into|into|inside|inside of|to|in to|within)"
ONTO = "(on|on|onto|on top of|on to|atop|over on|upon|to)"


def items_of(scene: SceneView) -> list[Thing]:
    """What can be moved."""
    return [t for t in scene.things if t.kind == "item"]


def of_kind(scene: SceneView, *kinds: str) -> list[Thing]:
    """Things of some kinds."""
    return [t for t in scene.things if t.kind in kinds]


def target_of(rng: random.Random, scene: SceneView, not_these: list[Thing]) -> Thing:
    """Something that items can be put in or on."""
    pools = [
        of_kind(scene, "container"),
        of_kind(scene, "container", "drawer"),
        of_kind(scene, "surface"),
    ]
    pools += [items_of(scene)]
    while True:
        pool = [t for t in rng.choice(pools) if t not in not_these]
        if pool:
            return rng.choice(pool)


def preposition_of(target: Thing) -> tuple[str, str]:
    """Preposition of a target's slot, and a template of how it is said."""
    return ("in", INTO) if target.kind in ("container", "drawer") else ("on", ONTO)


def set_of(rng: random.Random, scene: SceneView, target: Thing | None) -> tuple[str, str, int]:
    """A phrase for one or several items, its slots, and how many items it means."""
    items = [t for t in items_of(scene) if t is not target]
    draw = rng.random()
    by_category: dict[str, list[Thing]] = {}
    by_color: dict[str, list[Thing]] = {}
    for t in items:
        by_category.setdefault(t.category, []).append(t)
        if t.color:
            by_color.setdefault(t.color, []).append(t)
    groups = {k: v for k, v in by_category.items() if len(v) > 1}
    if draw < 0.40:
        one = rng.choice(items)
        phrase = mended(rng, one, scene) if rng.random() < 0.06 else refer(rng, one, scene)
        return phrase, one.name, 1
    if draw < 0.58 and len(items) > 2:
        chosen = rng.sample(items, rng.choice((2, 2, 3)))
        known = ""
        phrases: list[str] = []
        for t in chosen:
            phrases.append(refer(rng, t, scene, noun_known=known))
            known = t.category
        same = {t.category for t in chosen}
        if len(same) == 1 and rng.random() < 0.6:
            category = chosen[0].category
            marks = [t.name.replace(category, "").strip("-") for t in chosen]
            if all(marks) and category in chosen[0].name:
                noun = plural(category)
                lead = chosen[0].name.startswith(category)
                words = several(rng, marks)
                phrase = (
                    say(rng, "(the|) {n} {w}", n=noun, w=words)
                    if lead
                    else say(rng, "the {w} {n}", n=rng.choice((noun, noun, category)), w=words)
                )
                return phrase, " ".join(t.name for t in chosen), len(chosen)
        if len(chosen) == 2 and rng.random() < 0.2:
            return f"both {phrases[0]} and {phrases[1]}", " ".join(t.name for t in chosen), 2
        return several(rng, phrases), " ".join(t.name for t in chosen), len(chosen)
    if draw < 0.74 and groups:
        category = rng.choice(sorted(groups))
        members = groups[category]
        noun = category
        if members[0].aliases and rng.random() < 0.4:
            noun = members[0].aliases[0]
            if noun in by_category:
                noun = category
        many = plural(noun)
        n = {2: "two", 3: "three", 4: "four", 5: "five"}.get(len(members), "")
        counted = f"|all {n} {many}|the {n} {many}" if n else ""
        if len(members) == 2:
            counted += f"|both {many}|both the {many}|both of the {many}|the pair of {many}"
        phrase = say(rng, _WORDS["set"].format(many=many, noun=noun, counted=counted))
        slots = f"all {category}"
        if len(members) > 1 and rng.random() < 0.3:
            out = rng.choice(members)
            mark = refer(rng, out, scene, noun_known=category)
            slots += f" but {out.name}"
            but = "(except|except for|but|but not|apart from|other than|besides|minus|without|not)"
            phrase = say(rng, f"(all {many}|all the {many}|every {noun}|the {many})")
            if out.color and rng.random() < 0.25:
                phrase = say(
                    rng,
                    f"(every {noun} that is not|every {noun} that isn't|all {many} that are not"
                    f"|each non-{out.color} {noun},|all {many} which aren't) " + out.color,
                ).replace(f"non-{out.color} {noun}, {out.color}", f"non-{out.color} {noun}")
                if len([m for m in members if m.color == out.color]) == 1:
                    return phrase, slots, len(members) - 1
                phrase = say(rng, f"(all {many}|every {noun})")
            phrase += " " + say(rng, but) + " " + mark
            return phrase, slots, len(members) - 1
        return phrase, slots, len(members)
    if draw < 0.82 and by_color:
        color = rng.choice(sorted(by_color))
        phrase = say(rng, _WORDS["set-2"].format(color=color))
        return phrase, f"all {color}", len(by_color[color])
    if draw < 0.91:
        phrase = say(rng, _WORDS["set-3"])
        return phrase, "all", len(items)
    out = rng.sample(items, rng.choice((1, 1, 2)) if len(items) > 2 else 1)
    phrase = say(rng, _WORDS["set-4"])
    known = ""
    return (
        f"{phrase} {several(rng, [refer(rng, t, scene, noun_known=known) for t in out])}",
        f"all but {' '.join(t.name for t in out)}",
        len(items) - len(out),
    )


def put(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Put a set of items in or on something."""
    target = target_of(rng, scene, [])
    if target.kind == "item" and rng.random() < 0.8:
        item = rng.choice([t for t in items_of(scene) if t is not target] or [target])
        if item is target:
            return None
        known = item.category
        phrase, slots, n = refer(rng, item, scene), item.name, 1
    else:
        phrase, slots, n = set_of(rng, scene, target if target.kind == "item" else None)
        known = ""
        item = next((t for t in scene.things if t.name == slots), None)
        if target.kind == "item" and n > 1:
            return None
    if target.name in slots.split():
        return None
    preposition, prep = preposition_of(target)
    where = refer(rng, target, scene, noun_known=known)
    be = "is|is|'s" if n == 1 else "are|are"
    go = "goes" if n == 1 else "go"
    belong = "belongs" if n == 1 else "belong"
    template = (
        rng.choice(
            (
                f"{PUT} {{x}} {prep} {{t}}",
                f"{PUT} {{x}} {prep} {{t}}",
                f"{PUT} {{x}} {prep} {{t}}",
                f"{{x}} {prep} {{t}}",
                _WORDS["put"].format(go=go, belong=belong, prep=prep),
                _WORDS["put-template"].format(prep=prep),
                _WORDS["put-template-2"].format(be=be, prep=prep),
                f"{{x}} (should|must|ought to|has to|needs to) (be|end up|sit|lie) {prep} {{t}}",
                _WORDS["put-template-3"].format(PUT=PUT, prep=prep),
                f"{prep} {{t}} (put|place|goes|i want|should be|set|lay|we need) {{x}}",
                "{x} -> {t}",
                "(fill|load) {t} with {x}"
                if preposition == "in"
                else "(top|cover|crown) {t} with {x}",
                f"let {{x}} (be|sit|go|rest) {prep} {{t}}",
                "{t} (should|must) (hold|contain|have|get) {x}"
                if preposition == "in"
                else "{t} (should|must) (support|carry|have) {x} (on it|on top)",
                _WORDS["put-template-4"].format(prep=prep),
                "{x} (to|, |: |) {t}",
                "{t} (for|gets|takes) {x}",
                _WORDS["put-template-5"].format(prep=prep),
                f"{{t}} is (where {{x}} ({belong}|{go}|should be)|the place for {{x}})",
                f"(can|could|may) {{x}} (go|be) {prep} {{t}}",
                f"(find|locate|go get|look for) {{x}} and {PUT} (it|them|that) {prep} {{t}}",
                f"{{x}} (want|wants|would like) to be {prep} {{t}}",
                f"{PUT} {{x}} away {prep} {{t}}",
                _WORDS["put-template-6"].format(PUT=PUT, prep=prep),
                _WORDS["put-2"].format(be=be, prep=prep),
                _WORDS["put-template-7"].format(prep=prep),
                (
                    f"{{x}} (is missing|isn't yet|is not yet) {prep} {{t}}"
                    if n == 1
                    else f"{{x}} (are missing|aren't yet) {prep} {{t}}"
                ),
                "{t} (needs|is missing|lacks|wants|could use) {x}",
                f"there should be {{x}} {prep} {{t}}",
                "(carry|bring|take|move|walk) {x} (over|across|along|back) to {t}",
                "drop {x} off (at|in|on) {t}",
                f"{{x}} (off|over|down|back) {prep} {{t}}",
                f"{PUT} {{x}} (down|back|over|right|straight|safely|neatly) {prep} {{t}}",
                "(use|reserve) {t} for {x}",
                f"(find|make) (a place|room|a home|space) for {{x}} {prep} {{t}}",
                f"(have|get) {{x}} (moved|put|placed|brought|stowed) {prep} {{t}}",
                f"{{x}} would be (better off|better|safer|happier) {prep} {{t}}",
                f"{{x}} (has|have) to (move|go|get|end up|wind up|land) {prep} {{t}}",
                f"(for|as for|about|concerning) {{x}}, {PUT} (it|them) {prep} {{t}}",
                f"(when you are done|at the end|in the end|finally), {{x}} ({be}) {prep} {{t}}",
                f"why (isn't|is not|aren't) {{x}} {prep} {{t}}, {PUT} (it|them) there",
                _WORDS["put-3"].format(PUT=PUT, prep=prep),
                _WORDS["put-template-8"].format(prep=prep),
            )
        )
        if rng.random() < 0.85
        else f"{PUT} {{x}} {prep} {{t}}"
    )
    if rng.random() < 0.03:
        other = rng.choice([t for t in scene.things if t is not target])
        if other.name not in slots.split() and other.kind != "item":
            no = refer(rng, other, scene, noun_known=target.category)
            template = _WORDS["put-4"].format(PUT=PUT, prep=prep, no=no, go=go)
    if preposition == "in" and rng.random() < 0.05:
        template = "(tidy|clear|clean|sort|hide) {x} (away|) (into|in) {t}"
    if target.kind == "item" and rng.random() < 0.15:
        # the same relation said from below
        if item is None:
            return None
        sentence = say(
            rng,
            _WORDS["put-5"].format(PUT=PUT),
            x=refer(rng, item, scene, noun_known=target.category),
            t=refer(rng, target, scene),
        )
        return Said(sentence, f"put {item.name} on {target.name}", item, target)
    if target.kind == "item" and rng.random() < 0.2:
        template = rng.choice(("stack {x} (on|onto|on top of|atop) {t}", "(stack|pile) {x} on {t}"))
    sentence = say(rng, template, x=phrase, t=where)
    return Said(sentence, f"put {slots} {preposition} {target.name}", item, target)


def either(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """One of two."""
    items = items_of(scene)
    if len(items) < 3:
        return None
    a, b = rng.sample(items, 2)
    target = target_of(rng, scene, [a, b])
    preposition, prep = preposition_of(target)
    sentence = say(
        rng,
        _WORDS["either"].format(PUT=PUT, prep=prep),
        a=refer(rng, a, scene),
        b=refer(rng, b, scene, noun_known=a.category),
        t=refer(rng, target, scene),
    )
    t = f"{preposition} {target.name}"
    return Said(sentence, f"either put {a.name} {t} or put {b.name} {t}")


def stack(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Towers of three to five."""
    items = items_of(scene)
    if len(items) < 3:
        return None
    groups: dict[str, list[Thing]] = {}
    for t in items:
        groups.setdefault(t.category, []).append(t)
    group = rng.choice(list(groups.values()))
    n = rng.choice((3, 3, 3, 4))
    order = rng.sample(
        group if len(group) >= n and rng.random() < 0.7 else items, min(n, len(items))
    )
    if len(order) < 3:
        return None
    known = ""
    p: list[str] = []
    for t in order:
        p.append(refer(rng, t, scene, noun_known=known))
        known = t.category
    names = " ".join(t.name for t in order)
    style = rng.randrange(10)
    make = "(build|make|create|construct|form|i want|i need|erect|put up|give me)"
    tower = "a (tower|stack|pile|column)"
    if style == 0:
        sentence = say(
            rng,
            _WORDS["stack"].format(make=make, tower=tower),
            a=p[0],
            m=", ".join(p[1:-1]),
            z=p[-1],
        )
        return Said(sentence, f"tower {names}")
    if style == 1:
        sentence = say(
            rng,
            f"({make} {tower}|stack them|stack) (with|:|,|so that) "
            + " (on top of|on|over|above|atop) ".join(p),
        )
        return Said(sentence, f"stack {names}")
    if style == 2:
        sentence = say(
            rng,
            f"{make} {tower} (of|from|with|out of) {several(rng, p)}"
            ", (from bottom to top|bottom to top|bottom up|starting from the bottom|starting at the"
            " bottom|in that order from the bottom)",
        )
        return Said(sentence, f"tower {names}")
    if style == 3:
        sentence = say(
            rng,
            f"{make} {tower} (of|from|with|out of) {several(rng, p)}"
            ", (from top to bottom|top to bottom|top down|starting from the top|in that order from"
            " the top)",
        )
        return Said(sentence, f"stack {names}")
    if style == 4:
        first, second = order[0], order[1]
        sentence = say(rng, _WORDS["stack-2"], a=p[0], b=p[1], c=p[2])
        del first, second
        return Said(sentence, f"stack {' '.join(t.name for t in order[:3])}")
    if style == 5:
        sentence = say(
            rng, _WORDS["stack-3"].format(make=make, tower=tower), a=p[0], m=p[1], z=p[2]
        )
        return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
    if style == 7:
        sentence = say(
            rng, _WORDS["stack-4"], a=p[0], b=p[1], c=p[2], b2=refer(rng, order[1], scene)
        )
        return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
    if style == 8:
        sentence = say(
            rng, _WORDS["stack-5"], a=p[0], b=p[1], c=p[2], b2=refer(rng, order[1], scene)
        )
        return Said(sentence, f"stack {' '.join(t.name for t in reversed(order[:3]))}")
    if style == 6:
        sentence = say(rng, _WORDS["stack-6"], a=p[0], b=p[1], c=p[2])
        return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
    sentence = say(
        rng,
        "(put|stack|place) {b} (on|on top of|onto) {a} and {c} (on|on top of|onto) {b2}",
        a=p[0],
        b=p[1],
        c=p[2],
        b2=refer(rng, order[1], scene),
    )
    return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
