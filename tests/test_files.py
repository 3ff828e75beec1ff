"""What a path may name instead of a file, and what a file may hold instead of what it should."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from embodied.app.record.memory_log import read_run
from embodied.app.record.run_folder import EVENTS, RunFolder, claimed, read_events, read_summary
from embodied.app.record.states import read_states
from embodied.errors import ConfigurationError, EmbodiedError, ModelError
from embodied.files import SMALL, MissingFileError, read_bytes, read_text
from embodied.language.models import Recording, ReplayModel
from embodied.language.models._function import FunctionModel
from embodied.memory.log import read_changes
from embodied.protocols import Message, Request
from embodied.world.scene import load_scene

READERS: dict[str, Callable[[Path], object]] = {
    "scene": load_scene,
    "recording": ReplayModel,
    "states": read_states,
    "memory log": read_changes,
    "summary": lambda path: read_summary(path.parent),
    "events": lambda path: read_events(path.parent),
    "memory": lambda path: read_run(path.parent),
}
NAMES = {"summary": "run.json", "events": "events.jsonl", "memory": "vocabulary.json"}
by_reader = pytest.mark.parametrize("reader", READERS)


@by_reader
@pytest.mark.parametrize("what", ["fifo", "zero", "full", "folder", "huge", "missing", "loop"])
def test_what_is_no_readable_file_is_refused(reader: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / NAMES.get(reader, "input.toml")
    match what:
        case "fifo":
            os.mkfifo(path)
        case "zero" | "full":
            path.symlink_to(f"/dev/{what}")
        case "folder":
            path.mkdir()
        case "huge":
            path.touch()
            os.truncate(path, 2**40)  # no blocks on the disk
        case "loop":
            path.symlink_to(path)
        case _:
            pass
    with pytest.raises(EmbodiedError) as caught:
        READERS[reader](path)
    assert str(tmp_path) in str(caught.value)


def test_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="there is no"):
        read_bytes(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="no regular file"):
        read_bytes("/dev/zero")
    (tmp_path / "large").write_bytes(b"a" * (SMALL + 1))
    with pytest.raises(ConfigurationError, match="at most 1 MiB"):
        read_text(tmp_path / "large")
    (tmp_path / "latin").write_bytes("a\nb\ncafé".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="line 3 is no UTF-8 text"):
        read_text(tmp_path / "latin")
    with pytest.raises(ConfigurationError, match="null"):
        read_bytes("a\0b")


def test_a_recording_that_cannot_be_written_is_an_error_of_the_model() -> None:
    model = Recording(FunctionModel(lambda request: "hi"), "/dev/full")
    with pytest.raises(ModelError, match="No space left"):
        model.complete(Request(messages=(Message(role="user", text="x"),)))
    model.close()


def test_a_folder_is_taken_up_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, {})
    with pytest.raises(ConfigurationError, match="in use"), claimed(tmp_path):
        pass
    folder.close()
    with claimed(tmp_path):
        with pytest.raises(ConfigurationError, match="in use"), claimed(tmp_path):
            pass
    with claimed(tmp_path):
        pass
    (tmp_path / EVENTS).unlink()
    with pytest.raises(ConfigurationError), claimed(tmp_path):
        pass


SCENE = b"""name = "own"
description = "A block and a tray."
sentences = ["put the red block on the tray"]
[[surface]]
name = "tray"
category = "tray"
color = "white"
size_m = [0.20, 0.20, 0.012]
position_m = [0.45, -0.40]
[[item]]
name = "red-block"
category = "block"
color = "red"
size_m = [0.045, 0.045, 0.045]
aliases = ["cube"]
"""
SUMMARY = json.dumps(
    {
        "status": "finished",
        "instruction": "x",
        "scene": "blocks",
        "robot": "fr3",
        "world": "mujoco",
        "seed": 0,
        "notes": [],
        "verdict": {"goals": [{"text": "a", "holds": ["b"], "unmet": []}]},
    }
).encode()
EVENT = b'{"wall_s": 0.1, "kind": "program", "data": {"stages": ["a"], "source": "rules"}}\n'
ANSWER = b'{"key": "a", "request": {"messages": []}, "response": {"text": "x", "usage": {}}}\n'
STATES = b'{"nq": 3, "scene": "blocks"}\n' + bytes(range(64))
INPUTS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "scene": ("own.toml", SCENE, load_scene),
    "summary": ("run.json", SUMMARY, lambda p: read_summary(p.parent)),
    "events": ("events.jsonl", EVENT * 4, lambda p: read_events(p.parent)),
    "recording": ("r.jsonl", ANSWER * 3, ReplayModel),
    "states": ("states.bin", STATES, read_states),
}
PIECES = [b"", b"\x00", b"\xff", b"[" * 3000, b"{" * 3000, b"9" * 5000, b"1e999", b"nan", b"-1"]
PIECES += [b'"', b"'", b"\n", b"null", b"true", b"\xed\xa0\x80", b"=", b"[[item]]\n", b'"a"' * 50]


def broken(content: bytes, rng: random.Random) -> bytes:
    """Content with a few bytes replaced, lost, said twice or put in from elsewhere."""
    for _ in range(rng.randrange(1, 5)):
        at, size = rng.randrange(len(content) + 1), rng.choice((0, 1, 2, 8, 40))
        piece = rng.choice([*PIECES, content[at : at + 60], bytes([rng.randrange(256)])])
        content = content[:at] + piece + content[at + size :]
    return content


@pytest.mark.parametrize("kind", INPUTS)
def test_broken_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    name, content, read = INPUTS[kind]
    path = tmp_path / name
    refused = 0
    for seed in range(300):
        path.write_bytes(broken(content, random.Random(seed)))
        try:
            read(path)
        except EmbodiedError as error:
            refused += 1
            assert len(str(error)) < 20_000
    assert refused or kind in ("events", "recording"), "nothing was broken enough"


@pytest.mark.parametrize("command", ["replay", "memory show"])
def test_commands_refuse_a_run_folder_of_pipes(command: str, tmp_path: Path) -> None:
    for name in ("run.json", "events.jsonl", "states.bin", "vocabulary.json", "memory.jsonl"):
        os.mkfifo(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "embodied.app.cli.main", *command.split(), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
