"""Translators by name: those of each route, and another package's, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embodied.language.conversation import Conversation
from embodied.language.models import FunctionModel
from embodied.language.models.logged import LoggedModel
from embodied.language.opening import Translators
from embodied.language.pddl.translators import PddlTranslators
from embodied.language.reward import quadruped_speech
from embodied.language.reward.translators import RewardTranslators
from embodied.language.value_map.translators import ValueMapTranslators
from embodied.protocols import Event
from embodied.world.grounding import TabletopGrounder
from embodied.world.mujoco import build_world
from embodied.world.scene import load_scene

TOY = """
from dataclasses import replace

from embodied.errors import ConfigurationError
from embodied.language.pddl.rules import RulesTranslator


class Toy:
    name = "toy"

    def __init__(self, grounder):
        self.rules = RulesTranslator(grounder.domain_text, grounder.objects)

    def translate(self, instruction, memory, spec):
        said = "put the red block on the tray" if instruction == "beep" else instruction
        return replace(self.rules.translate(said, memory, spec), source=self.name)


def open_toy(route, opening):
    if route != "pddl":
        raise ConfigurationError(f"the toy writes no programs of the route {route}")
    return Toy(opening.environment.grounder)
"""


def test_another_packages_translator_is_used_by_the_command_line(tmp_path: Path) -> None:
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[embodied.translators]\ntoy = toy_package:open_toy\n")
    (tmp_path / "toy_package.py").write_text(TOY)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])

    def embodied(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "embodied.app.cli.main", "run", "beep", "--no-video", "--json"]
            + ["--out", str(tmp_path / "runs"), *words],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    done = embodied("--model", "toy")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"]["reached"]
    (folder,) = (tmp_path / "runs").iterdir()
    assert '"toy"' in (folder / "events.jsonl").read_text()
    other = embodied("--model", "toy", "--route", "value-map")
    assert other.returncode == 3 and "no programs of the route value-map" in other.stdout
    unknown = embodied("--model", "toi")
    assert unknown.returncode == 2 and "Did you mean toy?" in unknown.stderr


WORLD = build_world(load_scene("blocks")).spec
GROUNDER = TabletopGrounder(WORLD)
KINDS: dict[str, tuple[Translators, str]] = {
    "pddl": (
        PddlTranslators(GROUNDER.domain_text, GROUNDER.objects),
        '{"stages": ["(on red-block tray)"], "unsupported": ""}',
    ),
    "reward": (
        RewardTranslators(quadruped_speech()),
        '{"stages": [{"terms": [{"name": "torso_height", "height": 0.2}]}]}',
    ),
    "value-map": (
        ValueMapTranslators(WORLD),
        '{"stages": [{"operations": [{"map": "gripper", "value": "open"}]}]}',
    ),
}


@pytest.mark.parametrize(("own", "good"), KINDS.values(), ids=KINDS)
def test_what_is_wrong_with_an_answer_is_logged_on_every_route(own: Translators, good: str) -> None:
    events: list[Event] = []
    # the reward route asks for a description first
    answers = ["The torso is low."] if isinstance(own, RewardTranslators) else []
    model = FunctionModel.scripted([*answers, "no", good])
    translator = own.asking(LoggedModel(model, events.append))
    program = translator.translate("do it", Conversation(), WORLD)
    assert program.source == translator.name == "scripted"
    kinds = [e.kind for e in events]
    assert kinds[-5:] == ["request", "response", "diagnostic", "request", "response"]
    assert "not" in events[-3].data["problem"] and events[-3].data["hint"]
