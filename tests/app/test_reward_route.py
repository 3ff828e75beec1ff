from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from embodied_controllers.mpc import PlannerOptions

from embodied.app import reward_route
from embodied.app.replay import recorded_program
from embodied.app.reward_rig import build_rig
from embodied.app.reward_route import RewardSession
from embodied.app.session import NOT_REACHED, REACHED, Settings
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.language.models import FunctionModel
from embodied.language.reward import make_term, program_to_json
from embodied.language.reward.translator import RewardTranslator
from embodied.protocols import Event
from embodied.types import RewardProgram, RewardStage

QUICK = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=16, halvings=(0.5,))
LOW = '{"stages": [{"terms": [{"name": "torso_height", "height": 0.16, "weight": 40}]}]}'
HIGH = LOW.replace("0.16", "0.26")
FAR = '{"stages": [{"duration_s": 0.6, "terms": [{"name": "torso_position", "x": 5, "y": 5}]}]}'


def session(*answers: str) -> RewardSession:
    rest = iter(answers)
    model = FunctionModel(lambda _: next(rest))
    return RewardSession(
        build_rig("quadruped", options=QUICK),
        RewardTranslator(model, "quadruped", two_step=False),
        Settings(robot="quadruped", model="function"),
    )


def act(opened: RewardSession, sentence: str) -> tuple[Any, list[Event], dict[str, str]]:
    events: list[Event] = []
    made: dict[str, str] = {}
    outcome = opened.run(sentence, emit=events.append, artifact=made.__setitem__, move=True)
    return outcome, events, made


def test_a_sentence_moves_the_robot_and_is_judged_from_measured_state() -> None:
    opened = session(LOW, HIGH)
    outcome, events, made = act(opened, "sit")
    assert outcome.exit_code == REACHED
    assert [e.kind for e in events] == ["instruction", "program", "stage"]
    assert float(opened.state()[0].split("=")[1]) == pytest.approx(0.16, abs=0.06)
    rows = list(csv.DictReader(io.StringIO(made["costs.csv"])))
    assert {r["term"] for r in rows} == {"torso_height 0.16"}
    assert ElementTree.fromstring(made["costs.svg"]).tag.endswith("svg")
    begin = opened.time_s()
    outcome, _, _ = act(opened, "higher")  # the same world goes on
    assert outcome.exit_code == REACHED
    assert opened.time_s() > begin
    assert float(opened.state()[0].split("=")[1]) == pytest.approx(0.26, abs=0.06)
    opened.close()


def test_a_target_out_of_reach_ends_with_what_is_off_and_by_how_much() -> None:
    opened = session(FAR)
    outcome, _, _ = act(opened, "go far away")
    assert outcome.exit_code == NOT_REACHED
    assert "torso_position 5 5: off by" in outcome.message
    opened.close()


def test_a_stage_on_the_way_is_judged_by_its_condition() -> None:
    first = (
        '{"terms": [{"name": "torso_height", "height": 0.1, "weight": 40}], "duration_s": 3,'
        ' "until": {"sensor": "torso_height", "op": "<=", "value": 0.22}}'
    )
    last = LOW.removeprefix('{"stages": [').removesuffix("]}")
    opened = session('{"stages": [' + first + ", " + last + "]}")
    outcome, _, _ = act(opened, "down")
    assert outcome.exit_code == REACHED
    assert outcome.goals[0].holds == ("torso_height <= 0.22",)
    opened.close()


def test_nothing_moves_when_only_planning() -> None:
    opened = session(LOW)
    outcome = opened.run("sit", emit=lambda e: None, artifact=lambda n, t: None, move=False)
    assert outcome.exit_code == REACHED
    assert opened.time_s() == 0.0
    opened.close()


def test_a_live_correction_changes_the_motion_within_a_second() -> None:
    opened = session()
    low = RewardProgram(
        robot="quadruped",
        stages=(RewardStage(terms=(make_term("torso_height", height=0.14, weight=40.0),)),),
        source="test",
    )
    high = RewardProgram(
        robot="quadruped",
        stages=(RewardStage(terms=(make_term("torso_height", height=0.28, weight=40.0),)),),
        source="test",
    )
    opened.live(lambda: None, seconds=1.0, program=low)
    before = float(opened.state()[0].split("=")[1])
    pending = [high]
    taken = opened.live(lambda: pending.pop() if pending else None, seconds=1.0)
    after = float(opened.state()[0].split("=")[1])
    assert len(taken) == 1
    assert before < 0.2 < after
    opened.close()


def test_an_illegal_program_is_refused_before_anything_moves() -> None:
    opened = session()
    bad = RewardProgram(
        robot="quadruped",
        stages=(RewardStage(terms=(make_term("torso_height", height=9.0),)),),
        source="test",
    )
    with pytest.raises(NotUnderstoodError, match="out of range"):
        opened.pursue(bad, emit=lambda e: None, artifact=lambda n, t: None)
    assert opened.time_s() == 0.0
    opened.close()


def test_unknown_robot_names_the_legal_ones() -> None:
    with pytest.raises(ConfigurationError, match="quadruped, arm"):
        reward_route.open_reward_session(Settings(robot="snake"))


def test_the_drawing_model_fits_the_recorded_states() -> None:
    opened = session()
    model = reward_route.drawing_model(opened.states_header)
    assert model.nq == len(opened.qpos())
    opened.close()


def test_a_recorded_reward_program_is_read_back_for_a_replay(tmp_path: Path) -> None:
    opened = session(LOW)
    _, events, _ = act(opened, "sit")
    opened.close()
    lines = [json.dumps({"wall_s": 0.0, "kind": e.kind, "data": e.data}) for e in events]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "run.json").write_text(json.dumps({"robot": "quadruped", "status": "finished"}))
    (program,) = (e.data["reward"] for e in events if e.kind == "program")
    again = recorded_program(tmp_path)
    assert isinstance(again, RewardProgram)
    assert json.loads(program_to_json(again)) == program
    assert again.source.startswith("replay of ")
