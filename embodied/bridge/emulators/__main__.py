"""Run an emulator in the foreground until it is interrupted; prints ``ready`` once it listens."""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from embodied.bridge.emulators.plant import IdealJoints, Plant
from embodied.bridge.emulators.servo_bus import PROTOCOLS, PtyServer, ServoChain
from embodied.bridge.emulators.simulated import SimulatedArm, serve_lines
from embodied.bridge.emulators.universal_robots import UrEmulator
from embodied.bridge.emulators.ur_controller import UrController
from embodied.bridge.vendors.servo_scale import centred
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
    options = parser.parse_args()
    if options.kind == "franka":
        return _served(_serve_franka(options), options.host)
    if options.truth is not None and not options.scene:
        parser.error("--truth needs --scene")
    robot = options.robot or ("ur5e" if options.kind == "universal-robots" else "fr3")
    plant: Plant
    if options.scene:
        plant = SimulatedArm(scene=options.scene, robot=robot, seed=options.seed)
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


async def _serve_franka(options: argparse.Namespace) -> None:
    from embodied.bridge.emulators.franka import FrankaEmulator
    from embodied.bridge.emulators.franka_scene import FrankaScene

    scene = FrankaScene(scene=options.scene, seed=options.seed)
    emulator = FrankaEmulator(scene, options.host, stepped=options.stepped)
    tasks: list[Awaitable[None]] = []
    if options.truth is not None:
        tasks.append(asyncio.create_task(serve_lines(emulator.told, options.truth)))
        await asyncio.sleep(0)  # its socket is there before "ready"
    say = functools.partial(print, "ready", flush=True)
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
    if options.truth is not None and isinstance(plant, SimulatedArm):
        tasks.append(serve_lines(plant.told, options.truth))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    sys.exit(main())
