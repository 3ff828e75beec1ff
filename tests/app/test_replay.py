from __future__ import annotations

import json
from typing import Any

from embodied.app.record.run_folder import read_summary

STACK = "(on red-block green-block)"


def test_a_replay_shows_what_the_run_showed(app: Any) -> None:
    ran = app("run", STACK)
    (folder,) = app.folders()
    shown = app("replay", str(folder))
    assert shown.exit_code == 0, shown.output
    assert shown.output == ran.output
    assert len(app.opened) == 1  # nothing was opened again


def test_a_replay_carries_the_program_out_again_without_a_translator(app: Any) -> None:
    app("run", STACK, "--seed", "3")
    (folder,) = app.folders()

    class Refusing:
        name = "goals"

        def translate(self, *_: Any) -> Any:
            raise AssertionError("a replay must not translate")

    app.change = lambda parts: parts.update(translator=Refusing())
    done = app("replay", str(folder), "--execute")
    assert done.exit_code == 0, done.output
    again = read_summary(app.folders()[-1]).values
    assert again["command"] == "replay"
    assert again["seed"] == 3
    assert again["verdict"] == again["recorded_verdict"]


def test_a_conversation_is_replayed_as_a_whole(app: Any) -> None:
    app("chat", input=f"{STACK}\n(on blue-block red-block)\n")
    first, second = app.folders()
    shown = app("replay", str(first.parent))
    assert shown.output.count("goal reached") == 2
    done = app("replay", str(first.parent), "--execute")
    assert done.exit_code == 0, done.output
    assert done.output.count("goal reached") == 2
    refused = app("replay", str(second), "--execute")
    assert refused.exit_code == 3
    assert "whole conversation" in refused.output


def test_a_killed_run_is_shown_as_far_as_it_went(app: Any) -> None:
    app("run", STACK)
    (folder,) = app.folders()
    log = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(log[: len(log) // 2])
    summary = json.loads((folder / "run.json").read_text())
    kept = {k: summary[k] for k in ("scene", "robot", "seed", "instruction", "translator")}
    (folder / "run.json").write_text(json.dumps({**kept, "status": "running"}))
    shown = app("replay", str(folder))
    assert shown.exit_code == 0, shown.output
    assert "did not finish" in shown.output
    assert "1 damaged line of the log left out" in shown.output


def test_what_is_no_run_is_named(app: Any) -> None:
    done = app("replay", str(app.out))
    assert done.exit_code == 3
    assert "no run folder" in done.output


def test_a_run_that_was_not_understood_cannot_be_carried_out(app: Any) -> None:
    app("run", "(flies red-block)")
    (folder,) = app.folders()
    assert app("replay", str(folder)).exit_code == 0
    done = app("replay", str(folder), "--execute")
    assert done.exit_code == 3
    assert "Traceback" not in done.output


def test_view_without_a_screen_says_so(app: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    app("run", STACK)
    for arguments in (("replay", str(app.folders()[0]), "--view"), ("run", STACK, "--view")):
        done = app(*arguments)
        assert done.exit_code == 3
        assert "no screen" in done.output


def test_a_log_without_its_verdict_is_damaged(app: Any) -> None:
    app("run", STACK)
    (folder,) = app.folders()
    (folder / "events.jsonl").write_text("")
    shown = app("replay", str(folder))
    assert shown.exit_code == 3
    assert "the log is damaged" in shown.output
