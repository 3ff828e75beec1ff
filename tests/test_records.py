"""JSON that somebody else may have written: what is wrong is named, and lines outlive a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embodied.errors import ConfigurationError
from embodied.records import LineLog, Record, append_lines, read_lines

VALUES = {"name": "a", "n": 3, "x": 0.5, "on": True, "words": ["a", "b"], "in": {"x": "far"}}


def test_values_are_read_as_what_they_are() -> None:
    record = Record(VALUES)
    assert (record.text("name"), record.integer("n"), record.flag("on")) == ("a", 3, True)
    assert (record.number("n"), record.number("x")) == (3.0, 0.5)
    assert record.texts("words") == ("a", "b")
    assert record.integer("missing", 7) == 7
    assert record.records("missing", ()) == ()


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda r: r.text("n"), "run.json: 'n' must be a string, got 3"),
        (lambda r: r.number("on"), "run.json: 'on' must be a number, got True"),
        (lambda r: r.integer("x"), "'x' must be a whole number, got 0.5"),
        (lambda r: r.texts("name"), "'name' must be a list, got 'a'"),
        (lambda r: r.record("words"), "'words' must be an object"),
        (lambda r: r.text("lost"), "run.json lacks 'lost'"),
        (lambda r: r.record("in").number("x"), "run.json, 'in': 'x' must be a number, got 'far'"),
        (lambda r: r.records("words"), r"'words'\[0\] holds no object"),
    ],
)
def test_what_is_wrong_is_named(read, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(Record(VALUES, "run.json"))


@pytest.mark.parametrize("text", ["{", "[]", "", "\x00", '{"a":' + "[" * 100_000])
def test_files_that_hold_no_object_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(ConfigurationError, match=r"run\.json"):
        Record.load(path)
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"run\.json"):
        Record.load(path)


def test_damaged_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    append_lines(path, [{"n": 1}, {"m": 2}])
    with path.open("ab") as file:
        file.write(b'{"n": 3')
    append_lines(path, [{"n": 4}])  # begins on a line of its own
    assert read_lines(path, lambda r: r.integer("n")) == ([1, 4], 2)


def test_lines_outlive_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from embodied.records import LineLog\n"
        "log = LineLog(Path(sys.argv[1]))\n"
        "for n in range(50): log.append(b'{\"n\": %d}\\n' % n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "log.jsonl"
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert read_lines(path, lambda r: r.integer("n")) == (list(range(50)), 0)


def test_a_line_after_a_full_disk_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "log.jsonl", os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 5:
            return write(descriptor, data[:5])
        raise OSError("full")

    with LineLog(path) as log:
        log.append(b'{"n": 1}\n')
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(OSError, match="full"):
                log.append(b'{"n": 2}\n')
        log.append(b'{"n": 3}\n')
    assert read_lines(path, lambda r: r.integer("n")) == ([1, 3], 1)
