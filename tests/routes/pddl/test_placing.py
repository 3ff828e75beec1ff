"""Sentences that say where exactly: carried out in the simulator and measured there."""

from __future__ import annotations

import numpy as np
import pytest

from embodied import Settings, open_session
from embodied.session import Session


def place_of(session: Session, name: str) -> np.ndarray:
    return np.array(session.environment.body.observe().poses[name].position)


def yaw_of(session: Session, name: str) -> float:
    rotation = session.environment.body.observe().poses[name].rotation
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))


@pytest.fixture(scope="module")
def session():
    session = open_session(Settings(scene="blocks", seed=0))
    yield session
    session.close()


@pytest.mark.slow
def test_places_beside_things_are_reached_and_measured(session: Session) -> None:
    before = place_of(session, "green-block")
    outcome = session.run("move the green block 10 cm to the left")
    assert outcome.reached, outcome.message
    assert place_of(session, "green-block") - before == pytest.approx([0, 0.1, 0], abs=0.02)

    outcome = session.run("put the red block next to the green block")
    assert outcome.reached, outcome.message
    gap = np.linalg.norm((place_of(session, "red-block") - place_of(session, "green-block"))[:2])
    assert 0.045 < gap < 0.14

    outcome = session.run("put the yellow block to the right of the tray")
    assert outcome.reached, outcome.message
    x, y, _ = place_of(session, "yellow-block") - place_of(session, "tray")
    assert y < -0.1 - 0.0225 and abs(x) < 0.15

    outcome = session.run("put the purple block in the front left corner of the tray")
    assert outcome.reached, outcome.message
    x, y, z = place_of(session, "purple-block") - place_of(session, "tray")
    assert 0.02 < x < 0.1 and 0.02 < y < 0.1 and z > 0.0


@pytest.mark.slow
def test_turns_and_repetitions_in_a_conversation(session: Session) -> None:
    before, where = yaw_of(session, "orange-block"), place_of(session, "orange-block")
    assert session.run("turn the orange block by 30 degrees clockwise").reached
    assert session.run("a bit more").reached
    turn = np.degrees(before - yaw_of(session, "orange-block"))
    assert (turn - 45 + 180) % 360 - 180 == pytest.approx(0.0, abs=14)
    assert place_of(session, "orange-block")[:2] == pytest.approx(where[:2], abs=0.05)


@pytest.mark.slow
def test_the_leftmost_and_the_one_beside(session: Session) -> None:
    items = [n for n, o in session.environment.body.spec.objects.items() if o.kind == "item"]
    leftmost = max(items, key=lambda n: place_of(session, n)[1])
    outcome = session.run("put the leftmost block in the bin")
    assert outcome.reached, outcome.message
    middle = place_of(session, "bin")
    assert np.all(np.abs(place_of(session, leftmost) - middle)[:2] < 0.11)


@pytest.mark.slow
def test_no_room_is_no_success(session: Session) -> None:
    outcome = session.run("put the red block 1 cm to the left of the bin, at the edge of the tray")
    assert not outcome.reached


@pytest.mark.slow
def test_the_arm_goes_home(session: Session) -> None:
    session.run("move the gripper 5 cm up")
    outcome = session.run("go home")
    assert outcome.reached, outcome.message
    q = session.environment.body.observe().q
    assert q == pytest.approx(np.array(session.environment.body.spec.q_home), abs=0.03)


@pytest.mark.slow
def test_two_blocks_swap_places_on_the_table() -> None:
    session = open_session(Settings(scene="blocks", seed=0))
    try:
        orange, purple = (place_of(session, n) for n in ("orange-block", "purple-block"))
        outcome = session.run("swap the orange block and the purple block")
        assert outcome.reached, outcome.message
        assert place_of(session, "orange-block") == pytest.approx(purple, abs=0.025)
        assert place_of(session, "purple-block") == pytest.approx(orange, abs=0.025)
    finally:
        session.close()
