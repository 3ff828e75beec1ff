"""What a path may name instead of a file, and what a file may hold instead of what it should."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "input_fuzz.py"
    spec = importlib.util.spec_from_file_location("input_fuzz", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_good_inputs_are_read(fuzz: ModuleType, tmp_path: Path) -> None:
    for name, content, read in fuzz.KINDS.values():
        (tmp_path / name).write_bytes(content)
        read(tmp_path / name)


def test_broken_inputs_are_read_or_refused(
    fuzz: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fuzz.main(["--count", "3900", "--seed", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == len(fuzz.KINDS)
    for row in rows:
        assert row["read"] + row["refused"] == row["count"] == 300, row
        assert row["refused"] or row["kind"] == "events", "nothing was broken enough"


def test_a_traceback_is_counted(fuzz: ModuleType, tmp_path: Path) -> None:
    def fails(path: Path) -> None:
        raise KeyError(path.name)

    fuzz.KINDS["made up"] = ("x", b"abc", fails)
    try:
        row = fuzz.fuzz("made up", 3, 0, tmp_path)
    finally:
        del fuzz.KINDS["made up"]
    assert row["tracebacks"] == 3 and "KeyError" in row["first"]


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
