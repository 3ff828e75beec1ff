from __future__ import annotations

import csv
import io
import json
import re
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from embodied_controllers.mpc import PlannerOptions
from embodied_controllers.mpc.controller import Mode

from embodied.agent import Options
from embodied.app.replay import recorded_program
from embodied.app.wiring import session_of
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.language.models import FunctionModel
from embodied.language.reward import make_term, program_to_json, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.translator import RewardTranslator
from embodied.outcome import NOT_REACHED, REACHED
from embodied.protocols import Event, Request
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import (
    RewardSetup,
    build_setup,
    drawing_model,
    environment_of,
    open_environment,
)
from embodied.session import Session
from embodied.settings import Settings
from embodied.types import (
    RewardCondition,
    RewardGuard,
    RewardProgram,
    RewardStage,
    RewardTerm,
)

QUICK = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=16, halvings=(0.5,))
LOW = '{"stages": [{"terms": [{"name": "torso_height", "height": 0.16, "weight": 40}]}]}'
HIGH = LOW.replace("0.16", "0.26")
FLAT = LOW.replace(
    "]}]}",
    ', {"name": "torso_pitch", "angle": 0, "weight": 5},'
    ' {"name": "torso_roll", "angle": 0, "weight": 5}]}]}',
)
FAR = '{"stages": [{"duration_s": 0.1, "terms": [{"name": "torso_position", "x": 5, "y": 5}]}]}'


def opened_with(setup: RewardSetup, translator: Any, settings: Settings) -> Session:
    route = RewardRoute(setup, translator)
    return session_of(settings, environment_of(setup, settings), route)


def session(*answers: str) -> Session:
    rest = iter(answers)
    model = FunctionModel(lambda _: next(rest))
    return opened_with(
        build_setup("quadruped", options=QUICK),
        RewardTranslator(model, quadruped_speech(), two_step=False),
        Settings(robot="quadruped", model="function"),
    )


def ask_with(opened: Session, translator: Any) -> None:
    opened._translator = opened.route.translator = translator


def act(opened: Session, sentence: str) -> tuple[Any, list[Event], dict[str, str]]:
    events: list[Event] = []
    made: dict[str, str] = {}
    outcome = opened.run(sentence, emit=events.append, write=made.__setitem__, move=True)
    return outcome, events, made


def test_a_sentence_moves_the_robot_and_is_judged_from_measured_state() -> None:
    opened = session(LOW, HIGH)
    outcome, events, made = act(opened, "sit")
    assert outcome.exit_code == REACHED
    kinds = [e.kind for e in events if e.kind not in ("memory", "stage")]
    said = ["instruction", "reading"]
    assert kinds == [*said, "program", "milestone", "observation", "verdict"]
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
    opened = session(FAR, FAR)
    outcome, _, _ = act(opened, "go forward")
    assert outcome.exit_code == NOT_REACHED
    assert "torso_velocity 0.4 0: off by" in outcome.message  # as the rules read the sentence
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
    assert outcome.verdicts[0].holds == ("torso_height <= 0.22",)
    opened.close()


def test_nothing_moves_when_only_planning() -> None:
    opened = session(LOW)
    outcome = opened.run("sit", emit=lambda e: None, write=lambda n, t: None, move=False)
    assert outcome.exit_code == REACHED
    assert opened.time_s() == 0.0
    opened.close()


def converse(opened: Session, *lines: str) -> tuple[Any, list[Event], dict[str, str]]:
    events: list[Event] = []
    made: dict[str, str] = {}
    outcome = opened.converse(
        iter(lines), lambda text: None, emit=events.append, write=made.__setitem__
    )
    return outcome, events, made


def test_what_is_typed_while_it_moves_changes_the_motion_within_a_second() -> None:
    opened = session(LOW, HIGH)
    heights: list[tuple[float, float]] = []
    opened.watch(lambda time_s: heights.append((time_s, float(opened.qpos()[2]))))
    outcome, events, made = converse(opened, "sit\n", "wait 1.5\n", "higher\n", "wait 1\n", "quit")
    first, second = outcome.details["corrections"]
    assert (first["sentence"], second["sentence"]) == ("sit", "higher")
    assert 1.5 <= second["said_s"] <= second["taken_s"]
    at = {round(t, 2): z for t, z in heights}
    changed = round(second["taken_s"], 2)
    assert at[changed] < 0.21
    assert at[round(changed + 0.9, 2)] > at[changed] + 0.03
    assert [e.data["text"] for e in events if e.kind == "instruction"] == ["sit", "higher"]
    terms = {r["term"] for r in csv.DictReader(io.StringIO(made["costs.csv"]))}
    assert terms == {"torso_height 0.16", "torso_height 0.26"}
    opened.close()


