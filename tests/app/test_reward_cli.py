from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from embodied_controllers.mpc import PlannerOptions
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.outcome import NOT_REACHED, REACHED
from embodied.routes.reward.robots import REWARD_ROBOTS, quadruped

QUICK = PlannerOptions(horizon_s=0.4, n_knots=3, n_samples=16, halvings=(0.5,))
QUADRUPED = ("--robot", "quadruped", "--model", "rules", "--no-video", "--json")


@pytest.fixture(autouse=True)
def quick_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replace(REWARD_ROBOTS.get("quadruped"), options=QUICK)
    monkeypatch.setattr(quadruped, "ROBOT", quick)


def invoke(*arguments: str, out: Path, typed: str = "") -> tuple[int, dict[str, Any], Path]:
    """Exit code, the record of the only run folder, and the folder."""
    done = CliRunner().invoke(app, [*arguments, "--out", str(out)], input=typed)
    (record,) = out.rglob("run.json")
    return done.exit_code, json.loads(record.read_text()), record.parent


def terms_over_time(folder: Path) -> dict[str, list[float]]:
    """Times at which each term of ``costs.csv`` was in force."""
    found: dict[str, list[float]] = {}
    with (folder / "costs.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["term"], []).append(float(row["time_s"]))
    return found


def test_a_typed_correction_takes_over_while_the_robot_moves(tmp_path: Path) -> None:
    typed = "sit down low with a flat torso\nwait 1\nhigher\nwait 0.6\nquit\n"
    _, record, folder = invoke("chat", *QUADRUPED, "--live", out=tmp_path, typed=typed)
    first, second = record["corrections"]
    assert (first["sentence"], second["sentence"]) == ("sit down low with a flat torso", "higher")
    assert 1.0 <= second["said_s"] <= second["taken_s"] < second["said_s"] + 1.0
    times = terms_over_time(folder)
    low, high = (times[t] for t in times if t.startswith("torso_height"))
    assert max(low) <= second["taken_s"] <= min(high)


def test_a_sentence_that_is_not_understood_changes_nothing(tmp_path: Path) -> None:
    typed = "sit down low with a flat torso\nwait 0.3\npolish the moon\nwait 0.3\nquit\n"
    _, record, folder = invoke("chat", *QUADRUPED, "--live", out=tmp_path, typed=typed)
    assert [c["sentence"] for c in record["corrections"]] == ["sit down low with a flat torso"]
    (height,) = (t for t in terms_over_time(folder) if t.startswith("torso_height"))
    assert height == "torso_height 0.12"
    assert "going on as before" in (folder / "events.jsonl").read_text()


def test_turns_carry_out_one_sentence_after_the_other(tmp_path: Path) -> None:
    typed = "sit down low with a flat torso\nhigher\n"
    done = CliRunner().invoke(
        app, ["chat", *QUADRUPED, "--turns", "--out", str(tmp_path)], input=typed
    )
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [r["instruction"] for r in records] == ["sit down low with a flat torso", "higher"]
    assert all(r["planning"] == "synchronous" and "corrections" not in r for r in records)


def test_planning_in_a_thread_from_the_command_line(tmp_path: Path) -> None:
    code, record, _ = invoke(
        "run", *QUADRUPED, "--async", "sit down low with a flat torso", out=tmp_path
    )
    assert code in (REACHED, NOT_REACHED)  # the motion depends on how busy the machine is
    assert record["planning"] == "asynchronous"
    assert record["realtime_factor"] <= 1.05
