from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from embodied.app.record import run_folder
from embodied.app.record.run_folder import read_events, read_summary
from embodied.errors import WorldError
from embodied.types import PlanResult, PlanStatus

STACK = "(on red-block green-block)"


def test_a_sentence_becomes_a_measured_goal_and_a_run_folder(app: Any) -> None:
    done = app("run", STACK)
    assert done.exit_code == 0, done.output
    assert "goal reached" in done.output
    assert f"✓ {STACK}  holds" in done.output
    assert "ground truth of the simulator" in done.output
    (folder,) = app.folders()
    assert str(folder) in done.output.replace("\n", "")
    summary = read_summary(folder).values
    assert summary["status"] == "finished"
    assert summary["exit_code"] == 0
    (goal,) = summary["verdict"]["goals"]
    assert 0 < goal.pop("margins_m")[STACK] < 0.1
    assert goal == {"text": STACK, "holds": [STACK], "held": [], "unmet": [], "measured": {}}
    assert summary["seed"] == 0
    assert summary["versions"]["mujoco"]
    assert {"open", "translate", "plan", "act", "total"} <= set(summary["timings_s"])
    assert "(define (domain tabletop)" in (folder / "domain.pddl").read_text()
    assert STACK in (folder / "problem.pddl").read_text()
    plan = (folder / "plan.txt").read_text()
    assert "(stack red-block green-block)" in plan
    assert "Stack the red block on the green block." in plan
    events, torn = read_events(folder)
    assert torn == 0
    kinds = [e.kind for e in events]
    for kind in ("instruction", "program", "plan", "action", "effects", "observation", "verdict"):
        assert kind in kinds
    assert (folder / "states.bin").stat().st_size > 1000


def test_json_is_the_only_thing_on_standard_output(app: Any) -> None:
    done = app("run", STACK, "--json")
    assert done.exit_code == 0
    record = json.loads(done.stdout)
    assert record["verdict"]["reached"] is True
    assert Path(record["folder"]).is_dir()
    assert record["lost"] == {}


def test_quiet_is_one_line(app: Any) -> None:
    done = app("run", STACK, "--quiet")
    assert len(done.output.strip().splitlines()) == 1
    assert done.output.startswith("goal reached")


def test_an_action_that_fails_is_shown_and_tried_again(app: Any) -> None:
    app.change = lambda parts: setattr(parts["skills"], "fail_first", 2)
    done = app("run", STACK)
    assert done.exit_code == 0, done.output
    assert done.output.count("✗") == 2
    assert "slipped" in done.output


def test_a_goal_not_reached_is_exit_code_one_with_what_is_missing(app: Any) -> None:
    app.change = lambda parts: setattr(parts["skills"], "fail_first", 1000)
    done = app("run", STACK)
    assert done.exit_code == 1
    assert f"✗ {STACK}  does not hold" in done.output
    assert read_summary(app.folders()[0]).values["verdict"]["reached"] is False


def test_stages_are_reached_in_order(app: Any) -> None:
    done = app("run", f"{STACK} then (on blue-block red-block)")
    assert done.exit_code == 0, done.output
    assert read_summary(app.folders()[0]).values["program"]["stages"] == [
        STACK,
        "(on blue-block red-block)",
    ]


def test_a_stage_that_a_later_one_undoes_is_told_apart(app: Any) -> None:
    done = app("run", f"(and {STACK} (clear purple-block)) then (in red-block bin)")
    assert done.exit_code == 0, done.output
    assert f"✓ {STACK}  held when stage 1 was reached" in done.output
    assert "✓ (clear purple-block)  holds" in done.output
    assert "the stages cannot all hold at once" in done.output
    assert "✗" not in done.output


@pytest.mark.parametrize(
    "goal",
    [
        "(and (on red-block green-block) (on green-block red-block))",
        "(and (in red-block bin) (not (in red-block bin)))",
        "(on red-block red-block)",
    ],
)
def test_an_unsatisfiable_goal_moves_nothing(app: Any, goal: str) -> None:
    done = app("run", goal)
    assert done.exit_code == 1, done.output
    assert "no plan" in done.output
    events, _ = read_events(app.folders()[0])
    assert not [e for e in events if e.kind == "action"]


@pytest.mark.parametrize("goal", ["(on red-block golden-block)", "(flies red-block)", "on red"])
def test_a_goal_that_is_no_goal_of_this_world_is_exit_code_two(app: Any, goal: str) -> None:
    done = app("run", goal)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert read_summary(app.folders()[0]).values["exit_code"] == 2


