"""The contract of a route as tests.

Whoever writes a route subclasses ``RouteContract``::

    class TestMyRoute(RouteContract[MyProgram]):
        def open_session(self) -> Session: ...
        def reachable(self) -> MyProgram: ...
        def unreachable(self) -> MyProgram: ...
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pytest

from embodied.errors import EmbodiedError, NotUnderstoodError
from embodied.outcome import NOT_REACHED, REACHED, Outcome
from embodied.protocols import Event
from embodied.records import Record
from embodied.route import AnyRoute, Run
from embodied.session import Session
from embodied.types import Program

P = TypeVar("P", bound=Program)

STILL_RAD_S = 0.05
"""Joint speed below which an arm is at rest."""


class Recorded(Generic[P]):
    """A session, and everything that it emitted and wrote."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[Event] = []
        self.files: dict[str, str | bytes] = {}

    @property
    def route(self) -> AnyRoute:
        """The route under test."""
        return self.session.route

    def pursue(self, program: P) -> Outcome:
        """Carry out a program from the beginning."""
        self.events.clear()
        return self.session.pursue(
            program, emit=self.events.append, write=self.files.__setitem__, instruction="asked"
        )

    def data(self, kind: str) -> list[dict[str, object]]:
        """What the events of a kind say."""
        return [dict(e.data) for e in self.events if e.kind == kind]


