from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embodied.app.record.run_folder import read_events, read_summary
from embodied.routes.pddl.route import restoring_goal
from embodied.types import Atom

STACK = "(on red-block green-block)"


def _facts(*texts: str) -> frozenset[Atom]:
    return frozenset(map(Atom.parse, texts))


def test_sentences_share_one_world_and_each_has_a_folder(app: Any) -> None:
    done = app("chat", input=f"{STACK}\n(on blue-block red-block)\nquit\n(in red-block bin)\n")
    assert done.exit_code == 0, done.output
    assert len(app.opened) == 1
    folders = app.folders()
    assert [read_summary(f).values["turn"] for f in folders] == [1, 2]
    assert folders[0].parent == folders[1].parent
    assert folders[0].parent.name.endswith("-chat")
    assert {STACK, "(on blue-block red-block)"} <= set(_facts_at_end(folders[1]))


def _facts_at_end(folder: Path) -> list[str]:
    """Facts at the end of a run, from its log."""
    events, _ = read_events(folder)
    return [e for e in events if e.kind == "observation"][-1].data["facts"]


@pytest.mark.parametrize("words", ["undo", "Undo that.", "take that back please"])
def test_undo_restores_what_was_true(app: Any, words: str) -> None:
    app("chat", input="state\n")
    first = app("chat", input="state\n").output
    done = app("chat", input=f"{STACK}\n{words}\nstate\n")
    assert done.exit_code == 0, done.output
    assert "places on a surface may differ" in done.output
    before = {line for line in first.splitlines() if line.startswith("(")}
    after = {line for line in done.output.splitlines() if line.startswith("(")}
    assert before <= after


def test_undoing_twice_goes_back_two_instructions(app: Any) -> None:
    done = app("chat", input=f"{STACK}\n(on blue-block red-block)\nundo\nundo\nundo\n")
    assert done.exit_code == 2  # there is no third thing to undo
    assert "no instruction of this conversation has changed anything" in done.output
    assert STACK not in _facts_at_end(app.folders()[3])


def test_what_nothing_takes_back_is_not_undone(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "embodied.routes.pddl.route.irreversible", lambda actions, domain: (*actions,)
    )
    done = app("chat", input=f"{STACK}\nundo\n")
    assert done.exit_code == 2
    assert "(stack red-block green-block) cannot be undone" in done.output
    assert STACK in _facts_at_end(app.folders()[0])


def test_undo_of_nothing_says_so(app: Any) -> None:
    done = app("chat", input="undo\n")
    assert done.exit_code == 2
    assert "nothing" in done.output or "no instruction" in done.output


def test_a_bad_sentence_does_not_end_the_conversation(app: Any) -> None:
    done = app("chat", input=f"(flies red-block)\n{STACK}\n")
    assert done.exit_code == 2  # of the first that failed
    assert "goal reached" in done.output


def test_help_and_state(app: Any) -> None:
    done = app("chat", input="help\nstate\n")
    assert done.exit_code == 0
    assert "undo" in done.output
    assert "(clear green-block)" in done.output
    assert "has-color" not in done.output
    assert not app.folders()


def test_json_is_one_line_per_sentence(app: Any) -> None:
    done = app("chat", "--json", input=f"{STACK}\nstate\nundo\n")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["instruction"] for r in records] == [STACK, "undo"]


def test_restoring_goal_names_only_what_was_touched() -> None:
    before = _facts("(on a table)", "(on b table)", "(clear a)", "(clear b)", "(hand-empty)")
    after = _facts("(on a b)", "(on b table)", "(clear a)", "(hand-empty)")
    goal = restoring_goal(before, after, frozenset())
    assert goal == "(and (clear a) (clear b) (on a table) (on b table) (not (on a b)))"


def test_restoring_goal_closes_what_was_opened() -> None:
    assert restoring_goal(_facts(), _facts("(open drawer)"), frozenset()) == (
        "(and (not (open drawer)))"
    )
