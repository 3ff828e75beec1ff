"""How each driver is rehearsed: its emulator, its options and the limits shipped for it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One driver with its emulator.

    Attributes:
        emulator: Kind of the emulator.
        robot: Robot that it emulates.
        limits: Name of shipped limits.
        options: Options of the driver.
        host: Both take ``host``, a loopback address.
        port: The driver takes the device that the emulator prints as ``port``.
        clock: Stepped, the driver takes the emulator's socket ``clock``.
    """

    emulator: str
    robot: str
    limits: str
    options: Mapping[str, str]
    host: bool = False
    port: bool = False
    clock: bool = False


SETUPS: Mapping[str, Setup] = {
    "universal-robots": Setup(
        emulator="universal-robots", robot="ur5e", limits="ur5e-emulated", options={}, host=True
    ),
    "franka": Setup(
        emulator="franka",
        robot="fr3",
        limits="fr3-franka-emulated",
        options={"realtime": "ignore"},
        host=True,
        clock=True,
    ),
    "feetech": Setup(
        emulator="feetech", robot="fr3", limits="fr3-servos-emulated", options={}, port=True
    ),
    "dynamixel": Setup(
        emulator="dynamixel", robot="fr3", limits="fr3-servos-emulated", options={}, port=True
    ),
    "ros2": Setup(
        emulator="ros2",
        robot="fr3",
        limits="fr3-servos-emulated",
        options={"local": "true", "gripper": "gripper_controller"},
    ),
}


def loopback_host(number: int) -> str:
    """A loopback address of this process's own: rehearsals run side by side."""
    mixed = zlib.crc32(f"{os.getpid()} {number}".encode())
    return f"127.{16 + mixed % 200}.{mixed // 200 % 250}.{1 + mixed // 50_000 % 250}"


def environment(tag: str) -> dict[str, str]:
    """Environment of an emulator and its bridge: their DDS is theirs alone."""
    from embodied.bridge.vendors.ros2_node import loopback

    return {**os.environ, "CYCLONEDDS_URI": loopback(tag), "OMP_NUM_THREADS": "1"}


def emulator_arguments(
    setup: Setup, folder: Path, *, scene: str, seed: int, host: str, stepped: bool
) -> list[str]:
    """Command-line arguments of the emulator, whose sockets lie in ``folder``."""
    arguments = [setup.emulator, "--scene", scene, "--seed", str(seed)]
    if setup.emulator != "franka":
        arguments += ["--robot", setup.robot]
    if setup.host:
        arguments += ["--host", host]
    if stepped:
        arguments.append("--stepped")
        if setup.clock:
            arguments += ["--clock", str(folder / "clock")]
    return [*arguments, "--truth", str(folder / "truth"), "--cameras", str(folder / "cameras")]


def driver_options(
    setup: Setup, folder: Path, *, host: str, device: str, stepped: bool
) -> list[str]:
    """``-o NAME=VALUE`` of the driver; none of them leads to the truth."""
    options = dict(setup.options)
    if setup.host:
        options["host"] = host
    if setup.port:
        options |= {"port": device, "robot": setup.robot}
    if stepped:
        options["lockstep"] = "true"
        if setup.clock:
            options["clock"] = str(folder / "clock")
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
