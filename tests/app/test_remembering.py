"""A session remembers over its sentences: what is hidden, what it was told, what was changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from embodied.app.record.memory_log import read_belief, vocabulary_record
from embodied.app.wiring import open_session
from embodied.memory.answering import ask
from embodied.memory.tracing import MEMORY, MemoryTrace
from embodied.protocols import Event
from embodied.session import Session
from embodied.settings import Settings


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A drawer with a lime in it, closed by the robot."""
    session = open_session(Settings(scene="kitchen", model="rules", seed=1, pictures=False))
    done = session.run("open the drawer and put the lime in it, then close the drawer")
    assert done.reached, done.message
    yield session
    session.close()


def test_what_the_drawer_hides_is_remembered_and_answered(session: Session) -> None:
    place = session.environment
    assert "lime" in place.body.observe().poses  # the simulator knows
    seen = place.perceive(place.body.observe())
    assert seen is not None and "lime" not in seen.poses
    before = session.qpos().copy()
    assert session.answer("what is in the drawer?") == "The lime."
    assert "where I saw it last" in session.answer("where is the lemon?")
    assert session.answer("is the drawer closed?") == "Yes."
    assert "put the lime in the drawer" in session.answer("what did you do last?")
    assert (session.qpos() == before).all()


def test_told_words_last_and_are_in_every_log(session: Session, tmp_path: Path) -> None:
    assert session.tell("the blue cup is dirty").accepted
    trace = MemoryTrace(tmp_path, on_loss=pytest.fail)

    def emit(event: Event) -> None:
        if event.kind == MEMORY:
            trace.append(event.data["change"])

    done = session.run("put the dirty cup on the plate", emit=emit)
    trace.close()
    assert done.reached, done.message
    record = vocabulary_record(session.environment.grounder, session.environment.body.spec.objects)
    (tmp_path / "vocabulary.json").write_text(json.dumps(record))
    belief = read_belief(tmp_path)
    assert ask("which things are dirty?", belief).words == ("blue-cup",)
    assert ask("where is the lime?", belief).words == ("drawer",)
    assert ask("why did you move the blue cup?", belief).words == (
        "put the dirty cup on the plate",
    )
    assert ask("what did you do last?", belief).words == ("blue-cup",)


def test_goals_about_hidden_things_are_planned_from_memory(session: Session) -> None:
    outcome = session.run("put the lime in the bowl", move=False)
    steps = " ".join(map(str, outcome.details["steps"]))
    assert "drawer" in steps and outcome.exit_code == 0


def test_what_was_changed_between_sentences_is_noticed(session: Session) -> None:
    qpos = session.qpos().copy()
    model, _ = session.model_and_data()
    address = model.jnt_qposadr[model.joint("sponge").id]
    qpos[address : address + 3] = [0.35, -0.39, 0.03]  # onto the plate
    session.restore(qpos)
    events: list[Event] = []
    session.run("open the drawer", emit=events.append, move=False)
    (found,) = [e for e in events if e.kind == "contradiction"]
    assert "sponge" in found.data["moved"]
