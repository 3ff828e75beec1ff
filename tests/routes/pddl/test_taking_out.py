"""Things in a drawer are taken out again, or it is said why the hand does not reach them."""

from __future__ import annotations

import pytest

from embodied.app.wiring import open_session
from embodied.outcome import Outcome
from embodied.settings import Settings


def put_in_and_out(scene: str, item: str) -> Outcome:
    session = open_session(Settings(scene=scene, route="pddl", model="rules", pictures=False))
    try:
        words = item.replace("-", " ")
        inside = session.run(f"open the drawer and put the {words} in it")
        assert inside.reached, inside.message
        return session.run(f"put the {words} on the table")
    finally:
        session.close()


@pytest.mark.parametrize(("scene", "item"), [("kitchen", "lime"), ("workshop", "battery")])
def test_a_small_thing_that_the_finger_tips_reach_is_taken_out(scene: str, item: str) -> None:
    outcome = put_in_and_out(scene, item)
    assert outcome.reached, outcome.message


def test_a_flat_thing_between_high_walls_is_given_up_at_once_with_the_reason() -> None:
    outcome = put_in_and_out("kitchen", "sponge")
    assert not outcome.reached
    assert "another candidate would not help" in outcome.message
    assert "the hand does not fit in between its walls" in outcome.message
