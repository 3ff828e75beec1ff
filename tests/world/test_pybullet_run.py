"""The command line with ``--world pybullet``, without a fake anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.record.states import STATES, read_states
from embodied.app.replay import recorded_settings
from embodied.app.show.film import model_of

pytest.importorskip("pybullet", reason="the extra [pybullet] is not installed")

pytestmark = pytest.mark.pybullet

SENTENCE = "put the red block on the tray"


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments, "--world", "pybullet", "--out", str(folder)])
    return done.exit_code, done.output


def test_a_sentence_is_carried_out_recorded_and_can_be_repeated(tmp_path: Path) -> None:
    code, output = _run(tmp_path, "run", SENTENCE, "--no-video", "--json")
    assert code == 0
    summary = json.loads(output)
    assert (summary["world"], summary["robot"]) == ("pybullet", "panda")
    assert "pybullet" in summary["versions"]
    folder = Path(summary["folder"])
    states = read_states(folder / STATES)
    model = model_of(states.header)  # the film code needs no PyBullet
    assert states.qpos.shape == (len(states.time), model.nq)
    block = int(model.joint("red-block").qposadr[0])
    assert (
        np.linalg.norm(states.qpos[-1, block : block + 3] - states.qpos[0, block : block + 3]) > 0.1
    )
    settings = recorded_settings(folder)
    assert (settings.world, settings.robot) == ("pybullet", "panda")


def test_planning_needs_no_motion(tmp_path: Path) -> None:
    code, output = _run(tmp_path, "plan", SENTENCE)
    assert code == 0
    assert "panda" in output


def test_what_this_world_lacks_is_refused(tmp_path: Path) -> None:
    code, output = _run(tmp_path, "run", SENTENCE, "--robot", "quadruped")
    assert code == 2
    assert "panda" in output
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_rewards_move_this_arm_too(tmp_path: Path) -> None:
    said = ("run", SENTENCE, "--model", "rules", "--route", "reward", "--no-video", "--json")
    code, output = _run(tmp_path, *said)
    summary = json.loads(output)
    assert code == 0, summary["message"]
    assert (summary["world"], summary["robot"]) == ("pybullet", "panda")


def test_an_unknown_world_names_the_known_ones(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["run", SENTENCE, "--world", "gazebo", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "mujoco" in done.output and "pybullet" in done.output
