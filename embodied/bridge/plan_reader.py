"""Reads the large frames of a planner in a process of its own, so that they delay no period.

A frame of the largest size takes milliseconds to decode and to check. Whoever waits for it here is
its planner alone.

python -m embodied.bridge.plan_reader SOCKET JOINTS
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress

import numpy as np

from embodied.bridge.channel import MAX_FRAME, PLANNER, BadFrameError, Message, unpack
from embodied.bridge.plan import Plan

SHORT_FRAME = 4096
"""Longest frame, in bytes, that is decoded at once."""


class PlanReader:
    """Decodes one frame at a time.

    Args:
        joints: Number of joints of the arm.

    Attributes:
        busy: A frame was given and not yet taken back.
    """

    def __init__(self, joints: int) -> None:
        self.busy = False
        self._joints = joints
        self._start()

    def give(self, frame: bytes) -> None:
        """Begin to read a frame; only when not ``busy``."""
        self.busy = True
        try:
            self._socket.send(frame, socket.MSG_DONTWAIT)
        except OSError:  # it has ended, or takes nothing: ``take`` notices
            self._process.kill()

    def take(self) -> tuple[int, Plan]:
        """The plan that was read, and the number of its message; once ``fileno`` is readable.

        Raises:
            BadFrameError: The frame is damaged, not of the schema, or no plan.
        """
        self.busy = False
        try:
            answer = self._socket.recv(2 * MAX_FRAME)
        except OSError:
            answer = b""
        if not answer:
            self.close()
            self._start()
            raise BadFrameError("corrupt", "the process that reads plans ended and is restarted")
        head, _, numbers = answer.partition(b"\n")
        about = json.loads(head)
        if "problem" in about:
            raise BadFrameError(about["code"], about["problem"])
        table = np.frombuffer(numbers).reshape(-1, self._joints + 1)
        plan = Plan(
            label=about["label"],
            time=table[:, 0],
            q=table[:, 1:],
            gripper_width_m=about["gripper_width_m"],
            plan_hash=about["plan_hash"],
        )
        return about["re"], plan

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def close(self) -> None:
        """End the process; may be called twice."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._socket, its):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_FRAME)
        command = [sys.executable, "-m", __name__, str(its.fileno()), str(self._joints)]
        with its:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()]
            )


def plan_of(message: Message, joints: int) -> Plan:
    """The plan of a message of the kind ``plan``; raises as ``Plan.of`` does."""
    return Plan.of(
        message["label"], message["time"], message["q"], message["gripper_width_m"], joints
    )


def _read(frame: bytes, joints: int) -> bytes:
    try:
        message = unpack(frame, PLANNER)
        if message["kind"] != "plan":
            raise BadFrameError("schema", f"only plans have more than {SHORT_FRAME} bytes")
        plan = plan_of(message, joints)
    except BadFrameError as error:
        return json.dumps({"code": error.code, "problem": str(error)}).encode() + b"\n"
    except (ValueError, OverflowError) as error:
        return json.dumps({"code": "schema", "problem": str(error)}).encode() + b"\n"
    about = {
        "re": message["re"],
        "label": plan.label,
        "gripper_width_m": plan.gripper_width_m,
        "plan_hash": plan.plan_hash,
    }
    table = np.column_stack([plan.time, plan.q])
    return json.dumps(about).encode() + b"\n" + table.tobytes()


def main() -> None:
    """Entry point of the process: answer frames until the other end is closed."""
    joints = int(sys.argv[2])
    with socket.socket(fileno=int(sys.argv[1])) as connected, suppress(OSError):
        while frame := connected.recv(MAX_FRAME):
            connected.send(_read(frame, joints))


if __name__ == "__main__":
    main()
