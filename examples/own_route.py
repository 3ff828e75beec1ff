"""A route of your own: "wave twice" becomes a program, waving, and a measured verdict.

Name ``ROUTE`` in your package's metadata and ``embodied run --route wave "wave twice"`` finds it:

    [project.entry-points."embodied.routes"]
    wave = "own_route:ROUTE"

Run this file to see it without installing anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from embodied_controllers.trajectory import TrajectoryController
from embodied_planners.motion import JointLimits
from embodied_planners.motion.timing import time_parametrise

from embodied.app.wiring import open_environment, session_of
from embodied.errors import Diagnostic, NotUnderstoodError
from embodied.opening import Opening
from embodied.protocols import StateMemory, Translator
from embodied.records import Record
from embodied.route import Route, RouteEntry, Run, StageRun
from embodied.settings import Settings
from embodied.types import PathGoal, WorldSpec
from embodied.verdict import Verdict

SWING_RAD, ENOUGH = 0.3, 0.9
NUMBERS = {"once": 1, "twice": 2, "three times": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveProgram:
    """How often to wave."""

    times: int
    source: str
    notes: tuple[str, ...] = ()


class WaveRules:
    """Understands "wave", once, twice or three times."""

    name = "rules"

    def translate(self, instruction: str, memory: StateMemory, spec: WorldSpec) -> WaveProgram:
        """One sentence to a program; raises NotUnderstoodError."""
        said = instruction.strip().lower()
        found = re.fullmatch(r"wave(?: (once|twice|three times))?[.!]?", said)
        if found is None:
            hint = f"say wave, and how often: {', '.join(NUMBERS)}"
            problem = Diagnostic(where="sentence", problem="not about waving", hint=hint)
            raise NotUnderstoodError(instruction, [problem])
        return WaveProgram(times=NUMBERS[found[1] or "once"], source=self.name)


class Wave(StageRun):
    """One wave: the first joint swings to both sides."""

    def __init__(self, route: WaveRoute, number: int, run: Run, *, done: bool) -> None:
        self.route, self.number, self.run, self.done = route, number, run, done
        self.swing_rad = 0.0

    def advance(self) -> str:
        """Swing, and measure how far the joint went; see ``StageRun.advance``."""
        body = self.run.body
        start = body.observe().q
        s = np.linspace(0.0, 2 * np.pi, 60)
        path = start + SWING_RAD * np.sin(s)[:, None] * np.eye(len(start))[0]
        trajectory = time_parametrise(s, path, self.route.limits, dt=body.spec.control_dt_s)
        goal = PathGoal(trajectory=trajectory, tolerance_rad=0.01, label="wave")
        seen: list[float] = []
        body.watchers.append(lambda observation: seen.append(float(observation.q[0] - start[0])))
        try:
            followed = body.follow(self.route.controller, goal, 20.0)
        finally:
            body.watchers.pop()
        self.swing_rad = min(max(seen), -min(seen))
        stuck = f"the arm got stuck: {followed.status.name.lower()}"
        return "" if self.verdict().reached else stuck

    def verdict(self) -> Verdict:
        """What was measured, not what was commanded."""
        words = f"swung {self.swing_rad:.2f} rad to both sides"
        good = self.done or self.swing_rad > ENOUGH * SWING_RAD
        text = f"wave {self.number + 1}"
        return Verdict(text=text, holds=(words,)) if good else Verdict(text=text, unmet=(words,))


class WaveRoute(Route[WaveProgram]):
    """Waves with any arm."""

    name: ClassVar[str] = "wave"
    program = WaveProgram

    def __init__(self, spec: WorldSpec, translator: Translator | None = None) -> None:
        self.translator = translator
        self.controller = TrajectoryController(spec)
        self.limits = JointLimits.of(spec, velocity=0.5, acceleration=0.5)

    @classmethod
    def open(cls, opening: Opening) -> WaveRoute:
        """Open the route for any robot with joints."""
        return cls(opening.environment.body.spec, WaveRules())

    def check(self, program: WaveProgram) -> tuple[Diagnostic, ...]:
        """Three waves at most."""
        legal = 1 <= program.times <= 3
        hint = "1, 2 or 3"
        return () if legal else (Diagnostic(where="times", problem=str(program.times), hint=hint),)

    def stages(self, program: WaveProgram) -> tuple[str, ...]:
        """One stage a wave."""
        return tuple(f"wave {i + 1}" for i in range(program.times))

    def record(self, program: WaveProgram) -> Mapping[str, object]:
        """The number of waves."""
        return {"times": program.times}

    def read(self, record: Record, folder: Path) -> WaveProgram:
        """The inverse of ``record``."""
        source = f"replay of {record.text('source')}"
        return WaveProgram(times=record.integer("times"), source=source)

    def begin(self, program: WaveProgram, number: int, run: Run, *, done: bool = False) -> Wave:
        """Begin a wave."""
        return Wave(self, number, run, done=done)


ROUTE = RouteEntry(name="wave", summary="waves with an arm", load=lambda: WaveRoute)

if __name__ == "__main__":
    place = open_environment(Settings(seed=1))
    route = WaveRoute(place.body.spec, WaveRules())
    session = session_of(Settings(seed=1), place, route)
    outcome = session.run("wave twice")
    print(outcome.message, [v.holds for v in outcome.verdicts])
    session.close()
