"""The log of a memory: append-only, one JSON line per change, any past state by replay.

What a kill leaves behind. Each change is one ``write`` of one line, handed to the operating system
before ``append`` returns: a killed process loses at most the line being written. With
``Sync.ALWAYS`` (the default) the line is also on the disk before ``append`` returns, so that a
power cut loses nothing either; with ``Sync.NEVER`` the operating system writes when it likes. Every
line carries a checksum. A last line that is cut off or garbled is dropped when the log is opened; a
garbled line before it is an error, because what follows cannot be trusted.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from embodied.errors import ConfigurationError
from embodied.files import read_bytes
from embodied.memory.facts import Change
from embodied.memory.memory import Memory
from embodied.records import LineLog, Record

MEMORY_LOG = "memory.jsonl"
"""Name of the file in a run folder."""

_CHECKED = b',"crc":"'


class Sync(Enum):
    """When a change must be on the disk."""

    ALWAYS = "always"
    NEVER = "never"


class MemoryLog:
    """Writer of one log; one process writes it at a time.

    Args:
        path: The file; made if missing. A cut-off last line is removed.
        sync: When a change must be on the disk.

    Raises:
        ConfigurationError: The file cannot be opened, is being written by someone else, or is
            garbled before its last line.
    """

    def __init__(self, path: Path, *, sync: Sync = Sync.ALWAYS) -> None:
        self.path = path
        always = sync is Sync.ALWAYS
        try:
            self._lines = LineLog(path, sync=always)
        except OSError as error:
            raise ConfigurationError(f"cannot open {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lines.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            changes, good = _read(path)
            self._lines.cut(good)
            if always:
                _sync_folder(path.parent)
        except BlockingIOError as error:
            self.close()
            raise ConfigurationError(f"another process writes to {path}") from error
        except BaseException:
            self.close()
            raise
        self._step = len(changes)
        self._size = good

    @property
    def step(self) -> int:
        """Number of the last change in the log."""
        return self._step

    def append(self, change: Change) -> None:
        """Add the next change.

        Raises:
            ValueError: It is not the next one.
            OSError: It could not be written; the log ends with the change before it.
        """
        if change.step != self._step + 1:
            raise ValueError(f"change {change.step} does not follow step {self._step} of the log")
        data = encode(change)
        try:
            self._lines.append(data)
        except OSError:
            self._lines.cut(self._size)
            raise
        self._step = change.step
        self._size += len(data)

    def close(self) -> None:
        """Close the file and let others write; may be called twice."""
        self._lines.close()

    def __enter__(self) -> MemoryLog:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def encode(change: Change) -> bytes:
    """One line of the log."""
    body = json.dumps(change.to_json(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    head = body.encode("utf-8")[:-1]
    return head + _CHECKED + f'{zlib.crc32(head):08x}"}}\n'.encode()


def decode(line: bytes) -> Change:
    """Read one line without its line end.

    Raises:
        ValueError: The line is cut off, garbled or not a change.
    """
    head, mark, tail = line.rpartition(_CHECKED)
    if not mark or tail != f'{zlib.crc32(head):08x}"}}'.encode():
        raise ValueError("the checksum does not fit")
    return Change.of(Record.parse(head + b"}", "the change"))


def read_changes(path: Path) -> tuple[Change, ...]:
    """All whole changes in a log, which stays as it is.

    Raises:
        ConfigurationError: There is no such file, or it is garbled before its last line.
    """
    return tuple(_read(path)[0])


def replay(start: Memory, path: Path, *, until: int | None = None) -> Memory:
    """The memory after the changes in a log.

    Args:
        start: The memory before the first of them.
        path: The log.
        until: Step to stop after; all if None.

    Raises:
        ConfigurationError: As ``read_changes``; or the changes do not follow each other.
    """
    memory = start
    for memory in states(start, path):
        if memory.step == until:
            break
    return memory if until is None or until > 0 else start


def states(start: Memory, path: Path) -> Iterator[Memory]:
    """The memory after each change in a log; raises as ``replay`` does."""
    memory = start
    for change in read_changes(path):
        try:
            memory = memory.applied(change)
        except ValueError as error:
            raise ConfigurationError(f"{path}, step {change.step}: {error}") from error
        yield memory


def _read(path: Path) -> tuple[list[Change], int]:
    """The whole changes, and how many bytes they take."""
    data = read_bytes(path)
    changes: list[Change] = []
    good = 0
    while good < len(data):
        end = data.find(b"\n", good)
        try:
            if end < 0:
                raise ValueError("cut off")
            change = decode(data[good:end])
            if change.step != len(changes) + 1:
                raise ValueError(f"step {change.step} follows step {len(changes)}")
        except ValueError as error:
            if end in (-1, len(data) - 1):
                break
            raise ConfigurationError(
                f"{path}, line {len(changes) + 1} is garbled ({error}); the changes before it can "
                "be kept by cutting the file there"
            ) from error
        changes.append(change)
        good = end + 1
    return changes, good


def _sync_folder(folder: Path) -> None:
    """Make a new file's name last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
