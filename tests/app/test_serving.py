"""One session for a console: nothing moves unapproved, anybody stops, the receipt says who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.app.record.states import STATES, read_states
from embodied.app.serving.running import BusyError, Owner, Stopped
from embodied.app.serving.service import LONGEST_SENTENCE, Service, Status
from embodied.errors import OptionError
from embodied.settings import Settings

SENTENCE = "put the red block on the tray"


class Clock:
    """Told the time after every step of a motion; does something at the step that it is told to."""

    def __init__(self) -> None:
        self.steps, self.at, self.then = 0, -1, lambda: None

    def __call__(self, time_s: float) -> None:
        self.steps += 1
        if self.steps == self.at:
            self.then()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Service, Clock]]:
    clock = Clock()
    service = Service(Settings(seed=3, pictures=False), tmp_path / "runs", pace=clock)
    yield service, clock
    service.close()


def test_a_sentence_is_rehearsed_approved_measured_and_undone(
    served: tuple[Service, Clock], signed_runs: Path
) -> None:
    service, clock = served
    phases: list[str] = []
    service.listeners.append(lambda status: phases.append(status.phase))
    before = service.owner.call(service.owner.session.qpos)
    status = service.propose(SENTENCE)
    assert status.phase == "proposed" and clock.steps == 0
    assert np.array_equal(before, service.owner.call(service.owner.session.qpos))
    assert status.reading == "red block on tray" and len(status.steps) == 2
    ghost = status.rehearsal
    assert ghost is not None and ghost.outcome is not None and ghost.outcome.reached
    assert len(ghost.qpos) == len(ghost.hand) > 50

    status = service.approve("operator 7")
    assert status.reached and status.folder is not None and status.phase == "idle"
    assert any("holds: (on red-block tray), margin" in line for line in status.ended)
    states = read_states(status.folder / STATES)
    assert np.abs(states.qpos[-1] - ghost.qpos[-1]).max() < 0.02
    assert signed_runs.is_dir()
    assert "unaltered; reached" in "\n".join(service.receipt(status.folder))
    events = (status.folder / "events.jsonl").read_text()
    assert "Yes, says operator 7" in events and '"reading"' in events
    assert [p for n, p in enumerate(phases) if p not in phases[n - 1 : n]] == [
        "planning", "proposed", "moving", "idle",
    ]  # fmt: skip

    assert service.propose_undo().phase == "proposed"
    assert service.approve("operator 7").reached
    assert "(on red-block table)" in "\n".join(service.owner.call(service.owner.session.state))
    assert "no instruction" in service.propose_undo().ended[0]


def test_stop_ends_a_motion_and_what_waits(served: tuple[Service, Clock]) -> None:
    service, clock = served
    service.propose(SENTENCE)
    clock.at, clock.then = 40, service.stop
    status = service.approve("me")
    assert status.phase == "idle" and status.reached is None and "STOPPED" in status.ended[0]
    assert clock.steps < 60
    body = service.owner.session.environment.body
    service.owner.call(lambda: body.hold(0.5))
    assert abs(body.observation.dq).max() < 0.02

    assert service.propose(SENTENCE).phase == "proposed"
    service.stop()
    assert service.status.phase == "idle" and service.status.rehearsal is None
    with pytest.raises(BusyError, match="nothing waits"):
        service.approve("me")
    steps = clock.steps
    service.propose(SENTENCE)
    service.refuse()
    with pytest.raises(BusyError, match="nothing waits"):
        service.approve("me")
    assert clock.steps == steps
    service.propose(SENTENCE)
    assert service.approve("me").reached


def test_a_stop_between_approval_and_motion_counts(served: tuple[Service, Clock]) -> None:
    service, clock = served
    service.propose(SENTENCE)

    def stop_at_once(status: Status) -> None:
        if status.phase == "moving":
            service.listeners.clear()
            service.stop()

    service.listeners.append(stop_at_once)
    assert "STOPPED" in service.approve("me").ended[0]
    assert clock.steps == 0


def test_stop_ends_a_rehearsal(served: tuple[Service, Clock], monkeypatch: Any) -> None:
    service, clock = served
    watch = service.owner.watch

    def watched(copy: Any) -> None:
        watch(copy)
        copy.environment.body.watchers.insert(0, lambda seen: service.stop())

    monkeypatch.setattr(service.owner, "watch", watched)
    assert "STOPPED" in service.propose(SENTENCE).ended[0] and clock.steps == 0


@pytest.mark.parametrize("yes", [True, False])
def test_a_question_waits_for_the_operator(served: tuple[Service, Clock], yes: bool) -> None:
    service, clock = served
    asked: list[str] = []

    def say(status: Status) -> None:
        if status.question is not None and status.question not in asked:
            asked.append(status.question)
            service.answer(yes)

    service.listeners.append(say)
    status = service.propose(f"perhaps {SENTENCE}")
    assert len(asked) == 1
    assert status.phase == ("proposed" if yes else "idle") and clock.steps == 0


@pytest.mark.parametrize(
    ("sentence", "phase", "told"),
    [
        ("where is the red block?", "idle", "on the table"),
        ("flurb the zork", "idle", "I do not know"),
        ("put the tray on the red block", "idle", ""),
    ],
)
def test_what_is_no_motion_waits_for_nothing(
    served: tuple[Service, Clock], sentence: str, phase: str, told: str
) -> None:
    service, clock = served
    status = service.propose(sentence)
    assert (status.phase, clock.steps, status.rehearsal) == (phase, 0, None)
    assert told in "\n".join(status.ended) and status.ended
    assert "table" in service.ask_memory("where is the red block?")


@pytest.mark.parametrize("sentence", ["", "  ", "x" * (LONGEST_SENTENCE + 1), "x" * 1_000_000])
def test_sentences_are_bounded(served: tuple[Service, Clock], sentence: str) -> None:
    service, _ = served
    with pytest.raises(OptionError, match="1 to 1000"):
        service.propose(sentence)
    assert service.status.phase == "idle"


def test_one_sentence_at_a_time(served: tuple[Service, Clock]) -> None:
    service, clock = served
    service.propose(SENTENCE)
    found: list[BaseException] = []

    def again() -> None:
        for call in (lambda: service.propose(SENTENCE), lambda: service.approve("you")):
            try:
                call()
            except BusyError as error:
                found.append(error)

    clock.at, clock.then = 5, again
    assert service.approve("me").reached and len(found) == 2


def test_calls_decided_before_a_stop_do_not_move(served: tuple[Service, Clock]) -> None:
    owner: Owner = served[0].owner
    work: Callable[[], int] = lambda: owner.moves(lambda: 1)  # noqa: E731
    assert owner.call(work) == 1
    before = owner.stops
    assert owner.stop() is False
    with pytest.raises(Stopped):
        owner.call(work, stops=before)
    assert owner.call(work) == 1


def test_a_world_that_cannot_be_copied_has_no_ghost_and_says_so(
    served: tuple[Service, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, clock = served

    def refused(*arguments: object) -> None:
        raise OptionError("this world takes up no state")

    monkeypatch.setattr("embodied.session.Session.restore", refused)
    status = service.propose(SENTENCE)
    assert (status.phase, status.rehearsal, clock.steps) == ("proposed", None, 0)
    assert status.no_rehearsal == "this world takes up no state"
    assert service.approve("me").reached
