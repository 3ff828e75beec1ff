"""The supervisor's records: events as JSON lines, and every period as MCAP if asked for."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embodied.bridge.messages import ArmState, Decision, Setpoint, Verdict
from embodied.errors import EnvironmentMissingError

MOST_BYTES = 2**30
"""Of the events of one session: then the journal counts as full."""

_NUMBERS = {"type": "array", "items": {"type": "number"}}
_FIELDS: Mapping[str, Mapping[str, object]] = {
    "/arm/state": {
        "sequence": "integer",
        "source_time_s": "number",
        "q": _NUMBERS,
        "dq": _NUMBERS,
        "q_commanded": _NUMBERS,
        "tau": _NUMBERS,
        "mode": "string",
    },
    "/bridge/proposal": {
        "sequence": "integer",
        "age_s": "number",
        "q": _NUMBERS,
        "gripper_width_m": ["number", "null"],
    },
    "/bridge/decision": {
        "verdict": "string",
        "q": _NUMBERS,
        "reasons": {"type": "array", "items": {"type": "object"}},
    },
    "/bridge/event": {"event": "string", "details": "object"},
}
TOPICS: Mapping[str, Mapping[str, object]] = {
    topic: {
        "type": "object",
        "properties": {
            name: kind if isinstance(kind, dict) else {"type": kind}
            for name, kind in fields.items()
        },
    }
    for topic, fields in _FIELDS.items()
}
"""JSON schema of each topic."""


class McapFile:
    """An MCAP file with the topics of ``TOPICS``, JSON encoded.

    Args:
        path: The file to make.
        about: Metadata: driver, limits, mode.

    Raises:
        EnvironmentMissingError: The package ``mcap`` is missing.
    """

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        try:
            from mcap.writer import Writer
        except ImportError as error:
            raise EnvironmentMissingError(
                "recording needs the package mcap: pip install 'embodied-stack[bridge]'"
            ) from error
        self._file = path.open("wb")
        self._writer = Writer(self._file)
        self._writer.start(profile="", library="embodied")
        self._writer.add_metadata("embodied-bridge", dict(about))
        self._channels = {}
        for topic, schema in TOPICS.items():
            name = topic.strip("/").replace("/", ".")
            data = json.dumps(schema).encode()
            identity = self._writer.register_schema(name, "jsonschema", data)
            self._channels[topic] = self._writer.register_channel(topic, "json", identity)
        self._sequence = 0

    def write(self, topic: str, content: Mapping[str, Any], time_s: float) -> None:
        """Append one message."""
        stamp = int(time_s * 1e9)
        self._sequence += 1
        data = json.dumps(content, separators=(",", ":")).encode()
        self._writer.add_message(self._channels[topic], stamp, data, stamp, sequence=self._sequence)

    def state(self, state: ArmState, time_s: float) -> None:
        """Append a report of the arm."""
        self.write(
            "/arm/state",
            {
                "sequence": state.sequence,
                "source_time_s": state.source_time_s,
                "receive_time_s": state.receive_time_s,
                "q": state.q.tolist(),
                "dq": state.dq.tolist(),
                "q_commanded": state.q_commanded.tolist(),
                "tau": state.tau.tolist(),
                "mode": state.mode.value,
                "gripper_width_m": None if state.gripper is None else state.gripper.width_m,
            },
            time_s,
        )

    def close(self) -> None:
        """Finish the file; may be called twice."""
        if not self._file.closed:
            self._writer.finish()
            self._file.close()


class Journal:
    """Events, and what was decided whenever it was not simply to pass.

    Args:
        path: File of JSON lines, appended to; None for none.
        mcap: Recording of every period, None for none.

    Attributes:
        problem: Why something could not be written, ``""`` while everything was.
    """

    def __init__(self, path: Path | None, mcap: McapFile | None = None) -> None:
        self._file = None if path is None else path.open("ab", buffering=0)
        self._mcap = mcap
        self._bytes = 0
        self.problem = ""
        self._last = Verdict.PASS
        self._last_codes: tuple[str, ...] = ()

    def event(self, event: str, **details: Any) -> dict[str, Any]:
        """Write an event down at once; returns it."""
        now = time.monotonic()
        line = {"time_s": now, "event": event, "details": details}
        self._write(line)
        with self._noting():
            if self._mcap is not None:
                self._mcap.write("/bridge/event", {"event": event, "details": details}, now)
        return line

    def period(
        self, state: ArmState, proposal: Setpoint | None, decision: Decision, now_s: float
    ) -> None:
        """Write one period down: always into the recording, else when the verdict changes."""
        codes = tuple(r.code for r in decision.reasons)
        if (decision.verdict, codes) != (self._last, self._last_codes):
            self._last, self._last_codes = decision.verdict, codes
            if decision.verdict is not Verdict.PASS:
                self._write({"time_s": now_s, "event": "decision", "details": said(decision)})
        with self._noting():
            if self._mcap is not None:
                self._record(self._mcap, state, proposal, decision, now_s)

    def close(self) -> None:
        """Close all files; may be called twice."""
        for file in (self._file, self._mcap):
            with self._noting():
                if file is not None:
                    file.close()
        self._file = self._mcap = None

    @contextmanager
    def _noting(self) -> Generator[None]:
        """A disk that is full, or gone, must not end whoever holds an arm."""
        try:
            yield
        except OSError as error:
            self.problem = f"cannot write: {error.strerror or error}"

    def _record(
        self,
        mcap: McapFile,
        state: ArmState,
        proposal: Setpoint | None,
        decision: Decision,
        now_s: float,
    ) -> None:
        mcap.state(state, now_s)
        if proposal is not None:
            mcap.write(
                "/bridge/proposal",
                {
                    "sequence": proposal.sequence,
                    "age_s": now_s - proposal.created_s,
                    "q": proposal.q.tolist(),
                    "gripper_width_m": proposal.gripper_width_m,
                    "gripper_force_n": proposal.gripper_force_n,
                },
                now_s,
            )
        mcap.write("/bridge/decision", said(decision), now_s)

    def _write(self, line: Mapping[str, Any]) -> None:
        with self._noting():
            if self._file is not None:
                text = json.dumps(line) + "\n"
                self._bytes += len(text)
                if self._bytes > MOST_BYTES:
                    raise OSError(errno.ENOSPC, f"a journal has at most {MOST_BYTES} bytes")
                self._file.write(text.encode())


def said(decision: Decision) -> dict[str, Any]:
    """A decision as data."""
    return {
        "verdict": decision.verdict.value,
        "q": decision.q.tolist(),
        "dq": decision.dq.tolist(),
        "reasons": [asdict(r) for r in decision.reasons],
        "gripper_width_m": decision.gripper_width_m,
        "gripper_force_n": decision.gripper_force_n,
        "at_rest": decision.at_rest,
    }
