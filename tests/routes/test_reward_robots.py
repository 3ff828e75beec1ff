"""Robots of the reward route: what is offered is there, what is not there is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embodied_controllers.mpc.terms import condition_holds
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.record.states import STATES
from embodied.errors import ConfigurationError, NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.reward import json_schema
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.translator import coding_prompt
from embodied.language.reward.vocabulary import SensorSpec, TermSpec
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.route import RewardRoute
from embodied.routes.reward.setup import RewardSetup, build_setup, drawing_model
from embodied.types import RewardCondition, RewardProgram, RewardStage, RewardTerm

EXAMPLES = Path(__file__).parents[2] / "examples"
SCENES = [(n, s) for n in REWARD_ROBOTS.names for s in REWARD_ROBOTS.get(n).scenes]
LACKING = [
    (r, s)
    for r, s in SCENES
    if set(REWARD_ROBOTS.get(r).things) > set(REWARD_ROBOTS.get(r).scenes[s])
]


@cache
def setup_of(robot: str, scene: str) -> RewardSetup:
    setup = build_setup(robot, scene=REWARD_ROBOTS.get(robot).scenes[scene])
    setup.world.reset(seed=0)
    return setup


def fillings(spec: TermSpec) -> Iterator[dict[str, float | str]]:
    """Parameters in which every name that the term takes comes up at least once."""
    longest = max((len(p.choices) for p in spec.parameters), default=1) or 1
    for i in range(longest):
        values: dict[str, float | str] = {}
        for k, p in enumerate(spec.parameters):
            middle = float(np.clip(0.0, p.lower, p.upper))
            values[p.name] = p.choices[(i + k) % len(p.choices)] if p.choices else middle
        yield values


def program_of(robot: str, term: RewardTerm) -> RewardProgram:
    return RewardProgram(robot=robot, stages=(RewardStage(terms=(term,)),), source="test")


@pytest.mark.parametrize(("robot", "scene"), SCENES)
def test_whatever_a_scene_offers_is_legal_and_can_be_evaluated(robot: str, scene: str) -> None:
    setup = setup_of(robot, scene)
    words, route = setup.speech.vocabulary, RewardRoute(setup)
    view = setup.judge.view_of(setup.world.full_state()[None, None])
    for spec in words.terms.values():
        for values in fillings(spec):
            term = RewardTerm(name=spec.name, parameters=values, weight=1.0, norm=spec.norm)
            assert route.check(program_of(robot, term)) == ()
            assert np.isfinite(view.residual(term)).all()
    for sensor in words.sensors.values():
        for arguments in arguments_of(sensor):
            condition = RewardCondition(
                sensor=sensor.name, op=">=", value=sensor.lower, arguments=arguments
            )
            assert condition_holds(condition, view, 1.0) in (True, False)


def arguments_of(sensor: SensorSpec) -> Iterator[tuple[str, ...]]:
    longest = max((len(a) for a in sensor.arguments), default=1)
    for i in range(longest):
        yield tuple(a[(i + k) % len(a)] for k, a in enumerate(sensor.arguments))


@pytest.mark.parametrize(("robot", "scene"), LACKING)
def test_what_another_scene_has_is_refused_with_what_is_here(robot: str, scene: str) -> None:
    own, setup = REWARD_ROBOTS.get(robot), setup_of(robot, scene)
    words, everything = setup.speech.vocabulary, own.words(own.things).vocabulary
    refused = 0
    for spec in everything.terms.values():
        here = words.terms.get(spec.name)
        for values in fillings(spec):
            term = RewardTerm(name=spec.name, parameters=values, weight=1.0, norm=spec.norm)
            absent = here is None or any(
                v not in here.parameter(n).choices for n, v in values.items() if isinstance(v, str)
            )
            found = RewardRoute(setup).check(program_of(robot, term))
            assert bool(found) == absent
            refused += absent
            for diagnostic in found:
                assert diagnostic.hint.startswith("legal: ")
                assert not (set(own.things) - set(setup.things)) & set(diagnostic.hint.split(", "))
    assert refused


@pytest.mark.parametrize(("robot", "scene"), LACKING)
def test_prompts_and_schemas_name_nothing_that_is_not_there(robot: str, scene: str) -> None:
    setup, things = setup_of(robot, scene), REWARD_ROBOTS.get(robot).things
    speech = setup.speech
    said = coding_prompt(speech) + json.dumps(json_schema(speech.vocabulary)) + speech.describing()
    meanings = [t.meaning for t in speech.vocabulary.terms.values()]
    meanings += [s.meaning for s in speech.vocabulary.sensors.values()]
    for text in meanings:
        said = said.replace(text, "")
    for thing in set(things) - set(setup.things) - {"bowl"}:  # a bowl is named as too wide
        assert f'"{thing}' not in said and f"|{thing}" not in said and f"{thing}," not in said
    for thing in setup.things:
        assert thing in said


@pytest.mark.parametrize(
    ("sentence", "scene"), [("open the drawer", "drawer"), ("turn on the faucet", "faucet")]
)
def test_a_sentence_about_what_is_elsewhere_says_where(
    sentence: str, scene: str, tmp_path: Path
) -> None:
    command = ("run", sentence, "--robot", "fr3-hand", "--model", "rules", "--no-video")
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert f"{scene} (--scene {scene})" in " ".join(done.output.replace("│", " ").split())
    rules = RewardRules(setup_of("fr3-hand", scene).speech)
    program = rules.translate(sentence, Conversation(), setup_of("fr3-hand", scene).world.spec)
    assert RewardRoute(setup_of("fr3-hand", scene)).check(program) == ()
    with pytest.raises(NotUnderstoodError):
        rules.translate("lift the apple", Conversation(), setup_of("fr3-hand", scene).world.spec)


def test_the_former_name_is_known_in_run_folders_alone(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["run", "rest", "--robot", "arm", "--out", str(tmp_path)])
    assert refused.exit_code == 2 and "fr3, fr3-hand, quadruped" in refused.output
    with pytest.raises(ConfigurationError, match="fr3-hand, quadruped"):
        build_setup("arm")
    options = ("--no-video", "--json", "--model", "rules")
    command = ["run", "open the hand", "--robot", "fr3-hand", *options]
    assert CliRunner().invoke(app, [*command, "--out", str(tmp_path)]).exit_code == 0
    (folder,) = tmp_path.iterdir()
    record = json.loads((folder / "run.json").read_text())
    assert record["robot"] == "fr3-hand" and record["scene"] == "table"
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    (old / "run.json").write_text(json.dumps({**record, "robot": "arm"}))
    header, _, rows = (old / STATES).read_bytes().partition(b"\n")
    was: dict[str, Any] = {**json.loads(header), "robot": "arm"}
    (old / STATES).write_bytes(json.dumps(was).encode() + b"\n" + rows)
    assert drawing_model(was).nq == drawing_model(json.loads(header)).nq
    again = ["replay", str(old), "--execute", "--no-video", "--out", str(tmp_path / "again")]
    assert CliRunner().invoke(app, again).exit_code == 0
    (repeated,) = (tmp_path / "again").iterdir()
    assert json.loads((repeated / "run.json").read_text())["robot"] == "fr3-hand"
    assert (repeated / STATES).read_bytes() == (folder / STATES).read_bytes()


def test_another_packages_robot_is_moved_by_the_command_line(tmp_path: Path) -> None:
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    points = "[embodied.reward_robots]\npole = own_robot:ROBOT\n"
    (info / "entry_points.txt").write_text(points)
    path = os.pathsep.join([str(tmp_path), str(EXAMPLES), *filter(None, sys.path)])

    def embodied(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "embodied.app.cli.main",
                *words,
                "--out",
                str(tmp_path / "runs"),
            ],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    options = ("--robot", "pole", "--no-video", "--json", "--model", "rules")
    done = embodied("run", "point up, then point down", *options)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["robot"] == "pole" and summary["route"] == "reward"
    held = [g["holds"] for g in summary["verdict"]["goals"]]
    assert held == [["tip_height 1.45"], ["tip_height 0.55"]]
    unknown = embodied("run", "dance", *options)
    assert unknown.returncode == 2 and "point up, ahead, down" in unknown.stderr + unknown.stdout
    listed = embodied("run", "x", "--robot", "pol")
    assert "Did you mean pole?" in listed.stderr
