"""When the supervisor's next period is due, and how long a planner has been silent."""

from __future__ import annotations

import time

LOCKSTEP_PATIENCE_S = 10.0
IDLE_LOOK_S = 0.05
SLEPT_S = 0.2
"""The monotonic clock stands still while the machine sleeps; the boot clock does not."""


class Pace:
    """Real time, or lockstep: the arm's time advances with set-points only.

    Args:
        dt_s: The period.
        heartbeat_s: Longest silence of a planner, in real time.
        lockstep: A slow machine keeps the planner waiting while the arm's time stands still, so
            silence may be longer, and time goes on without a planner only after that.

    Attributes:
        silent: No planner is heard.
    """

    def __init__(self, dt_s: float, heartbeat_s: float, *, lockstep: bool) -> None:
        self.silent = True
        self._dt_s = dt_s
        self._lockstep = lockstep
        self._longest_s = LOCKSTEP_PATIENCE_S if lockstep else heartbeat_s
        self._heard_s = 0.0
        self._next_s = time.monotonic()
        self._asleep_s = _asleep_s()

    def woke(self) -> float | None:
        """For how long the machine has slept since this was asked last, if it did; s."""
        before, self._asleep_s = self._asleep_s, _asleep_s()
        slept_s = self._asleep_s - before
        return slept_s if slept_s > SLEPT_S else None

    def heard(self) -> bool:
        """A planner said something; returns whether it had been silent."""
        was, self.silent = self.silent, False
        self._heard_s = time.monotonic()
        return was

    def falls_silent(self, now: float) -> float | None:
        """For how long a planner has been silent, once that is too long; s."""
        silence_s = now - self._heard_s
        if self.silent or silence_s <= self._longest_s:
            return None
        self.silent = True
        return silence_s

    def goes_on(self, now: float, *, moving: bool, ending: bool) -> bool:
        """In lockstep, whether time goes on although nobody proposes anything."""
        alone = self.silent or ending or now - self._heard_s > LOCKSTEP_PATIENCE_S
        return self._lockstep and moving and alone

    def wait_s(self, now: float, *, busy: bool) -> float:
        """How long to wait for messages at most.

        Args:
            now: This machine's monotonic clock.
            busy: In lockstep, there is a proposal, or time goes on without one.
        """
        if not self._lockstep:
            return max(self._next_s - now, 0.0)
        return 0.0 if busy else IDLE_LOOK_S

    def due(self, now: float, *, busy: bool) -> bool:
        """Whether a period is due; in lockstep also when there is something to do."""
        return now >= self._next_s or (self._lockstep and busy)

    def begin(self, now: float) -> float:
        """A period begins; returns how much later than it should, s; 0 in lockstep."""
        late_s = now - self._next_s
        if self._lockstep:
            self._next_s = now + IDLE_LOOK_S
            return 0.0
        self._next_s = max(self._next_s + self._dt_s, now)
        return late_s


def _asleep_s() -> float:
    """For how long the machine has slept since it was started."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has it
    return time.clock_gettime(boot) - time.clock_gettime(time.CLOCK_MONOTONIC)