def test_a_planner_out_of_time_or_killed_is_a_clear_end(app: Any, fixed_planner: Any) -> None:
    killed = PlanResult(
        status=PlanStatus.UNSUPPORTED, message="Fast Downward was killed (signal 9)"
    )
    late = PlanResult(status=PlanStatus.TIMEOUT, message="no plan within 0.1 s")
    for result, code in ((killed, 2), (late, 1)):
        app.change = lambda parts, r=result: parts.update(planner=fixed_planner(r))
        done = app("run", STACK)
        assert done.exit_code == code
        assert result.message in done.output


def test_a_world_that_breaks_is_exit_code_three(app: Any) -> None:
    def breaks(action: object) -> None:
        raise WorldError("the simulation diverged at t = 1.000 s")

    app.change = lambda parts: setattr(parts["skills"], "before_action", breaks)
    done = app("run", STACK)
    assert done.exit_code == 3
    assert "diverged" in done.output
    events, _ = read_events(app.folders()[0])
    assert events[-1].kind == "error"


def test_a_fault_of_ours_is_written_down_and_told_in_one_line(app: Any) -> None:
    def breaks(action: object) -> None:
        raise ZeroDivisionError("oops")

    app.change = lambda parts: setattr(parts["skills"], "before_action", breaks)
    done = app("run", STACK)
    assert done.exit_code == 3
    assert "internal error: ZeroDivisionError: oops" in done.output
    assert "Traceback" not in done.output
    events, _ = read_events(app.folders()[0])
    assert "Traceback" in events[-1].data["traceback"]


def test_ctrl_c_stops_the_arm_and_closes_the_log(app: Any) -> None:
    def interrupt(action: object) -> None:
        raise KeyboardInterrupt

    app.change = lambda parts: setattr(parts["skills"], "before_action", interrupt)
    done = app("run", STACK)
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    (folder,) = app.folders()
    assert read_summary(folder).values["status"] == "interrupted"
    events, torn = read_events(folder)
    assert (events[-1].data["text"], torn) == ("interrupted", 0)


def test_an_unwritable_folder_ends_before_anything_moves(app: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app.out = tmp_path / "file" / "runs"
    done = app("run", STACK)
    assert done.exit_code == 3
    assert "--out" in done.output
    with pytest.raises(WorldError, match="closed"):
        app.opened[0].environment.body.observe()


def test_a_full_disk_ends_before_anything_moves(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "free_bytes", lambda path: 65536)
    done = app("run", STACK, "--json")
    assert done.exit_code == 3
    assert "full" in json.loads(done.stdout)["message"]


def test_a_disk_that_fills_in_mid_run_costs_files_not_the_run(app: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(action: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))

    app.change = lambda parts: setattr(parts["skills"], "before_action", fill)
    try:
        done = app("run", STACK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.exit_code == 0, done.output
    assert "goal reached" in done.output
    for what in ("part of events.jsonl", "states.bin", "run.json"):
        assert f"lost: {what}: " in done.output
    assert "File too large" in done.output
    events, torn = read_events(app.folders()[0])
    assert torn <= 1
    assert events[0].kind == "instruction"


def test_plan_moves_nothing_and_says_each_step(app: Any) -> None:
    done = app("plan", f"{STACK} then (on green-block red-block)")
    assert done.exit_code == 0, done.output
    assert "plan found" in done.output
    assert "Stack the red block on the green block." in done.output
    assert "Stack the green block on the red block." in done.output
    (folder,) = app.folders()
    events, _ = read_events(folder)
    assert not [e for e in events if e.kind == "action"]
    assert len(read_summary(folder).values["plans"]) >= 2


def test_plan_of_the_impossible_is_exit_code_one(app: Any) -> None:
    done = app("plan", "(on red-block red-block)")
    assert done.exit_code == 1
    assert "no plan" in done.output


@pytest.mark.parametrize(
    ("arguments", "legal"),
    [
        (("--scene", "blcks"), "Did you mean blocks?"),
        (("--robot", "panda"), "fr3"),
        (("--route", "pdl"), "Did you mean pddl?"),
        (("--model", "gpt"), "openai:NAME"),
        (("--seed", "-1"), "--seed"),
        (("--plan-time", "0"), "--plan-time"),
    ],
)
def test_a_wrong_word_names_the_legal_ones(
    app: Any, arguments: tuple[str, ...], legal: str
) -> None:
    done = app("run", STACK, *arguments)
    assert done.exit_code == 2
    assert legal in done.output
    assert not app.folders()


def test_a_broken_scene_file_is_exit_code_three(app: Any, tmp_path: Path) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_text("name = 'mine'\n[[item]]\n")
    done = app("run", STACK, "--scene", str(broken))
    assert done.exit_code == 3
    assert "mine.toml" in done.output
    assert "Traceback" not in done.output
