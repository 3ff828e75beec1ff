"""What is said about the motion before: "again", "slower", "no, the blue one"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from embodied.language.value_map.building import (
    EVERYWHERE,
    along,
    point,
    target,
    velocity,
)
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.motions import MotionReader
from embodied.language.value_map.rules.words import STOPS
from embodied.language.value_map.vocabulary import DIRECTIONS, SIDES, SPEEDS_M_S
from embodied.language.words.amounts import number_at
from embodied.language.words.lexicon import CORRECTIONS
from embodied.types import MapOperation, Region, ValueMapProgram, ValueMapStage

_AGAIN = (
    "again", "do that again", "do it again", "once more", "one more time", "repeat that", "repeat",
    "repeat it", "the same again", "do that once more", "do it once more", "same again",
)  # fmt: skip
_FURTHER = ("further", "more", "a bit more", "a bit further", "keep going", "a little more",
            "a little further", "even further", "go further", "continue", "some more")  # fmt: skip
_PACES: Mapping[str, float] = {
    **dict.fromkeys(("slower", "more slowly", "go slower", "too fast", "not so fast"), 0.5),
    **dict.fromkeys(("faster", "more quickly", "go faster", "too slow", "not so slowly"), 1.5),
}
_OTHER_SIDE = ("on the other side", "the other side", "to the other side", "other side")
_SAME_WITH = ("do the same with", "do the same for", "do the same to", "the same with",
              "same with", "and the same with", "the same for", "now", "and", "use",
              "take")  # fmt: skip
_SPEED_MAX_M_S = SPEEDS_M_S["fast"]


def followed_up(reader: MotionReader, before: ValueMapProgram | None) -> ValueMapProgram | None:
    """The program before, as a short remark changes it; None where the words are no such remark.

    Raises:
        Abstain: It names something that is not there, or more than one thing.
    """
    if before is None:
        return None
    reader.last = _things(before, reader)[-1:]
    reader.moved = True
    reader.did([Stage(s.moving, list(s.operations)) for s in before.stages])
    start = reader.pos
    corrects = reader.eat_all(*CORRECTIONS, ",", "please", "ok", "okay")
    for read in (_repeated, _paced, _mirrored):
        begin = reader.pos
        found = read(reader, before)
        reader.eat_all(",", "please", "instead", "then")
        if found is not None and reader.ended:
            return found
        reader.pos = begin
    found = _with_another(reader, before, corrects=corrects)
    if found is None:
        reader.pos = start
        if corrects:
            reader.eat_all(*CORRECTIONS, ",")
    return found


def _repeated(reader: MotionReader, before: ValueMapProgram) -> ValueMapProgram | None:
    if reader.eat("and", "now", "then", "just") and reader.ended:
        return None
    if reader.eat(*_AGAIN):
        return replace(before, notes=("the same as before",))
    last = before.stages[-1]
    straight = [o for o in last.operations if o.region.shape == "along"]
    begin = reader.pos
    more = _more(reader)
    if more is not None:
        return more
    reader.pos = begin
    if straight and reader.eat(*_FURTHER):
        return replace(before, stages=(last,), notes=("further the same way",))
    if reader.eat(*STOPS):
        here = target(point("gripper", SIDES["above"], 0.0))
        stage = ValueMapStage(moving="gripper", operations=(here,))
        return replace(before, stages=(stage,), notes=("stays where it is",))
    return _same_way(reader, before) if straight else None


def _more(reader: MotionReader) -> ValueMapProgram | None:
    """``five more up``: centimetres, as people count them, in a direction."""
    reader.eat("another", "and", "now")
    value, used = number_at(reader.words, reader.pos) if not reader.ended else (None, 0)
    if value is None:
        return None
    reader.pos += used
    if not reader.eat("more", "further"):
        return None
    way = reader.direction()
    if not way:
        return None
    reader.notes.append(f"{value:g} more {way}: centimetres")
    there = target(along("gripper", DIRECTIONS[way], round(value / 100, 4)))
    stage = ValueMapStage(moving="gripper", operations=(there,))
    return ValueMapProgram(stages=(stage,), source="rules", notes=tuple(reader.notes))


def _same_way(reader: MotionReader, before: ValueMapProgram) -> ValueMapProgram | None:
    """``and the same to the right``: as far in another direction."""
    reader.eat("and", "now")
    if not reader.eat("the same", "do the same", "same"):
        return None
    way = reader.direction()
    if not way:
        return None
    last = before.stages[-1]

    def turned(region: Region) -> Region:
        if region.shape != "along":
            return region
        length = math.hypot(*region.parameters.values())
        return along(region.frame, DIRECTIONS[way], length)

    return replace(before, stages=(_mapped(last, turned),), notes=(f"the same {way}",))


def _paced(reader: MotionReader, before: ValueMapProgram) -> ValueMapProgram | None:
    reader.eat("and", "now", "but", "do it", "do that", "a bit", "a little", "much")
    said = reader.eat(*_PACES)
    if not said:
        return None
    factor = _PACES[said]
    stages = tuple(_at_speed(s, factor) for s in before.stages)
    return replace(before, stages=stages, notes=(f"the same as before, {said}",))


def _at_speed(stage: ValueMapStage, factor: float) -> ValueMapStage:
    everywhere = [o for o in stage.operations if o.map == "velocity" and o.region == EVERYWHERE]
    now = everywhere[-1].value if everywhere else SPEEDS_M_S["normal"]
    assert not isinstance(now, tuple)
    speed = velocity(EVERYWHERE, round(min(now * factor, _SPEED_MAX_M_S), 4))
    kept = tuple(o for o in stage.operations if o not in everywhere)
    return replace(stage, operations=(*kept, speed))


def _mirrored(reader: MotionReader, before: ValueMapProgram) -> ValueMapProgram | None:
    """``on the other side``: left for right, front for back."""
    if not reader.eat(*_OTHER_SIDE):
        return None

    def mirrored(region: Region) -> Region:
        if region.shape != "point" or region.frame == "gripper":
            return region
        x, y = (-region.parameters.get(a, 0.0) + 0.0 for a in "xy")
        return replace(region, parameters={**region.parameters, "x": x, "y": y})

    last = before.stages[-1]
    changed = _mapped(last, mirrored)
    if changed == last:
        return None
    return replace(before, stages=(*before.stages[:-1], changed), notes=("on the other side",))


def _with_another(
    reader: MotionReader, before: ValueMapProgram, *, corrects: bool
) -> ValueMapProgram | None:
    """``no, the blue one``, ``do the same with the lime``: the same with another thing."""
    start = reader.pos
    same = reader.eat(*_SAME_WITH)
    about = _things(before, reader)
    other = _other_one(reader, about) or reader.noun()
    reader.eat_all(",", "please", "instead", "i mean", "i meant", "too", "as well", "not that one")
    if other is None or not reader.ended or not (corrects or same) or not about:
        reader.pos = start
        return None
    kind = reader.spec.objects[other].category
    alike = [n for n in about if reader.spec.objects[n].category == kind]
    old = alike[-1] if alike else about[0] if len(about) == 1 else ""
    if not old or old == other:
        reader.pos = start
        return None

    def renamed(region: Region) -> Region:
        return replace(region, frame=other) if region.frame == old else region

    stages = tuple(
        replace(
            _mapped(s, renamed),
            moving=other if s.moving == old else s.moving,
            until=None if s.until is None else replace(
                s.until, subject=other if s.until.subject == old else s.until.subject,
                region=None if s.until.region is None else renamed(s.until.region),
            ),
        )
        for s in before.stages
    )  # fmt: skip
    note = f"the same as before, with {other} for {old}"
    return replace(before, stages=stages, notes=(note,))


def _other_one(reader: MotionReader, about: tuple[str, ...]) -> str | None:
    """``the other one``: the only other thing of the kind."""
    if not reader.eat("the other one", "the other", "other one") or not about:
        return None
    objects = reader.spec.objects
    kind = objects[about[-1]].category
    found = [n for n, o in objects.items() if o.category == kind and n != about[-1]]
    return found[0] if len(found) == 1 else None


def _mapped(stage: ValueMapStage, change: Callable[[Region], Region]) -> ValueMapStage:
    operations = tuple(
        MapOperation(map=o.map, region=change(o.region), value=o.value) for o in stage.operations
    )
    return replace(stage, operations=operations)


def _things(program: ValueMapProgram, reader: MotionReader) -> tuple[str, ...]:
    """Things that a program is about, in the order in which it speaks of them."""
    names = [n for s in program.stages for n in (s.moving, *(o.region.frame for o in s.operations))]
    return tuple(dict.fromkeys(n for n in names if n in reader.spec.objects))
