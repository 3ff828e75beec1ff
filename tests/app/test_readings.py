"""Sentences that are no instructions: answered, remembered, asked about; nothing moves."""

from __future__ import annotations

from typing import Any

import pytest

from embodied.app.asking import asker
from embodied.outcome import NOT_UNDERSTOOD, REACHED
from embodied.protocols import Event
from embodied.recovery import Question
from embodied.session import Session
from embodied.settings import Settings


@pytest.fixture
def asked() -> list[Question]:
    return []


@pytest.fixture
def session(app: Any, asked: list[Question]) -> Session:
    def change(parts: dict[str, Any]) -> None:
        parts["ask"] = lambda question: asked.append(question) or True

    app.translate_goals, app.change = False, change
    return app.open(Settings(scene="blocks"))


def told(session: Session, sentence: str) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    before = session.time_s()
    outcome = session.run(sentence, emit=events.append)
    if outcome.program is None:
        assert session.time_s() == before, "something moved"
    return outcome, events


def test_a_question_is_answered(session: Session) -> None:
    outcome, events = told(session, "where is the red block?")
    assert (outcome.exit_code, outcome.program) == (REACHED, None)
    assert "red block is on the table" in outcome.message
    (reading,) = (e.data for e in events if e.kind == "reading")
    assert reading["reading"] == "answer"


def test_a_statement_is_remembered_and_its_log_is_whole(app: Any) -> None:
    app.translate_goals = False
    lines = "the red block is dirty\nis the red block dirty?\n"
    done = app("chat", "--model", "rules", input=lines)
    assert done.exit_code == 0 and "lost" not in done.output, done.output
    assert "The red block is dirty" in done.output and "Yes" in done.output


def test_a_rule_holds_for_the_rest_of_the_conversation(session: Session) -> None:
    outcome, _ = told(session, "never put the red block in the bin")
    assert (outcome.exit_code, outcome.details["reading"]) == (REACHED, "tell")
    with pytest.raises(ValueError, match="would break what you said"):
        session.run("put the red block in the bin")
    assert session.run("put the red block on the tray").reached


def test_a_person_decides_about_a_doubtful_reading(session: Session, asked: list[Question]) -> None:
    outcome = session.run("maybe put the red block in the bin")
    assert outcome.reached
    (question,) = asked
    assert question.kind == "reading" and question.text.startswith("I read: red block in bin.")


def test_yes_does_not_answer_for_a_reading(app: Any) -> None:
    app.translate_goals = False
    app.change = lambda parts: parts.update(ask=asker(yes=True))
    done = app("run", "maybe put the red block in the bin", "--yes", "--model", "rules")
    assert done.exit_code == NOT_UNDERSTOOD
    assert "I read: red block in bin" in done.output
