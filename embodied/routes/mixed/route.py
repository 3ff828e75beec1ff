"""Programs of several kinds, one after the other, on one robot with one memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from embodied.errors import ConfigurationError, Diagnostic
from embodied.opening import Opening, as_planned
from embodied.outcome import Outcome
from embodied.protocols import Translator
from embodied.records import Record
from embodied.route import ROUTES, AnyRoute, Change, Route, Run, StageRun
from embodied.routes.mixed.translators import KINDS, open_translator
from embodied.types import Atom, MixedProgram, Observation, PddlProgram, Program


class Parts(Mapping[type[Program], AnyRoute]):
    """The routes by the kind of program that they carry out; each is opened when it is needed.

    Args:
        opening: What they are opened with.
        mixed: The route of mixed programs.
    """

    def __init__(self, opening: Opening, mixed: MixedRoute) -> None:
        self._opening = opening
        self._open: dict[type[Program], AnyRoute] = {MixedProgram: mixed}

    def __getitem__(self, kind: type[Program]) -> AnyRoute:
        """The route of a kind of program; the translator that it brings is not asked."""
        if kind not in self._open:
            entry = ROUTES.get(KINDS[kind])
            self._open[kind] = entry.load().open(self._opening)
        return self._open[kind]

    def __contains__(self, kind: object) -> bool:
        """Whether a kind of program is carried out here."""
        return any(kind is k for k in self._open) or any(
            kind is k and self._goes(n) for k, n in KINDS.items()
        )

    def _goes(self, name: str) -> bool:
        """Whether a route moves this arm, perceived as it is."""
        entry, place = ROUTES.get(name), self._opening.environment
        perceived = entry.perceives(str(place.about.get("perception", "truth")))
        return perceived and (entry.supervised or place.pace is as_planned)

    def __iter__(self) -> Iterator[type[Program]]:
        """Kinds whose routes are open."""
        return iter(self._open)

    def __len__(self) -> int:
        """Number of open routes."""
        return len(self._open)


class MixedRoute(Route[MixedProgram]):
    """Carries out the parts of a sentence by the routes of their kinds.

    Args:
        opening: What the routes are opened with.
        translator: Turns sentences into programs of all kinds.
    """

    name: ClassVar[str] = "mixed"
    program = MixedProgram

    def __init__(self, opening: Opening, translator: Translator) -> None:
        self.parts = Parts(opening, self)
        self.translator = translator
        self._goals = self.parts[PddlProgram]
        self._begun: list[AnyRoute] = []

    @classmethod
    def open(cls, opening: Opening) -> MixedRoute:
        """Open the route of goals; the others when they are needed; raises as ``Route.open``."""
        return cls(opening, open_translator(opening))

    def routes(self) -> Mapping[type[Program], AnyRoute]:
        """This route and those of the parts."""
        return self.parts

    def check(self, program: MixedProgram) -> tuple[Diagnostic, ...]:
        """What is wrong with any part."""
        return tuple(d for part in program.parts for d in self._of(part).check(part))

    def stages(self, program: MixedProgram) -> tuple[str, ...]:
        """The stages of all parts."""
        return tuple(text for part in program.parts for text in self._of(part).stages(part))

    def record(self, program: MixedProgram) -> Mapping[str, object]:
        """The parts as their routes record them."""
        return {
            "parts": [
                {
                    "route": self._of(part).name,
                    "stages": self._of(part).stages(part),
                    "source": part.source,
                    "notes": part.notes,
                    **self._of(part).record(part),
                }
                for part in program.parts
            ]
        }

    def read(self, record: Record, folder: Path) -> MixedProgram:
        """The program that a run pursued; raises as ``Route.read`` does."""
        kinds = {name: kind for kind, name in KINDS.items()}
        parts: list[Program] = []
        for part in record.records("parts"):
            name = part.text("route")
            if name not in kinds:
                raise ConfigurationError(
                    f"{part.where}: no part of the route {name!r}, legal: {', '.join(kinds)}"
                )
            parts.append(self.parts[kinds[name]].read(part, folder))
        return MixedProgram(
            parts=tuple(parts),
            source=f"replay of {record.text('source')}",
            notes=record.texts("notes"),
        )

    def files(self, program: MixedProgram) -> Mapping[str, str | bytes]:
        """The files of every part; of several of one kind, those of the first."""
        found: dict[str, str | bytes] = {}
        for part in program.parts:
            found = {**self._of(part).files(part), **found}
        return found

    def summary(self, program: MixedProgram) -> object:
        """The parts in ``run.json``."""
        parts = [self._of(part).summary(part) for part in program.parts]
        return {"stages": self.stages(program), "source": program.source, "parts": parts}

    def begin(
        self, program: MixedProgram, number: int, run: Run, *, done: bool = False
    ) -> StageRun:
        """Begin a stage of the part that it belongs to."""
        local = number
        for part in program.parts:
            route = self._of(part)
            n = len(route.stages(part))
            if local < n:
                if local == 0 and number > 0 and not done:
                    run.measure()  # what the part before changed without saying so
                self._begun = [route] if number == 0 else [*self._begun, route]
                return route.begin(part, local, run, done=done)
            local -= n
        raise IndexError(f"the program has no stage {number}")

    def rest(self, run: Run) -> None:
        """Bring the robot to rest as the last part does."""
        self._begun[-1].rest(run)

    def details(self, run: Run) -> Mapping[str, object]:
        """What the routes of the parts say."""
        found: dict[str, object] = {}
        for route in dict.fromkeys(self._begun):
            found |= route.details(run)
        return found

    def preview(self, program: MixedProgram, run: Run) -> Outcome:
        """Say what would be done; goals are planned for as far as they come first."""
        first = program.parts[0]
        planned = self._of(first).preview(first, run)
        steps = planned.details.get("steps", ())
        rest = tuple(t for part in program.parts[1:] for t in self._of(part).stages(part))
        assert isinstance(steps, (list, tuple))
        details = {**planned.details, "program": self.summary(program), "steps": (*steps, *rest)}
        return replace(planned, notes=program.notes, program=program, details=details)

    def take_up(self, believed: frozenset[Atom], run: Run) -> None:
        """Report what is measured against what was believed before an interruption."""
        self._goals.take_up(believed, run)

    def change(
        self, program: MixedProgram, before: frozenset[Atom], after: frozenset[Atom], run: Run
    ) -> Change | None:
        """What a run changed, and which of its actions nothing takes back."""
        return self._goals.change(program, before, after, run)

    def inverse(self, change: Change, run: Run) -> Program:
        """A goal: what was measured before, of the objects that changed."""
        return self._goals.inverse(change, run)

    def state(self, observation: Observation) -> tuple[str, ...]:
        """Measured facts that can change."""
        return self._goals.state(observation)

    def describe(self, action: str) -> str:
        """An action of a plan as a sentence."""
        return self._goals.describe(action) if action.startswith("(") else action

    def stop(self) -> None:
        """Forget what was under way."""
        for route in self._others():
            route.stop()

    def close(self) -> None:
        """Close the routes of the parts."""
        for route in self._others():
            route.close()

    def _of(self, part: Program) -> AnyRoute:
        return self.parts[type(part)]

    def _others(self) -> list[AnyRoute]:
        return [r for r in self.parts.values() if r is not self]
