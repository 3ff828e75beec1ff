"""States of a run at a low rate of simulated time: what pictures, videos and replays are made of.

``states.bin`` is a JSON header line followed by little-endian float32 rows ``[time, qpos...]``,
appended as the run goes; a reader drops an incomplete last row, so the file can be read while it
grows and after a kill.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied.errors import ConfigurationError
from embodied.files import MissingFileError, read_bytes
from embodied.records import Record
from embodied.types import Array

STATES = "states.bin"
_ROW = np.dtype("<f4")
_LONGEST = 2**31
_MOST_POSITIONS = 100_000

QposReader = Callable[[], Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class States:
    """Recorded states.

    Attributes:
        time: Simulated time of each row, (n,), s.
        qpos: Generalised positions of the whole model, (n, nq).
        header: What the header line says: scene, robot, rate.
    """

    time: Array
    qpos: Array
    header: Record


class StateLog:
    """Appends rows to ``states.bin``.

    Args:
        path: The file to make.
        nq: Length of ``qpos``.
        rate_hz: Rows per second of simulated time.
        header: Further fields of the header line.
        on_loss: Told once, with the reason, when the file cannot be written any more.
    """

    def __init__(
        self,
        path: Path,
        *,
        nq: int,
        rate_hz: float,
        header: Mapping[str, object],
        on_loss: Callable[[str], None],
    ) -> None:
        self.rows = 0
        self._nq = nq
        self._period_s = 1.0 / rate_hz
        self._next_s = -np.inf
        self._last_s = -np.inf
        self._on_loss = on_loss
        self._file = None
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            self._lose(error)
        line = json.dumps({"nq": nq, "rate_hz": rate_hz, **header})
        self._write(line.encode() + b"\n")

    def sample(self, time_s: float, read_qpos: QposReader, *, force: bool = False) -> None:
        """Write a row when one is due, or in any case when ``force`` is set."""
        if self._file is None or time_s <= self._last_s:
            return
        if not force and time_s < self._next_s - 1e-9:
            return
        row = np.concatenate(([time_s], read_qpos())).astype(_ROW)
        if row.shape != (self._nq + 1,):
            raise ValueError(f"qpos must have shape ({self._nq},), got ({row.shape[0] - 1},)")
        self._write(row.tobytes())
        self.rows += 1
        self._last_s = time_s
        due = self._next_s + self._period_s
        self._next_s = due if due > time_s else time_s + self._period_s

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            if self._file.write(data) != len(data):
                raise OSError("the disk is full")
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.close()
        self._on_loss(error.strerror or str(error))


def read_header(path: Path) -> Record:
    """The header line of ``states.bin``; raises as ``read_states`` does."""
    return _parts(path)[0]


def read_states(path: Path) -> States:
    """Read ``states.bin`` as far as it is complete.

    Raises:
        ConfigurationError: There is no such file, or its header is damaged.
    """
    header, body = _parts(path)
    width = header.integer("nq") + 1
    if not 1 < width <= _MOST_POSITIONS:
        raise ConfigurationError(f"the header of {path} is damaged: 'nq' is {width - 1}")
    n = len(body) // (_ROW.itemsize * width)
    rows = np.frombuffer(body, dtype=_ROW, count=n * width).reshape(n, width).astype(np.float64)
    return States(time=rows[:, 0], qpos=rows[:, 1:], header=header)


def _parts(path: Path) -> tuple[Record, bytes]:
    """The header, and the rows that follow it."""
    try:
        line, _, body = read_bytes(path, most=_LONGEST).partition(b"\n")
    except MissingFileError as error:
        raise ConfigurationError(f"no recorded states: {error}") from error
    return Record.parse(line, f"the header of {path}"), body
