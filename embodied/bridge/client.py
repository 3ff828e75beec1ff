"""The planner's side of the channel: it proposes, and reads the decisions."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from embodied.bridge.channel import REPORTS, BadFrameError, ChannelClosedError, Message, connect
from embodied.errors import WorldError
from embodied.types import Array

Report = dict[str, Any]


class PlannerClient:
    """Proposes set-points to a supervisor.

    A thread sends heartbeats, so that the supervisor knows a planner that thinks from one that has
    died.

    Args:
        path: Where the supervisor waits for planners.
        heartbeat_s: Time between two heartbeats; None sends none.
        answer_s: Longest time to wait for an answer.

    Raises:
        ChannelClosedError: Nobody listens there.
    """

    def __init__(
        self, path: Path, *, heartbeat_s: float | None = 0.1, answer_s: float = 10.0
    ) -> None:
        self._channel = connect(path, REPORTS)
        self._answer_s = answer_s
        self._number = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        try:
            self._send({"kind": "hello"})
            self._wait(0)
        except BaseException:
            self._channel.close()
            raise
        if heartbeat_s is not None:
            threading.Thread(target=self._beat, args=(heartbeat_s,), daemon=True).start()

    def enable(self) -> Report:
        """Ask for the arm: it holds its measured pose, and set-points start from there."""
        self._send({"kind": "enable"})
        return self._wait(0)

    def observe(self) -> Report:
        """What the arm reports now."""
        return self._ask({"kind": "observe"})

    def reset(self, seed: int) -> Report:
        """Start an episode; simulated arms only."""
        return self._ask({"kind": "reset", "seed": seed}, timeout_s=60.0)

    def plan(
        self,
        label: str,
        time: Sequence[float],
        q: Sequence[Sequence[float]],
        gripper_width_m: float | None,
    ) -> Report:
        """Say what will be carried out next."""
        return self._ask(
            {
                "kind": "plan",
                "label": label,
                "time": list(time),
                "q": [list(row) for row in q],
                "gripper_width_m": gripper_width_m,
            }
        )

    def propose(
        self, q: Array, gripper_width_m: float | None = None, gripper_force_n: float = 20.0
    ) -> Report:
        """Propose the set-point for the next period; returns what became of it.

        Raises:
            WorldError: The supervisor has gone or does not answer.
        """
        return self._ask(
            {
                "kind": "setpoint",
                "created_s": time.monotonic(),
                "q": q.tolist(),
                "gripper_width_m": gripper_width_m,
                "gripper_force_n": gripper_force_n,
            }
        )

    def close(self) -> None:
        """Let go; may be called twice."""
        self._closed.set()
        self._channel.close()

    # ----------------------------------------------------------------- private

    def _ask(self, message: Message, timeout_s: float | None = None) -> Report:
        self._number += 1
        self._send({**message, "re": self._number})
        return self._wait(self._number, timeout_s)

    def _send(self, message: Message) -> None:
        with self._lock:
            self._channel.send(message)

    def _wait(self, number: int, timeout_s: float | None = None) -> Report:
        deadline = time.monotonic() + (self._answer_s if timeout_s is None else timeout_s)
        while True:
            try:
                report = self._channel.receive(deadline - time.monotonic())
            except BadFrameError:
                continue
            if report is None:
                raise WorldError("the supervisor does not answer")
            if report["kind"] == "report" and report["re"] == number:
                return report

    def _beat(self, period_s: float) -> None:
        while not self._closed.wait(period_s):
            with suppress(ChannelClosedError):
                self._send({"kind": "heartbeat"})
