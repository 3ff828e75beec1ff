"""The run folder: everything that a run leaves behind, readable at any moment.

``runs/<time>-<slug>/`` holds ``events.jsonl`` (one line per event, appended and handed to the
operating system at once, so a killed run keeps all but the line being written), ``run.json``
(replaced atomically), ``domain.pddl``, ``problem.pddl``, ``plan.txt``, the recorded states and the
pictures. A folder that cannot be made is an error before anything moves; a disk that fills later
costs files, which are named in ``RunFolder.lost``, never the run.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embodied.errors import ConfigurationError, EmbodiedError
from embodied.language.models import redact
from embodied.protocols import Event
from embodied.records import LineLog, Record, json_line, jsonable, read_lines

EVENTS = "events.jsonl"
SUMMARY = "run.json"
FORMAT = 1
_NEEDED_BYTES = 1 << 20


class RunFolderError(EmbodiedError, OSError):
    """The run folder cannot be made or written; the message says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One line of ``events.jsonl``.

    Attributes:
        wall_s: Wall time since the start of the run, s.
        kind: As in ``embodied.protocols.Event``.
        data: As in ``embodied.protocols.Event``.
    """

    wall_s: float
    kind: str
    data: Mapping[str, object]

    @staticmethod
    def of(line: Record) -> LoggedEvent:
        """An event as it was logged; raises ConfigurationError for anything else."""
        wall_s, kind = line.number("wall_s"), line.text("kind")
        return LoggedEvent(wall_s=wall_s, kind=kind, data=line.record("data").values)

    @property
    def record(self) -> Record:
        """The details, for reading with checks."""
        return Record(self.data, f"the event '{self.kind}'")


class RunFolder:
    """Writer of one run folder.

    Attributes:
        path: The folder.
        lost: What could not be written, with the reason; empty when all is well.
    """

    def __init__(self, path: Path, summary: Mapping[str, object]) -> None:
        self.path = path
        self.lost: dict[str, str] = {}
        self._summary: dict[str, object] = {"format": FORMAT, "status": "running", **summary}
        self._t0 = time.monotonic()
        try:
            self._replace(SUMMARY, self._dump_summary())
            self._events = LineLog(path / EVENTS)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(self._events.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunFolderError(f"cannot write in the run folder {path}: {_why(error)}") from error

    @property
    def summary(self) -> Mapping[str, object]:
        """Content of ``run.json``."""
        return dict(self._summary)

    def log(self, event: Event) -> None:
        """Append an event to the log; a failure is noted in ``lost``."""
        record = {
            "wall_s": round(time.monotonic() - self._t0, 4),
            "kind": event.kind,
            "data": jsonable(event.data),
        }
        try:
            self._events.append(redact(json_line(record)).encode("utf-8", "replace"))
        except OSError as error:
            self._note_loss("part of events.jsonl", error)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a whole file of the folder; a failure is noted in ``lost``."""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        try:
            self._replace(name, data)
        except OSError as error:
            self._note_loss(name, error)

    def update(self, **fields: object) -> None:
        """Set fields of ``run.json`` and write it; a failure is noted in ``lost``."""
        self._summary.update(fields)
        if self.lost:
            self._summary["lost"] = dict(self.lost)
        try:
            self._replace(SUMMARY, self._dump_summary())
        except OSError as error:
            self._note_loss(SUMMARY, error)

    def note_loss(self, what: str, reason: str) -> None:
        """Note that something of this run was lost."""
        self.lost.setdefault(what, reason)

    def close(self) -> None:
        """Close the log; may be called twice."""
        self._events.close()

    def _note_loss(self, what: str, error: OSError) -> None:
        self.note_loss(what, _why(error))

    def _dump_summary(self) -> bytes:
        text = json.dumps(jsonable(self._summary), ensure_ascii=False, indent=2, allow_nan=False)
        return (redact(text) + "\n").encode("utf-8", "replace")

    def _replace(self, name: str, data: bytes) -> None:
        target = self.path / name
        part = target.with_name(f".{name}.part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def make_folder(root: Path, title: str, *, prefix: str | None = None) -> Path:
    """Make a new folder ``root/<prefix, else time>-<slug of title>`` and return it.

    Raises:
        RunFolderError: It cannot be made or written, or the disk is full.
    """
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    base = f"{prefix or stamp}-{slug(title)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        free = free_bytes(root)
        if free < _NEEDED_BYTES:
            raise RunFolderError(
                f"the disk of {root} is full ({free // 1024} KiB free, a run needs at least "
                f"{_NEEDED_BYTES // 1024} KiB): make room, or choose another place with --out"
            )
        for n in range(1, 1000):
            path = root / (base if n == 1 else f"{base}-{n}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except RunFolderError:
        raise
    except OSError as error:
        raise RunFolderError(
            f"cannot make a run folder in {root}: {_why(error)}; choose another place with --out"
        ) from error
    raise RunFolderError(f"too many run folders named {base} in {root}")


def slug(text: str, limit: int = 40) -> str:
    """Lower-case words of ``text`` joined by hyphens, at most ``limit`` characters."""
    words = re.findall(r"[a-z0-9]+", text[:500].lower())
    kept = ""
    for word in words:
        longer = f"{kept}-{word}" if kept else word
        if len(longer) > limit:
            break
        kept = longer
    return kept or (words[0][:limit] if words else "run")


@contextmanager
def claimed(folder: Path) -> Generator[None]:
    """Keep a run folder to this process, so that it is taken up once.

    Raises:
        ConfigurationError: It is being written, or taken up, by another process.
    """
    try:
        descriptor = os.open(folder / EVENTS, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigurationError(f"cannot read {folder / EVENTS}: {_why(error)}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"{folder} is in use: its run goes on, or another process has taken it up"
            ) from error
        yield
    finally:
        os.close(descriptor)


def free_bytes(path: Path) -> int:
    """Bytes that may still be written on the disk of ``path``."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize


def read_summary(folder: Path) -> Record:
    """Read ``run.json``.

    Raises:
        ConfigurationError: The folder is no run folder, or its ``run.json`` is damaged.
    """
    if not (folder / SUMMARY).is_file():
        raise ConfigurationError(f"{folder} is no run folder: it has no {SUMMARY}")
    return Record.load(folder / SUMMARY)


def read_events(folder: Path) -> tuple[list[LoggedEvent], int]:
    """Read ``events.jsonl``, leaving out lines that a kill or a full disk cut off.

    Returns:
        The events in order, and how many lines were left out.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.
    """
    return read_lines(folder / EVENTS, LoggedEvent.of)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
