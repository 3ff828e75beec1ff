"""A sentence with a goal and a motion: carried out, undone, replayed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embodied.app.cli import main as cli
from embodied.app.wiring import open_session
from embodied.settings import Settings

SENTENCE = "put the red block on the tray slowly, then move the gripper above the blue block"


@pytest.mark.slow
def test_goal_manner_and_motion_in_one_sentence_and_undone() -> None:
    session = open_session(Settings(seed=1, model="rules", pictures=False))
    try:
        outcome = session.run(SENTENCE)
        assert outcome.reached, outcome.message
        texts = [text for v in outcome.verdicts for text in v.holds]
        assert "(on red-block tray)" in texts
        assert any(text.startswith("never faster than 0.1 m/s") for text in texts)
        seen = session.environment.body.observe()
        away = seen.pose_ee_in_world.position - seen.poses["blue-block"].position
        assert np.linalg.norm(away[:2]) < 0.03 and away[2] > 0.05, (
            "the hand stays where it was sent"
        )
        undone = session.undo()
        assert undone.reached and "(not (on red-block tray))" in str(undone.verdicts)
    finally:
        session.close()


@pytest.mark.slow
def test_a_goal_after_a_motion_is_its_own() -> None:
    session = open_session(Settings(seed=1, model="rules", pictures=False))
    try:
        outcome = session.run(
            "put the red block on the tray, then move the gripper up, then put the blue block on it"
        )
        facts = session.environment.grounder.facts(session.environment.body.observe())
        assert outcome.reached and {"(on red-block tray)", "(on blue-block red-block)"} <= set(
            map(str, facts)
        )
    finally:
        session.close()


@pytest.mark.slow
def test_a_mixed_run_is_replayed(tmp_path: Path) -> None:
    said = ["run", SENTENCE, "--model", "rules", "--no-video", "--json", "--out", str(tmp_path)]
    run = CliRunner().invoke(cli.app, said)
    first = json.loads(run.stdout)
    assert run.exit_code == 0 and first["route"] == "mixed"
    again = CliRunner().invoke(
        cli.app,
        ["replay", first["folder"], "--execute", "--no-video", "--json", "--out", str(tmp_path)],
    )
    second = json.loads(again.stdout)
    assert again.exit_code == 0, again.output
    assert second["route"] == "mixed"
    assert second["verdict"]["goals"] == first["verdict"]["goals"]


@pytest.mark.slow
def test_a_drawer_is_half_open_when_a_thing_is_put_in_and_the_hand_waves() -> None:
    session = open_session(Settings(scene="workshop", model="rules", pictures=False))
    try:
        body = session.environment.body
        hands: list[float] = []
        body.watchers.append(lambda seen: hands.append(float(seen.pose_ee_in_world.position[1])))
        sentence = "open the drawer half way, put the battery in, then wave once"
        outcome = session.run(sentence)
        assert outcome.reached, outcome.message
        seen = body.observe()
        travel = body.spec.objects["drawer"].travel_m
        assert seen.openings_m["drawer"] == pytest.approx(travel / 2, abs=0.12 * travel)
        assert "(in battery drawer)" in map(str, session.environment.grounder.facts(seen))
        waved = hands[-round(4.0 / body.spec.control_dt_s) :]
        assert max(waved) > 0.08 and min(waved) < -0.08
    finally:
        session.close()
