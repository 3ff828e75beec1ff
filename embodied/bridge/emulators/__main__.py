"""Run an emulator in the foreground until it is interrupted; prints ``ready`` once it listens."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from embodied.bridge.emulators.cameras import CameraSettings, start_cameras
from embodied.bridge.emulators.plant import IdealJoints, Plant
from embodied.bridge.emulators.servo_bus import PROTOCOLS, PtyServer, ServoChain
from embodied.bridge.emulators.simulated import SimulatedArm, serve_lines
from embodied.bridge.emulators.stage import telling
from embodied.bridge.emulators.universal_robots import UrEmulator
from embodied.bridge.emulators.ur_controller import UrController
from embodied.bridge.vendors.servo_scale import centred
from embodied.perception.cameras.simulated import SensorFaults
from embodied.world import robots


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m embodied.bridge.emulators")
    parser.add_argument("kind", choices=["universal-robots", "franka", "ros2", *PROTOCOLS])
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--scene", default="", help="simulate this scene around the arm")
    parser.add_argument("--robot", default="", help="arm (default: ur5e, or fr3 made of servos)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the scene's layout")
    parser.add_argument("--stepped", action="store_true", help="time passes with set-points only")
    parser.add_argument("--domain", type=int, default=0, help="DDS domain of ros2")
    parser.add_argument("--truth", type=Path, help="local socket that reports object poses")
    parser.add_argument("--clock", type=Path, help="local socket that steps franka, no more")
    parser.add_argument("--cameras", type=Path, help="local socket of rendered cameras")
    parser.add_argument(
        "--camera-settings", type=_camera_settings, default="{}", help="their settings, JSON"
    )
    options = parser.parse_args()
    tells = ("cameras",) if options.kind == "franka" else ("truth", "cameras")
    for name in tells:  # franka's truth socket takes commands without a scene, too
        if getattr(options, name) is not None and not options.scene:
            parser.error(f"--{name} needs --scene")
    if options.clock is not None and not (options.kind == "franka" and options.stepped):
        parser.error("--clock is for franka --stepped")
    if options.kind == "franka":
        return _served(_serve_franka(options), options.host)
    robot = options.robot or ("ur5e" if options.kind == "universal-robots" else "fr3")
    plant: Plant
    if options.scene:
        plant = SimulatedArm(scene=options.scene, robot=robot, seed=options.seed)
        if options.cameras is not None:
            start_cameras(plant.stage, options.camera_settings, options.cameras)
    else:
        plant = IdealJoints(robots.load(robot).q_home)
    return _served(_serve(options, plant, robot), options.host)


def _served(serving: Coroutine[Any, Any, None], host: str) -> int:
    """Run until interrupted; returns the exit code."""
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"cannot listen on {host}: {error}", file=sys.stderr)  # noqa: T201
        return 3
    return 0


def _camera_settings(text: str) -> CameraSettings:
    values = json.loads(text)
    faults = SensorFaults(**values.pop("faults", {}))
    return CameraSettings(faults=faults, **{k: _tupled(v) for k, v in values.items()})


def _tupled(value: object) -> Any:
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def _views(options: argparse.Namespace) -> tuple[tuple[str, ...], int, int]:
    settings: CameraSettings = options.camera_settings
    return settings.names, settings.width, settings.height


async def _serve_franka(options: argparse.Namespace) -> None:
    from embodied.bridge.emulators.franka import FrankaEmulator
    from embodied.bridge.emulators.franka_scene import FrankaScene

    scene = FrankaScene(scene=options.scene, seed=options.seed)
    emulator = FrankaEmulator(scene, options.host, stepped=options.stepped)
    tasks: list[Awaitable[None]] = []

    async def tick(line: str) -> dict[str, object]:
        if line.startswith("step "):
            await emulator.told(line)
        elif line:
            raise ValueError(f"not a line of the clock's socket: {line!r}")
        return {}

    def say() -> None:
        if options.cameras is not None and scene.stage is not None:
            start_cameras(scene.stage, options.camera_settings, options.cameras)
        print("ready", flush=True)  # noqa: T201

    async def told(line: str) -> dict[str, object]:
        if scene.stage is None:
            return await emulator.told(line)
        return await telling(scene.stage, emulator.told, _views(options))(line)

    for path, reply in ((options.truth, told), (options.clock, tick)):
        if path is not None:
            tasks.append(asyncio.create_task(serve_lines(reply, path)))
    await asyncio.sleep(0)  # the sockets are there before "ready"
    tasks.append(_in_thread(functools.partial(emulator.serve, say)))
    await asyncio.gather(*tasks)


def _in_thread(work: Callable[[], None]) -> asyncio.Future[None]:
    """As ``asyncio.to_thread``, in a thread that an interrupted process does not wait for."""
    done: Future[None] = Future()

    def body() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            done.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    return asyncio.wrap_future(done)


async def _serve(options: argparse.Namespace, plant: Plant, robot: str) -> None:
    tasks: list[Awaitable[None]] = []
    if options.truth is not None and isinstance(plant, SimulatedArm):
        told = telling(plant.stage, plant.told, _views(options))
        tasks.append(asyncio.create_task(serve_lines(told, options.truth)))
        await asyncio.sleep(0)  # its socket is there before "ready"
    if options.kind == "universal-robots":
        emulator = UrEmulator(UrController(plant, plant.q, stepped=options.stepped), options.host)
        tasks.append(emulator.serve(lambda: print("ready", flush=True)))  # noqa: T201
    elif options.kind == "ros2":
        from embodied.bridge.emulators.ros2 import Ros2Emulator
        from embodied.bridge.emulators.ros2_controller import TrajectoryController

        joints = TrajectoryController(plant, robots.load(robot).joints, stepped=options.stepped)
        topics = Ros2Emulator(joints, options.domain)
        print("ready", flush=True)  # noqa: T201
        tasks.append(asyncio.to_thread(topics.serve))
    else:
        arm = robots.load(robot)
        chain = ServoChain(plant, centred(arm.q_lower, arm.q_upper), stepped=options.stepped)
        server = PtyServer(chain=chain, protocol=PROTOCOLS[options.kind]())
        print(f"ready {server.open()}", flush=True)  # noqa: T201
        tasks.append(asyncio.to_thread(server.serve))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    sys.exit(main())
