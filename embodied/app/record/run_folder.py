"""The run folder: everything that a run leaves behind, readable at any moment.

``runs/<time>-<slug>/`` holds ``events.jsonl`` (one line per event, appended and handed to the
operating system at once, so a killed run keeps all but the line being written), ``run.json``
(replaced atomically), ``domain.pddl``, ``problem.pddl``, ``plan.txt``, the recorded states and the
pictures. A folder that cannot be made is an error before anything moves; a disk that fills later
costs files, which are named in ``RunFolder.lost``, never the run.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

import numpy as np

from embodied.errors import ConfigurationError, EmbodiedError
from embodied.protocols import Event
from embodied.types import Atom, GroundAction

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
    data: Mapping[str, Any]


class RunFolder:
    """Writer of one run folder.

    Attributes:
        path: The folder.
        lost: What could not be written, with the reason; empty when all is well.
    """

    def __init__(self, path: Path, summary: Mapping[str, Any]) -> None:
        self.path = path
        self.lost: dict[str, str] = {}
        self._summary: dict[str, Any] = {"format": FORMAT, "status": "running", **summary}
        self._t0 = time.monotonic()
        self._torn = False
        self._secrets = _secrets()
        self._events_fd = -1
        try:
            self._replace(SUMMARY, self._dump_summary())
            self._events_fd = os.open(
                path / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise RunFolderError(f"cannot write in the run folder {path}: {_why(error)}") from error

    @staticmethod
    def create(
        root: Path, title: str, summary: Mapping[str, Any], *, prefix: str | None = None
    ) -> RunFolder:
        """Make a new folder ``root/<time>-<slug of title>``; raises as ``make_folder`` does.

        Args:
            root: Where run folders live; made if missing.
            title: The instruction.
            summary: First content of ``run.json``.
            prefix: Takes the place of the time.
        """
        return RunFolder(make_folder(root, title, prefix=prefix), summary)

    @property
    def summary(self) -> Mapping[str, Any]:
        """Content of ``run.json``."""
        return dict(self._summary)

    def log(self, event: Event) -> None:
        """Append an event to the log; a failure is noted in ``lost``."""
        record = {
            "wall_s": round(time.monotonic() - self._t0, 4),
            "kind": event.kind,
            "data": jsonable(event.data),
        }
        line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        for secret in self._secrets:
            line = line.replace(secret, "***")
        data = line.encode("utf-8", "replace")
        if self._torn:  # end the line that a full disk cut off, so that this one can be read
            data = b"\n" + data
        try:
            written = 0
            while written < len(data):
                written += os.write(self._events_fd, data[written:])
        except OSError as error:
            self._torn = True
            self._note_loss("part of events.jsonl", error)
        else:
            self._torn = False

    def write(self, name: str, content: str | bytes) -> None:
        """Write a whole file of the folder; a failure is noted in ``lost``."""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        try:
            self._replace(name, data)
        except OSError as error:
            self._note_loss(name, error)

    def update(self, **fields: Any) -> None:
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
        if self._events_fd >= 0:
            os.close(self._events_fd)
            self._events_fd = -1

    def _note_loss(self, what: str, error: OSError) -> None:
        self.note_loss(what, _why(error))

    def _dump_summary(self) -> bytes:
        text = json.dumps(jsonable(self._summary), ensure_ascii=False, indent=2, allow_nan=False)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return (text + "\n").encode("utf-8", "replace")

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


def free_bytes(path: Path) -> int:
    """Bytes that may still be written on the disk of ``path``."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize


def read_summary(folder: Path) -> dict[str, Any]:
    """Read ``run.json``.

    Raises:
        ConfigurationError: The folder is no run folder, or its ``run.json`` is damaged.
    """
    try:
        value: object = json.loads((folder / SUMMARY).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{folder} is no run folder: it has no {SUMMARY}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read {folder / SUMMARY}: {error}") from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"{folder / SUMMARY} holds no object")
    return cast("dict[str, Any]", value)


def read_events(folder: Path) -> tuple[list[LoggedEvent], int]:
    """Read ``events.jsonl``, leaving out lines that a kill or a full disk cut off.

    Returns:
        The events in order, and how many lines were left out.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.
    """
    try:
        raw = (folder / EVENTS).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {folder / EVENTS}: {_why(error)}") from error
    events: list[LoggedEvent] = []
    torn = 0
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        try:
            record: Any = json.loads(line)
            event = LoggedEvent(
                wall_s=float(record["wall_s"]),
                kind=str(record["kind"]),
                data=dict(record["data"]),
            )
        except (ValueError, KeyError, TypeError):
            torn += 1
        else:
            events.append(event)
    return events, torn


def jsonable(value: Any) -> Any:
    """Turn ``value`` into what JSON can hold: arrays become lists, atoms PDDL text, NaN null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Atom() | GroundAction() | Path():
            return str(value)
        case Enum():
            return value.name.lower()
        case np.generic():
            return jsonable(value.item())
        case np.ndarray():
            return jsonable(value.tolist())
        case Mapping():
            mapping = cast("Mapping[Any, Any]", value)
            return {str(k): jsonable(v) for k, v in mapping.items()}
        case Set():
            return sorted((jsonable(v) for v in cast("Set[Any]", value)), key=str)
        case Sequence():
            return [jsonable(v) for v in cast("Sequence[Any]", value)]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            return str(value)


def _secrets() -> tuple[str, ...]:
    """Values of the environment that must never reach a log."""
    names = ("_API_KEY", "_TOKEN", "_SECRET")
    values = {v for k, v in os.environ.items() if k.upper().endswith(names) and len(v) >= 8}
    return tuple(sorted(values, key=len, reverse=True))


def _why(error: OSError) -> str:
    return error.strerror or str(error)
