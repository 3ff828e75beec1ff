"""An emulated UR controller without its sockets: registers, the running program, safety, motion.

The client ``ur-rtde`` sends a program of its own that turns numbers in input registers into motion
and answers through output registers. The emulator does what that program would do on a controller:
it runs the commands below, and a program that meets another command ends, as a failing one does.

After the manufacturer's RTDE guide (registers, status bits) and URScript manual (``servoj``,
``speedj``, ``movej``, ``stopj``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.bridge.emulators.plant import Clock, Plant, RateLimited
from embodied.types import Array

PERIOD_S = 0.002
JOINTS = 6
SPEED_RAD_S = math.pi
ACCELERATION_RAD_S2 = 40.0
STOP_RAD_S2 = 20.0
"""Deceleration of the controller's own stops."""

READY, DONE = 1, 2

_MOVEJ, _ZERO_FT, _SPEEDJ, _SERVOJ = 1, 8, 9, 11
_SPEED_STOP, _SERVO_STOP, _SET_PAYLOAD = 15, 16, 17
_SET_TCP, _PROTECTIVE_STOP, _STOPL, _STOPJ, _SET_WATCHDOG = 29, 31, 33, 34, 35
_IS_STEADY, _WATCHDOG, _STOP_SCRIPT = 47, 99, 255
_IMMEDIATE = (_SPEEDJ, _SERVOJ)

_RUNTIME_STOPPED, _RUNTIME_PLAYING = 1, 2
_ROBOT_IDLE, _ROBOT_RUNNING = 5, 7
_SAFETY_NORMAL, _SAFETY_PROTECTIVE, _SAFETY_EMERGENCY = 1, 3, 7


