from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied.app.record import run_folder
from embodied.app.record.run_folder import (
    RunFolder,
    RunFolderError,
    jsonable,
    make_folder,
    read_events,
    read_summary,
    slug,
)
from embodied.errors import ConfigurationError
from embodied.protocols import Event
from embodied.types import Atom, GroundAction, PlanStatus


def test_a_new_folder_has_a_summary_with_status_running(tmp_path: Path) -> None:
    folder = RunFolder(make_folder(tmp_path / "runs", "Put the RED block in the bin!"), {"seed": 3})
    assert folder.path.name.endswith("-put-the-red-block-in-the-bin")
    assert read_summary(folder.path).values["status"] == "running"
    assert read_summary(folder.path).values["seed"] == 3


def test_two_runs_in_one_second_get_two_folders(tmp_path: Path) -> None:
    paths = {RunFolder(make_folder(tmp_path, "same words"), {}).path for _ in range(5)}
    assert len(paths) == 5


def test_events_are_readable_while_the_run_goes_on(tmp_path: Path) -> None:
    folder = RunFolder(make_folder(tmp_path, "x"), {})
    for n in range(3):
        folder.log(Event(kind="action", data={"n": n, "atom": Atom.parse("(on a b)")}))
        events, torn = read_events(folder.path)
        assert [e.data["n"] for e in events] == list(range(n + 1))
        assert torn == 0
    assert events[0].data["atom"] == "(on a b)"


def test_reader_drops_a_torn_last_line(tmp_path: Path) -> None:
    folder = RunFolder(make_folder(tmp_path, "x"), {})
    folder.log(Event(kind="instruction", data={"text": "größer"}))
    folder.log(Event(kind="plan", data={}))
    whole = (folder.path / "events.jsonl").read_bytes()
    for cut in range(len(whole)):
        (folder.path / "events.jsonl").write_bytes(whole[:cut])
        events, torn = read_events(folder.path)
        assert [e.kind for e in events] == ["instruction", "plan"][: len(events)]
        assert torn <= 1


def test_log_survives_kill_minus_nine(tmp_path: Path) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path\n"
        "from embodied.app.record.run_folder import RunFolder, make_folder\n"
        "from embodied.protocols import Event\n"
        "folder = RunFolder(make_folder(Path(sys.argv[1]), 'x'), {})\n"
        "for n in range(50): folder.log(Event(kind='action', data={'n': n}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (path,) = tmp_path.iterdir()
    events, torn = read_events(path)
    assert [e.data["n"] for e in events] == list(range(50))
    assert torn == 0
    assert read_summary(path).values["status"] == "running"


def test_full_disk_in_mid_run_is_noted_and_the_log_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(make_folder(tmp_path, "x"), {})
    folder.log(Event(kind="action", data={"n": 0}))
    write = os.write

    def half_then_full(fd: int, data: bytes) -> int:
        if len(data) > 20:
            return write(fd, data[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_then_full)
        folder.log(Event(kind="action", data={"n": 1, "padding": "y" * 13}))
    folder.log(Event(kind="action", data={"n": 2}))
    folder.update(status="finished")
    events, torn = read_events(folder.path)
    assert [e.data["n"] for e in events] == [0, 2]
    assert torn == 1
    assert "No space left" in folder.lost["part of events.jsonl"]
    assert "part of events.jsonl" in read_summary(folder.path).values["lost"]


def test_file_size_limit_costs_files_but_no_exception(tmp_path: Path) -> None:
    folder = RunFolder(make_folder(tmp_path, "x"), {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        for _ in range(10):
            folder.log(Event(kind="response", data={"text": "z" * 500}))
        folder.write("problem.pddl", "z" * 5000)
        folder.write("plan.txt", "short")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert set(folder.lost) == {"part of events.jsonl", "problem.pddl"}
    assert (folder.path / "plan.txt").read_text() == "short"
    assert not list(folder.path.glob(".*.part"))
    assert len(read_events(folder.path)[0]) >= 2


def test_unwritable_root_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="--out"):
        RunFolder(make_folder(tmp_path / "file" / "runs", "x"), {})


def test_full_disk_is_an_error_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "free_bytes", lambda path: 65536)
    with pytest.raises(RunFolderError, match="64 KiB free"):
        RunFolder(make_folder(tmp_path, "x"), {})
    assert not list(tmp_path.iterdir())


def test_keys_never_reach_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdef123456")
    folder = RunFolder(make_folder(tmp_path, "x"), {})
    folder.log(Event(kind="error", data={"text": "refused sk-abcdef123456"}))
    folder.update(message="refused sk-abcdef123456")
    for name in ("events.jsonl", "run.json"):
        text = (folder.path / name).read_text()
        assert "sk-abcdef123456" not in text
        assert "<OPENAI_API_KEY>" in text


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_what_is_no_run_folder_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"run\.json"):
        read_summary(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Put it  there.", "put-it-there"),
        ("", "run"),
        ("../../etc/passwd", "etc-passwd"),
        ("赤いブロック", "run"),
        ("a" * 10_000, "a" * 40),
        ("word " * 2000, "word-word-word-word-word-word-word-word"),
    ],
)
def test_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64("nan"), None),
        (np.arange(3), [0, 1, 2]),
        (frozenset({Atom.parse("(b)"), Atom.parse("(a)")}), ["(a)", "(b)"]),
        (GroundAction.parse("(pick a)"), "(pick a)"),
        (PlanStatus.SOLVED, "solved"),
        ({"x": (1, 2.5)}, {"x": [1, 2.5]}),
        (Event(kind="k", data={"a": 1}), {"kind": "k", "data": {"a": 1}}),
    ],
)
def test_jsonable(value: Any, expected: Any) -> None:
    assert jsonable(value) == expected
    json.dumps(jsonable(value), allow_nan=False)