def test_the_robot_goes_on_while_a_sentence_is_translated_and_when_none_is_understood() -> None:
    opened = session()
    begun, done = threading.Event(), threading.Event()

    def answer(request: Request) -> str:
        if "slowly" not in request.messages[-1].text:
            return LOW
        begun.set()
        assert done.wait(60)
        return "no program"

    ask_with(
        opened,
        RewardTranslator(FunctionModel(answer), quadruped_speech(), two_step=False, repairs=0),
    )
    steps_meanwhile: list[float] = []

    def watch(time_s: float) -> None:
        if begun.is_set() and not done.is_set():
            steps_meanwhile.append(time_s)
            if len(steps_meanwhile) == 5:
                done.set()

    opened.watch(watch)
    outcome, events, _ = converse(opened, "sit", "now slowly", "wait 0.1", "quit")
    assert len(steps_meanwhile) == 5
    assert [e.kind for e in events].count("program") == 1
    (refused,) = (e.data["text"] for e in events if e.kind == "diagnostic")
    assert "going on as before" in refused
    assert [c["sentence"] for c in outcome.details["corrections"]] == ["sit"]
    opened.close()


def test_a_piped_conversation_ends_when_the_last_program_is_reached() -> None:
    opened = session(LOW)
    outcome, _, _ = converse(opened, "sit")
    assert outcome.exit_code == REACHED
    assert outcome.verdicts[0].holds == ("torso_height 0.16",)
    opened.close()


def test_terms_that_stay_high_go_back_to_the_model_with_their_costs() -> None:
    asked: list[str] = []
    answers = iter((FAR, FLAT))

    def answer(request: Request) -> str:
        asked.append(request.messages[-1].text)
        return next(answers)

    opened = session()
    writer = RewardTranslator(FunctionModel(answer), quadruped_speech(), two_step=False)
    writer.now = opened.state
    ask_with(opened, writer)
    outcome, events, _ = act(opened, "lie down")
    assert outcome.exit_code == REACHED
    assert "Now, before the motion:\n<data>\ntorso_height = 0." in asked[0]
    assert any("repaired after" in note for note in outcome.notes)
    assert "torso_position 5 5: off by" in asked[1]
    assert re.search(r"x measured -?0\.\d\d m, asked 5\.00 m, too small by [45]\.\d\d", asked[1])
    assert "A new program starts from what is measured now:" in asked[1]
    assert re.search(r"torso_height = 0\.\d+\n", asked[1])
    assert "at the end" in asked[1]
    assert any("better program" in str(e.data.get("text")) for e in events)
    assert "judged by what the rules read in the sentence" in outcome.notes
    assert "torso_pitch 0" in outcome.verdicts[-1].holds
    opened.close()


def test_a_repaired_program_does_not_make_its_task_easier() -> None:
    answers = iter((FAR, HIGH))
    opened = session()
    writer = RewardTranslator(
        FunctionModel(lambda request: next(answers)), quadruped_speech(), two_step=False
    )
    ask_with(opened, writer)
    outcome, _, _ = act(opened, "lie down")
    assert outcome.exit_code == NOT_REACHED
    assert any("the repaired one ended" in n and "torso_height 0.12" in n for n in outcome.notes)
    opened.close()


def test_what_a_repaired_program_dropped_is_said_where_the_rules_do_not_read_the_sentence() -> None:
    answers = iter((FAR, LOW))
    writer = RewardTranslator(
        FunctionModel(lambda request: next(answers)), quadruped_speech(), two_step=False
    )
    setup, settings = build_setup("quadruped", options=QUICK), Settings(robot="quadruped")
    environment = environment_of(setup, settings)
    opened = session_of(
        settings, environment, RewardRoute(setup, writer), ask=lambda question: True
    )
    outcome, _, _ = act(opened, "look timid")
    assert outcome.exit_code == REACHED
    (note,) = (n for n in outcome.notes if n.startswith("judged by"))
    assert note.endswith("asks no more: torso_position 5 5")
    opened.close()


def test_of_two_attempts_the_closer_one_is_kept() -> None:
    near = FAR.replace('": 5', '": 0.5')
    assert near != FAR
    for answers, kept, ran in (((near, FAR), near, 3), ((FAR, near), near, 2)):
        given = iter(answers)
        model = FunctionModel(lambda request, given=given: next(given))
        writer = RewardTranslator(model, quadruped_speech(), two_step=False)
        setup, settings = build_setup("quadruped", options=QUICK), Settings(robot="quadruped")
        opened = session_of(
            settings,
            environment_of(setup, settings),
            RewardRoute(setup, writer),
            ask=lambda question: True,
        )
        outcome, events, _ = act(opened, "look timid")  # which the rules do not read
        assert outcome.exit_code == NOT_REACHED
        assert sum(e.kind == "program" for e in events) == ran
        x = json.loads(kept)["stages"][0]["terms"][0]["x"]
        assert outcome.program.stages[0].terms[0].parameters["x"] == x
        assert any("the first program again" in note for note in outcome.notes) == (ran == 3)
        opened.close()


