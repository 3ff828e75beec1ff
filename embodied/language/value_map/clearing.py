"""Value maps take off first what lies on a thing that they take, or put something on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from embodied.language.value_map.building import grasp, release
from embodied.language.words.scene_words import plain
from embodied.protocols import StateMemory, Translator
from embodied.types import (
    Array,
    ObjectSpec,
    Program,
    Region,
    ValueMapProgram,
    ValueMapStage,
    WorldSpec,
)

ROOM_M = 0.05
"""Room around a spot for what is taken off: enough for the fingers."""
DROP_M = 0.005
NEAREST_M, FARTHEST_M = 0.35, 0.62
"""Horizontal distances from the base of the arm at which things are put out of the way."""


class Clearing:
    """Reads sentences by rules; what lies on what they are about is put on the table first.

    Args:
        rules: Read the sentence.
        places: Says where things are seen now, x, y, z by name, world frame, m.
    """

    def __init__(
        self, rules: Translator, places: Callable[[], Mapping[str, Sequence[float]]]
    ) -> None:
        self._rules, self._places = rules, places

    @property
    def name(self) -> str:
        """That of the rules."""
        return self._rules.name

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> Program:
        """Translate one sentence; raises as the rules do."""
        program = self._rules.translate(instruction, memory, spec)
        if not isinstance(program, ValueMapProgram):
            return program
        over = {a.args[1]: a.args[0] for a in memory.facts if a.predicate == "on"}
        taken = list(_handled(program, spec.objects))
        pile: list[str] = []
        for name in dict.fromkeys(taken):
            above = [n for n in _above(name, over) if n not in taken and n not in pile]
            pile += reversed(above)
        places = {n: np.array(p, dtype=np.float64) for n, p in self._places().items()}
        stages: list[ValueMapStage] = []
        notes: list[str] = []
        for name in pile:
            if name not in places:
                continue
            places[name] = spot = _free_spot(name, places, spec.objects)
            there = Region(
                shape="point", parameters=dict(zip("xyz", map(float, spot), strict=True))
            )
            steps = (grasp(name), release(there))
            stages += [ValueMapStage(moving="gripper", operations=tuple(s)) for s in steps]
            under = next(n for n, above in over.items() if above == name)
            notes.append(f"the {plain(name)} is taken off the {plain(under)} first")
        if not stages:
            return program
        return replace(program, stages=(*stages, *program.stages), notes=(*program.notes, *notes))


def _handled(program: ValueMapProgram, objects: Mapping[str, ObjectSpec]) -> Iterator[str]:
    """Items that the hand closes at, or opens over."""
    for stage in program.stages:
        for operation in stage.operations:
            name = operation.region.frame
            if operation.map == "gripper" and name in objects and objects[name].kind == "item":
                yield name


def _above(name: str, over: Mapping[str, str]) -> Iterator[str]:
    """What lies on a thing, from below to the top."""
    above = over.get(name)
    while above is not None:
        yield above
        above = over.get(above)


def _free_spot(name: str, places: Mapping[str, Array], objects: Mapping[str, ObjectSpec]) -> Array:
    """Centre (3,) of a thing on the free spot of the table that is nearest to it, m."""
    size = objects[name].size_m
    axes = np.linspace(0.25, 0.62, 19), np.linspace(-0.45, 0.45, 46)
    spots = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    distance = np.linalg.norm(spots, axis=1)
    spots = spots[(distance > NEAREST_M) & (distance < FARTHEST_M)]
    room = np.full(len(spots), np.inf)
    for other, at in places.items():
        if other != name and other in objects and other != "table":
            half = np.array(objects[other].size_m[:2]) / 2
            beyond = np.maximum(np.abs(spots - at[:2]) - half, 0.0)
            room = np.minimum(room, np.linalg.norm(beyond, axis=1))
    wanted = float(np.hypot(*size[:2])) / 2 + ROOM_M
    away = np.linalg.norm(spots - places[name][:2], axis=1)
    best = spots[int(np.argmin(away + 10.0 * np.maximum(0.0, wanted - room)))]
    return np.array([best[0], best[1], size[2] / 2 + DROP_M])
