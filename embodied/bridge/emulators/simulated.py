"""A plant with physics: an arm in a MuJoCo scene, moved through an emulated controller."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from embodied.bridge.emulators.plant import Plant
from embodied.bridge.emulators.stage import Stage
from embodied.bridge.plant import ground_truth
from embodied.types import Array, Command, Observation

LONGEST_S = 10.0
"""Most time that can be asked for at once."""


class SimulatedArm(Plant):
    """An arm in a simulated world.

    Args:
        scene: Scene name or file.
        robot: Robot in it.
        seed: Seed of the layout.
        stacks: Chance that an item starts on another one; None leaves it to the scene.

    Attributes:
        stage: The scene.
    """

    def __init__(
        self, *, scene: str, robot: str, seed: int = 0, stacks: float | None = None
    ) -> None:
        from embodied.world.mujoco import build_world
        from embodied.world.scene import load_scene

        loaded = load_scene(scene)
        self._world = world = build_world(loaded, robot, stacks=stacks)
        self._owed_s = 0.0
        self._see(world.reset(seed=seed))
        self._told: Command | None = None
        joints = [int(world.model.joint(j).qposadr[0]) for j in world.spec.joint_names]
        self.stage = Stage(model=world.model, data=world.data, joints=joints, scene=loaded)

    def advance(
        self, q: Array, gripper_width_m: float, gripper_force_n: float, dt_s: float
    ) -> None:
        """Let time pass; the world takes a step whenever one of its periods is full."""
        self._owed_s += dt_s
        period = self._world.spec.control_dt_s
        while self._owed_s >= period - 1e-9:
            self._owed_s -= period
            self._told = Command(
                q=np.array(q), gripper_width_m=gripper_width_m, gripper_force_n=gripper_force_n
            )
            self._step(self._told)

    def _step(self, command: Command) -> None:
        with self.stage.lock:
            self._see(self._world.step(command).observation)
            self.stage.passed(self._world.spec.control_dt_s)

    def _see(self, seen: Observation) -> None:
        self._seen, grip = seen, seen.gripper
        self.q, self.dq, self.tau = seen.q, seen.dq, seen.tau
        self.gripper_width_m = 0.0 if grip is None else grip.width_m
        self.gripper_holds = grip is not None and grip.force_n > 1.0 and abs(grip.speed_m_s) < 0.005

    async def told(self, line: str) -> dict[str, object]:
        """Where things are, as the simulator knows it.

        After ``settle SECONDS`` the arm has held its last set-point for so long.

        Raises:
            ValueError: The line is neither that nor empty.
        """
        word, _, rest = line.partition(" ")
        if word == "settle" and self._told is not None:
            for _ in range(round(min(float(rest), LONGEST_S) / self._world.spec.control_dt_s)):
                self._step(self._told)
        elif word not in ("", "settle"):
            raise ValueError(f"not a line of the truth socket: {line!r}")
        return ground_truth(self._seen)


async def serve_lines(reply: Callable[[str], Awaitable[dict[str, object]]], path: Path) -> None:
    """Answer lines on a local socket, in place of cameras: an empty one asks where things are.

    Args:
        reply: Answers a line; raises ValueError, which ends the connection, for lines that it does
            not know.
        path: The socket.
    """

    async def say(line: str) -> str:
        return json.dumps(await reply(line))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_lines(reader, writer, say)

    server = await asyncio.start_unix_server(answer, path)
    async with server:
        await server.serve_forever()


async def answer_lines(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    reply: Callable[[str], Awaitable[str]],
) -> None:
    """Answer each line with a line until the other side goes, or ``reply`` raises ValueError."""
    with contextlib.suppress(ConnectionError, ValueError):
        while line := await reader.readline():
            said = await reply(line.decode("ascii", "replace").strip())
            writer.write(said.encode() + b"\n")
            await writer.drain()
    await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever the other side does."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
