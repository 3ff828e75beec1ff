"""The simulated arm: a world in a process of its own behind the ``Driver`` protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.channel import (
    BadFrameError,
    ChannelClosedError,
    SocketChannel,
    connect,
)
from embodied.bridge.driver import DriverEntry, DriverLostError, NotSupportedError
from embodied.bridge.messages import (
    Acknowledgement,
    ArmMode,
    ArmState,
    Capabilities,
    StopCategory,
    StreamResult,
)
from embodied.bridge.plant import ANSWERS
from embodied.errors import HardwareFault
from embodied.types import Array, GripperState, JointTrajectory, readonly

START_S = 60.0
ANSWER_S = 5.0

PANDA_JOINTS = tuple(f"joint{i}" for i in range(1, 8))


class SimulatedDriver:
    """An arm in MuJoCo or PyBullet; implements ``ResettableDriver``.

    Args:
        simulator: ``"mujoco"`` or ``"pybullet"``.
        scene: Scene name or file.
        lockstep: true: time advances with set-points only; false: the arm keeps its own time and
            brakes by itself when set-points stop coming.
        robot: Robot in MuJoCo; PyBullet has the Panda.
        stacks: Chance that an item starts on another one; None leaves it to the scene.
        farewell: File that the arm's process writes when it ends: whether it came to rest.
    """

    def __init__(
        self,
        *,
        simulator: str = "mujoco",
        scene: str = "blocks",
        lockstep: bool = True,
        robot: str = "fr3",
        stacks: float | None = None,
        farewell: str | None = None,
    ) -> None:
        from embodied.world import robots

        self._joints = PANDA_JOINTS if simulator == "pybullet" else robots.load(robot).joints
        self._config: dict[str, Any] = {
            "simulator": simulator,
            "robot": robot,
            "scene": scene,
            "lockstep": lockstep,
            "stacks": stacks,
            "farewell": farewell,
        }
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: SocketChannel | None = None
        self._state: ArmState | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What this arm can do."""
        return Capabilities(
            name="simulated",
            joint_names=self._joints,
            period_s=0.01,
            has_gripper=True,
            resets=True,
            lockstep=bool(self._config["lockstep"]),
        )

    @property
    def pid(self) -> int | None:
        """Process id of the arm, None when there is none."""
        return None if self._process is None else self._process.pid

    def connect(self) -> None:
        """Start the arm's process."""
        self._folder = tempfile.TemporaryDirectory(prefix="embodied-arm-")
        path = Path(self._folder.name) / "arm"
        config = json.dumps({**self._config, "socket": str(path)})
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "embodied.bridge.plant", config],
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        deadline = time.monotonic() + START_S
        while self._channel is None:
            try:
                self._channel = connect(path, ANSWERS)
            except ChannelClosedError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.disconnect()
                    raise DriverLostError("the simulated arm did not start") from error
                time.sleep(0.02)
        self._ask({"kind": "state"}, timeout_s=START_S)

    def read_state(self) -> ArmState:
        """The latest report of the arm."""
        if not self.capabilities.lockstep or self._state is None or self._channel is None:
            self._ask({"kind": "state"})
        assert self._state is not None
        return self._state

    def enable(self) -> None:
        """Hold the measured pose; raises HardwareFault."""
        self._ask({"kind": "enable"})

    def stream(
        self,
        q: Array,
        dq: Array,
        *,
        gripper_width_m: float | None = None,
        gripper_force_n: float = 0.0,
    ) -> StreamResult:
        """Send the set-point for the end of the next period; raises HardwareFault."""
        self._ask(
            {
                "kind": "stream",
                "q": q.tolist(),
                "dq": dq.tolist(),
                "gripper_width_m": gripper_width_m,
                "gripper_force_n": gripper_force_n,
            }
        )
        assert self._state is not None
        sent = self._state.q_commanded
        same = bool(np.allclose(sent, q, atol=1e-9))
        reasons = () if same else ("the simulated arm limited the set-point",)
        return StreamResult(requested=readonly(q), sent=sent, reasons=reasons)

    def execute(self, trajectory: JointTrajectory) -> None:
        """Not supported."""
        raise NotSupportedError("the simulated arm takes set-points: use stream")

    def gripper(self, width_m: float, force_n: float) -> None:
        """Move the gripper; the arm holds what it was told last."""
        state = self.read_state()
        self.stream(
            state.q_commanded,
            np.zeros(len(self._joints)),
            gripper_width_m=width_m,
            gripper_force_n=force_n,
        )

    def stop(self, category: StopCategory) -> None:
        """Brake and refuse motion."""
        self._ask({"kind": "stop", "category": int(category)})

    def recover(self, acknowledgement: Acknowledgement) -> None:
        """Clear a stop after a person has acknowledged it."""
        del acknowledgement
        self._ask({"kind": "recover"})

    def reset(self, seed: int) -> None:
        """Start the episode of a seed."""
        self._ask({"kind": "reset", "seed": seed}, timeout_s=START_S)

    def disconnect(self) -> None:
        """End the arm's process; may be called twice."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            try:
                self._process.wait(10.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    # ----------------------------------------------------------------- private

    def _ask(self, message: Mapping[str, Any], timeout_s: float = ANSWER_S) -> None:
        if self._channel is None:
            raise DriverLostError("the simulated arm is not connected")
        try:
            self._channel.send(message)
            answer = self._channel.receive(timeout_s)
        except (ChannelClosedError, BadFrameError) as error:
            raise DriverLostError(f"the simulated arm was lost: {error}") from error
        if answer is None:
            raise DriverLostError(f"the simulated arm did not answer within {timeout_s:g} s")
        self._state = state_of(answer, time.monotonic())
        if answer["problem"]:
            raise HardwareFault(answer["problem"])


def state_of(answer: Mapping[str, Any], received_s: float) -> ArmState:
    """The state that the arm's process reports."""
    grip = answer["gripper"]
    mode = ArmMode(answer["mode"])
    return ArmState(
        sequence=answer["sequence"],
        source_time_s=answer["source_time_s"],
        receive_time_s=received_s,
        q=answer["q"],
        dq=answer["dq"],
        q_commanded=answer["q_commanded"],
        dq_commanded=answer["dq_commanded"],
        tau=answer["tau"],
        mode=mode,
        protective_stop=mode is ArmMode.PROTECTIVE_STOP,
        emergency_stop=mode is ArmMode.EMERGENCY_STOP,
        gripper=None
        if grip is None
        else GripperState(width_m=grip[0], speed_m_s=grip[1], force_n=grip[2]),
        scene=answer["scene"],
    )


DRIVER = DriverEntry(
    make=SimulatedDriver,
    arms="FR3 in MuJoCo, Panda in PyBullet",
    tested_against="tabletop episodes through the supervisor, fault injection",
)
