# ruff: noqa: E501 - templates are read as whole lines
"""Goal sentences that must be refused, and sentences that lean on the one before."""

from __future__ import annotations

import random
from dataclasses import dataclass

from embodied.language.offline.scene_view import SceneView, Thing
from embodied.training.corpus.goals import INTO, ONTO, PUT, clause
from embodied.training.corpus.lexicon import COLORS, Lexicon
from embodied.training.corpus.phrasing import say
from embodied.training.corpus.scenes import refer

IMPOSSIBLE = (
    "(paint|wash|cut|cook|eat|break|burn|clean|polish|fold|rotate|spin|shake|melt|fix|repair|weigh"
    "|sell|buy|kick|bend|tear|lick|squeeze|unscrew|assemble|sharpen|photograph|freeze|iron|peel|crush"
    "|count|measure|hide yourself behind|explain|glue|dry|wrap|label|inflate|smell|taste|draw on|scrub"
    "|disassemble|vacuum|delete|print|throw away the idea of|sing to|teach|drill|weld|hammer|juggle)"
)
ELSEWHERE = (
    "(play some (jazz|songs|rock)|make me (a coffee|breakfast|a sandwich)|turn on the (lights|radio|tv)"
    "|go to sleep|order a pizza|call (my mother|the police|a taxi)|walk to the (door|garden|shop)|drive"
    " me home|tell me a story|sing a song|send an email|open the (window|door|garage)|set an alarm|book"
    " a flight|dance for me|search the web|turn the heating up|do my homework|clap your hands|jump up"
    " and down|translate this into french|water the plants|vacuum the floor|walk the dog|switch off the"
    " lamp|refill the coffee|record a video|charge yourself|take a photo|mow the lawn|feed the cat)"
)
CHAT = (
    "(how are you|who are you|what is your name|good morning|hello|hi there|thanks|what can you do"
    "|where is {x}|what time is it|is {x} heavy|why is {x} there|how many {c} are there|do you see {x}"
    "|what is this|nice work|are you ready|tell me about yourself|which things are on the table|what"
    " colour is {x}|i like {x}|that was good|hmm|what do you see|how does this work|are you a robot"
    "|do you like {x}|good job|never mind|whose {c} is that|how old are you|is it raining|see you later"
    "|what happened|can you hear me|what is {x} made of|how big is {x}|who made you|{x} is nice"
    "|i am hungry|what a day|how heavy is {x}|where did you put {x}|what is in {t}|bye)"
)


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
                f"({PUT} the {{c}} {prep} {{o}}|{PUT} that {{c}} {prep} {{o}}|the {{c}} {prep} {{o}}"
                "|pick up the {c}|grab the {c}|hold the {c}|i want the {c} " + prep + " {o}"
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
                f"({PUT} {{x}} (to the left of|to the right of|left of|right of|next to|beside|behind"
                "|in front of|near|close to|far from|against|{n} cm from|{n} cm to the left of|{n} cm"
                " behind|{n} cm above|facing|away from|parallel to|opposite) {o}"
                "|line {x} up with {o}|turn {x} upside down|center {x} between {o} and {t}"
                "|{x} (left of|right of|next to|beside|behind|near) {o}|align {x} with {o}"
                f"|{PUT} {{x}} in the (corner|middle) of {{t}}|move {{x}} {{n}} cm (left|right|forward"
                "|back|up))",
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
    return say(
        rng,
        f"({PUT} the {{n}} {prep} {{t}}|{PUT} the {{n}} {prep} {{t}}|(pick up|grab|hold|fetch|take|hand"
        f" me|give me|find) the {{n}}|{PUT} {{x}} (on|onto|in|into) the {{n}}|the {{n}} {prep} {{t}}"
        f"|the {{n}} (goes|belongs) {prep} {{t}}|{PUT} {{x}} and the {{n}} {prep} {{t}}"
        "|stack {x} on the {n}|(open|close|empty|clear) the {n}|get the {n} out of {t})",
        n=noun,
        x=x,
        t=t,
    )