def test_a_step_back_takes_back_the_verdict_on_what_comes_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("embodied_controllers.mpc.controller.RETURNS_MAX", 2)

    def low(height: float) -> tuple[RewardTerm, ...]:
        return (make_term("torso_height", height=height, weight=40.0),)

    below = RewardCondition(sensor="torso_height", op="<=", value=0.24)
    program = RewardProgram(
        robot="quadruped",
        stages=(
            RewardStage(terms=low(0.14), until=below),
            RewardStage(
                terms=low(0.3), duration_s=0.5, guards=(RewardGuard(condition=below, back=1),)
            ),
            RewardStage(terms=low(0.3), duration_s=0.1),
        ),
        source="test",
    )
    opened = session()
    events: list[Event] = []
    outcome = opened.pursue(program, emit=events.append, write=lambda n, t: None)
    entered = [(e.data["stage"], e.data["back"]) for e in events if "back" in e.data]
    assert entered[:4] == [(0, False), (1, False), (0, True), (1, False)]
    assert outcome.details["stepped_back"] == 2
    assert [g.text for g in outcome.verdicts] == ["stage 1", "stage 2", "stage 3"]
    opened.close()


def test_planning_in_a_thread_keeps_real_time() -> None:
    settings = Settings(robot="quadruped", asynchronous=True)
    rig = build_setup("quadruped", options=QUICK, mode=Mode.ASYNCHRONOUS)
    opened = opened_with(rig, RewardRules(quadruped_speech()), settings)
    stage = RewardStage(terms=(make_term("torso_height", height=0.2),), duration_s=0.3)
    program = RewardProgram(robot="quadruped", stages=(stage,), source="test")
    outcome = opened.pursue(program, emit=lambda e: None, write=lambda n, t: None)
    assert opened.about["planning"] == "asynchronous"
    assert outcome.details["realtime_factor"] <= 1.05
    opened.close()


def test_an_illegal_program_is_refused_before_anything_moves() -> None:
    opened = session()
    bad = RewardProgram(
        robot="quadruped",
        stages=(RewardStage(terms=(make_term("torso_height", height=9.0),)),),
        source="test",
    )
    with pytest.raises(NotUnderstoodError, match="out of range"):
        opened.pursue(bad, emit=lambda e: None, write=lambda n, t: None)
    assert opened.time_s() == 0.0
    opened.close()


def test_unknown_robot_names_the_legal_ones() -> None:
    with pytest.raises(ConfigurationError, match="fr3-hand, quadruped"):
        open_environment(Settings(robot="snake"))


def test_the_drawing_model_fits_the_recorded_states() -> None:
    opened = session()
    model = drawing_model(opened.states_header)
    assert model.nq == len(opened.qpos())
    opened.close()


def test_a_recorded_reward_program_is_read_back_for_a_replay(tmp_path: Path) -> None:
    opened = session(LOW)
    _, events, _ = act(opened, "sit")
    opened.close()
    kept = [e for e in events if e.kind != "memory"]
    lines = [json.dumps({"wall_s": 0.0, "kind": e.kind, "data": e.data}) for e in kept]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "run.json").write_text(json.dumps({"robot": "quadruped", "status": "finished"}))
    (program,) = (e.data["reward"] for e in events if e.kind == "program")
    again = recorded_program(tmp_path, opened.route)
    assert isinstance(again, RewardProgram)
    assert json.loads(program_to_json(again)) == program
    assert again.source.startswith("replay of ")


WALK = '{"name": "torso_velocity", "forward": 0.5, "weight": 5}'
SOON = '"until": {"sensor": "stage_time", "op": ">=", "value": 0.3}'


def test_a_condition_of_a_model_does_not_make_a_walk_of_a_lean() -> None:
    opened = session('{"stages": [{"terms": [' + WALK + "], " + SOON + "}]}", LOW)
    opened._options = Options(revisions=0)
    outcome, events, _ = act(opened, "walk forward at 0.5 m/s")
    assert outcome.exit_code == NOT_REACHED
    assert "torso_velocity 0.5" in outcome.message
    (shown,) = next(e.data["stages"] for e in events if e.kind == "program")
    assert "until stage_time >= 0.3" in shown
    assert opened.time_s() >= 3.0
    opened.close()


def test_a_stage_that_a_model_ends_at_once_answers_for_its_terms() -> None:
    first = '{"terms": [' + WALK + "], " + SOON + "}"
    last = LOW.removeprefix('{"stages": [').removesuffix("]}")
    opened = session('{"stages": [' + first + ", " + last + "]}")
    opened._options = Options(revisions=0)
    outcome, _, _ = act(opened, "walk, then sit")
    assert outcome.exit_code == NOT_REACHED
    assert any("torso_velocity" in part for part in outcome.verdicts[0].unmet)
    opened.close()
