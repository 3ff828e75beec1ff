"""``embodied read``: readings without planning or motion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.body import Body


def invoked(*arguments: str, code: int = 0, stdin: str | None = None) -> str:
    done = CliRunner().invoke(app, ["read", "--model", "rules", *arguments], input=stdin)
    assert done.exit_code == code, done.output
    return done.stdout


def read(*records: object, code: int = 0) -> list[dict[str, Any]]:
    lines = "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records)
    text = invoked("--json", "--file", "-", code=code, stdin=lines)
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may move."""

    def step(*arguments: object) -> None:
        raise AssertionError("reading moved a robot")

    monkeypatch.setattr(Body, "step", step)


def test_a_sentence_is_read_for_a_person() -> None:
    assert "act: red block in bin" in invoked("put the red block in the bin")
    assert "refuse: " in invoked("frobnicate the red block", code=2)


def test_it_takes_a_sentence_or_a_file(tmp_path: Path) -> None:
    invoked(code=2)
    file = tmp_path / "f.jsonl"
    file.write_text('{"text": "put the red block in the bin"}\n')
    invoked("put it there", "--file", str(file), code=2)
    assert "1. put the red block in the bin" in invoked("--file", str(file))


def test_every_route_gives_its_program() -> None:
    goal, reward, value_map = read(
        {"text": "put the red block in the bin", "id": "a"},
        {"text": "walk forward slowly", "robot": "quadruped", "scene": None, "route": "auto"},
        {"text": "move above the bowl", "scene": "kitchen", "route": "value-map"},
    )
    assert goal["program"] == {"goals": ["(in red-block bin)"], "atoms": ["(in red-block bin)"]}
    assert (goal["id"], goal["line"], goal["kind"], goal["by"]) == ("a", 1, "act", "rules")
    assert reward["program"]["stages"][0]["terms"][0]["name"] == "torso_velocity"
    assert value_map["words"].startswith("move gripper: get at")
    assert value_map["read_in_scene"] == "kitchen"


def test_keys_are_passed_on_and_own_keys_of_the_same_name_are_kept() -> None:
    (found,) = read({"text": "put the red block in the bin", "kind": "goal", "note": 7})
    assert (found["kind"], found["input"], found["note"]) == ("act", {"kind": "goal"}, 7)


def test_a_broken_line_is_reported_by_number_and_the_rest_is_read() -> None:
    found = read(
        "{not json",
        {"text": 5},
        {"text": "put the red block in the bin", "scene": "moon", "id": "m"},
        {"turns": []},
        "",
        {"text": "put the red block in the bin"},
        code=2,
    )
    assert [f["line"] for f in found] == [1, 2, 3, 4, 6]
    assert all("error" in f for f in found[:4])
    assert "blocks" in found[2]["error"] and found[2]["id"] == "m"
    assert found[4]["kind"] == "act"


def test_turns_speak_of_what_earlier_ones_have_reached() -> None:
    first = {"text": "put the red block on the green block", "id": "t"}
    (found,) = read({"turns": [first, "clear the green block"], "id": 1})
    assert [t["kind"] for t in found["turns"]] == ["act", "act"]
    assert "red block not on green block" in found["turns"][1]["words"]
    assert (found["id"], found["turns"][0]["id"]) == (1, "t")
    (other,) = read({"turns": ["put the red block in the bin", "empty the bin"]})
    assert "red block not in bin" in other["turns"][1]["words"]


def test_a_robot_with_scenes_of_its_own_is_tried_in_each() -> None:
    near, drawer = read(
        {"text": "touch the box", "robot": "arm", "scene": "blocks", "route": "reward"},
        {"text": "open the drawer", "robot": "arm", "scene": "blocks", "route": "reward"},
    )
    assert (near["kind"], near["read_in_scene"]) == ("act", "table")
    assert (drawer["kind"], drawer["read_in_scene"]) == ("act", "drawer")


def test_environments_are_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from embodied.app import reading

    opened: list[object] = []
    real: Callable[..., Any] = reading.open_environment

    def counted(settings: Any) -> Any:
        opened.append(settings)
        return real(settings)

    monkeypatch.setattr(reading, "open_environment", counted)
    read(*({"text": "put the red block in the bin", "id": n} for n in range(5)))
    assert len(opened) == 1
