"""The simulated FR3 of ``franky-sim`` as an emulator: in real time or stepped.

``franky-sim`` serves the network protocol of ``libfranka`` (robot and Franka Hand) and simulates
the arm in MuJoCo from the torques that the client sends. It is used as it is; added are reflexes
and the user stop, as real arms have them, and time that passes when it is asked for.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from franky_sim.franka_robot_protocol import (
    AutomaticErrorRecoveryCommand,
    AutomaticErrorRecoveryStatus,
    BaseCommand,
    MoveCommandControllerMode,
    MoveCommandMotionGeneratorMode,
    MoveStatus,
    RobotCommand,
    RobotMode,
)
from franky_sim.franka_robot_server import FrankaRobotServer
from franky_sim.franka_robot_state import FrankaRobotState
from franky_sim.franka_server import FrankaServer

from embodied.bridge.emulators.franka_scene import FrankaScene

TICK_S = 0.001
FAULTS = {"reflex": RobotMode.kReflex, "user-stop": RobotMode.kUserStopped}
_ERRORS = 41
_JOINT_REFLEX = 6
"""Index of ``joint_reflex`` among the errors."""

_IDLE_TICK_S = 0.01
"""Stepped, a controller without a motion takes its ticks slowly: there is nothing to see."""

_WAITS_S = 0.02
_SAYS_S = 0.25
"""Stepped, the arm repeats its state so often: clients give up after a second of silence."""

_ANSWER_S = 0.5
"""Timeout for the torques of a tick; then the last ones stay, as on a real arm, s."""

_LATE_S = 0.25
"""Time lost to a busy machine that is made up for; more is skipped."""


class _Recovery(AutomaticErrorRecoveryCommand):
    """Clears a reflex; the user stop is not cleared from afar."""

    def handle(self, server: Any) -> None:
        """Answer as the arm would."""
        if server.fault == "user-stop":
            self.reply(AutomaticErrorRecoveryStatus.kCommandNotPossibleRejected)
            return
        server.fault = ""
        self.reply(AutomaticErrorRecoveryStatus.kSuccess)


class _Recoverable(FrankaServer):
    """Comes between ``FrankaRobotServer`` and its base to give it another command."""

    def __init__(
        self, hostnames: Any, port: int, commands: Mapping[Any, Any], version: int
    ) -> None:
        mine: dict[Any, Any] = {**commands, RobotCommand.kAutomaticErrorRecovery: _Recovery}
        super().__init__(hostnames, port, mine, version)


class RobotServer(FrankaRobotServer, _Recoverable):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A robot server that can have reflexes and be user-stopped.

    Attributes:
        fault: One of ``FAULTS``, ``""`` for none.
        answered: Torques have come since it was last set to false.
    """

    def __init__(self, robot: Any, host: str) -> None:
        self.fault = ""
        self.answered = False
        super().__init__(robot, [host])

    @property
    def robot_state(self) -> FrankaRobotState:
        """The arm's state with its faults."""
        state = super().robot_state
        if not self.fault:
            return state
        errors = tuple(self.fault == "reflex" and i == _JOINT_REFLEX for i in range(_ERRORS))
        return state.replace(robot_mode=FAULTS[self.fault], errors=errors, reflex_reason=errors)

    def trip(self, fault: str) -> None:
        """Stop as the arm's own safety functions do; ``""`` releases the user stop."""
        self.fault = fault
        motion, client = self.current_motion_id, self._tcp_socket
        if fault and motion and client is not None:
            self.stop_motion(send_preemption_signal=False)
            BaseCommand.send_response(client, RobotCommand.kMove, motion, MoveStatus.kReflexAborted)
            self.reset_current_motion_id()

    def start_motion(
        self,
        controller_mode: MoveCommandControllerMode,
        motion_generator_mode: MoveCommandMotionGeneratorMode,
        motion_id: int,
    ) -> None:
        """Begin a motion; raises ValueError, which the protocol reports, while there is a fault."""
        if self.fault:
            raise ValueError(f"no motion during {self.fault}")
        super().start_motion(controller_mode, motion_generator_mode, motion_id)

    def hear(self) -> None:
        """Take what the arm's client sent; the hand's clock does not go on."""
        FrankaServer.process_commands(self)

    def _handle_udp_command(self, command_data: bytes) -> None:
        self.answered = True
        super()._handle_udp_command(command_data)


@dataclass(frozen=True, slots=True)
class _Job:
    """A line of the truth socket, answered by the thread that steps the simulator."""

    word: str
    fault: str
    ticks: int
    answer: Future[dict[str, object]] = field(default_factory=Future[dict[str, object]])


class FrankaEmulator:
    """Serves one simulated arm.

    Args:
        scene: The arm and what is around it.
        host: Loopback address to listen on.
        stepped: While a motion runs, time passes only in ``advance``.
    """

    def __init__(self, scene: FrankaScene, host: str = "127.0.0.1", *, stepped: bool) -> None:
        self.scene = scene
        self.server = RobotServer(scene.robot, host)
        self._stepped = stepped
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve for ever; ``ready`` is called once the ports are open.

        Raises:
            OSError: A port is taken.
        """
        self.server.init()
        self.scene.start()
        ready()
        due = said = time.monotonic()
        while True:
            self._work(0.0)
            if self._stepped and self.server.current_motion_id:
                self._work(_WAITS_S)
                self.server.hear()
                if self.server.gripper_server is not None:
                    self.server.gripper_server.send_state()
                if time.monotonic() - said > _SAYS_S:
                    self.server.send_state()
                    said = time.monotonic()
            else:
                self._tick()
                due += _IDLE_TICK_S if self._stepped else TICK_S
                due = max(due, time.monotonic() - _LATE_S)
                time.sleep(max(0.0, due - time.monotonic()))

    async def told(self, line: str) -> dict[str, object]:
        """Answer a line of the truth socket.

        ``step SECONDS``, ``settle SECONDS`` and ``trip FAULT`` do that first.

        Raises:
            ValueError: The line is none of these.
        """
        word, _, rest = line.partition(" ")
        if word not in ("", "step", "settle", "trip") or (
            word == "trip" and rest not in (*FAULTS, "")
        ):
            raise ValueError(f"not a line of the truth socket: {line!r}")
        ticks = round(float(rest) / TICK_S) if word in ("step", "settle") else 0
        job = _Job(word, rest, ticks)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.answer)

    # ----------------------------------------------------------------- private

    def _work(self, timeout_s: float) -> None:
        """Do what was asked for, or wait so long for it."""
        try:
            job = self._jobs.get(timeout=timeout_s) if timeout_s else self._jobs.get_nowait()
        except queue.Empty:
            return
        if job.word == "trip":
            self.server.trip(job.fault)
        elif self._stepped:
            self._advance(job.ticks)
        job.answer.set_result(self.scene.truth())

    def _tick(self) -> None:
        self.server.process_commands()
        self.scene.step()
        self.server.send_state()

    def _advance(self, ticks: int) -> None:
        """Let ticks pass; in a motion, each with the torques that answer the state before it."""
        server = self.server
        for _ in range(ticks):
            if server.current_motion_id:
                server.answered = False
                FrankaServer.send_state(server)
                deadline = time.monotonic() + _ANSWER_S
                while server.current_motion_id and time.monotonic() < deadline:
                    server.hear()
                    if server.answered:
                        break
                    time.sleep(0.0001)
            server.hear()
            if server.gripper_server is not None:
                server.gripper_server.process_commands()
                server.gripper_server.send_state()
            self.scene.step()
