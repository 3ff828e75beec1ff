"""Phrases for an arm at a table: what it may be told to do with the objects of its scene."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from embodied.language.reward import hand_building as hand
from embodied.language.reward import tabletop_building as table
from embodied.language.reward.hand_phrases import lifting, put_down_phrase, put_down_thing
from embodied.language.reward.phrases import Phrase, Wish, amount, pattern
from embodied.language.reward.rules_arm import SHARE, arm_patterns, paced, share_of
from embodied.language.reward.speech import Speech
from embodied.language.reward.vocabulary import Vocabulary, arm_vocabulary, prompt
from embodied.language.words.cursor import Abstain
from embodied.language.words.lexicon import COLORS
from embodied.language.words.scene_words import SceneWords, plain
from embodied.types import Atom, ObjectSpec, RewardProgram, RewardStage

LIFT_M = 0.25


def tabletop_speech(robot: str, objects: Mapping[str, ObjectSpec]) -> Speech:
    """What an arm may be told in a scene of these objects."""
    items = _of(objects, "item")
    drawers = _of(objects, "drawer")
    words = arm_vocabulary(
        items,
        tuple(f"{name}_handle" for name in drawers),
        drawers,
        robot=robot,
        places=_of(objects, "surface", "container", "drawer", "item"),
    )
    return Speech(
        vocabulary=words,
        patterns=tabletop_patterns(words, objects),
        known="touch, grasp, lift, move close to, put in or on, "
        + ("open or close the drawer, " if drawers else "")
        + "open or close the hand, palm direction, wave, rest, amounts with units, 'then', "
        "and corrections: higher, lower, more, less, another object",
        spoken=spoken(objects),
        paced=paced,
        first=lambda program, facts: cleared(program, facts, objects),
        description=prompt("motion_description_arm"),
        examples=prompt("reward_examples_arm"),
    )


def _of(objects: Mapping[str, ObjectSpec], *kinds: str) -> tuple[str, ...]:
    return tuple(name for name, spec in objects.items() if spec.kind in kinds)


def cleared(
    program: RewardProgram, facts: frozenset[Atom], objects: Mapping[str, ObjectSpec]
) -> RewardProgram:
    """A program that first takes off what stands on what it takes, and opens where it puts.

    Args:
        program: Stages as the sentence has them.
        facts: What holds before it.
        objects: Of the scene.
    """
    on = {a.args[1]: a.args[0] for a in facts if a.predicate == "on"}
    terms = [t for s in program.stages for t in s.terms]
    taken = [
        str(t.parameters["b"])
        for t in terms
        if t.name == "distance" and t.parameters["a"] == "palm" and t.parameters["distance"] == 0
    ]
    places = [str(t.parameters["place"]) for t in terms if t.name == "resting"]
    stages: list[RewardStage] = []
    notes: list[str] = []
    for place in dict.fromkeys(places):
        shut = objects[place].kind == "drawer" and Atom("open", (place,)) not in facts
        if shut:
            stages += table.opening(place)
            notes.append(f"the {place} is opened first")
    for name in dict.fromkeys((*taken, *places)):
        pile: list[str] = []
        over = on.get(name) if name in objects and objects[name].kind == "item" else None
        while over is not None and over not in taken:
            pile.append(over)
            over = on.get(over)
        for above in reversed(pile):
            stages += table.clearing(above)
            notes.append(f"the {plain(above)} is taken off the {plain(_under(above, on))} first")
    if not stages:
        return program
    return replace(program, stages=(*stages, *program.stages), notes=(*program.notes, *notes))


def _under(name: str, on: Mapping[str, str]) -> str:
    return next(under for under, above in on.items() if above == name)


def spoken(objects: Mapping[str, ObjectSpec]) -> Mapping[str, str]:
    """Phrases that stand for exactly one object, with its name."""
    words = SceneWords(objects)
    meant: dict[str, set[str]] = {}
    for name in objects:
        nouns = [noun for noun, named in words.heads.items() if name in named]
        fits = [word for word, named in words.modifiers.items() if name in named]
        for noun in nouns:
            meant.setdefault(noun, set()).add(name)
            for word in fits:
                meant.setdefault(f"{word} {noun}", set()).add(name)
    for word, named in words.modifiers.items():
        fitting = {n for n in named if n in objects and objects[n].kind == "item"}
        if word in COLORS and len(fitting) == 1:
            meant.setdefault(word, set()).update(fitting)
    single = {phrase: next(iter(names)) for phrase, names in meant.items() if len(names) == 1}
    return {**single, **{plain(name): name for name in objects}}


def tabletop_patterns(words: Vocabulary, objects: Mapping[str, ObjectSpec]) -> tuple[Phrase, ...]:
    """The phrases for a scene."""
    items = "|".join(re.escape(n) for n in words.names["objects"]) or r"(?!)"
    places = "|".join(re.escape(n) for n in words.names["places"]) or r"(?!)"
    thing, other, place = rf"(?P<thing>{items})", rf"(?P<other>{places})", rf"(?P<place>{places})"
    put = r"(?:move|put|place|drop|bring|set|lay|carry|store|stack|take)"

    def placed(match: re.Match[str]) -> Wish:
        _differ(match, "place")
        return Wish(stages=table.putting(match["thing"], match["place"]))

    def put_down(match: re.Match[str]) -> Wish:
        thing = put_down_thing(match)
        stages = table.putting(thing, table.TABLE)[-2:]
        return Wish(stages=tuple(replace(s, guards=()) for s in stages), held=thing)

    def brought(match: re.Match[str]) -> Wish:
        _differ(match, "other")
        if match.group(0).endswith(f" to {match['other']}"):
            if objects[match["other"]].kind in ("surface", "container", "drawer"):
                return Wish(stages=table.putting(match["thing"], match["other"]))
        thing, other = objects[match["thing"]], objects[match["other"]]
        return Wish(stages=table.bringing(thing, other, amount(match)))

    own = (
        *lifting(words.names["objects"], LIFT_M),
        pattern(put_down_phrase(words.names["objects"]), put_down),
        pattern(
            rf"(?:drop|release|let go(?: of)?|let) {thing} (?:go )?(?:once|when|as soon as)"
            rf"(?: (?:it|(?P=thing)))?(?: (?:is|are|be|gets))? (?:over|above|in|on) {place}",
            placed,
        ),
        pattern(rf"{put} {thing} (?:into|in|inside|onto|on|on top|down on) {place}", placed),
        pattern(
            rf"(?:move|bring|put|place|take|carry|set) {thing} (?:over )?"
            rf"(?:close to|near to|next to|near|beside|by|to) {other}",
            brought,
        ),
        pattern(
            rf"(?:move|bring|put|place|carry|set|keep) {thing} {{LENGTH}} (?:away )?from {other}",
            brought,
        ),
    )
    joints = tuple(found for drawer in words.names["joints"] for found in _drawer_patterns(drawer))
    return (*own, *joints, *arm_patterns(_without_joints(words)))


def _without_joints(words: Vocabulary) -> Vocabulary:
    return replace(words, names={**words.names, "joints": ()})


def _drawer_patterns(drawer: str) -> tuple[Phrase, ...]:
    share = rf"{SHARE}(?:(?: (?:to|by))? {{FRACTION}})?"

    def slid(share: float) -> tuple[RewardStage, ...]:
        partly = 0.0 < share < 1.0
        return table.sliding_partly(drawer, share) if partly else table.sliding(drawer, share)

    def opened(match: re.Match[str]) -> Wish:
        return Wish(stages=slid(share_of(match)))

    def closed(match: re.Match[str]) -> Wish:
        return Wish(stages=slid(1.0 - share_of(match)))

    name = re.escape(drawer)
    return (
        pattern(
            rf"(?:open|pull|slide|pull open|slide open|pull out)(?: open)? {name}(?: (?:open|out))?"
            rf"{share}",
            opened,
        ),
        pattern(
            rf"(?:close|shut|push|slide|push in|slide shut) {name}(?: (?:shut|closed|in|back in))?"
            rf"{share}",
            closed,
        ),
        pattern(
            rf"(?:touch|reach(?: for)?|grab|grasp|hold|take)(?: hold)? {name} handle",
            lambda match: Wish(
                essential=(hand.near("palm", f"{drawer}_handle"),), support=(hand.DOWN, hand.OPEN)
            ),
        ),
    )


def _differ(match: re.Match[str], other: str) -> None:
    if match["thing"] == match[other]:
        raise Abstain(f"'{match.group(0)}'", f"the {match['thing']} is named twice")
