"""Runs that were killed go on from their folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from embodied.app.record.run_folder import read_events, read_summary
from embodied.app.resume import interrupted_run
from embodied.app.verify import verify_run
from embodied.errors import ConfigurationError
from embodied.memory import read_changes
from embodied.receipts.checking import Trust
from embodied.receipts.contents import read_contents
from embodied.receipts.keys import state_folder

SENTENCE = "first put the red block on the green block, then put the yellow block in the bin"


def _command(*arguments: str) -> list[str]:
    code = "from embodied.app.cli.main import main; main()"
    return [sys.executable, "-c", code, "run", *arguments, "--no-video", "--json"]


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    killed = subprocess.Popen(
        _command(SENTENCE, "--seed", "5", "--out", str(tmp_path)), stdout=subprocess.DEVNULL
    )
    folder = _wait_for(tmp_path, "milestone", killed)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert read_summary(folder).values["status"] == "running"

    left = interrupted_run(folder)
    assert left.instruction == SENTENCE and left.qpos is not None
    assert left.understood
    assert left.done == 1

    done = subprocess.run(
        _command("--resume", str(folder), "--out", str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert done.returncode == 0, answer
    assert answer["resumes"] == str(folder) and answer["verdict"]["reached"]
    believed = read_changes(folder / "memory.jsonl")
    assert believed and any(c.cause.startswith("executed (stack red-block") for c in believed)
    touched = {a["action"].split()[1].strip(")") for a in answer["actions"]}
    assert "red-block" not in touched, "what had been reached was not done again"
    with pytest.raises(ConfigurationError, match="is finished"):
        interrupted_run(Path(answer["folder"]))
    trust = Trust.of((), state_folder())
    verified = verify_run(Path(answer["folder"]), trust)
    assert verified.reached, verified
    before = verified.checked.says["continues"]
    assert before == {"run": folder.name, "tree_sha256": read_contents(folder).tree}
    assert "was killed" in verify_run(folder, trust).checked.problems[0]


def _wait_for(root: Path, kind: str, process: subprocess.Popen[Any]) -> Path:
    while process.poll() is None:
        for folder in root.glob("*"):
            if (folder / "events.jsonl").is_file() and any(
                e.kind == kind for e in read_events(folder)[0]
            ):
                return folder
        time.sleep(0.05)
    raise AssertionError(f"the run ended before there was a {kind}")


def test_resume_says_what_it_cannot_resume(app: Any, tmp_path: Path) -> None:
    done = app("run", "(on red-block green-block)")
    assert done.exit_code == 0
    (folder,) = app.folders()
    again = app("run", "--resume", str(folder), "--json")
    assert again.exit_code == 3 and "only an interrupted run" in again.output
    both = app("run", "put it down", "--resume", str(folder))
    assert both.exit_code == 2 and "leave the sentence out" in both.output
    assert app("run").exit_code == 2
    missing = app("run", "--resume", str(tmp_path / "nothing"), "--json")
    assert missing.exit_code == 3 and "no run folder" in missing.output


def test_the_ladder_is_in_the_run_folder(app: Any) -> None:
    def clumsy(parts: dict[str, Any]) -> None:
        parts["skills"].fail_first = 1

    app.change = clumsy
    assert app("run", "(on red-block green-block)").exit_code == 0
    (folder,) = app.folders()
    summary = read_summary(folder).values
    assert summary["strategy"] == "plan"
    assert [s["rung"] for s in summary["ladder"]] == ["retry"]
    assert summary["corrections"] == 1


def test_strategies_need_a_model_and_a_legal_name(app: Any) -> None:
    from embodied.routes.pddl.tasks import open_strategy

    wrong = app("run", "(on red-block green-block)", "--strategy", "pray")
    legal = "Choose from: code, hiagent, plan, react, rewoo, tree"
    assert wrong.exit_code == 2 and legal in wrong.output
    with pytest.raises(ConfigurationError, match="asks a language model"):
        open_strategy("react", None)
    with pytest.raises(ConfigurationError, match="Choose from: code"):
        open_strategy("pray", None)
    assert open_strategy("plan", None)().name == "plan"


def test_yes_allows_what_cannot_be_undone_and_nothing_else() -> None:
    from embodied.app.asking import asker
    from embodied.recovery import Question

    assert asker(True)(Question(text="?", kind="irreversible"))
    assert not asker(True)(Question(text="?", kind="help"))
    assert not asker(False)(Question(text="?", kind="irreversible"))


def test_a_resumed_run_without_states_says_that_it_began_again(app: Any) -> None:
    assert app("run", "(on red-block green-block)").exit_code == 0
    (folder,) = app.folders()
    summary = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**summary, "status": "interrupted"}))
    (folder / "states.bin").unlink()
    again = app("run", "--resume", str(folder), "--json")
    assert again.exit_code == 0, again.output
    resumed = json.loads(again.stdout)
    assert "began again from the seed" in resumed["notes"][-1]
    assert resumed["stages_reached_before"] == 0 and resumed["actions"]