class RouteContract(ABC, Generic[P]):
    """Conformance tests; pytest collects them from subclasses named ``Test...``."""

    keeps_moving = False
    """The robot balances, or otherwise moves on after a program."""

    # ------------------------------------------------------------ to be written

    @abstractmethod
    def open_session(self) -> Session:
        """A session with this route alone; it is closed after each test."""

    @abstractmethod
    def reachable(self) -> P:
        """A legal program that takes motion and is reached."""

    @abstractmethod
    def unreachable(self) -> P:
        """A legal program that is begun and cannot be reached."""

    def illegal(self) -> P | None:
        """A program that ``check`` refuses; None where every program of the type is legal."""
        return None

    # ---------------------------------------------------------------- fixtures

    @pytest.fixture
    def opened(self) -> Iterator[Recorded[P]]:
        """A fresh session."""
        session = self.open_session()
        yield Recorded(session)
        session.close()
        session.close()  # may be called twice

    # ------------------------------------------------------------------- tests

    def test_a_program_says_what_it_is(self, opened: Recorded[P]) -> None:
        """Stages in words, a record that JSON can hold, no diagnostics."""
        route, program = opened.route, self.reachable()
        assert isinstance(program, route.program)
        assert route.name and all(route.stages(program))
        assert route.check(program) == ()
        json.dumps(dict(route.record(program)))
        json.dumps(route.summary(program))

    def test_what_is_recorded_is_read_back(self, opened: Recorded[P], tmp_path: Path) -> None:
        """``read`` is the inverse of ``record`` and ``files``, but for who wrote the program."""
        route, program = opened.route, self.reachable()
        for name, content in route.files(program).items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        said = {"stages": route.stages(program), "source": program.source, "notes": program.notes}
        record = Record.parse(json.dumps({**said, **route.record(program)}))
        again = route.read(record, tmp_path)
        assert route.stages(again) == route.stages(program)
        assert _stages(route.summary(again)) == _stages(route.summary(program))

    def test_a_program_is_carried_out_and_judged(self, opened: Recorded[P]) -> None:
        """Motion, a verdict per stage, events in their order, a memory of it."""
        program, start_s = self.reachable(), opened.session.time_s()
        outcome = opened.pursue(program)
        texts = opened.route.stages(program)
        assert (outcome.exit_code, outcome.reached) == (REACHED, True), outcome.message
        assert opened.session.time_s() > start_s
        assert len(outcome.verdicts) == len(texts) and all(v.reached for v in outcome.verdicts)
        kinds = [e.kind for e in opened.events]
        assert kinds.index("program") < kinds.index("milestone") < kinds.index("observation")
        assert kinds.index("observation") < kinds.index("verdict") and kinds.count("verdict") == 1
        assert [d["stage"] for d in opened.data("milestone")] == list(range(len(texts)))
        assert opened.data("verdict")[0]["reached"] is True
        assert "memory" in kinds
        assert self.keeps_moving or self._at_rest(opened)

    def test_what_cannot_be_reached_is_said(self, opened: Recorded[P]) -> None:
        """Exit code 1, the reason in one line, and a robot that is safe."""
        outcome = opened.pursue(self.unreachable())
        assert (outcome.exit_code, outcome.reached) == (NOT_REACHED, False)
        assert outcome.message and "\n" not in outcome.message
        assert opened.data("verdict")[0]["reached"] is False
        assert self.keeps_moving or self._at_rest(opened)

    def test_an_illegal_program_moves_nothing(self, opened: Recorded[P]) -> None:
        """It is refused with diagnostics, before anything moves."""
        program = self.illegal()
        if program is None:
            return
        start_s = opened.session.time_s()
        assert opened.route.check(program)
        with pytest.raises(NotUnderstoodError) as refused:
            opened.pursue(program)
        assert refused.value.diagnostics
        assert opened.session.time_s() == start_s

    def test_a_preview_moves_nothing(self, opened: Recorded[P]) -> None:
        """The steps are said, the world stays as it is."""
        session, program = opened.session, self.reachable()
        start_s = session.time_s()
        run = Run(body=session.environment.body, memory=session.memory())
        outcome = opened.route.preview(program, run)
        assert outcome.exit_code == REACHED and outcome.details["steps"]
        assert session.time_s() == start_s

    def test_stages_before_an_interruption_are_not_carried_out_again(
        self, opened: Recorded[P]
    ) -> None:
        """With all stages done nothing but rest takes place, and the verdict is measured."""
        program = self.reachable()
        opened.pursue(program)
        opened.events.clear()
        done = len(opened.route.stages(program))
        opened.session.resume(
            program,
            instruction="asked",
            done=done,
            believed=None,
            emit=opened.events.append,
            write=opened.files.__setitem__,
        )
        assert not opened.data("milestone") and not opened.data("action")
        assert len(opened.data("verdict")) == 1

    def test_it_goes_on_after_a_stop(self, opened: Recorded[P]) -> None:
        """A program that is interrupted in motion leaves a route that can be used again."""
        body = opened.session.environment.body
        steps = 0

        def interrupt(observation: object) -> None:
            nonlocal steps
            steps += 1
            if steps == 5:
                raise KeyboardInterrupt

        body.watchers.append(interrupt)
        with pytest.raises(KeyboardInterrupt):
            opened.pursue(self.reachable())
        body.watchers.remove(interrupt)
        opened.session.stop()
        assert opened.pursue(self.reachable()).reached

    def test_undo_brings_back_or_says_why_not(self, opened: Recorded[P]) -> None:
        """Another program, or a refusal with the reason."""
        opened.pursue(self.reachable())
        try:
            outcome = opened.session.undo(emit=opened.events.append, write=lambda n, c: None)
        except EmbodiedError as error:
            assert str(error)
        else:
            assert outcome.message

    def test_a_program_can_be_carried_out_again(self, opened: Recorded[P]) -> None:
        """Equal programs give equal stages; the second begins from what is measured."""
        first = opened.pursue(self.reachable())
        second = opened.pursue(replace_source(self.reachable(), "again"))
        assert first.reached and second.reached

    def _at_rest(self, opened: Recorded[P]) -> bool:
        dq = opened.session.environment.body.observe().dq
        return bool(np.max(np.abs(dq)) < STILL_RAD_S)


def _stages(summary: object) -> str:
    return json.dumps(Record.of(summary).items("stages"))


def replace_source(program: P, source: str) -> P:
    """The same program by somebody else."""
    return replace(program, source=source)  # type: ignore[type-var]
