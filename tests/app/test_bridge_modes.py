"""Rehearsals with ``embodied bridge run``: the plan is shown, the arm is told nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied.app.bridge.run import _shadow_line
from embodied.app.cli.main import app

pytestmark = pytest.mark.realtime

RECORDER = Path(__file__).parents[1] / "world" / "bridge"
SENTENCE = "put the red block on the blue block"


def test_a_dry_run_shows_the_plan_and_connects_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls.txt"
    monkeypatch.setenv("PYTHONPATH", str(RECORDER))
    monkeypatch.setenv("RECORDER_ARM_CALLS", str(calls))
    arm = ("--driver", "lerobot", "-o", "factory=recorder_arm:RecorderArm", "-o", "unit=radians")
    done = CliRunner().invoke(
        app,
        [
            *("bridge", "run", SENTENCE, "--mode", "dry-run", *arm),
            *("--limits", "fr3-simulated", "--no-video", "--out", str(tmp_path)),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "mode dry-run" in done.output
    assert "plan: 2 actions" in done.output
    assert re.search(r"1/2 .*red", done.output) and re.search(r"2/2 .*blue", done.output)
    assert "not checked: the arm itself (not connected)" in " ".join(done.output.split())
    (summary,) = tmp_path.glob("*/run.json")
    run = json.loads(summary.read_text("utf-8"))
    assert run["verdict"]["reached"] is False and run["rehearsed"] is True
    assert "the twin" in run["verdict"]["measured_from"]
    assert not calls.exists()
    (journal,) = tmp_path.glob("*/bridge.jsonl")
    events = [json.loads(line)["event"] for line in journal.read_text("utf-8").splitlines()]
    assert events[:3] == ["started", "planner-connected", "enabled"]


def test_how_far_a_shadowed_arm_was_apart_is_said(tmp_path: Path) -> None:
    journal = tmp_path / "bridge.jsonl"
    lines = [{"event": "started"}, {"event": "ended", "details": {"largest_shadow_rad": 0.25}}]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert "up to 0.250 rad" in _shadow_line(journal)
    journal.write_text(json.dumps(lines[0]) + "\n", "utf-8")
    assert "nothing is known" in _shadow_line(journal)