_OPEN = (
    "(no|nope|no wait|wait|sorry|oh|actually|oops|hmm|hm|ah|not that|wrong|i meant|i mean|no, i meant"
    "|no i said|rather|correction:|scratch that|sorry i meant|wait no)"
)


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
            rng,
            f"({_OPEN}, {{o}}|{_OPEN} {{o}}|{{o}} instead|not {{x}}, {{o}}|no not {{x}}, {{o}}"
            "|{o}, not {x}|use {o}|take {o} instead|{o} i said|{o} rather than {x}|should be {o}"
            f"|make (it|that) {{o}}|{_OPEN}, not {{x}} but {{o}})",
            o=phrase,
            x=refer(rng, item, scene),
        )
        return Turn(before, before_slots, text, f"put {o.name} {preposition} {place.name}")
    if style <= 4 and others:  # another item too
        o = rng.choice(same or others)
        phrase = refer(rng, o, scene, noun_known=item.category)
        sibling = len([t for t in items if t.category == item.category]) == 2 and o in same
        if sibling and rng.random() < 0.5:
            phrase = rng.choice(("the other one", "the other", f"the other {o.category}"))
        text = say(
            rng,
            "((and|now|then|) {o} (too|also|as well)|and {o}|now {o}|(do|) the same (for|with|to) {o}"
            "|{o} (too|also|likewise|next)|(also|next) {o}|same (for|with|thing with) {o}|add {o}"
            "|then {o}|plus {o})",
            o=phrase,
        )
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
            f"({_OPEN}, {prep2} {{t}}|{PUT} it {prep2} {{t}} (instead|)|{prep2} {{t}} instead|{_OPEN}"
            f" {{t}}|not {{p}}, {{t}}|{{t}}, not {{p}}|rather {prep2} {{t}}|it (should|must) go"
            f" {prep2} {{t}}|(better|rather) {PUT} it {prep2} {{t}}|now {PUT} it {prep2} {{t}}"
            f"|{_OPEN}, {PUT} it {prep2} {{t}}|{prep2} {{t}} please|i (said|meant) {{t}}"
            f"|take it {prep2} {{t}})",
            t=phrase,
            p=refer(rng, place, scene),
        )
        return Turn(before, before_slots, text, f"put {item.name} {p} {t.name}")
    if style == 8 and place.kind == "item":
        text = say(
            rng,
            "((swap|switch|exchange|flip) (them|those|these two|the two|it)|the other way (round"
            "|around)|reverse (it|that)|vice versa|(just |)the opposite|swap places|{t} on {x} rather)",
            t=refer(rng, place, scene),
            x=refer(rng, item, scene),
        )
        return Turn(before, before_slots, text, f"put {place.name} on {item.name}")
    if style == 9 and others:  # on top of it
        o = rng.choice(others)
        text = say(
            rng,
            "((and|now|then|) {o} (on top|on top of (it|that)|on (it|that))|(put|place|stack|set) {o} on"
            " (it|that|top of it|top of that|top)|add {o} on top)",
            o=refer(rng, o, scene, noun_known=item.category),
        )
        return Turn(before, before_slots, text, f"put {o.name} on {item.name}")
    drawers = [t for t in scene.things if t.kind == "drawer"]
    if style == 10 and drawers:
        d = rng.choice(drawers)
        verb = rng.choice(("open", "close"))
        name = refer(rng, d, scene)
        if rng.random() < 0.5:
            text = say(
                rng,
                "((now|and|then|ok|) (close|shut) it (again|)|(close|shut) it (again|)|shut that one)"
                if verb == "open"
                else "((now|and|then|ok|) open it (again|up|)|open (it|that one) (again|))",
            )
            back = "close" if verb == "open" else "open"
            return Turn(f"{verb} {name}", f"{verb} {d.name}", text, f"{back} {d.name}")
        if len(drawers) == 2:
            o = next(t for t in drawers if t is not d)
            text = say(
                rng,
                f"(the other one|{_OPEN}, {{o}}|{{o}}, not {{d}}|and {{o}} too|the other drawer|{{o}}"
                " instead|now {o})",
                o=refer(rng, o, scene, noun_known="drawer"),
                d=name,
            )
            return Turn(f"{verb} {name}", f"{verb} {d.name}", text, f"{verb} {o.name}")
    said = clause(rng, scene, lexicon)  # a new instruction that does not lean on the first
    return Turn(before, before_slots, said.sentence, said.slots)
