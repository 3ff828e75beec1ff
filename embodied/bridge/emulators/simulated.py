"""A plant with physics: an arm in a MuJoCo scene, moved through an emulated controller."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bridge.emulators.plant import Array
from embodied.types import Command, Observation, Pose


class SimulatedArm:
    """Implements ``Plant`` with a simulated world.

    Args:
        scene: Scene name or file.
        robot: Robot in it.
        seed: Seed of the layout.
        stacks: Chance that an item starts on another one; None leaves it to the scene.
    """

    def __init__(
        self, *, scene: str, robot: str, seed: int = 0, stacks: float | None = None
    ) -> None:
        from embodied.world.mujoco import build_world
        from embodied.world.scene import load_scene

        self._world = build_world(load_scene(scene), robot, stacks=stacks)
        self.spec = self._world.spec
        self._seen: Observation = self._world.reset(seed=seed)
        self._owed_s = 0.0

    @property
    def q(self) -> Array:
        """Measured positions, (n,), rad."""
        return self._seen.q

    @property
    def dq(self) -> Array:
        """Measured velocities, (n,), rad/s."""
        return self._seen.dq

    @property
    def tau(self) -> Array:
        """Joint torques, (n,), N m."""
        return self._seen.tau

    @property
    def gripper_width_m(self) -> float:
        """Measured gap between the fingers."""
        return 0.0 if self._seen.gripper is None else self._seen.gripper.width_m

    @property
    def gripper_holds(self) -> bool:
        """The fingers press on something and have stopped."""
        grip = self._seen.gripper
        return grip is not None and grip.force_n > 1.0 and abs(grip.speed_m_s) < 0.005

    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Let time pass; the world takes a step whenever one of its periods is full."""
        self._owed_s += dt_s
        period = self.spec.control_dt_s
        while self._owed_s >= period - 1e-9:
            self._owed_s -= period
            command = Command(
                q=np.array(q), gripper_width_m=gripper_width_m, gripper_force_n=gripper_force_n
            )
            self._seen = self._world.step(command).observation

    async def told(self, line: str) -> dict[str, Any]:
        """Answer a line of the truth socket; raises ValueError unless it is empty."""
        if line:
            raise ValueError(f"not a line of the truth socket: {line!r}")
        return self.truth()

    def truth(self) -> dict[str, Any]:
        """Where things are, as the simulator knows it."""
        return {
            "source": "ground truth",
            "poses": {name: _numbers(pose) for name, pose in self._seen.poses.items()},
            "openings_m": dict(self._seen.openings_m),
        }


async def serve_lines(reply: Callable[[str], Awaitable[dict[str, Any]]], path: Path) -> None:
    """Answer lines on a local socket, in place of cameras: an empty one asks where things are.

    Args:
        reply: Answers a line; raises ValueError, which ends the connection, for lines that it does
            not know.
        path: The socket.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                said = await reply(line.decode("ascii", "replace").strip())
                writer.write(json.dumps(said).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    async with server:
        await server.serve_forever()


def _numbers(pose: Pose) -> list[float]:
    return [*pose.position.tolist(), *pose.quat_wxyz.tolist()]
