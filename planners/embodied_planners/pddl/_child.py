"""Child processes that always end: by themselves, at the deadline, or with this process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("_guard.py")


@dataclass(slots=True)
class Child:
    """A running planner process in a session of its own.

    Attributes:
        process: The process.
        cpu_s: User and system time, known once it has ended.
        exit_code: Its exit code; negative for a signal; None while it runs.
        pidfd: File descriptor that becomes readable when it ends; -1 once closed.
    """

    process: subprocess.Popen[bytes]
    cpu_s: float = 0.0
    exit_code: int | None = None
    pidfd: int = -1

    @staticmethod
    def start(
        command: Sequence[str],
        *,
        folder: Path,
        log: Path,
        memory_mb: int,
        stdin: Path | None = None,
        python_path: Path | None = None,
    ) -> Child:
        """Start ``command`` in ``folder`` with its output in ``log``.

        Raises:
            OSError: It cannot be started, or ``log`` cannot be written.
        """
        environment = dict(os.environ, PYTHONHASHSEED="0")
        environment.pop("PYTHONPATH", None)
        if python_path is not None:
            environment["PYTHONPATH"] = str(python_path)
        guarded = [
            *(sys.executable, "-I", "-S", str(_GUARD)),
            *(str(os.getpid()), str(memory_mb * 2**20)),
            *command,
        ]
        source = open(stdin, "rb") if stdin else None
        try:
            with open(log, "wb") as output:
                process = subprocess.Popen(
                    guarded,
                    cwd=folder,
                    env=environment,
                    stdin=source or subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        finally:
            if source is not None:
                source.close()
        child = Child(process)
        try:
            child.pidfd = os.pidfd_open(process.pid)
        except (AttributeError, OSError):  # no pidfd: wait() polls instead
            child.pidfd = -1
        return child

    def reap(self) -> bool:
        """Note the outcome if it has ended; True when it has."""
        if self.exit_code is not None:
            return True
        try:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        except ChildProcessError:  # somebody else waited for it
            pid, status, usage = self.process.pid, 0, None
        if pid == 0:
            return False
        self.exit_code = os.waitstatus_to_exitcode(status)
        self.process.returncode = self.exit_code
        if usage is not None:
            self.cpu_s = usage.ru_utime + usage.ru_stime
        self._close()
        return True

    def kill(self) -> None:
        """End the process and everything it started; returns when it is gone."""
        if self.exit_code is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        while not self.reap():
            time.sleep(0.002)

    def _close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


def wait_for_any(children: Sequence[Child], deadline: float) -> Child | None:
    """The first child to end, or None at ``deadline`` (``time.monotonic()``)."""
    while True:
        for child in children:
            if child.reap():
                return child
        left = deadline - time.monotonic()
        if left <= 0 or not children:
            return None
        poll = select.poll()
        with_fd = [c for c in children if c.pidfd >= 0]
        for child in with_fd:
            poll.register(child.pidfd, select.POLLIN)
        longest = left if len(with_fd) == len(children) else min(left, 0.005)
        poll.poll(max(1, int(longest * 1000)))
