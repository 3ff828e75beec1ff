"""The sockets of an emulated UR controller: RTDE, dashboard, scripts and a Robotiq gripper.

Ports are the manufacturer's: 30004 RTDE, 29999 dashboard, 30002 and 30003 scripts, 63352 the
gripper as Robotiq's URCap serves it. Several emulators stand side by side on loopback addresses of
their own (127.0.0.1, 127.0.0.2, ...).
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

from embodied.bridge.emulators import rtde_protocol as rtde
from embodied.bridge.emulators.plant import Clock
from embodied.bridge.emulators.simulated import answer_lines, close
from embodied.bridge.emulators.ur_controller import PERIOD_S, UrController

RTDE_PORT = 30004
DASHBOARD_PORT = 29999
SCRIPT_PORTS = (30002, 30003)
GRIPPER_PORT = 63352

VERSION = (5, 12, 0, 1101319)
"""Controller version: an e-Series controller that exchanges data at 500 Hz."""

GRIPPER_STROKE_M = 0.08
GRIPPER_FORCE_N = 70.0


class UrEmulator:
    """Serves one emulated controller.

    Args:
        controller: What is behind the sockets.
        host: Loopback address to listen on.
    """

    def __init__(self, controller: UrController, host: str = "127.0.0.1") -> None:
        self.controller = controller
        self.host = host
        self._clients: set[_RtdeClient] = set()
        self._servers: list[asyncio.Server] = []

    async def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled; ``ready`` is called once the ports are open.

        Raises:
            OSError: A port is taken.
        """
        handlers: list[tuple[int, Callable[..., Awaitable[None]]]] = [
            (RTDE_PORT, self._rtde),
            (DASHBOARD_PORT, self._dashboard),
            (GRIPPER_PORT, self._gripper),
            *((port, self._script) for port in SCRIPT_PORTS),
        ]
        try:
            for port, handler in handlers:
                self._servers.append(await asyncio.start_server(handler, self.host, port))
            ready()
            await self._run()
        finally:
            for server in self._servers:
                server.close()

    async def _run(self) -> None:
        clock = Clock(PERIOD_S)
        while True:
            self.controller.advance()
            for client in tuple(self._clients):
                client.send(self.controller)
            clock.next()
            await asyncio.sleep(clock.wait_s())

    # --------------------------------------------------------------------- RTDE

    async def _rtde(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _RtdeClient(writer)
        self._clients.add(client)
        try:
            while True:
                size, kind = struct.unpack(">HB", await reader.readexactly(3))
                payload = await reader.readexactly(size - 3)
                reply = client.answer(kind, payload, self.controller)
                if reply is not None:
                    writer.write(rtde.message(kind, reply))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass  # the client has gone, or does not speak the protocol
        finally:
            self._clients.discard(client)
            await close(writer)

    # ------------------------------------------------------------------ scripts

    async def _script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = ""
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                text += chunk.decode("utf-8", "replace")
                head, end, rest = text.partition("\nend\n")
                while end:
                    self.controller.run_program(head + end)
                    text = rest
                    head, end, rest = text.partition("\nend\n")
        await close(writer)

    # ---------------------------------------------------------------- dashboard

    async def _dashboard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Connected: Universal Robots Dashboard Server\n")

        async def reply(line: str) -> str:
            return self.dashboard(line)

        await answer_lines(reader, writer, reply)

    def dashboard(self, line: str) -> str:
        """Answer one line of the dashboard protocol."""
        arm = self.controller
        match line.lower():
            case "polyscopeversion":
                return f"URSoftware {VERSION[0]}.{VERSION[1]}.{VERSION[2]}.{VERSION[3]} (emulated)"
            case "is in remote control":
                return "true"
            case "running":
                return f"Program running: {str(arm.program_runs).lower()}"
            case "programstate":
                return f"{'PLAYING' if arm.program_runs else 'STOPPED'} rtde_control"
            case "robotmode":
                return f"Robotmode: {'RUNNING' if arm.powered else 'POWER_OFF'}"
            case "get robot model":
                return "UR5"
            case "get serial number":
                return "20205500001"
            case "safetystatus" | "safetymode":
                word = "PROTECTIVE_STOP" if arm.protective_stop else "NORMAL"
                word = "ROBOT_EMERGENCY_STOP" if arm.emergency_stop else word
                return f"{line.capitalize()}: {word}"
            case "stop":
                arm.stop_program("stopped at the dashboard")
                return "Stopped"
            case "unlock protective stop":
                arm.protective_stop = False
                return "Protective stop releasing"
            case "restart safety":
                arm.release()
                return "Restarting safety"
            case "close safety popup":
                return "closing safety popup"
            case "power on":
                arm.powered = True
                return "Powering on"
            case "power off":
                arm.powered = False
                arm.stop_program("power off")
                return "Powering off"
            case "brake release":
                return "Brake releasing"
            case "quit":
                return "Disconnected"
            case _:
                return f"could not understand: {line!r}"

    # ------------------------------------------------------------------ gripper

    async def _gripper(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def reply(line: str) -> str:
            return self.gripper(line.split())

        await answer_lines(reader, writer, reply)

    def gripper(self, words: list[str]) -> str:
        """Answer one line of the URCap's protocol: positions 0 (open) to 255 (closed)."""
        arm = self.controller
        match words:
            case ["SET", *pairs] if pairs and len(pairs) % 2 == 0:
                for name, value in zip(pairs[::2], pairs[1::2], strict=True):
                    number = min(255, max(0, int(value)))
                    if name == "POS":
                        arm.gripper_width_m = GRIPPER_STROKE_M * (1.0 - number / 255.0)
                    elif name == "FOR":
                        arm.gripper_force_n = GRIPPER_FORCE_N * number / 255.0
                    elif name not in ("ACT", "GTO", "SPE"):
                        return "nack"
                return "ack"
            case ["GET", "POS"]:
                share = 1.0 - arm.plant.gripper_width_m / GRIPPER_STROKE_M
                return f"POS {round(255 * min(1.0, max(0.0, share)))}"
            case ["GET", "OBJ"]:
                moving = abs(arm.plant.gripper_width_m - arm.gripper_width_m) > 0.001
                return f"OBJ {2 if arm.plant.gripper_holds else 0 if moving else 3}"
            case ["GET", "STA"]:
                return "STA 3"
            case ["GET", "ACT" | "GTO" as name]:
                return f"{name} 1"
            case ["GET", "FLT"]:
                return "FLT 0"
            case _:
                return "nack"


class _RtdeClient:
    """One RTDE connection: its recipes, and whether its data flows."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._output: rtde.Recipe | None = None
        self._inputs: dict[int, rtde.Recipe] = {}
        self._every = 1
        self._ticks = 0
        self._started = False

    def answer(self, kind: int, payload: bytes, arm: UrController) -> bytes | None:
        """Answer one message; None for messages without an answer.

        Raises:
            ValueError: The message breaks the protocol.
        """
        if kind == rtde.REQUEST_PROTOCOL_VERSION:
            return bytes([struct.unpack(">H", payload)[0] == rtde.VERSION])
        if kind == rtde.GET_URCONTROL_VERSION:
            return struct.pack(">4I", *VERSION)
        if kind == rtde.SETUP_OUTPUTS:
            (frequency,) = struct.unpack_from(">d", payload)
            names = payload[8:].decode("ascii").split(",")
            self._every = max(1, round(1.0 / (PERIOD_S * frequency)))
            recipe = rtde.output_recipe(1, names)
            self._output = recipe if recipe.valid else None
            return recipe.reply()
        if kind == rtde.SETUP_INPUTS:
            names = payload.decode("ascii").split(",")
            recipe = rtde.input_recipe(len(self._inputs) + 1, names)
            if not recipe.valid:
                return rtde.Recipe(number=0, names=recipe.names, types=recipe.types).reply()
            self._inputs[recipe.number] = recipe
            return recipe.reply()
        if kind in (rtde.START, rtde.PAUSE):
            self._started = kind == rtde.START and self._output is not None
            return bytes([self._started or kind == rtde.PAUSE])
        if kind == rtde.DATA_PACKAGE:
            recipe = self._inputs.get(payload[0]) if payload else None
            if recipe is None:
                raise ValueError("data package of an unknown recipe")
            arm.receive(recipe.unpack(payload[1:]))
            return None
        if kind == rtde.TEXT_MESSAGE:
            return None
        raise ValueError(f"unknown message type {kind}")

    def send(self, arm: UrController) -> None:
        """Send a data package if one is due; a client that does not read loses packages."""
        self._ticks += 1
        if not self._started or self._output is None or self._ticks % self._every:
            return
        if self._writer.is_closing() or self._writer.transport.get_write_buffer_size() > 65536:
            return
        package = self._output.pack(arm.outputs())
        self._writer.write(rtde.message(rtde.DATA_PACKAGE, package))
