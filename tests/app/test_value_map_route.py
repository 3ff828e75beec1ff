from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.record.run_folder import read_events, read_summary
from embodied.app.wiring import open_session
from embodied.errors import ConfigurationError, NotUnderstoodError, ProgramError
from embodied.language.models import FunctionModel
from embodied.protocols import Request
from embodied.settings import Settings
from embodied.types import PddlProgram, ValueMapProgram

SENTENCE = "move the gripper above the red block while staying away from the blue block"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """One run of the sentence, from pixels."""
    out = tmp_path_factory.mktemp("runs")
    done = invoke("run", SENTENCE, "--route", "value-map", "--out", str(out))
    (folder,) = out.iterdir()
    return done, folder


def test_a_sentence_becomes_measured_motion(ran: tuple[Any, Path]) -> None:
    done, folder = ran
    assert done.exit_code == 0, done.output
    assert "goal reached" in done.output
    assert "judged by object poses from: RGB-D pixels of 4 cameras" in done.output
    summary = read_summary(folder).values
    assert summary["route"] == "value-map"
    assert summary["verdict"]["reached"] is True
    assert "ground truth" not in summary["object_source"]
    measured = summary["measured"][0]
    assert measured["target_error_m"] < 0.015
    assert summary["loop"]["looks"] > 5
    errors = summary["perceived_minus_ground_truth_m"]
    assert set(errors) > {"red-block", "blue-block"}
    assert max(errors.values()) < 0.02


def test_what_was_seen_is_remembered(ran: tuple[Any, Path]) -> None:
    _, folder = ran
    done = invoke("memory", "ask", str(folder), "where is the red block?")
    assert (done.exit_code, done.output) == (0, "The red block is on the table.\n")


def test_the_run_folder_shows_the_maps(ran: tuple[Any, Path]) -> None:
    _, folder = ran
    picture = (folder / "value_maps_stage_1.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
    html = (folder / "value_maps.html").read_text("utf-8")
    assert "http://" not in html and "https://" not in html  # nothing is loaded from elsewhere
    start = html.index("const DATA = ") + len("const DATA = ")
    data = json.loads(html[start : html.index(";\n", start)])
    (stage,) = data["stages"]
    assert len(stage["way"]) > 3 and len(stage["measured"]) > 20
    assert len(stage["avoided"]) > 500
    assert {t["name"] for t in stage["things"]} > {"red-block", "bin"}
    program = json.loads((folder / "value_map.json").read_text())
    assert program["stages"][0]["moving"] == "gripper"


def test_a_run_is_shown_and_carried_out_again(ran: tuple[Any, Path], tmp_path: Path) -> None:
    done, folder = ran
    shown = invoke("replay", str(folder), "--no-video")
    assert shown.exit_code == 0
    assert "goal reached" in shown.output
    again = invoke("replay", str(folder), "--execute", "--no-video", "--out", str(tmp_path))
    assert again.exit_code == 0, again.output
    (second,) = tmp_path.iterdir()
    assert read_summary(second).values["program"] == read_summary(folder).values["program"]
    kinds = [e.kind for e in read_events(second)[0]]
    assert "program" in kinds and "request" not in kinds


def test_planning_only_moves_nothing(tmp_path: Path) -> None:
    done = invoke("plan", SENTENCE, "--route", "value-map", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    (folder,) = tmp_path.iterdir()
    assert "understood" in read_summary(folder).values["message"]
    assert not (folder / "value_maps.html").exists()


def test_what_is_not_understood_is_exit_code_two(tmp_path: Path) -> None:
    done = invoke("run", "whistle a tune", "--route", "value-map", "--out", str(tmp_path))
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_only_value_map_programs_of_this_scene_are_carried_out() -> None:
    session = open_session(Settings(route="value-map", model="rules"))
    try:
        nothing = {"emit": lambda event: None, "write": lambda name, text: None}
        with pytest.raises(ProgramError, match="not a program that this session"):
            session.pursue(PddlProgram(domain="", problem="", stages=(), source="test"), **nothing)
        with pytest.raises(NotUnderstoodError, match="there is no stage"):
            session.pursue(ValueMapProgram(stages=(), source="test"), **nothing)
        with pytest.raises(NotUnderstoodError, match="has changed anything"):
            session.undo(**nothing)
        assert any(line.startswith("red-block at (0.3") for line in session.state())
    finally:
        session.close()


def test_a_block_is_dropped_in_the_bin_in_pybullet(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="pybullet is not installed (extra [pybullet])")
    done = invoke(
        "run", "drop the green block in the bin", "--route", "value-map", "--world", "pybullet",
        "--out", str(tmp_path), "--no-video",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (folder,) = tmp_path.iterdir()
    summary = read_summary(folder).values
    assert (summary["world"], summary["robot"]) == ("pybullet", "panda")
    assert "ground truth" not in summary["object_source"]
    assert "(holding green-block)" in summary["verdict"]["goals"][0]["holds"]


def test_it_says_where_it_does_not_work() -> None:
    with pytest.raises(ConfigurationError, match="mujoco, pybullet"):
        open_session(Settings(route="value-map", world="mars"))
    with pytest.raises(ConfigurationError, match="the arm panda"):
        open_session(Settings(route="value-map", world="pybullet", robot="ur5e"))


def test_a_failure_goes_back_to_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = {"shape": "point", "frame": "red-block", "x": 0, "y": 0, "z": 0.15}
    there = {"map": "affordance", "region": target, "value": 1}
    never = {"map": "avoidance", "region": {**target, "shape": "ball", "radius": 0.2}, "value": 1}
    answers = [[there, never], [there]]
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.messages[-1].text)
        operations = answers[len(asked) - 1]
        return json.dumps({"stages": [{"moving": "gripper", "operations": operations}]})

    model = FunctionModel(answer)
    monkeypatch.setattr("embodied.language.models.open_model", lambda *a, **k: model)
    done = invoke(
        *("run", "go above the red block", "--route", "value-map", "--model", "openai:scripted"),
        *("--no-video", "--out", str(tmp_path)),
    )
    assert done.exit_code == 0, done.output
    (folder,) = tmp_path.iterdir()
    events, _ = read_events(folder)
    assert sum(e.kind == "program" for e in events) == len(asked) == 2
    verdict = next(e for e in events if e.kind == "effects")
    problem = str(verdict.data["reason"] or verdict.data["missing"][0])
    assert f"- {problem}" in asked[1] and "This program was carried out" in asked[1]
    assert re.search(r"- red-block: item, .* cm, at \(0\.\d+, ", asked[0])
    assert "The gripper is at (" in asked[0]
    assert asked[0].partition("The gripper is at")[2] != asked[1].partition("The gripper is at")[2]
