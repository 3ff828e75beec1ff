"""The rules translator of the value-map route: a grammar, not a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from embodied.errors import NotUnderstoodError, RefusedError
from embodied.language.value_map.building import (
    CLEARANCE_M,
    EVERYWHERE,
    near,
    obstacle,
    point,
    target,
)
from embodied.language.value_map.rules.clauses import Stage
from embodied.language.value_map.rules.cursor import Places, tokens_of
from embodied.language.value_map.rules.followups import followed_up
from embodied.language.value_map.rules.motions import MotionReader
from embodied.language.value_map.rules.places import RING_M
from embodied.language.value_map.rules.words import ASIDES, JOINTS
from embodied.language.value_map.vocabulary import SIDES, check
from embodied.language.words.cursor import Abstain
from embodied.language.words.lexicon import CHATTER, COURTESY
from embodied.language.words.scene_words import SceneWords
from embodied.protocols import StateMemory
from embodied.types import MapOperation, ValueMapProgram, WorldSpec

UNTOUCHED_M = 0.02
"""How far from a thing's surface the hand stays that is to go near it without touching it."""

FORMS = (
    "move to a place ('10 cm left of the cup', 'above the bowl', 'next to the can', 'the front "
    "left corner of the table'), touch or point at a thing, push a thing to a place, in a "
    "direction or away from another, open or close a drawer, grasp, lift or hold a thing, "
    "drop or put it at a place, turn the gripper by an angle, open a bottle, set the table, sweep "
    "things; with "
    "'staying left of X', 'keeping at least 10 cm from X', 'avoiding X', 'going around X', "
    "'slowing down within 10 cm of X', 'slowly', 'at 10 cm/s', 'at half the speed'"
)
"""What the grammar knows, for messages."""


class RulesValueMapTranslator:
    """A deterministic translator to value-map programs.

    It refuses every sentence that it does not understand to the last word.

    Args:
        places: Says where things are seen now; without it, "the leftmost block" is refused.
    """

    def __init__(self, places: Callable[[], Places] = dict) -> None:
        self._places = places

    @property
    def name(self) -> str:
        """``"rules"``."""
        return "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> ValueMapProgram:
        """Translate one sentence.

        Args:
            instruction: English; at most ``lexer.MAX_CHARACTERS`` characters.
            memory: What was told of objects: "the dirty block". Otherwise every sentence stands
                for itself.
            spec: The scene's objects, what they are called, and its workspace.

        Raises:
            NotUnderstoodError: It is outside the grammar; the diagnostics say which words, why, and
                what is known. A ``RefusedError`` where it is understood, but ambiguous or
                impossible in this scene.
        """
        words = SceneWords(spec.objects, memory.attributes)
        try:
            before = _before(memory)
            reader = MotionReader(tokens_of(instruction), words, spec, self._places)
            reader.stacked = _stacked(memory, spec)
            again = followed_up(reader, before)
            if again is not None:
                return replace(again, source=self.name)
            stages = _sentence(reader)
        except Abstain as why:
            kind = RefusedError if why.final else NotUnderstoodError
            raise kind(instruction, [why.diagnostic]) from None
        program = ValueMapProgram(
            stages=tuple(s.finished() for s in stages),
            source=self.name,
            notes=tuple(dict.fromkeys(reader.notes)),
        )
        found = check(program, tuple(spec.objects))
        if found:
            raise NotUnderstoodError(instruction, found)
        return program


def _stacked(memory: StateMemory, spec: WorldSpec) -> tuple[str, ...]:
    """Items that lie on each other."""
    on = [a.args for a in memory.facts if a.predicate == "on" and len(a.args) == 2]
    items = {n for n, o in spec.objects.items() if o.kind == "item"}
    found = {n for pair in on if set(pair) <= items for n in pair}
    return tuple(n for n in spec.objects if n in found)


def _before(memory: StateMemory) -> ValueMapProgram | None:
    """The program before this sentence, if it is of this route."""
    last = memory.exchanges[-1][1] if memory.exchanges else None
    return last if isinstance(last, ValueMapProgram) else None


