"""The simulated arm: a world in a process of its own behind the ``Driver`` protocol."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embodied.bridge.driver import DriverEntry
from embodied.bridge.messages import StopCategory
from embodied.bridge.plant import PlantSession
from embodied.bridge.setpoint_driver import Grip, Report, SetpointDriver
from embodied.bridge.vendors.vendor_process import START_S, VendorProcess
from embodied.errors import HardwareFault
from embodied.types import Array

PANDA_JOINTS = tuple(f"joint{i}" for i in range(1, 8))
ANSWER_S, END_S = 5.0, 10.0


class SimulatedDriver(SetpointDriver[VendorProcess]):
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

    name, label = "simulated", "the simulated arm"
    resets = True
    differs = "the simulated arm limited the set-point"

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

        joints = PANDA_JOINTS if simulator == "pybullet" else robots.load(robot).joints
        super().__init__(joints, has_gripper=True, lockstep=lockstep)
        self._config = {
            "simulator": simulator,
            "robot": robot,
            "scene": scene,
            "lockstep": lockstep,
            "stacks": stacks,
            "farewell": farewell,
        }
        self._seen: Report | None = None
        self._scene: Mapping[str, object] = {}

    def open_link(self) -> VendorProcess:
        """Start the arm's process."""
        self._seen = None
        return VendorProcess(
            PlantSession, self._config, vendor="simulated arm's", answer_s=ANSWER_S
        )

    def close_link(self, link: VendorProcess) -> None:
        """End it, braked."""
        link.close(timeout_s=END_S)

    def measure(self, link: VendorProcess) -> Report:
        """The latest report; in lockstep, nothing has changed since the last call."""
        if self.lockstep and self._seen is not None:
            return self._seen
        return self._ask(link, "state")

    def scene(self) -> Mapping[str, object]:
        """Where things are, as the simulator knows it."""
        return self._scene

    def switch_on(self, link: VendorProcess) -> None:
        """Hold the measured pose."""
        self._ask(link, "enable")

    def send(self, link: VendorProcess, q: Array, dq: Array, grip: Grip | None) -> Array:
        """One set-point; the arm may limit it."""
        sent = self._ask(link, "stream", q, grip).q_commanded
        return q if sent is None else sent

    def grip(self, link: VendorProcess, grip: Grip) -> None:
        """The arm holds what it was told last."""
        told = self.measure(link).q_commanded
        self._send(link, self.goal if told is None else told, np.zeros(len(self.joints)), grip)

    def moving(self, link: VendorProcess) -> bool:
        """Its end brakes, and says how that went."""
        return False

    def brake(self, link: VendorProcess) -> None:
        """See ``after_brake``: the arm brakes by itself."""

    def cut_power(self, link: VendorProcess) -> bool:
        """It has brakes, which do what ``after_brake`` does."""
        self.after_brake(link, StopCategory.IMMEDIATE)
        return True

    def after_brake(self, link: VendorProcess, category: StopCategory) -> None:
        """Brake and refuse motion."""
        self._ask(link, "stop", int(category))

    def clear(self, link: VendorProcess) -> None:
        """Clear a stop."""
        self._ask(link, "recover")

    def reset(self, seed: int) -> None:
        """Start the episode of a seed: the arm at home, things where the seed puts them."""
        self._ask(self.link, "reset", seed, timeout_s=START_S)
        self.enabled = False

    def _ask(
        self, link: VendorProcess, name: str, *arguments: object, timeout_s: float | None = None
    ) -> Report:
        seen, self._scene, problem = link.ask(name, *arguments, timeout_s=timeout_s)
        self._seen = seen
        if problem:
            raise HardwareFault(problem)
        return seen


DRIVER = DriverEntry(
    make=SimulatedDriver,
    arms="FR3 in MuJoCo, Panda in PyBullet",
    tested_against="tabletop episodes through the supervisor, fault injection",
)