class UrController:
    """Six joints behind the registers of a UR controller.

    Args:
        plant: What it moves.
        home: Positions at the start, (6,), rad.
        stepped: While the program waits or ``servoJ`` is in charge, time passes with set-points
            only, as much as each asks for: rehearsals do not depend on how busy the machine is.
    """

    def __init__(self, plant: Plant, home: Array, *, stepped: bool = False) -> None:
        self.plant = plant
        self.target = RateLimited(
            home, np.full(JOINTS, SPEED_RAD_S), np.full(JOINTS, ACCELERATION_RAD_S2)
        )
        self.inputs: dict[str, Any] = {}
        self.time_s = 0.0
        self.gripper_width_m = plant.gripper_width_m
        self.gripper_force_n = 20.0
        self.log: deque[str] = deque(maxlen=1000)
        self.program_runs = False
        self.protective_stop = False
        self.emergency_stop = False
        self.powered = True
        self._state = READY
        self._executing = False
        self._offset = 0
        self._motion: str = ""
        self._goal = np.array(home, dtype=np.float64)
        self._rates: tuple[float, float] = (SPEED_RAD_S, ACCELERATION_RAD_S2)
        self._until_s = math.inf
        self._clock = Clock(PERIOD_S, stepped=stepped)

    # ------------------------------------------------------------------ programs

    def run_program(self, text: str) -> None:
        """Start a program sent to the script port; only that of ``ur-rtde`` is known."""
        if self.stopped_by_safety or not self.powered:
            self._say("program refused: the arm is stopped by its safety system or has no power")
            return
        if "def rtde_control():" not in text:
            self._say("program refused: the emulator runs the control program of ur-rtde only")
            return
        self._offset = 24 if "reg_offset_int = # int register offset\n24" in text else 0
        self.program_runs = True
        self._state = READY
        self._executing = False
        self._motion = ""
        self._say("program started")

    def stop_program(self, why: str) -> None:
        """End the running program; what moves brakes."""
        if self.program_runs:
            self._say(f"program ended: {why}")
        self.program_runs = False
        self._motion = "stop" if np.any(self.target.dq) else ""

    # -------------------------------------------------------------------- safety

    @property
    def stopped_by_safety(self) -> bool:
        """A protective or emergency stop is active."""
        return self.protective_stop or self.emergency_stop

    def trip(self, *, emergency: bool, why: str) -> None:
        """Stop as the safety system does."""
        self.protective_stop = self.protective_stop or not emergency
        self.emergency_stop = self.emergency_stop or emergency
        self.stop_program(f"{'emergency' if emergency else 'protective'} stop: {why}")

    def release(self) -> None:
        """Unlock a protective stop, or end an emergency stop."""
        self.protective_stop = self.emergency_stop = False

    # ---------------------------------------------------------------------- time

    def receive(self, values: Mapping[str, object]) -> None:
        """Take input registers from a client."""
        self.inputs.update(values)
        if self._command() == _SERVOJ:
            self._clock.owed += max(1, round(self._float(8) / PERIOD_S))

    def advance(self) -> None:
        """Let one period of 2 ms pass, unless time is stepped and no set-point owes it."""
        if self.program_runs:
            self._serve_command()
        if self.program_runs and self._motion in ("", "servo"):
            if not self._clock.step():
                return
        else:
            self._clock.owed = 0
        self._move()
        self.plant.advance(self.target.q, self.gripper_width_m, self.gripper_force_n, PERIOD_S)
        self.time_s += PERIOD_S

    def _serve_command(self) -> None:
        command = self._command()
        if command in _IMMEDIATE:
            self._start(command)
            self._state = READY
        elif command == _WATCHDOG or command == 0:
            self._executing = False
            self._state = READY
        elif not self._executing:
            self._executing = True
            self._start(command)
        if self._executing and self._state == READY and self._motion in ("", "servo", "speed"):
            self._state = DONE

    def _start(self, command: int) -> None:
        if command == _SERVOJ:
            self._goal, self._motion = self._vector(0), "servo"
        elif command == _SPEEDJ:
            self._goal, self._motion = self._vector(0), "speed"
            duration = self._float(7)
            self._rates = (SPEED_RAD_S, self._float(6) or ACCELERATION_RAD_S2)
            self._until_s = self.time_s + duration if duration > 0 else math.inf
        elif command == _MOVEJ:
            self._goal, self._motion = self._vector(0), "move"
            self._rates = (self._float(6), self._float(7))
        elif command in (_SPEED_STOP, _SERVO_STOP, _STOPJ, _STOPL):
            self._motion = "stop"
            self._rates = (0.0, self._float(0) or STOP_RAD_S2)
        elif command == _PROTECTIVE_STOP:
            self.trip(emergency=False, why="asked for by the program")
        elif command == _STOP_SCRIPT:
            self.stop_program("asked for by the client")
        elif command == _IS_STEADY:
            self.inputs["steady"] = not np.any(self.target.dq)
        elif command not in (_ZERO_FT, _SET_PAYLOAD, _SET_TCP, _SET_WATCHDOG):
            self.stop_program(f"the emulator does not know command {command} of ur-rtde")

    def _move(self) -> None:
        target = self.target
        if self.stopped_by_safety and self._motion:
            self._motion, self._rates = "stop", (0.0, STOP_RAD_S2)
        if self._motion == "servo":
            target.follow(self._goal, PERIOD_S)
        elif self._motion == "speed":
            target.drive(self._goal, PERIOD_S, self._rates[1])
            if self.time_s >= self._until_s:
                self._motion, self._rates = "stop", (0.0, STOP_RAD_S2)
        elif self._motion == "move":
            dq_max, ddq_max = self._rates
            target.follow(self._goal, PERIOD_S, dq_max=dq_max, ddq_max=ddq_max)
            if np.allclose(target.q, self._goal, atol=1e-6) and np.allclose(
                target.dq, 0, atol=1e-2
            ):
                target.hold()
                self._motion = ""
        elif self._motion == "stop":
            target.drive(np.zeros(JOINTS), PERIOD_S, self._rates[1] or STOP_RAD_S2)
            if not np.any(target.dq):
                self._motion = ""

    # ------------------------------------------------------------------ registers

    def outputs(self) -> Mapping[str, object]:
        """Values of the RTDE output variables; those that are absent read as zero."""
        emergency, protective = self.emergency_stop, self.protective_stop
        safety = (
            _SAFETY_EMERGENCY if emergency else _SAFETY_PROTECTIVE if protective else _SAFETY_NORMAL
        )
        running = self.powered and not emergency
        return {
            "timestamp": self.time_s,
            "target_q": self.target.q,
            "target_qd": self.target.dq,
            "actual_q": self.plant.q,
            "actual_qd": self.plant.dq,
            "actual_current": self.plant.tau / 10.0,
            "actual_current_as_torque": self.plant.tau,
            "target_moment": self.plant.tau,
            "joint_control_output": self.plant.tau,
            "actual_execution_time": 0.0005,
            "robot_mode": _ROBOT_RUNNING if running else _ROBOT_IDLE,
            "joint_mode": (253,) * JOINTS,
            "safety_mode": safety,
            "safety_status": safety,
            "speed_scaling": 1.0,
            "target_speed_fraction": 1.0,
            "runtime_state": _RUNTIME_PLAYING if self.program_runs else _RUNTIME_STOPPED,
            "robot_status_bits": int(running) | int(self.program_runs) << 1,
            "safety_status_bits": int(safety == _SAFETY_NORMAL)
            | int(protective) << 2
            | int(emergency) << 7
            | int(emergency) << 10,
            f"output_int_register_{self._offset}": self._state,
            f"output_int_register_{self._offset + 1}": int(self.inputs.get("steady", False)),
        }

    def _command(self) -> int:
        return int(self.inputs.get(f"input_int_register_{self._offset}", 0))

    def _float(self, index: int) -> float:
        return float(self.inputs.get(f"input_double_register_{index + self._offset}", 0.0))

    def _vector(self, index: int) -> Array:
        return np.array([self._float(index + i) for i in range(JOINTS)])

    def _say(self, text: str) -> None:
        self.log.append(f"{self.time_s:.3f} {text}")
