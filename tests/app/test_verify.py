"""Runs leave receipts, and ``embodied verify`` tells what they are worth."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embodied import Settings, open_session
from embodied.app.cli import main as cli
from embodied.app.judging import margins
from embodied.app.run import Output, perform
from embodied.app.show.terminal import QuietDisplay
from embodied.app.verify import verify_run
from embodied.outcome import Outcome
from embodied.protocols import Emit
from embodied.receipts import notary
from embodied.receipts.checking import Trust
from embodied.receipts.keys import state_folder
from embodied.route import Write
from embodied.verdict import Verdict

GOAL = "(on red-block green-block)"


def _verify(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["verify", *map(str, arguments)])


def test_a_run_is_signed_and_verifies(app: Any, signed_runs: Path) -> None:
    assert app("run", GOAL).exit_code == 0
    done = _verify(app.out)
    assert done.exit_code == 0, done.output
    assert "unaltered; reached" in done.output and "does not prove" in done.output
    (run,) = app.out.iterdir()
    (run / "plan.txt").write_text("another")
    done = _verify(run)
    assert done.exit_code == 3 and "changed: plan.txt" in done.output


def test_a_run_that_was_refused_verifies_as_not_reached(app: Any, signed_runs: Path) -> None:
    assert app("run", "(on red-block nothing)").exit_code == 2
    done = _verify("--json", app.out)
    assert done.exit_code == 1
    (run,) = json.loads(done.output)["runs"]
    assert run["unaltered"] and not run["reached"]


def test_sentences_of_a_conversation_follow_each_other(app: Any, signed_runs: Path) -> None:
    assert app("chat", input=f"{GOAL}\nundo\n").exit_code == 0
    done = _verify("--json", app.out)
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    receipts = [run["receipt"] for run in said["runs"]]
    assert [r["instruction"] for r in receipts] == [GOAL, "undo"]
    assert [r["sequence"] for r in receipts] == [1, 2] and said["chain"] == []


def test_a_run_that_was_deleted_is_missed(app: Any, signed_runs: Path) -> None:
    for goal in (GOAL, "(in yellow-block bin)"):
        assert app("run", goal).exit_code == 0
    (last,) = app.out.glob("*-in-yellow-block-bin")
    shutil.rmtree(last)
    done = _verify("--no-states", app.out)
    assert f"receipt 2 was that of {last.resolve()}, which is gone" in done.output


def test_an_interrupted_run_is_signed_as_interrupted(app: Any, signed_runs: Path) -> None:
    def interrupt(parts: dict[str, Any]) -> None:
        def stop(action: object) -> None:
            raise KeyboardInterrupt

        parts["skills"].before_action = stop

    app.change = interrupt
    assert app("run", GOAL).exit_code == 130
    done = _verify(app.out)
    assert done.exit_code == 1
    assert "recorded as interrupted" in done.output


def test_a_run_that_cannot_be_signed_stands_and_says_so(app: Any, signed_runs: Path) -> None:
    signed_runs.parent.mkdir(parents=True)
    signed_runs.write_text("no folder")
    done = app("run", GOAL)
    assert done.exit_code == 0 and "lost: receipt.json: cannot make a key" in done.output
    done = _verify(app.out)
    assert done.exit_code == 3


def test_without_any_run_or_key_the_reason_is_said(tmp_path: Path, signed_runs: Path) -> None:
    assert "no key has signed" in _verify(tmp_path).output
    notary.signing_key(state_folder())
    done = _verify(tmp_path)
    assert done.exit_code == 3 and "holds no run" in done.output


@pytest.fixture
def real(tmp_path: Path) -> Any:
    session = open_session(Settings(scene="blocks", seed=3))
    yield session
    session.close()


def _perform(real: Any, tmp_path: Path, act: Callable[[Emit, Write], Outcome]) -> Path:
    output = Output(
        out=tmp_path / "runs",
        display=lambda heading: QuietDisplay(),
        video=None,
        sign=notary.have_signed,
    )
    return perform(real, "stack them", act, output, command="run").folder


def test_a_claim_while_nothing_moved_verifies_as_not_reached(
    real: Any, tmp_path: Path, signed_runs: Path
) -> None:
    lie = Outcome(exit_code=0, message="done!", verdicts=(Verdict(text=GOAL, holds=(GOAL,)),))
    folder = _perform(real, tmp_path, lambda emit, write: lie)
    verified = verify_run(folder, Trust.of((), state_folder()))
    assert verified.claimed and not verified.checked.problems
    assert verified.judged is not None and verified.judged.denied == (GOAL,)
    assert verified.judged.moved < 1e-3
    assert verified.code == 1
    goals = json.loads((folder / "run.json").read_text())["verdict"]["goals"]
    assert goals[0]["margins_m"].get(GOAL, -1.0) < 0, "it was measured not to hold"


@pytest.mark.parametrize("holds", [(), ("it looks fine",), ("(on red-block table)",)])
def test_what_was_asked_counts_not_what_is_said_of_it(
    real: Any, tmp_path: Path, signed_runs: Path, holds: tuple[str, ...]
) -> None:
    lie = Outcome(exit_code=0, message="done!", verdicts=(Verdict(text=GOAL, holds=holds),))
    folder = _perform(real, tmp_path, lambda emit, write: lie)
    assert verify_run(folder, Trust.of((), state_folder())).code == 1


def test_a_claim_without_goals_or_without_states_is_none(
    real: Any, tmp_path: Path, signed_runs: Path
) -> None:
    nothing = Outcome(exit_code=0, message="done!")
    folder = _perform(real, tmp_path, lambda emit, write: nothing)
    assert verify_run(folder, Trust.of((), state_folder())).code == 1

    def hide(emit: Emit, write: Write) -> Outcome:
        next((tmp_path / "again").glob("runs/*/events.jsonl")).with_name("states.bin").unlink()
        table = "(on red-block table)"
        return replace(nothing, verdicts=(Verdict(text=table, holds=(table,)),))

    folder = _perform(real, tmp_path / "again", hide)
    verified = verify_run(folder, Trust.of((), state_folder()))
    assert verified.claimed and verified.code == 1


@pytest.mark.slow
def test_a_true_claim_is_upheld_by_the_recorded_states(
    real: Any, tmp_path: Path, signed_runs: Path
) -> None:
    say = "put the red block on the green block"
    folder = _perform(real, tmp_path, lambda emit, write: real.run(say, emit=emit, write=write))
    verified = verify_run(folder, Trust.of((), state_folder()))
    assert verified.reached and verified.judged is not None
    assert verified.judged.holds == (GOAL,) and verified.judged.moved > 0.1
    goals = json.loads((folder / "run.json").read_text())["verdict"]["goals"]
    assert 0.001 < goals[0]["margins_m"][GOAL] < 0.05


def test_margins_are_the_tolerances_of_the_grounder(real: Any) -> None:
    place = real.environment
    seen = place.body.observe()
    parts = ["(on red-block table)", "(not (on red-block table))", "(on red-block green-block)"]
    found = margins([*parts, "no formula"], place.grounder, seen)
    assert found["(on red-block table)"] == -found["(not (on red-block table))"] > 0
    assert set(found) <= set(parts)


def test_cryptography_is_not_imported_by_who_moves() -> None:
    code = (
        "import sys; from embodied import open_session, Settings; import embodied.app.run;"
        "import embodied.app.verify; open_session(Settings()).close();"
        "assert not [m for m in sys.modules if m.startswith('cryptography')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
