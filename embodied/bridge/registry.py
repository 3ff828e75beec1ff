"""Drivers by name; each module is imported when its driver is opened."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embodied.bridge.driver import Driver
from embodied.errors import ConfigurationError, EnvironmentMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One driver.

    Attributes:
        name: Name for ``--driver``.
        arms: What it drives.
        module: Module that holds it.
        factory: Name of the class or function in the module; takes the options as keywords.
        extra: Extra of this package that brings its client, ``""`` if none is needed.
        package: Module of that client, to see whether it is installed.
        options: Names of the options, with what they mean.
        tested_against: What it was tested against.
        hardware: Whether it was ever tested on hardware.
    """

    name: str
    arms: str
    module: str
    factory: str
    extra: str = ""
    package: str = ""
    options: Mapping[str, str]
    tested_against: str
    hardware: bool = False

    @property
    def installed(self) -> bool:
        """Whether its client is there."""
        if not self.package:
            return True
        try:
            return importlib.util.find_spec(self.package) is not None
        except (ImportError, ValueError):
            return False


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="simulated",
        arms="FR3 in MuJoCo, Panda in PyBullet",
        module="embodied.bridge.drivers.simulated",
        factory="SimulatedDriver",
        options={
            "simulator": "mujoco or pybullet",
            "scene": "scene name or file",
            "robot": "robot in MuJoCo; PyBullet has the Panda",
            "stacks": "chance that an item starts on another one",
            "farewell": "file that the arm's process writes when it ends",
            "lockstep": "true: time advances with set-points; false: real time",
        },
        tested_against="tabletop episodes through the supervisor, fault injection",
    ),
    Entry(
        name="universal-robots",
        arms="UR arms of the CB3 and e-Series, with a Robotiq gripper",
        module="embodied.bridge.drivers.universal_robots",
        factory="UniversalRobotsDriver",
        extra="bridge-ur",
        package="rtde_control",
        options={
            "host": "address of the controller",
            "gripper": "robotiq, or nothing",
            "stroke_m": "gap of the open gripper",
            "gripper_force_n": "largest force of the gripper",
            "truth": "socket of an emulator that tells where things are; real arms have none",
            "lockstep": "true: wait for an emulator started with --stepped",
        },
        tested_against="an RTDE emulator of this project, with the vendor's client ur-rtde",
    ),
    Entry(
        name="franka",
        arms="Franka's FR3, with a Franka Hand",
        module="embodied.bridge.drivers.franka",
        factory="FrankaDriver",
        extra="bridge-franka",
        package="franky",
        options={
            "host": "address of the arm's control",
            "gripper": "hand, or nothing",
            "realtime": "enforce: move only with a real-time kernel; ignore: for emulators",
            "truth": "socket of an emulator that tells where things are; real arms have none",
            "lockstep": "true: wait for an emulator started with --stepped; needs truth",
        },
        tested_against="the simulated FR3 of franky-sim, with the client franky-control",
    ),
    Entry(
        name="dynamixel",
        arms="arms of Dynamixel X-series servos",
        module="embodied.bridge.drivers.serial_servos",
        factory="dynamixel",
        extra="bridge-dynamixel",
        package="dynamixel_sdk",
        options={
            "port": "serial device",
            "robot": "robot whose joints the servos are",
            "baud": "bits per second",
            "truth": "socket of an emulator that tells where things are; real arms have none",
            "lockstep": "true: wait for an emulator started with --stepped",
        },
        tested_against="servos at a pseudo-terminal, with the client dynamixel-sdk",
    ),
    Entry(
        name="feetech",
        arms="arms of Feetech SMS/STS servos",
        module="embodied.bridge.drivers.serial_servos",
        factory="feetech",
        extra="bridge-feetech",
        package="scservo_sdk",
        options={
            "port": "serial device",
            "robot": "robot whose joints the servos are",
            "baud": "bits per second",
            "truth": "socket of an emulator that tells where things are; real arms have none",
            "lockstep": "true: wait for an emulator started with --stepped",
        },
        tested_against="servos at a pseudo-terminal, with the client ftservo-python-sdk",
    ),
    Entry(
        name="ros2",
        arms="arms behind a ROS 2 joint_trajectory_controller",
        module="embodied.bridge.drivers.ros2",
        factory="Ros2Driver",
        extra="bridge-ros2",
        package="cyclonedds",
        options={
            "robot": "robot whose joints the controller has",
            "joints": "their names in ROS, separated by commas, where they differ",
            "controller": "name of the trajectory controller",
            "states": "topic of the joint states",
            "gripper": "name of the gripper's trajectory controller, or nothing",
            "gripper_joint": "joint that it moves",
            "gap_per_joint": "gap in metres per unit of that joint",
            "domain": "DDS domain, as in ROS_DOMAIN_ID",
            "local": "true: stay on this machine's loopback",
            "truth": "socket of an emulator that tells where things are; real arms have none",
            "lockstep": "true: wait for an emulator started with --stepped",
        },
        tested_against="a trajectory controller emulated by this project over Cyclone DDS",
    ),
    Entry(
        name="lerobot",
        arms="arms behind an object of the shape of LeRobot's Robot class",
        module="embodied.bridge.drivers.lerobot",
        factory="LeRobotDriver",
        options={
            "factory": "module:callable that returns the robot",
            "unit": "of the joints' numbers: degrees or radians",
            "robot": "robot whose joints these are",
            "joints": "their names in LeRobot, separated by commas, where they differ",
            "gripper": "name of the gripper's motor, or nothing",
            "stroke_m": "gap of the open gripper",
            "lockstep": "true: time passes with set-points only",
        },
        tested_against="simulated arms in the shape of the class, without LeRobot",
    ),
)


def driver_names() -> tuple[str, ...]:
    """Names for ``--driver``."""
    return tuple(e.name for e in ENTRIES)


def entry(name: str) -> Entry:
    """The driver of a name; raises ConfigurationError."""
    for one in ENTRIES:
        if one.name == name:
            return one
    close = difflib.get_close_matches(name, driver_names(), n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    raise ConfigurationError(
        f"unknown driver {name!r}.{guess} Choose from: {', '.join(driver_names())}."
    )


def open_driver(name: str, options: Mapping[str, Any]) -> Driver:
    """Build a driver; connects to nothing.

    Raises:
        ConfigurationError: There is no such driver or option.
        EnvironmentMissingError: Its client is not installed; the message names the extra.
    """
    one = entry(name)
    if not one.installed:
        raise EnvironmentMissingError(
            f"driver {name!r} needs the package {one.package}:"
            f" pip install 'embodied-stack[{one.extra}]'"
        )
    factory = getattr(importlib.import_module(one.module), one.factory)
    try:
        return factory(**options)
    except TypeError as error:
        known = ", ".join(one.options) or "none"
        raise ConfigurationError(f"driver {name!r}: {error}; its options: {known}") from error