def _sentence(reader: MotionReader) -> list[Stage]:
    stages: list[Stage] = []
    while not reader.ended:
        reader.skip_courtesy()
        if reader.ended:
            break
        seconds = reader.resting(after=bool(stages))
        if seconds is None:
            stages += _clause(reader, stages)
        elif stages:
            stages[-1].rest_s += seconds
        else:
            here = target(point("gripper", SIDES["above"], 0.0))
            stages.append(Stage("gripper", [here], rest_s=seconds))
    if not stages:
        raise Abstain("text", "there is nothing to do in it", FORMS)
    return stages


def _clause(reader: MotionReader, earlier: Sequence[Stage]) -> list[Stage]:
    """A motion with its conditions; those hold for every stage that the motion has.

    What is avoided on the way to a thing is avoided on the way on with it, too.
    """
    before = reader.condition()  # "while staying left of the cup, move to ..."
    turned = [o for o in before if o.map == "rotation"]
    if turned and (reader.ended or reader.at("then", ", then", "and then")):
        return [Stage("gripper", before)]
    if before:
        reader.skip_courtesy()
        reader.moved = reader.moved or any(o.map == "velocity" for o in before)
    begin = reader.pos
    stages = reader.motion()
    if stages is None:
        if turned:
            return [Stage("gripper", before)]
        reader.pos = begin
        raise reader.abstain("", FORMS)
    conditions = [*before]
    while not reader.ended:
        found = reader.condition()
        seconds = reader.resting(after=True) if not found else None
        if seconds is not None:
            stages[-1].rest_s += seconds
        elif found:
            conditions += found
        elif (short := reader.short()) is not None:
            _stopped(stages[-1], short)
        elif not _aside(reader):
            break
    if not reader.ended and not reader.at(*JOINTS):
        raise reader.abstain("", FORMS)
    reader.eat_all(*JOINTS)
    reader.did(stages)
    speeds = {o.value for o in conditions if o.map == "velocity" and o.region == EVERYWHERE}
    if len(speeds) > 1:
        raise Abstain("sentence", "two different speeds are asked for", "say one", final=True)
    about = set[str]().union(*(s.about for s in stages)) if reader.but_for_others else set[str]()
    reader.but_for_others = False
    for stage in stages:
        stage.conditions += [
            _beside(o, stage)
            for o in conditions
            if o.map != "avoidance" or o.region.frame not in about
        ]
    if earlier and _closes(earlier[-1]) and _opens(stages[0]):
        stages[0].conditions += [
            o
            for o in earlier[-1].conditions
            if o.map == "avoidance"
            and o.region.shape == "near-object"
            and o.region.frame not in stages[0].about
        ]
    return stages


def _aside(reader: MotionReader) -> bool:
    """Go past words behind a motion that say nothing more."""
    start = reader.pos
    reader.eat(",")
    if reader.eat_all(*COURTESY, *CHATTER, *ASIDES, "again"):
        return True
    reader.pos = start
    return False


def _stopped(stage: Stage, distance_m: float) -> None:
    """End a way that leads to a thing so far from its surface."""
    targets = [o for o in stage.operations if o.map == "affordance"]
    if not targets or targets[-1].region.frame == "world":
        raise Abstain("sentence", "it does not say what to stop short of", "name it")
    frame = targets[-1].region.frame
    stage.operations = [o for o in stage.operations if o not in targets]
    stage.operations.append(target(near(frame, distance_m)))
    stage.conditions.append(obstacle(near(frame, max(round(distance_m - RING_M, 4), 0.0))))


def _beside(operation: MapOperation, stage: Stage) -> MapOperation:
    """A condition of a stage; what it goes near "without touching it" is near, not far."""
    region = operation.region
    close = operation.map == "avoidance" and region.shape == "near-object"
    if close and region.frame in stage.about and region.parameters["radius"] == CLEARANCE_M:
        return obstacle(near(region.frame, UNTOUCHED_M))
    return operation


def _closes(stage: Stage) -> bool:
    return any(o.map == "gripper" and o.value == 0.0 for o in stage.operations)


def _opens(stage: Stage) -> bool:
    return any(o.map == "gripper" and o.value == 1.0 for o in stage.operations)
