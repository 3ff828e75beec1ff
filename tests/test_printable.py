"""Nothing that comes from outside steers the terminal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embodied.app.cli.main import app
from embodied.app.show.console import Console
from embodied.app.show.terminal import QuietDisplay, RichDisplay, print_json
from embodied.outcome import Outcome
from embodied.printable import escaped, printable
from embodied.protocols import Event
from embodied.verdict import Verdict

ATTACKS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "C1 introducer": "\x9b2J",
    "C1 string": "\x9d52;c;b3duZWQ=\x9c",
    "device answers": "\x1b[6n\x1bP+q\x1b\\",
    "carriage return": "safe\rgone",
    "backspace": "no\b\byes",
    "right to left": "abc\u202edef\u2066",
    "tags": "red\U000e0041\U000e007f",
    "lone surrogate": "\ud800",
    "line separator": "a\u2028b",
}
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
by_attack = pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)


@by_attack
def test_text_is_shown_and_not_sent(text: str) -> None:
    assert not UNSAFE.search(printable(text))
    assert printable("put the räd 块 on\n\tit 🟥") == "put the räd 块 on\n\tit 🟥"


@by_attack
def test_json_says_the_same_in_safe_characters(text: str) -> None:
    line = escaped(json.dumps({"x": text}, ensure_ascii=False))
    assert not UNSAFE.search(line) and json.loads(line) == {"x": text}


@by_attack
def test_displays(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    console = Console(file=out, width=100)
    outcome = Outcome(
        exit_code=1,
        message=text,
        verdicts=(
            Verdict(text=text, holds=(text,), unmet=(text,)),
            Verdict(text=text, holds=(), unmet=(), reason=text),
        ),
        notes=(text,),
    )
    about = {"scene": text, "robot": text, "seed": 0, "translator": text, "object_source": text}
    summary = {"lost": {text: text}, "pictures": [text], "video": {"note": text}}
    for display in (RichDisplay(console), QuietDisplay(console)):
        display.begin(text, about, str)
        for event in (
            Event(kind="program", data={"stages": [text], "notes": [text]}),
            Event(kind="plan", data={"status": "FAILED", "message": text}),
            Event(kind="request", data={"model": text}),
            Event(kind="diagnostic", data={"text": text}),
            Event(kind="stop", data={"reason": text}),
            Event(kind="action", data={"time_s": 0.0, "attempt": 0, "action": text}),
            Event(
                kind="effects", data={"time_s": 1.0, "action": text, "ok": False, "reason": text}
            ),
        ):
            display.event(event)
        display.end(outcome, Path("runs"), summary)
    assert "does not hold" in out.getvalue()
    assert not UNSAFE.search(out.getvalue())
    print_json({"message": text})
    assert not UNSAFE.search(capsys.readouterr().out)


@pytest.mark.parametrize("place", ["description", "alias", "sentence", "name", "category", "scene"])
def test_scene_files(place: str, tmp_path: Path) -> None:
    hostile = "x\\u001b]52;c;b3duZWQ=\\u0007"
    text = {k: k if k != place else hostile for k in ("description", "alias", "sentence")}
    own = {k: "thing" if k != place else hostile for k in ("name", "category", "scene")}
    file = tmp_path / "own.toml"
    file.write_text(
        f'name = "{own["scene"]}"\ndescription = "{text["description"]}"\n'
        f'sentences = ["{text["sentence"]}"]\n[[item]]\nname = "{own["name"]}"\n'
        f'category = "{own["category"]}"\ncolor = "red"\nsize_m = [0.04, 0.04, 0.04]\n'
        f'aliases = ["{text["alias"]}"]\n'
    )
    for command in (
        ["scenes", str(file)],
        ["plan", "--out", str(tmp_path), "--scene", str(file), "lift the thing"],
    ):
        result = CliRunner().invoke(app, command, env={"EMBODIED_DEBUG": ""})
        assert not UNSAFE.search(result.output), command
        assert result.exit_code in (0, 1, 2, 3) and "internal error" not in result.output
