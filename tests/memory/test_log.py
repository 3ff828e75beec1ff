"""The log survives kills, cuts and full disks; every past state can be had again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embodied.bench.memory_mission import empty_memory, inspect, next_state
from embodied.errors import ConfigurationError
from embodied.memory import Memory, MemoryLog, Sync, read_changes, replay, states
from embodied.memory.log import decode, encode

SEED = 7


def mission(path: Path, steps: int) -> list[Memory]:
    """Write a mission and return the memory after every step, the empty one first."""
    memories = [empty_memory()]
    with MemoryLog(path, sync=Sync.NEVER) as log:
        for _ in range(steps):
            memories.append(next_state(memories[-1], SEED))
            change = memories[-1].change
            assert change is not None
            log.append(change)
    return memories


def test_any_past_state_by_replay(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    memories = mission(path, 12)
    start = empty_memory()
    for step in (0, 1, 5, 12):
        again = replay(start, path, until=step)
        assert again.step == step
        assert dict(again.beliefs) == dict(memories[step].beliefs)
        assert again.quantities == memories[step].quantities
    assert [m.step for m in states(start, path)] == list(range(1, 13))


def test_a_cut_at_any_byte_of_the_last_line_loses_that_step_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    mission(path, 3)
    whole = path.read_bytes()
    begin = whole[:-1].rfind(b"\n") + 1
    for cut in range(begin, len(whole)):
        path.write_bytes(whole[:cut])
        assert len(read_changes(path)) == 2
        with MemoryLog(path, sync=Sync.NEVER) as log:
            assert log.step == 2
        assert path.read_bytes() == whole[:begin]


def test_a_garbled_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    mission(path, 3)
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"step":2', b'"step":3')
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ConfigurationError, match="line 2 is garbled"):
        MemoryLog(path)
    lines[2] = lines[2][:-1] + b"!"
    path.write_bytes(lines[0] + b"\n" + lines[2] + b"\n")
    assert len(read_changes(path)) == 1  # garbled, but the last


def test_checksums() -> None:
    change = next_state(empty_memory(), SEED).change
    assert change is not None
    line = encode(change)
    assert decode(line[:-1]) == change
    with pytest.raises(ValueError, match="checksum"):
        decode(line[:-1].replace(b"told", b"seen"))
    with pytest.raises(ValueError, match="checksum"):
        decode(b"{}")


def test_only_the_next_change_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    memories = mission(path, 2)
    with MemoryLog(path, sync=Sync.NEVER) as log:
        change = memories[1].change
        assert change is not None
        with pytest.raises(ValueError, match="does not follow"):
            log.append(change)
        with pytest.raises(ConfigurationError, match="another process"):
            MemoryLog(path)
    with pytest.raises(ValueError, match="does not follow"):
        empty_memory().applied(next_state(memories[1], SEED).change or change)


def test_a_failed_write_leaves_a_whole_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.jsonl"
    memories = mission(path, 2)
    following = next_state(memories[-1], SEED).change
    assert following is not None
    real = os.write
    with MemoryLog(path, sync=Sync.NEVER) as log:
        calls: list[int] = []

        def full(descriptor: int, data: bytes) -> int:
            calls.append(len(data))
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return real(descriptor, data[:10])

        monkeypatch.setattr("embodied.memory.log.os.write", full)
        with pytest.raises(OSError, match="space"):
            log.append(following)
        monkeypatch.undo()
        assert log.step == 2
        log.append(following)
    assert len(read_changes(path)) == 3


@pytest.mark.parametrize("life_s", [0.0, 0.05, 0.3])
def test_kill_9(tmp_path: Path, life_s: float) -> None:
    path = tmp_path / "memory.jsonl"
    command = [sys.executable, "-m", "embodied.bench.memory_mission", str(path), "3", "always"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == b"1\n"
        time.sleep(life_s)
        process.send_signal(signal.SIGKILL)
        written = process.stdout.read().split(b"\n")[:-1]
    assert process.returncode == -signal.SIGKILL
    left = inspect(path, 3, acknowledged=int(written[-1]) if written else 1)
    assert left.problem == ""
    assert left.steps >= 1


def test_inspection_finds_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    mission(path, 4)
    assert "5 steps were acknowledged" in inspect(path, SEED, acknowledged=5).problem
    assert "differs" in inspect(path, SEED + 1, acknowledged=0).problem
