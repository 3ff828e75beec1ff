"""Value-map programs written in Python, in VoxPoser's own vocabulary (arXiv 2307.05973).

The code runs in the sandbox against a prelude that only records: indices are voxels of 1 cm from
the workspace's lower corner. Objects are plain numbers to the code, so a place beside an object
would be frozen where the object was. It is not: the code runs once more for every object it asked
for, with that object elsewhere, and a region that moved along by just as much belongs to that
object's frame. What follows no single object stays in the world frame, and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np

from embodied.errors import Diagnostic, NotUnderstoodError, ProgramError
from embodied.language.sandbox import Limits, SandboxStatus, run_sandboxed
from embodied.language.value_map._recorded import Recorded, Shapes, join
from embodied.language.value_map.rules.cursor import SceneCursor, tokens_of
from embodied.language.value_map.vocabulary import MOVING_GRIPPER, check
from embodied.language.words.cursor import Abstain
from embodied.language.words.scene_words import SceneWords
from embodied.types import Array, ValueMapProgram, WorldSpec

VOXEL_M = 0.01
SHIFT_VOXELS = (2, 3, 4)
"""Displacement of an object that shows which regions follow it, m."""

LIMITS = Limits(time_s=0.5, memory_bytes=32 << 20, recursion=60, host_calls=300)


@cache
def prelude() -> str:
    """The recording vocabulary, as it is run before a program."""
    return (files("embodied.language.value_map") / "prelude.txt").read_text(encoding="utf-8")


def run_python(
    code: str,
    *,
    spec: WorldSpec,
    positions_m: Mapping[str, Array],
    source: str = "python",
    limits: Limits = LIMITS,
) -> ValueMapProgram:
    """Run a program and return what it recorded.

    Args:
        code: Python; a Markdown fence around it is taken off.
        spec: Names, sizes and the workspace.
        positions_m: Where objects are believed to be, and ``"gripper"`` where the gripper is, (3,)
            in the world frame.
        source: Who wrote it.
        limits: Quotas of each run.

    Raises:
        ProgramError: It is no program, raised an exception, used up a quota or recorded something
            that may not be carried out; the diagnostics say where and what is legal.
        NotUnderstoodError: The code says that it cannot be done.
    """
    body = _without_fence(code)
    first = _Scene(spec, positions_m)
    recorded = _run(body, first, limits, code)
    runs: dict[str, Recorded] = {}
    for name in first.asked:
        moved = _Scene(spec, positions_m, moved=name)
        try:
            runs[name] = _run(body, moved, limits, code)
        except ProgramError:
            continue  # where things are decides whether it runs: nothing follows this one
    shapes = Shapes(origin_m=first.origin, indices=first.indices, shift=SHIFT_VOXELS)
    stages, notes, problems = join(recorded, runs, shapes)
    program = ValueMapProgram(stages=stages, source=source, notes=notes)
    found = problems or check(program, tuple(spec.objects))
    if found:
        raise ProgramError(code, found)
    return program


def _run(body: str, scene: _Scene, limits: Limits, raw: str) -> Recorded:

    def refuse(why: object) -> None:
        raise NotUnderstoodError(raw, [Diagnostic(where="request", problem=str(why))])

    functions = {
        "_detect": scene.detect,
        "_record": scene.record,
        "_compose": scene.compose,
        "_refuse": refuse,
    }
    result = run_sandboxed(
        body,
        functions=functions,
        values={"map_size": list(scene.shape)},
        prelude=prelude(),
        limits=limits,
    )
    if result.status is SandboxStatus.FINISHED:
        return scene.recorded
    assert result.error is not None
    hints = {
        SandboxStatus.INVALID: "plain functions, no imports of packages, no yield, no inheritance",
        SandboxStatus.RAISED: "",
        SandboxStatus.STOPPED: "no long loops: set regions with slices and radii",
        SandboxStatus.CRASHED: "no long loops: set regions with slices and radii",
    }
    hint = result.error.hint or hints[result.status]
    found = Diagnostic(where=result.error.where, problem=result.error.problem, hint=hint)
    raise ProgramError(raw, [found])


def _without_fence(code: str) -> str:
    body = code
    if "```" in body:
        inside = body.split("```")[1]
        first, _, rest = inside.partition("\n")
        body = rest if first.strip() in ("python", "py", "") else inside
    return body


@dataclass(slots=True)
class _Scene:
    """What the code asks for and says, with one object moved or none."""

    spec: WorldSpec
    positions_m: Mapping[str, Array]
    moved: str = ""
    asked: list[str] = field(default_factory=list[str])
    recorded: Recorded = field(default_factory=Recorded)

    @property
    def origin(self) -> Array:
        """Lower corner of the workspace."""
        return np.asarray(self.spec.workspace_lower)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        extent = np.asarray(self.spec.workspace_upper) - self.origin
        x, y, z = (int(n) for n in np.rint(extent / VOXEL_M))
        return x, y, z

    @property
    def indices(self) -> Mapping[str, tuple[int, int, int]]:
        """Voxel of every object that was asked for."""
        return {name: self._index(name) for name in self.asked}

    def _index(self, name: str) -> tuple[int, int, int]:
        place = (np.asarray(self.positions_m[name]) - self.origin) / VOXEL_M
        shift = np.array(SHIFT_VOXELS) if name == self.moved else np.zeros(3)
        x, y, z = (int(i) for i in np.rint(place) + shift)
        return x, y, z

    def resolve(self, said: object) -> str:
        """The object that is meant; ValueError, inside the sandbox, if there is none or several."""
        text = str(said)
        if text.strip().lower() in (MOVING_GRIPPER, "the gripper", "hand", "end effector"):
            return MOVING_GRIPPER
        legal = f"legal: {', '.join((MOVING_GRIPPER, *self.spec.objects))}"
        if text in self.spec.objects:
            return text
        try:
            cursor = SceneCursor(tokens_of(text), SceneWords(self.spec.objects))
            name = cursor.noun()
        except Abstain as why:
            raise ValueError(f"{why.diagnostic.problem}; {legal}") from None
        if name is None or not cursor.ended:
            raise ValueError(f"there is no object {text!r}; {legal}")
        return name

    def detect(self, said: object) -> dict[str, object]:
        """An object as plain data."""
        name = self.resolve(said)
        if name not in self.positions_m:
            seen = ", ".join(self.positions_m) or "nothing"
            raise ValueError(f"{name!r} is not seen; seen are: {seen}")
        if name not in self.asked:
            self.asked.append(name)
        size = (0.0, 0.0, 0.0) if name == MOVING_GRIPPER else self.spec.objects[name].size_m
        half = [round(s / 2 / VOXEL_M) for s in size]
        position = self._index(name)
        return {
            "name": name,
            "position": list(position),
            "lower": [p - h for p, h in zip(position, half, strict=True)],
            "upper": [p + h for p, h in zip(position, half, strict=True)],
            "size_cm": [100 * s for s in size],
        }

    def record(self, moving: object, operations: object) -> None:
        """Take in a stage."""
        self.recorded.stage(self.resolve(moving), operations)

    def compose(self, text: object) -> None:
        """Take in a sub-task in words: what the rules understand by it."""
        from embodied.language.conversation import Conversation
        from embodied.language.value_map.rules import RulesValueMapTranslator

        try:
            said = RulesValueMapTranslator().translate(str(text), Conversation(), self.spec)
        except NotUnderstoodError as why:
            raise ValueError(str(why)) from None
        self.recorded.ready(said.stages)
