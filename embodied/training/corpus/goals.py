# ruff: noqa: E501 - templates are read as whole lines
"""Sentences whose meaning is a PDDL goal, with the slots that say it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import say
from embodied.training.corpus.scenes import mended, plural, refer, several


@dataclass(frozen=True, slots=True)
class Said:
    """A clause, what it means, and the item and target that "it" and "there" could stand for."""

    sentence: str
    slots: str
    item: Thing | None = None
    target: Thing | None = None


PUT = (
    "(put|put|put|place|set|move|get|bring|drop|stick|pop|lay|leave|deposit|transfer|shift|chuck"
    "|throw|toss|stash|stow|store|relocate|slide|pack|dump|shove|park|plop|sling|rest|position|tuck|slot"
    "|hurl|bung|fling|plonk|nestle|sit|lob|return|tip|carry|add|insert|send|keep|haul|drag|hide|heap"
    "|perch|mount|balance|land|ferry|pitch|heave|lug|house|settle|pile|cast|deliver|install|scoop)"
)
INTO = "(in|in|into|into|inside|inside of|to|in to|within)"
ONTO = "(on|on|onto|on top of|on to|atop|over on|upon|to)"


def _items(scene: SceneView) -> list[Thing]:
    return [t for t in scene.things if t.kind == "item"]


def _kind(scene: SceneView, *kinds: str) -> list[Thing]:
    return [t for t in scene.things if t.kind in kinds]


def _target(rng: random.Random, scene: SceneView, not_these: list[Thing]) -> Thing:
    pools = [
        _kind(scene, "container"),
        _kind(scene, "container", "drawer"),
        _kind(scene, "surface"),
    ]
    pools += [_items(scene)]
    while True:
        pool = [t for t in rng.choice(pools) if t not in not_these]
        if pool:
            return rng.choice(pool)


def _prep(target: Thing) -> tuple[str, str]:
    return ("in", INTO) if target.kind in ("container", "drawer") else ("on", ONTO)


def _set(rng: random.Random, scene: SceneView, target: Thing | None) -> tuple[str, str, int]:
    """A phrase for one or several items, its slots, and how many items it means."""
    items = [t for t in _items(scene) if t is not target]
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
        phrase = say(
            rng,
            f"(all {many}|all the {many}|all of the {many}|every {noun}|each {noun}|the {many}"
            f"|the {many}|any {noun} you see{counted})",
        )
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
        phrase = say(
            rng,
            f"(everything {color}|all {color} things|all the {color} (things|objects|ones|stuff)"
            f"|every {color} (thing|object)|anything {color}|whatever is {color}|the {color} things"
            f"|all {color} items|all that is {color})",
        )
        return phrase, f"all {color}", len(by_color[color])
    if draw < 0.91:
        phrase = say(
            rng,
            "(everything|everything|all items|all the things|all objects|all of it|all|it all"
            "|the whole lot|all the stuff|every single thing|every object|every item|all of them"
            "|the lot|all of these)",
        )
        return phrase, "all", len(items)
    out = rng.sample(items, rng.choice((1, 1, 2)) if len(items) > 2 else 1)
    phrase = say(
        rng,
        "(everything|everything|all things|all items|all|all objects|all of it|all of them)"
        " (except|except|except for|but|but|but not|apart from|other than|besides|aside from"
        "|save for|minus|excluding|bar)",
    )
    known = ""
    return (
        f"{phrase} {several(rng, [refer(rng, t, scene, noun_known=known) for t in out])}",
        f"all but {' '.join(t.name for t in out)}",
        len(items) - len(out),
    )


def put(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Put a set of items in or on something."""
    target = _target(rng, scene, [])
    if target.kind == "item" and rng.random() < 0.8:
        item = rng.choice([t for t in _items(scene) if t is not target] or [target])
        if item is target:
            return None
        known = item.category
        phrase, slots, n = refer(rng, item, scene), item.name, 1
    else:
        phrase, slots, n = _set(rng, scene, target if target.kind == "item" else None)
        known = ""
        item = next((t for t in scene.things if t.name == slots), None)
        if target.kind == "item" and n > 1:
            return None
    if target.name in slots.split():
        return None
    preposition, prep = _prep(target)
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
                f"{{x}} ({go}|{go}|should go|must go|has to go|can go|needs to go|{belong}"
                f"|{go} back|should be put|ought to go|shall go) {prep} {{t}}",
                f"i (want|need|would like|'d like|wanna have|wish to see|'d love) {{x}} {prep} {{t}}",
                f"(make sure|see to it|ensure|check that|take care) (that|) {{x}} ({be}) {prep} {{t}}",
                f"{{x}} (should|must|ought to|has to|needs to) (be|end up|sit|lie) {prep} {{t}}",
                f"(take|grab|pick up|get|fetch|collect|pick|grasp) {{x}} and"
                f" {PUT} (it|them|that) {prep} {{t}}",
                f"{prep} {{t}} (put|place|goes|i want|should be|set|lay|we need) {{x}}",
                "{x} -> {t}",
                "(fill|load) {t} with {x}"
                if preposition == "in"
                else "(top|cover|crown) {t} with {x}",
                f"let {{x}} (be|sit|go|rest) {prep} {{t}}",
                "{t} (should|must) (hold|contain|have|get) {x}"
                if preposition == "in"
                else "{t} (should|must) (support|carry|have) {x} (on it|on top)",
                f"(how about|what about|would you mind) (putting|placing|moving) {{x}} {prep} {{t}}",
                "{x} (to|, |: |) {t}",
                "{t} (for|gets|takes) {x}",
                f"(i'd rather have|it would be (nice|great) to have|we want|we need) {{x}} {prep} {{t}}",
                f"{{t}} is (where {{x}} ({belong}|{go}|should be)|the place for {{x}})",
                f"(can|could|may) {{x}} (go|be) {prep} {{t}}",
                f"(find|locate|go get|look for) {{x}} and {PUT} (it|them|that) {prep} {{t}}",
                f"{{x}} (want|wants|would like) to be {prep} {{t}}",
                f"{PUT} {{x}} away {prep} {{t}}",
                f"(don't|do not) leave {{x}} (out|lying around|there), {PUT} (it|them) {prep} {{t}}",
                f"{{x}} ({be}|{be} to be|{be} meant to be|{be} supposed to be) (kept|stored|placed|put|moved|left)"
                f" {prep} {{t}}",
                f"i(|'d) (expect|prefer|'d like to see|'d rather see|want to see|hope to find) {{x}} {prep} {{t}}",
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
                f"{PUT} {{x}} {prep} {{t}} (and nothing else|and leave the rest|and leave everything else"
                " alone|and touch nothing else|, that is all|, nothing more)",
                f"{{x}} {prep} {{t}}, (that is what i want|that would be great|got it|understood|that's it)",
            )
        )
        if rng.random() < 0.85
        else f"{PUT} {{x}} {prep} {{t}}"
    )
    if rng.random() < 0.03:
        other = rng.choice([t for t in scene.things if t is not target])
        if other.name not in slots.split() and other.kind != "item":
            no = refer(rng, other, scene, noun_known=target.category)
            template = (
                f"({PUT} {{x}} {prep} {{t}}, not {prep} {no}|{PUT} {{x}} {prep} {{t}} (rather than|instead of)"
                f" {prep} {no}|{{x}} {prep} {{t}}, not {no}|not {prep} {no} but {prep} {{t}} {{x}} ({go})"
                f"|{{x}} ({go}) {prep} {{t}} and not {prep} {no})"
            )
    if preposition == "in" and rng.random() < 0.05:
        template = "(tidy|clear|clean|sort|hide) {x} (away|) (into|in) {t}"
    if target.kind == "item" and rng.random() < 0.15:
        # the same relation said from below
        if item is None:
            return None
        sentence = say(
            rng,
            f"({PUT} {{t}} (under|below|underneath|beneath) {{x}}|{{t}} (under|below|underneath|beneath) {{x}}"
            f"|{{t}} (should|must|has to|needs to) (be|go|sit) (under|below|underneath|beneath) {{x}}"
            "|{t} (carries|supports|holds up) {x}|i want {t} (under|below) {x}"
            "|(base|rest|balance|perch) {x} on {t})",
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
    items = _items(scene)
    if len(items) < 3:
        return None
    a, b = rng.sample(items, 2)
    target = _target(rng, scene, [a, b])
    preposition, prep = _prep(target)
    sentence = say(
        rng,
        f"({PUT} (either|) {{a}} or {{b}} {prep} {{t}}|(either|) {{a}} or {{b}} (should|must|has to|"
        f"can) (go|be) {prep} {{t}}|{PUT} {{a}} or {{b}} {prep} {{t}}, (either is fine|whichever you"
        f" like|i don't mind which|does not matter which|your choice|any of the two))",
        a=refer(rng, a, scene),
        b=refer(rng, b, scene, noun_known=a.category),
        t=refer(rng, target, scene),
    )
    t = f"{preposition} {target.name}"
    return Said(sentence, f"either put {a.name} {t} or put {b.name} {t}")


def stack(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Towers of three to five."""
    items = _items(scene)
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
            f"{make} {tower} (with|of|from|:|,) {{a}} (at the bottom|on the bottom|at the base"
            "|lowest|first), (then|) {m} (and|, and|, then) {z} (on top|at the top|on the top|last)",
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
        sentence = say(
            rng,
            "(stack|put|place|set) {a} (on|on top of|onto) {b} (and|, and|,) "
            "(then|) ({b}|it|that) (on|on top of|onto) {c}",
            a=p[0],
            b=p[1],
            c=p[2],
        )
        del first, second
        return Said(sentence, f"stack {' '.join(t.name for t in order[:3])}")
    if style == 5:
        sentence = say(
            rng,
            f"{make} {tower} with {{z}} (on top|at the top|topmost), {{a}} (at the bottom|lowest|at"
            " the base) and {m} (in between|in the middle|between them)",
            a=p[0],
            m=p[1],
            z=p[2],
        )
        return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
    if style == 7:
        sentence = say(
            rng,
            "(start with {a}, (add|then|next|put) {b} (on it|on top|), (finish with|end with|then|and finally)"
            " {c}(| on top)|sandwich {b} between {a} (below|at the bottom|underneath) and {c} (above|on top|at"
            " the top)|{a} (supports|carries|holds) {b} and {b} (supports|carries|holds) {c}|{a} (under|below|"
            "beneath|underneath) {b} (and|,|) {b2} (under|below|beneath|underneath) {c}|{c} (sits|rests|goes|belongs)"
            " on {b}, which (sits|rests|goes|is) on {a}|{a} (first|goes down first|at the very bottom), {b} second,"
            " {c} (third|last)|(pile|stack|put) {b} (onto|on) {a} and (top|crown) (it|that) (off|) with {c}"
            "|a (tower|pile|stack) of three, (from the bottom|bottom to top|going up): {a}, {b}, {c}"
            "|{b} (goes|sits) (above|on) {a} and (under|below) {c}|(put|lay|set) {a} (down|at the bottom), {b} on"
            " (that|it|top) and {c} on (top of that|top|the very top))",
            a=p[0],
            b=p[1],
            c=p[2],
            b2=refer(rng, order[1], scene),
        )
        return Said(sentence, f"tower {' '.join(t.name for t in order[:3])}")
    if style == 8:
        sentence = say(
            rng,
            "((top|highest|uppermost) {c}, (middle|then|below it|under it) {b}, (bottom|lowest|at the base) {a}"
            "|{c} (on top of|over|above) {b} (on top of|over|above) {a}|{c} on {b} on {a}|{c} (sits|should sit|goes)"
            " on {b}, {b2} (on|on top of) {a}|stack {c} on {b} and {b2} on {a}|a (tower|pile|stack) of three,"
            " (from the top|top to bottom|going down): {c}, {b}, {a}|{c} on top of {b}, (that|both) on top of {a})",
            a=p[0],
            b=p[1],
            c=p[2],
            b2=refer(rng, order[1], scene),
        )
        return Said(sentence, f"stack {' '.join(t.name for t in reversed(order[:3]))}")
    if style == 6:
        sentence = say(
            rng,
            "{a} (at the bottom|on the bottom|as the base|lowest), {b} (in the middle|next|on it"
            "|above it), {c} (on top|at the top|on the very top)",
            a=p[0],
            b=p[1],
            c=p[2],
        )
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


def out(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Take something out of, or off, something."""
    item = rng.choice(_items(scene))
    target = _target(rng, scene, [item])
    x, t = refer(rng, item, scene), refer(rng, target, scene)
    if target.kind in ("container", "drawer"):
        sentence = say(
            rng,
            "((take|remove|get|pull|fetch|bring|lift|move) {x} (out of|from|out from) {t}"
            "|(get|have|take) {x} (out|outside) of {t}|{x} (must|should|may) not (be|stay|remain|lie)"
            " in {t}|(keep|leave) {x} out of {t}|no {x} in {t}|i don't want {x} in {t}"
            "|{x} (out of|outside) {t}|{x} has no business in {t}|{x} does not belong in {t}|(fish|dig|lift|slide)"
            " {x} out of {t}|{x} (needs|has) to (come|get|be|go) out of {t}|(free|rescue|unload|unpack) {x} from {t}"
            "|{x} (shouldn't|mustn't|can't) (be|stay) in {t}|{t} (should|must) not (contain|hold|have) {x}"
            "|i (want|need|would like) {x} (out of|outside) {t}|{x} must leave {t})",
            x=x,
            t=t,
        )
        return Said(sentence.replace("no the ", "no "), f"out {item.name} of {target.name}", item)
    sentence = say(
        rng,
        "((take|remove|get|lift|move|pull) {x} (off|off of|from|down from) {t}|{x} (must|should|may)"
        " not (be|stay|remain|sit) on {t}|i don't want {x} on {t}|{x} off {t}|unstack {x} from {t})",
        x=x,
        t=t,
    )
    return Said(sentence, f"off {item.name} of {target.name}", item)


def free(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Nothing in or on something."""
    target = rng.choice(scene.things)
    t = refer(rng, target, scene)
    if target.kind in ("container", "drawer"):
        template = (
            "(empty|empty out|clear out|unload|unpack|clean out) {t}|take (everything|all|all things"
            "|all of it) out of {t}|(get|remove|pull) everything (from|out of) {t}|{t} (should|must)"
            " (be|become) empty|(there should be|i want|leave) nothing in {t}|(get|have|make) {t}"
            " empty|nothing (may|should|must) (be|stay|remain) in {t}|everything out of {t}|get whatever is in {t} out"
            "|{t} (empty|emptied)|remove the contents of {t}|leave {t} empty|{t} (has to|needs to|ought to) be (empty"
            "|emptied)|i (need|want|would like) {t} (empty|emptied)|nothing (left|) in {t}|{t} with nothing in it"
            "|there (must|may) be nothing in {t}|all the things out of {t}|get rid of what is in {t}|{t} needs emptying"
        )
    elif target.kind == "surface":
        template = (
            "(clear|empty|clear off|clean off|tidy up|free up) {t}|(get|take|remove|move) (everything"
            "|all|all things) (off|from|off of) {t}|{t} (should|must) be (empty|clear|free)|nothing"
            " (may|should|must) (be|stay|remain) on {t}|(i want|leave|there should be) nothing on {t}"
            "|i need {t} (clear|empty|free)|everything off {t}|{t} is cluttered, clear it|declutter {t}"
            "|get rid of everything on {t}|{t} (clear|empty)|make (room|space) on {t}|clear (everything|all) away from {t}"
            "|{t} (has to|needs to) be (clear|empty|free|cleared)|strip {t} (bare|)|{t} needs (clearing|to be cleared)"
            "|nothing (left|) on {t}|{t} with nothing on it|leave {t} (bare|empty|clear)|there (must|may) be nothing on {t}"
        )
    else:
        template = (
            "(clear|free|uncover|clear off) {t}|(take|get|remove) (everything|whatever is|anything"
            "|all) (off|off of|from|from on top of) {t}|(nothing|no thing) (should|may|must) (be|sit"
            "|rest|lie) on (top of|) {t}|(make sure|see to it) (that|) nothing is on (top of|) {t}|{t}"
            " (should|must) (be|have) (clear|nothing on it|nothing on top)|i (want|need) {t} (free|"
            "clear|uncovered)|keep {t} clear|{t} with nothing on it|get whatever is on {t} off (it|)|(bare|expose|unload"
            "|dig out) {t}|there (must|should|may) be nothing on {t}|{t} (has to|needs to) be (clear|free|uncovered)"
            "|leave {t} (bare|uncovered|clear)|nothing on {t}|clear the top of {t}|the top of {t} (should|must) be (clear|free)"
        )
    sentence = say(rng, f"({template})", t=t)
    return Said(sentence, f"free {target.name}", target if target.kind == "item" else None)


def hold(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Pick something up."""
    item = rng.choice(_items(scene))
    sentence = say(
        rng,
        "(pick up {x}|pick {x} up|pick up {x}|grab {x}|hold {x}|lift {x}|grasp {x}|take {x}|take hold"
        " of {x}|get me {x}|fetch {x}|fetch me {x}|hand me {x}|give me {x}|raise {x}|bring me {x}|take"
        " {x} in your hand|pass me {x}|lift up {x}|get hold of {x}|have {x} in the gripper|grip {x}"
        "|i need {x} in your hand|seize {x}|grab me {x}|let me have {x}|(could|can|may) i have {x}|get {x}|snatch {x}"
        "|clutch {x}|retrieve {x}|hold on to {x}|keep hold of {x}|reach for {x} and (lift|hold|take) it|get your"
        " (hand|gripper) on {x}|i (need|want|'d like) {x}|lift {x} (up|off the table)|have {x} ready|take {x} and hold it"
        "|pick up {x} and (keep|hold) it|close your (gripper|hand|fingers) (on|around) {x}|get {x} off the ground|{x} in (the|"
        "your) (hand|gripper)|collect {x})",
        x=refer(rng, item, scene),
    )
    return Said(sentence, f"hold {item.name}", item)


def drawer(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Open or close drawers, alone or with something put in."""
    drawers = _kind(scene, "drawer")
    if not drawers:
        return None
    opening = "(open|open|open up|pull open|slide open|pull out|get open|yank open|tug open)"
    closing = "(close|close|shut|shut|push shut|push in|slide shut|close up|slam|push closed)"
    if len(drawers) == 2 and rng.random() < 0.3:
        verb = rng.choice(("open", "close"))
        sentence = say(
            rng,
            f"{opening if verb == 'open' else closing}"
            " (both drawers|the drawers|all drawers|both of the drawers|the two drawers|every drawer)",
        )
        return Said(sentence, " ; ".join(f"{verb} {d.name}" for d in drawers))
    if len(drawers) == 2 and rng.random() < 0.25:
        a, b = rng.sample(drawers, 2)
        sentence = say(
            rng,
            f"({opening} {{a}} and {closing} {{b}}|{opening} {{a}}, {closing} {{b}}"
            "|{a} (should be|must be|) open and {b} (should be|must be|) closed)",
            a=refer(rng, a, scene),
            b=refer(rng, b, scene, noun_known="drawer"),
        )
        return Said(sentence, f"open {a.name} ; close {b.name}")
    d = rng.choice(drawers)
    where = refer(rng, d, scene)
    draw = rng.random()
    if draw < 0.3:
        sentence = say(
            rng,
            f"({opening} {{d}}|open {{d}}|{{d}} open|(i want|i need|get|have) {{d}} open|{{d}} (should|"
            "must) be open|make {d} open|leave {d} open|{d} needs (opening|to be open|to be opened)|{d} (has to|ought to)"
            " be open|{d} must not be (closed|shut)|leave {d} (wide open|open)|have {d} opened|give {d} a pull)",
            d=where,
        )
        return Said(sentence, f"open {d.name}")
    if draw < 0.6:
        sentence = say(
            rng,
            f"({closing} {{d}}|close {{d}}|{{d}} (shut|closed)|(i want|i need|get|have) {{d}} (shut|"
            "closed)|{d} (should|must) be (shut|closed)|make sure {d} is (shut|closed)|{d} must not be"
            " open|push {d} closed|{d} needs (closing|to be closed|to be shut)|(don't|do not) leave {d} open"
            "|{d} (has to|ought to) be (shut|closed)|{d} is open, (close|shut) it|have {d} (shut|closed))",
            d=where,
        )
        return Said(sentence, f"close {d.name}")
    items, slots, n = _set(rng, scene, None)
    it = "it" if n == 1 else "them"
    del it
    sentence = say(
        rng,
        f"({opening} {{d}}, {PUT} {{x}} (in|inside|into it|in it) and (then|) (close|shut) it (again|)"
        f"|{PUT} {{x}} {INTO} {{d}} and (then|) (close|shut) (it|{{d}}) (again|afterwards|after that|)"
        f"|{PUT} {{x}} {INTO} {{d}}, then (close|shut) (it|the drawer)"
        f"|{{x}} {INTO} {{d}}, then (close|shut) it"
        f"|{PUT} {{x}} {INTO} {{d}} and (make sure|see that) it is (shut|closed) (afterwards|after|))",
        x=items,
        d=where,
    )
    return Said(sentence, f"put {slots} in {d.name} then close {d.name}")


def rest(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """Some here, the others there; or sorting by category."""
    items = _items(scene)
    places = _kind(scene, "container", "drawer", "surface")
    if len(items) < 3 or len(places) < 2:
        return None
    a, b = rng.sample(places, 2)
    (pa, prep_a), (pb, prep_b) = _prep(a), _prep(b)
    ra, rb = refer(rng, a, scene), refer(rng, b, scene)
    draw = rng.random()
    if draw < 0.15:
        x, y = rng.sample(items, 2)
        sentence = say(
            rng,
            f"({PUT} {{x}} {prep_a} {{a}} and {{y}} {prep_b} {{b}}|{{x}} {prep_a} {{a}}, {{y}} {prep_b} {{b}}"
            f"|{{x}} and {{y}} go {prep_a} {{a}} and {{b}} respectively|{{a}} gets {{x}} and {{b}} gets {{y}}"
            f"|{{x}} (goes|belongs) {prep_a} {{a}} (while|and|whereas) {{y}} (goes|belongs) {prep_b} {{b}})",
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
        sentence = say(
            rng,
            f"({PUT} (everything|all|it all|all the things) {prep_a} {{a}} but (leave|not|keep) {{x}}"
            f"|leave {{x}} (alone|where it is|as it is|in place|), {PUT} (everything else|the rest|all the rest|all others)"
            f" {prep_a} {{a}}|(don't touch|leave|keep) {{x}} but {PUT} (everything else|the rest|all else) {prep_a} {{a}}"
            f"|{{x}} ({be}|{be} here|{be} put), (the rest|everything else|all else) (goes|) {prep_a} {{a}}"
            f"|(everything|all) {prep_a} {{a}}, only {{x}} {be}|(all|everything) (goes|must go) {prep_a} {{a}}"
            " (except|but|apart from) {x})",
            x=phrase,
            a=ra,
        )
        return Said(sentence, f"put all but {' '.join(t.name for t in kept)} {pa} {a.name}")
    if draw < 0.5:
        colors = colors_used(SceneView(things=tuple(items)))
        if len(colors) < 2:
            return None
        c, d = rng.sample(colors, 2)
        thing = rng.choice(("ones", "things", "objects", "stuff", "items"))
        sentence = say(
            rng,
            f"((sort by colour:|sort them by color:|) (everything|all|all things) {{c}} {prep_a} {{a}}(,| and|, and)"
            f" (everything|all|all things) {{d}} {prep_b} {{b}}|(|put )(the|all|all the) {{c}} {thing} {prep_a} {{a}}"
            f" (and|,|, and) (the|all|all the) {{d}} {thing} {prep_b} {{b}}|{{c}} {prep_a} {{a}}, {{d}} {prep_b} {{b}}"
            f"|{{c}} {thing} (go|belong) {prep_a} {{a}}, {{d}} {thing} {prep_b} {{b}})",
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
            f"(sort|sort them,|sort everything,|tidy up,|) (the|all|all the|) {{c}} {prep_a} {{a}}"
            f" (and|,|, and) (the|all|all the|) {{d}} {prep_b} {{b}}"
            "|{c} -> {a}, {d} -> {b}",
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
        rng,
        f"{PUT} {{x}} {prep_a} {{a}} (and|,|, and|, but) (put|move|place|) (the rest|everything else"
        "|all the others|the others|all other things|the remaining things|whatever is left|all the"
        f" rest|the remaining ones) {prep_b} {{b}}",
        x=phrase,
        a=ra,
        b=rb,
    )
    return Said(sentence, f"put {names} {pa} {a.name} ; put all but {names} {pb} {b.name}")


def chain(rng: random.Random, scene: SceneView, lexicon: Lexicon) -> Said | None:
    """A list of which item is on which."""
    items = _items(scene)
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
    lead = say(
        rng,
        "(|||make (sure|it so) that|stack them so that|i want|arrange (the blocks|them|everything) so that"
        "|rearrange things so that|i want it like this:|the result:|in the end)",
    )
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
        others = [t for t in _items(scene) if t is not first.item]
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
        text = say(
            rng,
            "((first|first of all|start by:|to begin with|) {a}, (then|and then|after that|afterwards"
            "|next|when that is done|and after that|once done) {b}|{a} (and then|then|before you) {b}"
            "|(after you|once you|when you have) {a}, {b})",
            a=first.sentence,
            b=second.sentence,
        )
        return Said(text, f"{first.slots} then {second.slots}")
    text = say(
        rng,
        "{a} (and|and|, and|,|, also|, plus|, and also|and also|. |; |, as well as|. also|while you|"
        "as well as:) {b}",
        a=first.sentence,
        b=second.sentence,
    ).replace("while you", "and")
    joined = f"{first.slots} ; {second.slots}"
    if rng.random() < 0.12:
        third = put(rng, scene, lexicon)
        if third is not None:
            return Said(f"{text}, {third.sentence}", f"{joined} ; {third.slots}")
    return Said(text, joined)


def colors_used(scene: SceneView) -> tuple[str, ...]:
    """Colours that appear in the scene."""
    return tuple(c for c in COLORS if any(t.color == c for t in scene.things))
