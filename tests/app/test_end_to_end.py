"""The real command on the real simulator, in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embodied.app.record.run_folder import read_events, read_summary

COMMAND = [sys.executable, "-m", "embodied.app.cli.main"]
SENTENCE = "put the red block on the green block and the yellow block in the bin"


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _wait_for(out: Path, kind: str, process: subprocess.Popen[str]) -> Path:
    """Wait until the run in ``out`` has logged an event of this kind."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        for folder in (p.parent for p in out.glob("*/events.jsonl")):
            if any(e.kind == kind for e in read_events(folder)[0]):
                return folder
        time.sleep(0.02)
    raise AssertionError(f"no {kind} within two minutes")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.slow
def test_the_first_sentence_of_the_readme(tmp_path: Path) -> None:
    done = _start("run", SENTENCE, "--json", "--out", str(tmp_path))
    text, errors = done.communicate(timeout=240)
    assert done.returncode == 0, text + errors
    record = json.loads(text)
    assert record["verdict"]["reached"] is True
    assert record["verdict"]["measured_from"] == "ground truth of the simulator"
    assert record["lost"] == {}
    folder = Path(record["folder"])
    for name in ("before.png", "after.png", "video.mp4", "plan.txt", "problem.pddl"):
        assert (folder / name).stat().st_size > 100, name
    again = _start(
        "replay", str(folder), "--execute", "--json", "--no-video", "--out", str(tmp_path)
    )
    text, errors = again.communicate(timeout=240)
    assert again.returncode == 0, text + errors
    assert json.loads(text)["verdict"] == record["verdict"]


def test_ctrl_c_ends_arm_and_children(tmp_path: Path) -> None:
    process = _start("run", SENTENCE, "--out", str(tmp_path))
    folder = _wait_for(tmp_path, "action", process)
    children = _children(process.pid)
    assert children  # the one that draws
    process.send_signal(signal.SIGINT)
    text, errors = process.communicate(timeout=60)
    assert process.returncode == 130, text + errors
    assert "Traceback" not in text + errors
    assert all(_gone(pid) for pid in children)
    assert read_summary(folder).values["status"] == "interrupted"
    assert read_events(folder)[1] == 0


def test_sigterm_ends_a_conversation_from_a_pipe(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "embodied.app.cli.main", "chat", "--no-video", "--model", "rules"]
        + ["--out", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(f"{SENTENCE}\nput the purple block on the tray\n")
    process.stdin.close()
    process.stdin = None
    chat = _wait_for_folder(tmp_path, process)
    _wait_for(chat, "action", process)
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 143, text
    (folder,) = chat.iterdir()
    assert read_summary(folder).values["status"] == "interrupted"
    assert read_summary(folder).values["exit_code"] == 143


def _wait_for_folder(root: Path, process: subprocess.Popen[str]) -> Path:
    for _ in range(600):
        found = list(root.iterdir())
        if found:
            return found[0]
        assert process.poll() is None
        time.sleep(0.1)
    raise AssertionError("no folder of a conversation")


def test_kill_leaves_a_folder_that_can_be_replayed(tmp_path: Path) -> None:
    process = _start("run", SENTENCE, "--no-video", "--out", str(tmp_path))
    folder = _wait_for(tmp_path, "effects", process)
    process.kill()
    process.communicate(timeout=60)
    assert read_summary(folder).values["status"] == "running"
    events, torn = read_events(folder)
    assert torn <= 1
    assert [e.kind for e in events if e.kind in ("plan", "effects")][:2] == ["plan", "effects"]
    shown = _start("replay", str(folder), "--no-video")
    text, errors = shown.communicate(timeout=60)
    assert shown.returncode == 0, errors
    assert "did not finish" in text
